"""Predictions of a network for the clips of a dataset, kept clip by clip."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from mmmsba_plugin.detector import MmmsbaDetector
from mmmsba_plugin.evaluation.tables import Predictions, Scores, SpanTable
from mmmsba_plugin.features.cache import FeatureCache
from mmmsba_plugin.features.extract import extract, media_of
from mmmsba_plugin.record import Record
from mmmsba_plugin.reproduce import journal
from mmmsba_plugin.schema import Report
from mmmsba_plugin.segment import Spans

#: Hears of each clip that was evaluated just now, by its name.
OnClip = Callable[[str], None]

#: Clips whose features are computed ahead, for each worker.
_AHEAD = 4


@dataclass(frozen=True, slots=True, eq=False)
class KeptReport:
    """The part of a report that is kept.

    Attributes:
        status: As the report has it.
        score: P(fake) of the clip; None if it was not evaluated.
        threshold: From which score it counts as fake.
        problem: Why it was not evaluated.
        proposals: Spans in seconds, shape ``(proposal, 2)``, and their scores.
    """

    status: str
    score: float | None
    threshold: float | None
    problem: str | None
    proposals: tuple[Spans, Scores]


def predict_clips(
    detector: MmmsbaDetector,
    records: Sequence[Record],
    path: Path,
    *,
    cache: FeatureCache,
    workers: int = 1,
    on_clip: OnClip = lambda _: None,
) -> dict[str, KeptReport]:
    """Run a detector over clips, by their names; no clip is evaluated twice.

    A clip that could not be read is tried again in the next run: what failed may work then.

    Args:
        detector: Judges what was not evaluated before.
        records: The clips.
        path: Where answers are kept; its folder is made if it is not there.
        cache: Where the detector keeps features.
        workers: Clips whose features are computed at a time.
        on_clip: Called after each clip that is evaluated now, once its answer is on disk.

    Raises:
        DatasetError: The file of answers is damaged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    before = {name: answer for name, answer in read(path).items() if answer.status != "error"}
    missing = [record for record in records if record.name not in before]
    with path.open("a", encoding="utf-8") as stream:
        for record in _warmed(missing, detector, cache, workers):
            report = detector.detect(record.media, duration_s=record.duration_s)
            journal.write(stream, record.name, _to_entry(report))
            on_clip(record.name)
    kept_reports = read(path)
    return {record.name: kept_reports[record.name] for record in records}


def as_predictions(kept_reports: Mapping[str, KeptReport], *, name: str) -> Predictions:
    """Build the table of predictions that metrics are computed from."""
    scored = {key: answer for key, answer in kept_reports.items() if answer.score is not None}
    thresholds = {answer.threshold for answer in scored.values()}
    return Predictions(
        name=name,
        scores={key: float(answer.score or 0.0) for key, answer in scored.items()},
        proposals=SpanTable.of_proposals({key: answer.proposals for key, answer in scored.items()}),
        threshold=thresholds.pop() if len(thresholds) == 1 else None,
    )


def read(path: Path) -> dict[str, KeptReport]:
    """Return the answers in a file, the last of each clip.

    Raises:
        DatasetError: A line cannot be read.
    """
    return journal.read(path, _answer)


def _answer(entry: Mapping[str, Any]) -> KeptReport:
    rows = np.array(entry["proposals"], dtype=np.float64).reshape(-1, 3)
    return KeptReport(
        status=entry["status"],
        score=entry["score"],
        threshold=entry["threshold"],
        problem=entry["problem"],
        proposals=(rows[:, :2], rows[:, 2]),
    )


def _to_entry(report: Report) -> dict[str, Any]:
    return {
        "status": report.status,
        "score": report.score,
        "threshold": report.threshold.value if report.threshold else None,
        "problem": report.problem.message if report.problem else None,
        "proposals": [(p.start_s, p.end_s, p.score) for p in report.proposals],
    }


def _warmed(
    records: Iterable[Record], detector: MmmsbaDetector, cache: FeatureCache, workers: int
) -> Iterator[Record]:
    """Yield records, with the features of the next ones being computed several at a time.

    Judging itself stays on one thread: what takes time is to read the clip, and the reports
    come in order. What goes wrong here goes wrong again there, and is then reported.
    """

    def warm(record: Record) -> None:
        media = media_of(record.media, detector.front_ends, duration_s=record.duration_s)
        extract(media, detector.front_ends, detector.config.features, cache=cache)

    rest = iter(records)
    with ThreadPoolExecutor(workers) if workers > 1 else nullcontext() as pool:
        while ahead := list(islice(rest, max(1, workers) * _AHEAD)):
            if pool is not None:
                wait([pool.submit(warm, record) for record in ahead])
            yield from ahead
