"""Runs a detector over clips with known truth, once or over any number of interrupted runs.

What a long run says is kept clip by clip, and so is the silence that clips start with: that
alone tells fake clips from real ones in some datasets, so what it would score belongs beside
every table.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from mmmsba_plugin.errors import MmmsbaError
from mmmsba_plugin.evaluation import journal
from mmmsba_plugin.evaluation.tables import (
    GroundTruth,
    Predictions,
    Scores,
    SpanTable,
    common_threshold,
)
from mmmsba_plugin.hookspecs import Detector
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.silence import leading_silence_s
from mmmsba_plugin.record import Record
from mmmsba_plugin.run_control import Progress, check
from mmmsba_plugin.schema import Report
from mmmsba_plugin.segment import Spans

#: Clips that are read ahead, for each worker.
_AHEAD = 4


@dataclass(frozen=True, slots=True)
class Result:
    """A record and what was said about it."""

    record: Record
    report: Report


def run(
    detector: Detector,
    records: Iterable[Record],
    *,
    on_clip: Callable[[Result], None] = lambda _: None,
    **options: Any,
) -> list[Result]:
    """Run a detector over records, in order.

    Args:
        detector: Anyone's.
        records: Clips with their truth.
        on_clip: Called after each.
        **options: Handed to the detector with each clip, besides how long it lasts by its
            dataset.
    """
    results = []
    for record in records:
        report = detector.detect(record.media, duration_s=record.duration_s, **options)
        result = Result(record, report)
        results.append(result)
        on_clip(result)
        check(Progress("clips", len(results)))
    return results


def tables(results: Sequence[Result], *, name: str) -> tuple[Predictions, GroundTruth]:
    """Build the tables of predictions and ground truth that metrics are computed from.

    Args:
        results: Clips and what was said about them.
        name: What the system that said it shall be called.
    """
    ground_truth = GroundTruth.of(result.record for result in results)
    reports = (result.report for result in results)
    return Predictions.of_reports(name, zip(ground_truth.keys, reports, strict=True)), ground_truth


@dataclass(frozen=True, slots=True, eq=False)
class ClipPrediction:
    """The part of a report that a long run keeps.

    Attributes:
        status: As the report has it.
        score: P(fake) of the clip; None if it was not evaluated.
        threshold: Probability from which it counts as fake.
        problem: Why it was not evaluated.
        proposals: Spans in seconds, shape ``(proposal, 2)``, and their scores.
    """

    status: str
    score: float | None
    threshold: float | None
    problem: str | None
    proposals: tuple[Spans, Scores]

    @classmethod
    def of_entry(cls, entry: Mapping[str, Any]) -> "ClipPrediction":
        """Parse a line of a journal."""
        rows = np.array(entry["proposals"], dtype=np.float64).reshape(-1, 3)
        values = {key: entry[key] for key in ("status", "score", "threshold", "problem")}
        return cls(**values, proposals=(rows[:, :2], rows[:, 2]))


def run_resumable(
    detector: Detector,
    records: Sequence[Record],
    path: Path,
    *,
    prepare: Callable[[Record], object] | None = None,
    workers: int = 1,
    on_clip: Callable[[str], None] = lambda _: None,
) -> dict[str, ClipPrediction]:
    """Run a detector over clips, by their names; no clip is evaluated twice.

    A clip that could not be read is tried again in the next run: what failed may work then.
    Clips are evaluated on one thread, and the reports come in order.

    Args:
        detector: Anyone's.
        records: Clips with their truth.
        path: Where predictions are kept; its folder is made if it is not there.
        prepare: Called with each of the next clips, several at a time, such as to compute their
            features; what it raises is left to the detector to report.
        workers: Number of clips that are prepared at a time; with 1, none is.
        on_clip: Called with the name of each clip that is evaluated now, once that is on disk.

    Raises:
        PredictionsError: The file of predictions is damaged.
    """

    def predict(missing: Sequence[Record]) -> Iterator[tuple[Record, dict[str, Any]]]:
        rest = iter(missing)
        with ThreadPoolExecutor(workers) as pool:
            while ahead := list(islice(rest, workers * _AHEAD)):
                if prepare is not None and workers > 1:
                    wait([pool.submit(prepare, record) for record in ahead])
                for record in ahead:
                    report = detector.detect(record.media, duration_s=record.duration_s)
                    yield (
                        record,
                        {
                            "status": report.status,
                            "score": report.score,
                            "threshold": report.threshold.value if report.threshold else None,
                            "problem": report.problem.message if report.problem else None,
                            "proposals": [(p.start_s, p.end_s, p.score) for p in report.proposals],
                        },
                    )
                    on_clip(record.name)

    return journal.resume(
        records,
        path,
        predict,
        parse=ClipPrediction.of_entry,
        is_final=lambda prediction: prediction.status != "error",
    )


def table_of(predictions: Mapping[str, ClipPrediction], *, name: str) -> Predictions:
    """Build the table of predictions that metrics are computed from."""
    scored = {key: clip for key, clip in predictions.items() if clip.score is not None}
    return Predictions(
        name=name,
        scores={key: float(clip.score or 0.0) for key, clip in scored.items()},
        proposals=SpanTable.of_proposals({key: clip.proposals for key, clip in scored.items()}),
        threshold=common_threshold(clip.threshold for clip in scored.values()),
    )


def leading_silences(
    records: Sequence[Record],
    path: Path,
    *,
    workers: int = 1,
    on_clip: Callable[[str], None] = lambda _: None,
) -> dict[str, float | None]:
    """Measure the leading silence of each clip, in seconds, by its name.

    None is a clip without audio. One whose file is not there or cannot be read is left out, and
    tried again in the next run.

    Args:
        records: The clips.
        path: Where lengths are kept; its folder is made if it is not there.
        workers: Number of clips that are read at a time.
        on_clip: Called with the name of each clip that is read now.

    Raises:
        PredictionsError: The file of lengths is damaged.
    """

    def measure(missing: Sequence[Record]) -> Iterator[tuple[Record, dict[str, float | None]]]:
        rest = iter([record for record in missing if record.media.is_file()])
        with ThreadPoolExecutor(workers) as pool:
            # Not all at once: a run that is interrupted would have to wait for them.
            while ahead := list(islice(rest, workers * _AHEAD)):
                futures = [
                    pool.submit(lambda clip: leading_silence_s(probe(clip)), record.media)
                    for record in ahead
                ]
                for record, future in zip(ahead, futures, strict=True):
                    # Whoever evaluates the clip says what is wrong with it.
                    with suppress(MmmsbaError):
                        yield record, {"silence_s": future.result()}
                    on_clip(record.name)

    def length_s(entry: Mapping[str, Any]) -> float | None:
        return None if entry["silence_s"] is None else float(entry["silence_s"])

    return journal.resume(records, path, measure, parse=length_s)
