"""A detector is run over clips, and no clip twice though the run is interrupted."""

from dataclasses import replace

import numpy as np
import pytest

from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.errors import PredictionsError
from mmmsba_plugin.evaluation import journal
from mmmsba_plugin.evaluation.run import (
    ClipPrediction,
    Result,
    leading_silences,
    run,
    run_resumable,
    table_of,
)
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.record import Record

from ..clips import numbered_frames
from ..reproduce.clips_of import record
from .test_evaluate import CLIPS, Oracle, report

RATE_HZ = 16_000


class TestPredictions:
    def test_a_clip_that_could_not_be_read_is_named_and_tried_again(
        self, detector, talking_head_dataset, tmp_path
    ):
        good = next(read_lavdf(talking_head_dataset))
        broken = replace(good, media=tmp_path / "gone.mp4", key="gone.mp4")
        keys, path = [], tmp_path / "predictions.jsonl"
        for _ in range(2):
            by_key = run_resumable(detector, [good, broken], path, on_clip=keys.append)
        assert keys == [good.key, "gone.mp4", "gone.mp4"]
        assert "gone.mp4" in by_key["gone.mp4"].problem
        predictions = table_of(by_key, name="ours")
        assert list(predictions.scores) == [good.key]
        assert predictions.threshold == by_key[good.key].threshold

    def test_a_prediction_holds_what_the_report_says(
        self, detector, talking_head_dataset, tmp_path
    ):
        records = list(read_lavdf(talking_head_dataset))[:3]
        path, prepared = tmp_path / "predictions.jsonl", []
        by_key = run_resumable(detector, records, path, prepare=prepared.append, workers=2)
        assert sorted(clip.name for clip in prepared) == sorted(clip.name for clip in records)
        for clip in records:
            report, prediction = detector.detect(clip.media), by_key[clip.key]
            assert prediction.score == report.score
            spans, scores = prediction.proposals
            expected = [(p.start_s, p.end_s, p.score) for p in report.proposals]
            assert [
                (*s, p) for s, p in zip(spans.tolist(), scores.tolist(), strict=True)
            ] == expected

    @pytest.mark.parametrize("line", ["not json", "[]", '{"key": "a"}', '{"score": 0.5}'])
    def test_a_damaged_line_is_named(self, tmp_path, line):
        path = tmp_path / "predictions.jsonl"
        path.write_text(f"{line}\n")
        with pytest.raises(PredictionsError, match=r"jsonl, line 1 is damaged; remove the line"):
            journal.read(path, ClipPrediction.of_entry)

    def test_without_predictions_there_is_neither_score_nor_threshold(self):
        predictions = table_of({}, name="ours")
        assert predictions.scores == {}
        assert predictions.threshold is None


class TestSilence:
    @pytest.fixture
    def clips(self, tmp_path) -> list[Record]:
        """A real clip that is audible at once, a fake one that is not, and one without audio."""
        loud = np.full(RATE_HZ, 0.1, dtype=np.float32)
        late = np.where(np.arange(RATE_HZ) < RATE_HZ // 4, 0.0, loud).astype(np.float32)
        tracks = {"loud": (loud, False), "late": (late, True), "mute": (None, True)}
        for name, (audio, _) in tracks.items():
            frames = numbered_frames(5)
            write_clip(tmp_path / f"{name}.mkv", frames, fps_hz=25, audio=audio)
        return [
            replace(record(name, fake=fake), media=tmp_path / f"{name}.mkv")
            for name, (_, fake) in tracks.items()
        ]

    def test_the_silence_that_clips_start_with_is_kept_clip_by_clip(self, clips, tmp_path):
        missing = replace(record("gone"), media=tmp_path / "gone.mkv")
        (tmp_path / "text.mkv").write_text("no film")
        broken = replace(record("broken"), media=tmp_path / "text.mkv")
        keys, path = [], tmp_path / "new" / "silence.jsonl"
        lengths_s = leading_silences(
            [*clips, missing, broken], path, workers=2, on_clip=keys.append
        )
        assert lengths_s == {
            "loud": pytest.approx(0.0, abs=0.02), "late": pytest.approx(0.25, abs=0.02),
            "mute": None,
        }  # fmt: skip
        assert keys == ["loud", "late", "mute", "broken"]
        assert journal.read(path, lambda entry: entry["silence_s"]) == lengths_s

    def test_a_clip_with_a_measured_silence_is_not_decoded_again(self, clips, tmp_path):
        path = tmp_path / "silence.jsonl"
        path.write_text('{"key": "loud", "silence_s": 3.0}\n{"key": "late", "sil')
        keys = []
        lengths_s = leading_silences(clips, path, on_clip=keys.append)
        assert lengths_s["loud"] == 3.0
        assert keys == ["late", "mute"]
        assert leading_silences(clips[:2], path, on_clip=keys.append).keys() == {
            "loud",
            "late",
        }
        assert keys == ["late", "mute"]

    def test_a_damaged_line_is_named(self, clips, tmp_path):
        path = tmp_path / "silence.jsonl"
        path.write_text('{"key": "loud", "silence_s": "long"}\n')
        with pytest.raises(
            PredictionsError, match="line 1 is damaged; remove the line to have its"
        ):
            leading_silences(clips, path)


def test_each_record_is_evaluated_once_in_order():
    on_clip = []
    reports = [report(r.media.name, 0.1) for r in CLIPS]
    results = run(Oracle(*reports), iter(CLIPS), on_clip=on_clip.append)
    assert on_clip == results == [Result(*both) for both in zip(CLIPS, reports, strict=True)]
