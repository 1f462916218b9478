"""Contract of detectors."""

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from unittest import SkipTest

import numpy as np
from pydantic import TypeAdapter

from mmmsba_plugin.errors import CheckpointNotFoundError
from mmmsba_plugin.hookspecs import Detector, DetectorEntry, hookimpl
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.transcode import cut
from mmmsba_plugin.plugins import announced_detector, manager
from mmmsba_plugin.schema import Curves, Media, Modality, Report
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.testing import samples
from mmmsba_plugin.testing.entry import EntryContract, require_cost
from mmmsba_plugin.timebase import Grid

#: Audio is coded in blocks, the last of which may reach beyond the stated end.
_END_TOLERANCE_S = 0.1

#: How far scores of the same frames and audio may lie apart, by the arithmetic alone.
_SAME = 1e-3

_LISTENER = "contract-listener"


class DetectorContract(EntryContract[DetectorEntry]):
    """Contract of detectors."""

    #: Folder it is loaded from; None for its default.
    checkpoint: Path | None = None

    def load(self) -> Detector:
        """Return the detector; a test is skipped if it needs a checkpoint and has none."""
        try:
            return self.entry.load(self.checkpoint)
        except CheckpointNotFoundError as error:
            if self.checkpoint is None:
                raise SkipTest(f"it has no default checkpoint: {error}") from error
            raise

    def media(self, folder: Path) -> Path:
        """Write a clip that the detector can evaluate, or at least read, and return its path."""
        return samples.clip(folder / "clip.mp4")

    def long_media(self, folder: Path) -> Path:
        """Write a clip that is scored along time, and its middle by itself, and return its path."""
        return samples.clip(folder / "long.mp4", duration_s=8.0)

    def test_it_says_what_it_looks_at(self) -> None:
        assert self.entry.modalities
        for modality in self.entry.modalities:
            TypeAdapter(Modality).validate_python(modality)

    def test_its_info_is_plain(self) -> None:
        info = dict(self.load().info)
        assert {"name", "summary", "modalities"} <= info.keys(), f"it has only {sorted(info)}"
        assert isinstance(self.load(), Detector), "it lacks a method of the protocol"
        json.dumps(info)

    def test_it_reports_on_a_clip(self, tmp_path: Path) -> None:
        report = self.load().detect(self.media(tmp_path))
        assert report.status != "error", f"it cannot read the clip: {report.problem}"
        assert Report.model_validate_json(report.model_dump_json()) == report
        for earlier, later in pairwise(report.segments):
            assert earlier.end_s < later.start_s, "segments lie in time order and never touch"

    def test_segments_are_seconds_within_the_clip(self, tmp_path: Path) -> None:
        report = self.load().detect(self.media(tmp_path))
        for span in (*report.segments, *report.proposals):
            assert 0 <= span.start_s < span.end_s, f"[{span.start_s}, {span.end_s}) is no segment"
            assert span.end_s <= report.duration_s + _END_TOLERANCE_S, (
                f"a segment ends at {span.end_s} s, the clip at {report.duration_s} s"
            )

    def test_black_and_silence_are_not_called_fake(self, tmp_path: Path) -> None:
        report = self.load().detect(samples.blank_clip(tmp_path / "blank.mp4"))
        assert report.status != "error", f"it cannot read the clip: {report.problem}"
        assert not report.fake, "nothing is seen or heard in it"

    def test_threads_detect_at_once_and_get_the_same_score(self, tmp_path: Path) -> None:
        detector, clip = self.load(), self.media(tmp_path)
        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(lambda _: detector.detect(clip).score, range(2))
        assert first == second == detector.detect(clip).score

    def test_each_report_is_announced_once(self, tmp_path: Path) -> None:
        clip, announced_paths = self.media(tmp_path), list[str]()
        listener = SimpleNamespace(
            forensics_report_ready=hookimpl(
                lambda report: announced_paths.append(report.media.path)
            )
        )
        manager().register(listener, name=_LISTENER)
        try:
            # As hosts load it.
            detector = announced_detector(self.load())
            detector.detect(clip)
            list(detector.detect_many([clip]))
        finally:
            manager().unregister(name=_LISTENER)
        assert announced_paths == [str(clip)] * 2, (
            "if its info says announces_reports, it calls announce(report) once with each report"
        )

    def test_it_costs_what_it_says(self, tmp_path: Path) -> None:
        detector, clip = self.load(), self.media(tmp_path)
        require_cost(self.entry, lambda: detector.detect(clip), detector.detect(clip).duration_s)

    def test_the_same_clip_gets_the_same_score(self, tmp_path: Path) -> None:
        detector, clip = self.load(), self.media(tmp_path)
        assert detector.detect(clip).score == detector.detect(clip).score

    def test_a_part_is_scored_as_within_the_whole(self, tmp_path: Path) -> None:
        detector = self.load()
        reach_s = detector.info.get("reach_s")
        clip = self.long_media(tmp_path)
        difference = _part_difference(detector, clip, tmp_path, reach_s=reach_s or 0.0)
        if reach_s is None:
            raise SkipTest(
                "its info does not say how far scores reach (reach_s); those of a part of a clip "
                f"differ by up to {difference:.3f}"
            )
        assert difference <= _SAME, (
            f"scores of a part of a clip differ by up to {difference:.3f}, more than "
            f"reach_s={reach_s:g} s from its ends"
        )

    def test_unknown_options_are_tolerated(self, tmp_path: Path) -> None:
        self.load().detect(self.media(tmp_path), an_option_of_tomorrow=True)

    def test_a_missing_file_is_a_report_of_status_error(self, tmp_path: Path) -> None:
        report = self.load().detect(tmp_path / "there-is-none.mp4")
        assert report.status == "error"
        assert "there-is-none.mp4" in report.media.path

    def test_a_file_that_is_no_media_is_a_report_of_status_error(self, tmp_path: Path) -> None:
        assert self.load().detect(_garbage(tmp_path)).status == "error"

    def test_one_bad_file_does_not_stop_the_rest(self, tmp_path: Path) -> None:
        clip = self.media(tmp_path)
        reports = self.load().detect_many([_garbage(tmp_path), clip])
        assert iter(reports) is reports, "detect_many yields reports one by one"
        bad, good = reports
        assert bad.status == "error"
        assert good.media.path == str(clip), "reports come in the order of the files"

    def test_predict_returns_the_score_or_raises(self, tmp_path: Path) -> None:
        detector, clip = self.load(), self.media(tmp_path)
        score = detector.detect(clip).score
        assert _predicted(detector, clip) == score
        assert _predicted(detector, _garbage(tmp_path)) is None, "a score for no media is made up"


def _part_difference(detector: Detector, clip: Path, folder: Path, *, reach_s: float) -> float:
    """Measure the largest difference between scores of the middle of a clip and of the whole.

    The first and last ``reach_s`` of the middle do not count; a test is skipped if nothing is left.
    """
    media = probe(clip)
    end_s = media.duration_s or 0.0
    whole = _curves_within(detector, media, Segment(0.0, end_s), folder)
    grid = Grid(stride_s=whole.stride_s)
    # At whole seconds frames begin, too, and most windows.
    cells = grid.overlapping(end_s / 4, end_s / 2)
    first = min(cells, key=lambda cell: abs(grid.cell(cell)[0] - round(grid.cell(cell)[0])))
    start_s, _ = grid.cell(first)
    middle = _curves_within(detector, media, Segment(start_s, start_s + end_s / 2), folder)
    # The last cell may reach beyond the end.
    margin = 1 + grid.num_snippets(reach_s)
    inner = slice(margin, len(middle.score) - margin)
    pairs = list(zip(middle.score[inner], whole.score[first:][inner], strict=False))
    if not pairs:
        raise SkipTest(f"no scores lie {reach_s:g} s from the ends; make long_media longer")
    of_middle, of_whole = np.array(pairs, dtype=np.float64).T
    # None has become NaN, which is far from any score, and no distance from itself.
    return float(
        np.abs(np.nan_to_num(of_middle, nan=-1.0) - np.nan_to_num(of_whole, nan=-1.0)).max()
    )


def _curves_within(detector: Detector, media: Media, segment: Segment, folder: Path) -> Curves:
    path = folder / f"from-{segment.start_s:g}-s.mkv"
    cut(media, segment, path, lossless=True)
    curves = detector.detect(path).curves
    if curves is None:
        raise SkipTest("it reports no scores along time (curves) for long_media")
    return curves


def _garbage(folder: Path) -> Path:
    path = folder / "garbage.mp4"
    path.write_bytes(b"this is no video" * 64)
    return path


def _predicted(detector: Detector, media: Path) -> float | None:
    try:
        return detector.predict(media)
    except Exception:  # noqa: BLE001 - which error says so is the detector's choice
        return None
