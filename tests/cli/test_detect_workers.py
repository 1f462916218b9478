"""``mmmsba detect --workers``: a crash costs one clip, and what guards against it can be set."""

import pytest

from mmmsba_plugin.cli import _exit_codes

from ..hostile_plugin import hostile_plugin
from .detect_files import read, reports


@pytest.fixture
def hostile(run, tmp_path):
    """Runs ``mmmsba detect`` on files of such names by a detector that crashes as they say."""
    plugin = hostile_plugin(tmp_path)

    def detect(names, *options):
        clips = [tmp_path / name for name in names]
        for clip in clips:
            clip.write_bytes(clip.name.encode())
        command = ("--plugin", plugin, "detect", "--detector", "hostile", "-o", tmp_path / "out")
        return run(*command, *options, *clips)

    return detect


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_a_crash_costs_one_clip(hostile, tmp_path, workers):
    result = hostile(["a.mp4", "segfault.mp4", "b.mp4"], "--workers", workers, "--format", "json")
    assert result.exit_code == _exit_codes.NOT_EVALUATED
    assert "segfault.mp4: error: the process that worked on it died" in result.stdout
    out = tmp_path / "out"
    assert reports(out) == ["a.json", "b.json", "segfault.json"]
    assert [read(out / name).status for name in reports(out)] == ["ok", "ok", "error"]


def test_a_clip_that_crashed_is_tried_again_when_the_run_is_resumed(hostile):
    for before in (0, 1):
        result = hostile(["a.mp4", "segfault.mp4"], "--resume")
        assert result.stdout.startswith(f"{before} of 2 clips were evaluated before")
        assert result.stdout.count("error: the process") == 1


def test_a_clip_has_a_limit_of_time(hostile):
    result = hostile(["hang.mp4", "a.mp4"], "--time-limit", 6)
    assert result.exit_code == _exit_codes.NOT_EVALUATED
    assert "hang.mp4: error: it was not complete after" in result.stdout
    assert "a.mp4: not flagged" in result.stdout or "a.mp4: flagged" in result.stdout


def test_without_isolation_this_process_detects(hostile):
    assert hostile(["a.mp4"], "--no-isolation").exit_code == _exit_codes.OK
    result = hostile(["a.mp4"], "--no-isolation", "--workers", 2)
    assert result.exit_code == _exit_codes.USAGE
    assert "leave out --no-isolation" in result.stderr


def test_the_bundled_detector_detects_in_workers(run, checkpoint, clip, tmp_path):
    result = run("detect", clip, "--checkpoint", checkpoint, "-o", tmp_path / "out")
    assert result.exit_code == _exit_codes.OK
    assert read(tmp_path / "out" / "clip.json").provenance.checkpoint == "tiny"


@pytest.mark.parametrize(
    ("options", "message"),
    [(("--checkpoint", "nowhere"), "error: "), (("--detector", "mmms-bb"), "mmms-ba")],
)
def test_a_detector_that_cannot_load_is_named_before_anything_is_written(
    run, clip, tmp_path, options, message
):
    result = run("detect", clip, "-o", tmp_path / "out", *options)
    assert result.exit_code == _exit_codes.STOPPED
    assert message in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("isolation", [[], ["--no-isolation"]])
def test_an_exported_network_detects(run, checkpoint, clip, tmp_path, isolation):
    run("export", checkpoint, "-o", tmp_path / "exported")
    out = tmp_path / "out"
    options = ("--runtime", "onnx", "--threads", 1, "--device", "cpu", *isolation)
    result = run("detect", clip, "--checkpoint", tmp_path / "exported", "-o", out, *options)
    assert result.exit_code == _exit_codes.OK
    assert read(out / "clip.json").provenance.checkpoint == "exported"


@pytest.mark.parametrize("isolation", [[], ["--no-isolation"]])
def test_weights_that_were_not_exported_stop_the_run(run, checkpoint, clip, isolation):
    result = run("detect", clip, "--checkpoint", checkpoint, "--runtime", "onnx", *isolation)
    assert result.exit_code == _exit_codes.STOPPED
    assert "mmmsba export" in result.stderr


@pytest.mark.parametrize("option", [("--ray-address", "host:1"), ("--gpus-per-worker", 0.25)])
def test_an_option_of_a_cluster_needs_the_engine(run, clip, option):
    result = run("detect", clip, *option)
    assert result.exit_code == _exit_codes.USAGE
    assert "add --engine ray" in result.stderr


def test_an_unknown_engine_is_answered_with_those_there_are(run, clip):
    result = run("detect", clip, "--engine", "spark")
    assert result.exit_code == _exit_codes.USAGE
    assert "ray" in result.stderr


def test_without_ray_a_cluster_is_answered_with_what_to_install(run, clip, monkeypatch):
    monkeypatch.setattr("mmmsba_plugin.distributed.find_spec", lambda _: None)
    result = run("detect", clip, "--engine", "ray")
    assert result.exit_code == _exit_codes.STOPPED
    assert "pip install 'mmmsba-plugin[ray]'" in result.stderr
