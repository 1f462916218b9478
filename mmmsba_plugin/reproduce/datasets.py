"""The four datasets of the paper: where they lie, and who in them is learned from or tested on."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmmsba_plugin.datasets.load import (
    DatasetSource,
    DatasetSpec,
    open_dataset,
    parse_spec,
    recognise,
)
from mmmsba_plugin.datasets.splits import split_records, split_word
from mmmsba_plugin.errors import ConfigError, DatasetError
from mmmsba_plugin.record import Record

#: What each dataset is called; its reader has the same name.
TITLES = {
    "fakeavceleb": "FakeAVCeleb",
    "av-deepfake1m": "AV-Deepfake1M",
    "lav-df": "LAV-DF",
    "tvil": "TVIL",
}
#: What each dataset's own reader is told. The paper learns from 85 % of AV-Deepfake1M's official
#: training split and tests on its official validation split; of FakeAVCeleb it says nothing.
_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "av-deepfake1m": {"protocol": "paper"},
    "fakeavceleb": {"protocol": "70-10-20"},
}
#: How many clips are tested on where the whole dataset is there.
TEST_CLIPS = {"av-deepfake1m": 57_340, "lav-df": 26_100}
#: How each is split where that is not simply the dataset's own way.
SPLIT_NOTES = {
    "fakeavceleb": "FakeAVCeleb is split 70/10/20 by identity; the paper does not state its split",
    "av-deepfake1m": "tested on AV-Deepfake1M's official validation split, as in the paper",
}


def is_stand_in(dataset: DatasetSource) -> bool:
    """Return whether another dataset is read in the place of the paper's."""
    return dataset.reader != dataset.name


def title(dataset: DatasetSource) -> str:
    """Return the name in tables; never just the name of the dataset it stands in for."""
    if not is_stand_in(dataset):
        return TITLES[dataset.name]
    return f"stand-in for {TITLES[dataset.name]} ({dataset.reader}: {dataset.root.name})"


@dataclass(frozen=True, slots=True)
class Tested:
    """The clips that a network is tested on.

    Attributes:
        records: The clips.
        split: The dataset's own word for them.
    """

    records: Sequence[Record]
    split: str


def open_datasets(arguments: Iterable[str]) -> dict[str, DatasetSource]:
    """Return the datasets that a command line names, by the names the paper's tables use.

    Args:
        arguments: Each as for :func:`~mmmsba_plugin.datasets.load.parse_spec`. The name, or else
            the reader, is one of :data:`TITLES`; with another reader than that, the dataset is a
            stand-in.

    Raises:
        ConfigError: A name is not one of the four or comes twice, or there is no such folder.
        DatasetError: No reader is named, and none or several recognise the folder.
        PluginNotFoundError: No reader has that name.
    """
    sources: dict[str, DatasetSource] = {}
    for argument in arguments:
        spec = parse_spec(argument)
        reader = spec.reader or (recognise(spec.root).name if spec.root.is_dir() else None)
        name = spec.name or reader
        if name not in TITLES:
            raise ConfigError(
                f"{argument!r} names no dataset; give NAME=DIR with NAME one of "
                f"{', '.join(TITLES)}, or NAME:READER=DIR where another dataset stands in"
            )
        if not spec.root.is_dir():
            raise ConfigError(f"{argument!r}: there is no folder '{spec.root}'; check the path")
        if name in sources:
            raise ConfigError(f"{name} is given twice; give each dataset one folder")
        settings = {**(_SETTINGS.get(name, {}) if reader == name else {}), **spec.settings}
        sources[name] = open_dataset(DatasetSpec(spec.root.resolve(), reader, settings, name))
    return sources


def clips_to_learn(
    dataset: DatasetSource, *, seed: int = 0, limit: int | None = None
) -> list[Record]:
    """Return the clips to learn from, and those of split ``dev`` to stop by.

    A dataset without a test split is tested on its ``dev``, which then must not decide when
    to stop; some of the people in its training split are held out for that instead.

    Args:
        dataset: Where from.
        seed: Decides who is held out.
        limit: At most as many of each split; see :func:`draw_records`.

    Raises:
        DatasetError: There is nothing to learn from.
    """
    train: list[Record] = []
    validation: list[Record] = []
    has_test = False
    for record in dataset.records():
        split = split_word(record.split or "train")
        has_test = has_test or split == "test"
        if split in {"train", "dev"}:
            (train if split == "train" else validation).append(record)
    if not train:
        raise DatasetError(f"{title(dataset)} has no training split; give another folder")
    if validation and not has_test:
        train, held_out = split_records(train, seed=seed)
        validation = [replace(record, split="dev") for record in held_out]
    return [*draw_records(train, limit), *draw_records(validation, limit)]


def clips_to_test(dataset: DatasetSource, *, limit: int | None = None) -> Tested:
    """Return the clips of split ``test``, or of ``dev`` where there is none.

    Args:
        dataset: Where from.
        limit: At most as many; see :func:`draw_records`.

    Raises:
        DatasetError: There is neither.
    """
    by_label: dict[bool, list[Record]] = {True: [], False: []}
    for record in dataset.records():
        if (split := split_word(record.split or "train")) in {"test", "dev"}:
            by_label[split == "test"].append(record)
    records = by_label[True] or by_label[False]
    if not records:
        raise DatasetError(
            f"{title(dataset)} has no clips of split test or dev; say in its metadata which are"
        )
    return Tested(draw_records(records, limit), str(records[0].split))


def draw_records(records: Sequence[Record], limit: int | None) -> list[Record]:
    """Return at most ``limit`` records in their order, half of them real if there are as many.

    Which ones depends on their names alone, so that a larger limit keeps those of a smaller.
    """
    if limit is None or len(records) <= limit:
        return list(records)

    def digest(index: int) -> str:
        return hashlib.sha256(records[index].name.encode()).hexdigest()

    order = sorted(range(len(records)), key=digest)
    real = [index for index in order if not records[index].fake]
    fake = [index for index in order if records[index].fake]
    num_fake = min(len(fake), max(limit // 2, limit - len(real)))
    chosen = {*fake[:num_fake], *real[: limit - num_fake]}
    return [record for index, record in enumerate(records) if index in chosen]


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Identities and files that a network was trained on, to be kept out of its tests."""

    root: Path
    identities: frozenset[str]
    files: frozenset[Path]

    @classmethod
    def of(cls, dataset: DatasetSource, records: Iterable[Record]) -> "TrainingSet":
        """Collect the identities and files of clips that are used for training or stopping."""
        clips = [(record.identity_key, record.media) for record in records]
        return cls(
            dataset.root,
            frozenset(identity for identity, _ in clips),
            frozenset(media for _, media in clips),
        )

    def shared_with(self, dataset: DatasetSource, tested: Iterable[Record]) -> int:
        """Count the identities of another dataset's test clips that were trained on.

        Both may be made of the same footage, as three of the four are of VoxCeleb2.

        Raises:
            DatasetError: A clip was learned from, or a person of the same dataset.
        """
        tested = list(tested)
        if both := self.files & {record.media for record in tested}:
            raise DatasetError(
                f"{min(both)} is both learned from and tested on; give datasets that do not overlap"
            )
        shared = self.identities & {record.identity_key for record in tested}
        if shared and dataset.root == self.root:
            raise DatasetError(
                f"{min(shared)!r} is both learned from and tested on in {title(dataset)}; "
                "a detector would be praised for knowing a face. Split it by identity"
            )
        return len(shared)


def digest_of(records: Iterable[Record]) -> str:
    """Return a hash of which clips these are, of what split, and of their truth."""
    hashed = hashlib.sha256()
    for record in records:
        truth = [(segment.start_s, segment.end_s) for segment in record.truth]
        hashed.update(f"{record.name}\0{record.split}\0{truth}\n".encode())
    return hashed.hexdigest()
