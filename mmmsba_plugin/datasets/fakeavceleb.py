"""Reads FakeAVCeleb v1.2: whole clips of celebrities, real or fake in audio, face or both.

``meta_data.csv`` names nine columns and a tenth that has no name, which holds the folder.
What its copies in circulation taught:

- The folder's first part and the spelling of others differ from copy to copy
  (``Caucasian (American)``, ``Caucasian_American``); the method ``wav2lip`` is ``wavtolip`` in
  names of files. So clips are looked for by what is alike in their folders' names.
- What was manipulated stands in ``type`` and ``category``, which must agree. It is never taken from
  the name of a file or a folder.
- It is fake from start to end, or not at all: the truth of a fake is
  :data:`~mmmsba_plugin.record.WHOLE_CLIP`, and no localization can be measured on it.
- There is no official split. All of :data:`Protocol` deal people, so that nobody's own videos
  are in two splits; the name of the protocol belongs beside every number, and is in ``extra``.
  A face or voice that was put into a video (``target1``, ``target2``) may still be of somebody
  from another split.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field

from mmmsba_plugin.datasets.csv_records import UNNAMED, Row, columns_of, read_rows
from mmmsba_plugin.datasets.find_clip import ClipFinder, normalize_name
from mmmsba_plugin.datasets.reader import OnError, ReaderConfig, Splits, refuse, warn
from mmmsba_plugin.datasets.splits import deal, held_out_of, split_word
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.record import WHOLE_CLIP, Record

#: ``70-10-20``: all videos; 70 % of the people train, 10 % develop, 20 % test.
#: ``five-fold``: balanced; see :func:`_by_fold`.
Protocol = Literal["70-10-20", "five-fold"]

_TABLE = "meta_data.csv"
_COLUMNS = ("source", "method", "category", "type", "path")
_NUM_FOLDS = 5
_HELD_OUT = {"dev": 0.1, "test": 0.2}
#: One method, as the table and as names of files have it.
_SPELLINGS = ("wav2lip", "wavtolip")


class _Type(NamedTuple):
    name: str
    category: str
    visual: bool
    audio: bool


_TYPES = (
    _Type("RealVideo-RealAudio", "A", visual=False, audio=False),
    _Type("RealVideo-FakeAudio", "B", visual=False, audio=True),
    _Type("FakeVideo-RealAudio", "C", visual=True, audio=False),
    _Type("FakeVideo-FakeAudio", "D", visual=True, audio=True),
)


class FakeAvCelebConfig(ReaderConfig):
    """Settings of the FakeAVCeleb reader: root and split protocol."""

    protocol: Protocol = Field(
        default="70-10-20", description="Split protocol over identities: 70-10-20 or five-fold."
    )
    fold: int = Field(default=0, ge=0, lt=_NUM_FOLDS, description="Test fold of five-fold, from 0.")
    seed: int = Field(default=0, ge=0, description="Random seed of the splits.")
    split_csv: Path | None = Field(
        default=None,
        description="A split of one's own: a CSV with the columns path and split. Clips that it "
        "does not list are left out, and protocol, fold and seed do not count.",
    )


@dataclass(frozen=True, slots=True)
class _Item:
    """A row of the table.

    Attributes:
        line: Where it stands.
        type: Manipulated modality.
        parts: Folders and name of the clip, from the type's folder on, as the table spells them.
        row: All of its fields.
    """

    line: int
    type: _Type
    parts: tuple[str, ...]
    row: Row

    @property
    def key(self) -> str:
        return "/".join(self.parts)


@dataclass(frozen=True, slots=True)
class _Dealing:
    """Split of each identity.

    Attributes:
        name: What stands beside numbers.
        split_of: The split of an item; None if it is in none.
        unmet: Clips that a list of one's own names and no item was so far.
    """

    name: str
    split_of: Callable[[_Item], str | None]
    unmet: Mapping[tuple[str, ...], str] = field(default_factory=dict)


def read_fakeavceleb(config: FakeAvCelebConfig, on_error: OnError = warn) -> Iterator[Record]:
    """Yield the records of FakeAVCeleb, one by one, in the order of its table.

    The table is read twice, first for its people.

    Args:
        config: Where it lies and what is wanted. ``root`` is the folder with ``meta_data.csv``
            in it, or the folder that holds ``FakeAVCeleb_v1.2``.
        on_error: Hears of each record that is left out, because it is malformed, or because its
            split is wanted and its clip is not there.

    Yields:
        Records whose ``identity`` is the person of the ``source`` column, whose ``kind`` is the
        method, and whose ``key`` is the clip's path from the type's folder on.

    Raises:
        DatasetError: There is no table, it lacks a column, or no record is of the split.

    Source:
        Khalid et al., "FakeAVCeleb", 2021, for the dataset. The balanced folds are those of
        the MRDF baselines (Zou et al. 2024), with people dealt by our seed.
    """
    table = _table_of(config.root)
    if table is None:
        raise DatasetError(
            f"there is no {_TABLE} in {config.root} or in a folder FakeAVCeleb_v1.2 there; give "
            "the folder that holds it beside the four folders of clips"
        )
    splits = Splits(config.split)
    dealing = _dealing(table, config)
    clips = ClipFinder(_with_types(table.parent), spellings=_SPELLINGS)
    for item in _items(table, on_error):
        split = dealing.split_of(item)
        if split is None or not splits.wants(split):
            continue
        try:
            media = clips.find(item.parts, need_it=config.need_media)
        except DatasetError as error:
            on_error(DatasetError(f"{table}, line {item.line}: {error}"))
            continue
        yield _record(item, media, split, dealing.name)
    if dealing.unmet:
        first = "/".join(next(iter(dealing.unmet)))
        on_error(
            DatasetError(
                f"{config.split_csv} lists {len(dealing.unmet)} clips that {table} does not, such "
                f"as {first}; write them from the type's folder on, as RealVideo-RealAudio/…"
            )
        )
    splits.require(table)


def is_fakeavceleb(root: Path) -> bool:
    """Return whether a folder holds FakeAVCeleb, by the columns of its table."""
    table = _table_of(root)
    return table is not None and set(_COLUMNS) <= set(columns_of(table))


def _table_of(root: Path) -> Path | None:
    if not root.is_dir():
        return None
    inner = sorted(p for p in root.iterdir() if normalize_name(p.name).startswith("fakeavceleb"))
    return next((f / _TABLE for f in (root, *inner) if (f / _TABLE).is_file()), None)


def _with_types(root: Path) -> Path:
    """Return the folder that holds those of the types: the table's, or one inside it."""
    types = {normalize_name(t.name) for t in _TYPES}
    inner = sorted(p for p in root.iterdir() if normalize_name(p.name).startswith("fakeavceleb"))
    for folder in (root, *inner):
        if folder.is_dir() and any(normalize_name(p.name) in types for p in folder.iterdir()):
            return folder
    return root


def _record(item: _Item, media: Path, split: str, protocol: str) -> Record:
    whole = (WHOLE_CLIP,)
    visual, audio = whole if item.type.visual else (), whole if item.type.audio else ()
    used = {"source", "method", "path", UNNAMED}
    rest = {name: value for name, value in item.row.items() if name not in used}
    return Record(
        media=media,
        truth=visual or audio,
        split=split,
        identity=item.row["source"],
        audio_truth=audio,
        visual_truth=visual,
        kind=item.row["method"],
        key=item.key,
        extra={**rest, "protocol": protocol},
    )


def _items(table: Path, on_error: OnError) -> Iterator[_Item]:
    for line, row in read_rows(table, required=_COLUMNS, on_error=on_error):
        try:
            type_ = _type(row)
            item = _Item(line, type_, _parts(row, type_), row)
        except DatasetError as error:
            on_error(DatasetError(f"{table}, line {line}: {error}"))
            continue
        yield item


def _type(row: Row) -> _Type:
    """Return the manipulated modality, on which two columns must agree."""
    if empty := next((name for name in ("source", "method", "path") if not row[name]), None):
        raise DatasetError(f"{empty!r} is empty; copy the table again")
    match = next((t for t in _TYPES if normalize_name(t.name) == normalize_name(row["type"])), None)
    if match is None:
        allowed = ", ".join(t.name for t in _TYPES)
        raise DatasetError(f"'type' must be one of {allowed}, got {row['type']!r}")
    if match.category != row["category"]:
        raise DatasetError(
            f"'type' is {match.name}, whose 'category' is {match.category}, but 'category' is "
            f"{row['category']!r}; correct one"
        )
    return match


def _parts(row: Row, type_: _Type) -> tuple[str, ...]:
    """Return the path of a clip below the dataset's folder, as the table spells it."""
    path = f"{row[UNNAMED]}/{row['path']}".replace("\\", "/")
    parts = [name for name in path.split("/") if name not in {"", "."}]
    start = next(
        (i for i, name in enumerate(parts) if normalize_name(name) == normalize_name(type_.name)),
        None,
    )
    if start is None or ".." in parts:
        raise DatasetError(
            f"the last column must be a folder below {type_.name}, got {row[UNNAMED]!r}; "
            "correct it, or 'type'"
        )
    return tuple(parts[start:])


def _dealing(table: Path, config: FakeAvCelebConfig) -> _Dealing:
    if config.split_csv is not None:
        return _by_list(config.split_csv)
    identities = {item.row["source"] for item in _items(table, on_error=lambda _: None)}
    if config.protocol == "five-fold":
        return _by_fold(table, identities, config)
    split_of = deal(identities, _HELD_OUT, seed=config.seed)
    name = f"70-10-20 (seed {config.seed})"
    return _Dealing(name, lambda item: split_of[item.row["source"]])


def _by_fold(table: Path, identities: set[str], config: FakeAvCelebConfig) -> _Dealing:
    """Return a balanced fold: of each category, the first videos, as many as there are people.

    A fifth of the people is tested. Of the 500 of v1.2 that makes the first 400 of each
    category to learn from and the first 100 to test on: all of the real ones, as each person
    has one. There is no ``dev``; a fifth of those who train decides when training stops.
    """
    if len(identities) < _NUM_FOLDS:
        raise DatasetError(
            f"{table} has {len(identities)} people, and five-fold needs {_NUM_FOLDS} or more; "
            "choose protocol 70-10-20"
        )
    tested = held_out_of(identities, config.fold, num_folds=_NUM_FOLDS, seed=config.seed)
    capacity = {"test": len(tested), "train": len(identities) - len(tested)}
    num_dealt: Counter[tuple[str, str]] = Counter()

    def split_of(item: _Item) -> str | None:
        split = "test" if item.row["source"] in tested else "train"
        num_dealt[split, item.type.category] += 1
        return split if num_dealt[split, item.type.category] <= capacity[split] else None

    return _Dealing(f"five-fold, fold {config.fold} (seed {config.seed})", split_of)


def _by_list(path: Path) -> _Dealing:
    """Return a split that was made elsewhere; its paths may be spelt as any copy's are."""
    unmet: dict[tuple[str, ...], str] = {}
    for line, row in read_rows(path, required=("path", "split"), on_error=refuse):
        if not (row["path"] and row["split"]):
            raise DatasetError(f"{path}, line {line}: 'path' or 'split' is empty; fill both in")
        split = split_word(row["split"])
        if unmet.setdefault(_from_type_on(row["path"]), split) != split:
            raise DatasetError(
                f"{path}, line {line}: {row['path']} was in another split before; list it once"
            )
    return _Dealing(
        f"own split ({path.name})", lambda item: unmet.pop(_from_type_on(item.key), None), unmet
    )


def _from_type_on(path: str) -> tuple[str, ...]:
    """Return a path as it is compared: from the type's folder on, without what differs."""
    parts = [normalize_name(name) for name in path.replace("\\", "/").split("/")]
    types = {normalize_name(t.name) for t in _TYPES}
    start = next((i for i, name in enumerate(parts) if name in types), 0)
    return tuple(parts[start:])
