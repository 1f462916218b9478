"""``mmmsba train-sync``: what its options ask for."""

from mmmsba_plugin.cli import _exit_codes
from mmmsba_plugin.features.embeddings.sync import load_encoder


def test_it_writes_an_encoder_and_says_how_well_it_does(run, talking_head_dataset, tmp_path):
    file = tmp_path / "new" / "sync.safetensors"
    options = ("--steps", 1, "--align-steps", 0, "--held-out", 0.4)
    result = run("train-sync", "--data", talking_head_dataset, "-o", file, *options)
    assert result.exit_code == _exit_codes.OK, result.stderr
    assert "step 1 of 1" in result.stdout
    assert "within three" in result.stdout
    load_encoder(file)


def test_without_clips_it_asks_for_some(run, tmp_path):
    result = run("train-sync", "-o", tmp_path / "sync.safetensors")
    assert result.exit_code == _exit_codes.USAGE
    assert "--data" in result.stderr
