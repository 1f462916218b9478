"""What a network says about the clips of a corpus, kept clip by clip.

One line a clip, written as soon as it is judged: an evaluation that was interrupted goes on at
the next clip. A last line that was cut off in the middle is dropped, and its clip judged again.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np

from mmmsba_plugin.datasets.record import Record
from mmmsba_plugin.detector import MmmsbaDetector
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.evaluation.answers import Answers
from mmmsba_plugin.evaluation.table import Scores, SpanTable
from mmmsba_plugin.features.extract import extract, media_of
from mmmsba_plugin.features.store import FeatureStore
from mmmsba_plugin.reproduce.corpora import name_of
from mmmsba_plugin.schema import Report
from mmmsba_plugin.segment import Spans

#: Hears of each clip that was judged just now, by its name.
OnClip = Callable[[str], None]

#: Clips whose features are computed ahead, for each worker.
_AHEAD = 4


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What is kept of a report.

    Attributes:
        status: As the report has it.
        score: P(fake) of the clip; None if it was not judged.
        threshold: From which score it counts as forged.
        problem: Why it was not judged.
        proposals: Spans in seconds, shape ``(proposal, 2)``, and their scores.
    """

    status: str
    score: float | None
    threshold: float | None
    problem: str | None
    proposals: tuple[Spans, Scores]


def judged(
    detector: MmmsbaDetector,
    records: Sequence[Record],
    path: Path,
    *,
    store: FeatureStore,
    workers: int = 1,
    on_clip: OnClip = lambda _: None,
) -> dict[str, Answer]:
    """Return what a detector says about each clip, by its name; no clip is judged twice.

    A clip that could not be read is tried again in the next run: what failed may work then.

    Args:
        detector: Judges what was not judged before.
        records: The clips.
        path: Where answers are kept; its folder is made if it is not there.
        store: Where the detector keeps features.
        workers: Clips whose features are computed at a time.
        on_clip: Called after each clip that is judged now, once its answer is on disk.

    Raises:
        DatasetError: The file of answers is damaged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    before = {name: one for name, one in read(path).items() if one.status != "error"}
    missing = [record for record in records if name_of(record) not in before]
    with path.open("a", encoding="utf-8") as stream:
        for record in _warmed(missing, detector, store, workers):
            _append(
                stream, name_of(record), detector.detect(record.media, duration_s=record.duration_s)
            )
            on_clip(name_of(record))
    known = read(path)
    return {name: known[name] for name in map(name_of, records)}


def as_answers(found: Mapping[str, Answer], *, name: str) -> Answers:
    """Return what was kept as the table that figures are computed from."""
    scored = {key: one for key, one in found.items() if one.score is not None}
    thresholds = {one.threshold for one in scored.values()}
    return Answers(
        name=name,
        scores={key: float(one.score or 0.0) for key, one in scored.items()},
        proposals=SpanTable.of_proposals({key: one.proposals for key, one in scored.items()}),
        threshold=thresholds.pop() if len(thresholds) == 1 else None,
    )


def read(path: Path) -> dict[str, Answer]:
    """Return the answers in a file, the last of each clip; a cut-off last line is removed.

    Raises:
        DatasetError: Another line cannot be read.
    """
    if not path.is_file():
        return {}
    found: dict[str, Answer] = {}
    whole_bytes = 0
    with path.open("rb+") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.endswith(b"\n"):
                stream.truncate(whole_bytes)
                break
            whole_bytes += len(line)
            key, found_here = _parsed(line, path, number)
            found[key] = found_here
    return found


def _parsed(line: bytes, path: Path, number: int) -> tuple[str, Answer]:
    try:
        said: dict[str, Any] = json.loads(line)
        rows = np.array(said["proposals"], dtype=np.float64).reshape(-1, 3)
        answer = Answer(
            status=said["status"],
            score=said["score"],
            threshold=said["threshold"],
            problem=said["problem"],
            proposals=(rows[:, :2], rows[:, 2]),
        )
        return said["key"], answer
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"{path}, line {number} is damaged; remove the line to have its clip judged again"
        ) from error


def _append(stream: IO[str], key: str, report: Report) -> None:
    said = {
        "key": key,
        "status": report.status,
        "score": report.score,
        "threshold": report.threshold.value if report.threshold else None,
        "problem": report.problem.message if report.problem else None,
        "proposals": [(p.start_s, p.end_s, p.score) for p in report.proposals],
    }
    stream.write(json.dumps(said) + "\n")
    stream.flush()


def _warmed(
    records: Iterable[Record], detector: MmmsbaDetector, store: FeatureStore, workers: int
) -> Iterator[Record]:
    """Yield records, with the features of the next ones being computed several at a time.

    Judging itself stays on one thread: what takes time is to read the clip, and the reports
    come in order. What goes wrong here goes wrong again there, and is then reported.
    """

    def warm(record: Record) -> None:
        media = media_of(record.media, detector.front_ends, duration_s=record.duration_s)
        extract(media, detector.front_ends, detector.config.features, store=store)

    rest = iter(records)
    with ThreadPoolExecutor(workers) if workers > 1 else nullcontext() as pool:
        while ahead := list(islice(rest, max(1, workers) * _AHEAD)):
            if pool is not None:
                wait([pool.submit(warm, record) for record in ahead])
            yield from ahead
