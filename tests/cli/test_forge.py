"""The command ``forge``."""

import shutil

import pytest

from mmmsba_plugin.cli import _exit_codes
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.forge.talking_head.clips import make_talking_head_dataset

pytestmark = pytest.mark.usefixtures("cached_features")


class TestForge:
    def test_a_folder_of_clips_becomes_a_dataset(self, run, talking_clip, tmp_path):
        real = tmp_path / "genuine"
        real.mkdir()
        shutil.copy(talking_clip, real)
        (real / "notes.mp4").write_text("no film")
        counts = ("--per-clip", 1, "--real-per-clip", 1)
        result = run("forge", real, "-o", tmp_path / "out", *counts, "--forger", "mouth")
        assert result.exit_code == _exit_codes.OK
        assert "wrote 1 real and 1 fake clips" in result.stdout
        assert "skipped" in result.stdout
        assert "notes.mp4" in result.stdout
        fake = [r for r in read_lavdf(tmp_path / "out") if r.fake]
        assert [(r.kind, r.audio_truth) for r in fake] == [("mouth", ())]

    def test_an_unknown_forger_is_answered_with_those_there_are(self, run, tmp_path):
        result = run("forge", tmp_path, "-o", tmp_path / "out", "--forger", "spice")
        assert result.exit_code == _exit_codes.STOPPED
        assert "did you mean 'splice'?" in result.stderr

    def test_a_folder_that_is_not_there_is_named(self, run, tmp_path):
        result = run("forge", tmp_path / "gone", "-o", tmp_path / "out")
        assert result.exit_code == _exit_codes.STOPPED
        assert f"there is no folder {tmp_path / 'gone'}" in result.stderr


@pytest.fixture(scope="session")
def real(tmp_path_factory):
    """Five speakers with a clip each, of whom three share the training split."""
    folder = tmp_path_factory.mktemp("genuine")
    make_talking_head_dataset(folder, num_clips=5, seconds=2.4, seed=1, size_px=160)
    return folder


def test_the_command_forges_with_those_that_are_wanted(run, real, tmp_path):
    result = run(
        *("forge", real, "-o", tmp_path / "out", "--split", "dev", "--per-clip", 2),
        *("--forgers", "shift,mouth", "--exclude", "mouth", "--workers", 1),
    )
    assert result.exit_code == _exit_codes.OK, result.output
    assert "wrote 3 real and 2 fake clips" in result.stdout
    assert {r.kind for r in read_lavdf(tmp_path / "out")} == {"real", "shift"}


def test_the_command_tells_of_leaks_and_of_who_was_left_out(run, real, tmp_path):
    plugin = tmp_path / "speaking.py"
    plugin.write_text(
        "from mmmsba_plugin.config import Config\n"
        "from mmmsba_plugin.errors import MissingExtraError\n"
        "from mmmsba_plugin.hookspecs import Forger, hookimpl\n"
        "def build(config):\n"
        "    raise MissingExtraError('no voice is installed; install one')\n"
        "@hookimpl\n"
        "def forensics_forgers():\n"
        "    options = {'modality': 'audio', 'summary': 'Words.', 'config': Config}\n"
        "    yield Forger(name='silent-voice', build=build, **options)\n"
    )
    result = run(
        *("--plugin", plugin, "forge", real, "-o", tmp_path / "out", "--split", "train"),
        *("--per-clip", 1, "--forgers", "shift,silent-voice", "--check-leaks"),
        *("--real-per-clip", 1, "--workers", 1),
    )
    assert result.exit_code == _exit_codes.OK, result.output
    assert "left out the forger 'silent-voice': no voice is installed" in result.stdout
    assert "a guess from size, encoding and loudness alone: AUC" in result.stdout


def test_an_unknown_name_among_the_excluded_is_answered_with_those_there_are(run, tmp_path):
    result = run("forge", tmp_path, "-o", tmp_path / "out", "--exclude", "shft")
    assert result.exit_code == _exit_codes.STOPPED
    assert "did you mean 'shift'?" in result.stderr
