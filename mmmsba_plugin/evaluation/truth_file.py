"""Reads the truth of a dataset from one metadata file, as evaluators of the field do.

No clip needs to be there. Segments are taken as the file lists them, because that is what
official figures count: two that touch are two, and one without length can only be missed.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mmmsba_plugin.datasets.avdeepfake1m import identity_of
from mmmsba_plugin.datasets.json_records import Item, listed, members
from mmmsba_plugin.datasets.reader import Fields, OnError, fields, file_key, flag, warn, word
from mmmsba_plugin.datasets.splits import split_word
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.evaluation.tables import GroundTruth, GroundTruthRow
from mmmsba_plugin.record import identity_key
from mmmsba_plugin.segment import Spans

#: Where a file lists fake segments: AV-Deepfake1M's word, and that of LAV-DF and TVIL.
_SPANS = ("fake_segments", "fake_periods")
_ALTERED = {
    (True, True): "both",
    (True, False): "visual",
    (False, True): "audio",
    (False, False): "forged",
}


def read_ground_truth(
    path: Path, *, split: str | None = None, on_error: OnError = warn
) -> GroundTruth:
    """Read the ground truth from a metadata file of LAV-DF, AV-Deepfake1M or TVIL.

    A record needs ``file`` and one of ``fake_segments`` and ``fake_periods``, in seconds; what
    else tells modalities, kinds and people apart is used where it is there.

    Args:
        path: The file: a list of records, or an object of them.
        split: Only records that say they are of this split, by our word or another for it.
        on_error: Hears of each record that is left out.

    Raises:
        DatasetError: The file cannot be read, or holds no record of ``split``.
    """
    met: set[str] = set()
    ground_truth = GroundTruth.of_rows(_rows(path, split, on_error, met))
    if not len(ground_truth):
        of = "" if split is None else f" of split {split!r}"
        has = f"; it has: {', '.join(sorted(met))}" if met else "; check the file"
        raise DatasetError(f"{path} holds no record{of} with a truth{has}")
    return ground_truth


def _rows(
    path: Path, split: str | None, on_error: OnError, met: set[str]
) -> Iterator[GroundTruthRow]:
    """Yield the rows of a split; the splits that there are go to ``met``."""
    for item in _items(path):
        try:
            record = fields(item.value)
            if split is not None:
                record_split = split_word(word(record, "split") or "no split")
                met.add(record_split)
                if record_split != split_word(split):
                    continue
            yield _row(record)
        except DatasetError as error:
            on_error(DatasetError(f"{item.place}: {error}"))


def _items(path: Path) -> Iterator[Item]:
    """Yield the records of a list, or of an object as TVIL has."""
    try:
        with path.open(encoding="utf-8-sig") as text:
            opening = text.read(1024).lstrip()[:1]
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read as JSON: {error}; check the path") from error
    return members(path) if opening == "{" else listed(path)


def _row(record: Fields) -> GroundTruthRow:
    key = file_key(record)
    name = next((name for name in _SPANS if record.get(name) is not None), None)
    if name is None:
        raise DatasetError(f"it has neither {' nor '.join(map(repr, _SPANS))}; add its truth")
    spans = _spans(record[name], name)
    return GroundTruthRow(
        key=key,
        fake=bool(len(spans)),
        spans=spans,
        cluster=identity_key(
            word(record, "identity") or identity_of(key), word(record, "original"), key
        ),
        kind=word(record, "kind") or _type(record),
        altered=_altered(record) if len(spans) else "genuine",
    )


def _spans(rows: Any, name: str) -> Spans:  # noqa: ANN401 - whatever the file holds
    try:
        spans = np.asarray(rows or np.zeros((0, 2)), dtype=np.float64)
        fits = spans.shape[1:] == (2,) and bool(np.isfinite(spans).all())
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise DatasetError(f"{name!r} must be a list of [start, end] in seconds, got {rows!r}")
    return spans


def _altered(record: Fields) -> str:
    """Name the manipulated modality of a fake clip, by its segments, flags or type."""
    lists = [record.get(f"{modality}_fake_segments") for modality in ("visual", "audio")]
    if any(segments is not None for segments in lists):
        return _ALTERED[bool(lists[0]), bool(lists[1])]
    if "modify_video" in record or "modify_audio" in record:
        return _ALTERED[flag(record, "modify_video"), flag(record, "modify_audio")]
    modify_type = _type(record) or ""
    return modify_type.removesuffix("_modified") if modify_type.endswith("_modified") else "forged"


def _type(record: Fields) -> str | None:
    """Return ``modify_type``; some tools write ``both-modified`` for ``both_modified``."""
    modify_type = word(record, "modify_type")
    return modify_type.replace("-", "_") if modify_type else None
