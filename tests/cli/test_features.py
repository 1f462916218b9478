"""The command ``features``."""

import shutil

import numpy as np
import pytest

from mmmsba_plugin.cli import _exit_codes
from mmmsba_plugin.features.log_mel import LogMel

from ..clips import clip as numbered_clip

pytestmark = pytest.mark.usefixtures("cached_features")


class TestFeatures:
    def test_each_modality_gets_a_file_with_a_row_a_snippet(self, run, talking_clip, tmp_path):
        result = run("features", talking_clip, "-o", tmp_path, "--stride-s", 0.2)
        assert result.exit_code == _exit_codes.OK
        for modality in ("face", "audio", "lips"):
            rows = np.load(tmp_path / modality / "talking.npy")
            # The last packet of the audio reaches a little past the third second.
            assert len(rows) == 16
            present = np.isfinite(rows).all(axis=1).mean()
            size = f"16 x {rows.shape[1]}, {present:.0%} present, a row every 0.2 s"
            assert f"{tmp_path / modality / 'talking.npy'}: {size}" in result.stdout

    def test_a_front_end_of_its_own_can_be_named(self, run, talking_clip, tmp_path):
        result = run("features", talking_clip, "-o", tmp_path, "--front-end", "voice")
        assert result.exit_code == _exit_codes.OK
        assert [path.name for path in tmp_path.iterdir()] == ["audio"]
        names = ("--front-end", "voice", "--front-end", "log-mel")
        refused = run("features", talking_clip, "-o", tmp_path, *names)
        assert "two of voice, log-mel are of one modality" in refused.stderr

    def test_a_bad_clip_stops_nothing(self, run, tmp_path):
        clip = numbered_clip(tmp_path / "clip.mp4", duration_s=0.4, click_at_s=0.2)
        result = run("features", tmp_path / "gone.mp4", clip, "-o", tmp_path / "out")
        assert result.exit_code == _exit_codes.NOT_EVALUATED
        assert "gone.mp4: error: there is no file at" in result.stdout
        assert np.isnan(np.load(tmp_path / "out" / "lips" / "clip.npy")).all()

    def test_a_fault_of_a_front_end_stops_nothing(self, run, tmp_path, monkeypatch, caplog):
        start = LogMel.start

        def touchy(self, media, grid):
            if "hostile" in media.path:
                raise RuntimeError("boom")
            start(self, media, grid)

        monkeypatch.setattr(LogMel, "start", touchy)
        hostile = numbered_clip(tmp_path / "hostile.mp4", duration_s=0.4, click_at_s=0.2)
        good = shutil.copy(hostile, tmp_path / "good.mp4")
        result = run("features", hostile, good, "-o", tmp_path / "out")
        assert result.exit_code == _exit_codes.NOT_EVALUATED
        assert "hostile.mp4: error: RuntimeError: boom; the log has the traceback" in result.stdout
        assert (tmp_path / "out" / "audio" / "good.npy").is_file()
        assert str(caplog.records[0].exc_info[1]) == "boom"

    def test_two_clips_that_would_share_a_file_are_refused(self, run, tmp_path):
        result = run("features", tmp_path / "a" / "x.mp4", tmp_path / "b" / "x.mkv", "-o", tmp_path)
        assert result.exit_code == _exit_codes.STOPPED
        assert "would both become x.npy; describe them one after the other" in result.stderr
