"""Reads the truth of a dataset from one metadata file, as evaluators of the field do.

No clip needs to be there. Segments are taken as the file lists them, because that is what
official figures count: two that touch are two, and one without length can only be missed.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mmmsba_plugin.datasets.json_records import Item, listed, members
from mmmsba_plugin.datasets.lavdf_metadata import LISTS, MetadataEntry
from mmmsba_plugin.datasets.reader import OnError, warn
from mmmsba_plugin.datasets.splits import split_word
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.evaluation.tables import GroundTruth, GroundTruthRow
from mmmsba_plugin.record import identity_key
from mmmsba_plugin.segment import Spans, merge


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
            entry = MetadataEntry(item.value)
            if split is not None:
                met.add(entry.split or "no split")
                if entry.split != split_word(split):
                    continue
            yield _row(entry)
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


def _row(entry: MetadataEntry) -> GroundTruthRow:
    spans = _spans(entry)
    return GroundTruthRow(
        key=entry.key,
        fake=bool(len(spans)),
        spans=spans,
        cluster=identity_key(entry.identity, entry.original, entry.key),
        kind=entry.kind or entry.modify_type,
        altered=entry.altered if len(spans) else "real",
    )


def _spans(entry: MetadataEntry) -> Spans:
    """Return the fake segments as they are listed; joined where only modalities list any."""
    name = next((name for name in LISTS if entry.values.get(name) is not None), None)
    if name is None:
        joined = merge(itertools.chain(*entry.ground_truth()))
        if not joined and entry.values.get("n_fakes") != 0:
            raise DatasetError(f"it has neither {' nor '.join(map(repr, LISTS))}; add its truth")
        return np.array([(s.start_s, s.end_s) for s in joined], dtype=np.float64).reshape(-1, 2)
    rows = entry.values[name]
    try:
        spans = np.asarray(rows or np.zeros((0, 2)), dtype=np.float64)
        fits = spans.shape[1:] == (2,) and bool(np.isfinite(spans).all())
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise DatasetError(f"{name!r} must be a list of [start, end] in seconds, got {rows!r}")
    return spans
