"""Looks a dataset over before hours go into it: what it holds, what is missing, what is wrong.

Only counts are kept, so a dataset of any size is looked over in memory that stays flat.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.hookspecs import DatasetReader
from mmmsba_plugin.record import Record

#: So many clips or records that something is wrong with are named; more are counted.
NUM_NAMED = 10
#: What a record without a split counts under.
NO_SPLIT = "no split"


@dataclass(slots=True)
class Examples:
    """Count of a finding, with its first examples."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, what: str) -> None:
        """Take in one more."""
        self.count += 1
        if len(self.first) < NUM_NAMED:
            self.first.append(what)


@dataclass(slots=True)
class SegmentStatistics:
    """Fake segments, by their number and lengths in seconds."""

    count: int = 0
    sum_s: float = 0.0
    longest_s: float = math.nan

    def add(self, duration_s: float) -> None:
        """Take in one more."""
        self.count += 1
        self.sum_s += duration_s
        self.longest_s = duration_s if self.count == 1 else max(self.longest_s, duration_s)

    @property
    def mean_s(self) -> float:
        """Mean duration, in seconds; NaN if there is none."""
        return self.sum_s / self.count if self.count else math.nan


@dataclass(slots=True)
class Checkup:
    """Contents of a dataset, and its problems.

    Attributes:
        reader: Who read it.
        root: Where it lies.
        protocol: By which protocol people were dealt to splits, if the reader has several.
        records: How many there are of each kind and split; where a dataset does not say how clips
            were made, what was altered in them serves as their kind.
        fake: How many of them are fake.
        segments: Where a dataset states places: how many, how long.
        whole_clips: Fake clips of which no place is stated.
        splits_by_identity: The splits that each identity is in, by its key; where a dataset does
            not state identities, fakes of one original have its name for a key.
        num_stated: Records whose identity the dataset states.
        missing: Clips that are not there, by key.
        malformed: What the reader said of the records that it left out.
        ended: Why reading ended early; None if it did not.
    """

    reader: str
    root: Path
    protocol: str | None = None
    records: Counter[tuple[str, str]] = field(default_factory=Counter)
    fake: int = 0
    segments: SegmentStatistics = field(default_factory=SegmentStatistics)
    whole_clips: int = 0
    splits_by_identity: dict[str, frozenset[str]] = field(default_factory=dict)
    num_stated: int = 0
    missing: Examples = field(default_factory=Examples)
    malformed: Examples = field(default_factory=Examples)
    ended: str | None = None

    @property
    def usable(self) -> bool:
        """Return whether there are records, each of them makes sense, and its clip is there."""
        whole = not (self.missing.count or self.malformed.count or self.ended)
        return whole and self.records.total() > 0

    @property
    def in_several_splits(self) -> list[str]:
        """Identities in more than one split: a detector would be praised for knowing a face."""
        return sorted(
            identity for identity, splits in self.splits_by_identity.items() if len(splits) > 1
        )

    def add(self, record: Record, *, is_there: bool) -> None:
        """Count one more record, whose clip is there or not."""
        split = record.split or NO_SPLIT
        self.records[record.kind or record.altered, split] += 1
        if self.protocol is None and (protocol := record.extra.get("protocol")):
            self.protocol = str(protocol)
        self.fake += record.fake
        self.whole_clips += record.whole_clip
        for segment in () if record.whole_clip else record.truth:
            self.segments.add(segment.duration_s)
        self.num_stated += record.identity is not None
        # A clip that is its own identity is in one split, and a million of them need no place.
        if (key := record.identity_key) != record.name:
            self.splits_by_identity[key] = self.splits_by_identity.get(key, frozenset()) | {split}
        if not is_there:
            self.missing.add(record.name)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON can hold it."""
        several = self.in_several_splits
        return {
            "reader": self.reader,
            "root": str(self.root),
            "protocol": self.protocol,
            "usable": self.usable,
            "records": [
                {"kind": kind, "split": split, "count": count}
                for (kind, split), count in sorted(self.records.items())
            ],
            "num_records": self.records.total(),
            "num_fake": self.fake,
            "num_whole_clips": self.whole_clips,
            "segments": {
                "count": self.segments.count,
                "mean_s": self.segments.mean_s if self.segments.count else None,
                "longest_s": self.segments.longest_s if self.segments.count else None,
            },
            "identities": dict(sorted(self.identities().items())),
            "in_several_splits": {"count": len(several), "first": several[:NUM_NAMED]},
            "missing": {"count": self.missing.count, "first": self.missing.first},
            "malformed": {"count": self.malformed.count, "first": self.malformed.first},
            "ended": self.ended,
        }

    def identities(self) -> Mapping[str, int]:
        """Count the identities of each split; none where a dataset states none."""
        if not self.num_stated:
            return Counter()
        return Counter(split for splits in self.splits_by_identity.values() for split in splits)


def check(
    entry: DatasetReader, root: Path, settings: Mapping[str, object] | None = None
) -> Checkup:
    """Read all of a dataset, but none of its clips, and return what there is to say.

    Args:
        entry: Who reads it.
        root: Where it lies.
        settings: What the reader shall do otherwise than by itself, such as its protocol.

    Raises:
        DatasetError: Not even one record can be read.
        ConfigError: The reader has no such setting.
    """
    checkup = Checkup(entry.name, root)
    options = {**(settings or {}), "root": str(root)}
    try:
        for record, is_there in _looked_for(entry, options, checkup.malformed):
            checkup.add(record, is_there=is_there)
    except DatasetError as error:
        if not checkup.records:
            raise
        checkup.ended = str(error)
    return checkup


def _looked_for(
    entry: DatasetReader, options: Mapping[str, object], malformed: Examples
) -> Iterator[tuple[Record, bool]]:
    """Yield each record, and whether its clip is where the reader looks for it.

    Where that is, only the reader knows. So it reads twice, side by side: all records, and
    those whose clips it finds, which come in the same order.
    """

    def on_error(error: DatasetError) -> None:
        malformed.add(str(error))

    if "need_media" not in entry.config.model_fields:
        for record in entry.read(options, on_error=on_error):
            yield record, record.media.is_file()
        return
    there = _until_it_ends(entry.read({**options, "need_media": True}, on_error=lambda _: None))
    waiting = next(there, None)
    for record in entry.read({**options, "need_media": False}, on_error=on_error):
        is_there = waiting is not None and waiting.name == record.name
        yield record, is_there
        if is_there:
            waiting = next(there, None)


def _until_it_ends(records: Iterable[Record]) -> Iterator[Record]:
    """Yield records up to an error, which whoever reads all of them meets too."""
    with suppress(DatasetError):
        yield from records
