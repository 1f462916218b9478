"""Reads a CSV that lists clips of one's own, and says which are fake, and where.

What could be read in two ways is an error that names the line: a wrong truth is worse than
none.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from mmmsba_plugin.datasets.csv_records import UNNAMED, Row, columns_of, read_rows
from mmmsba_plugin.datasets.reader import OnError, Splits
from mmmsba_plugin.datasets.splits import split_word
from mmmsba_plugin.errors import DatasetError, SegmentError
from mmmsba_plugin.record import WHOLE_CLIP, Record
from mmmsba_plugin.segment import Segment, merge

#: Columns that say whether a clip is fake; a table has one of them.
_TRUTH_COLUMNS = ("label", "start_s", "segments")
#: Columns that say the same in every row of a clip.
_CLIP_COLUMNS = ("split", "identity", "kind", "duration_s")
_COLUMNS = ("path", "label", "start_s", "end_s", "segments", "modality", *_CLIP_COLUMNS)

#: As everywhere here, 1 is fake; some datasets have it the other way round.
_LABELS = {
    **dict.fromkeys(("real", "genuine", "0"), False),
    **dict.fromkeys(("fake", "forged", "1"), True),
}
_MODALITIES = {word: word for word in ("audio", "visual", "both")}
#: How alike an unknown column must be to a known one to be taken for a slip.
_SLIP = 0.7

Value = TypeVar("Value")


def read_table(
    table: Path, splits: Splits, on_error: OnError, *, need_media: bool
) -> Iterator[Record]:
    """Yield the record of each clip of a CSV, in the order in which they are first named.

    Columns, besides ``path`` (absolute, or as seen from the CSV):

    - ``label``: ``real``, ``genuine`` or ``0``; ``fake``, ``forged`` or ``1``. A clip that is
      fake and has no segments is fake from start to end.
    - ``start_s`` and ``end_s``, in seconds: one fake segment a row; a clip may have several
      rows, anywhere. Or ``segments``: all of them, as ``[[start, end], …]``. Without a column
      ``label``, a clip without segments is real.
    - ``modality``: what was altered there: ``audio``, ``visual`` or ``both``. Not told apart if
      any forged row of a clip leaves it empty.
    - ``split``, ``identity``, ``kind``, ``duration_s``: the same in all rows of a clip.

    Any other column goes to ``extra``. All rows are read before the first record is made,
    because a clip's rows may stand apart.

    Args:
        table: The CSV.
        splits: Which are wanted.
        on_error: Hears of each clip that is left out, because what is said of it makes no
            sense or its file is not there.
        need_media: Whether a clip whose file is not there is left out.

    Raises:
        DatasetError: The columns make no sense.
    """
    lines_of_path: dict[str, list[_Line]] = {}
    for number, row in read_rows(table, required=("path",), on_error=on_error):
        if row["path"]:
            lines_of_path.setdefault(row["path"], []).append(_Line(number, row))
        else:
            on_error(DatasetError(f"{table}, line {number}: 'path' is empty; name the clip"))
    _require_columns(table)
    for path, lines in lines_of_path.items():
        try:
            record = _record(table.parent / path, path, lines)
            in_split = splits.wants(record.split)
            if need_media and in_split and not record.media.is_file():
                raise DatasetError(f"there is no {record.media}; correct 'path'")  # noqa: TRY301
        except DatasetError as error:
            at = ", ".join(str(line.number) for line in lines)
            on_error(DatasetError(f"{table}, line {at}: {error}"))
            continue
        if in_split:
            yield record


def lists_clips(table: Path) -> bool:
    """Return whether a file is a CSV of clips, by its columns."""
    names = columns_of(table)
    return "path" in names and bool({*_TRUTH_COLUMNS} & {*names})


@dataclass(frozen=True, slots=True)
class _Line:
    """A row, and where it stands."""

    number: int
    row: Row

    def get(self, name: str) -> str:
        return self.row.get(name, "")


def _require_columns(table: Path) -> None:
    """Refuse a table that says of no clip whether it is fake, or seems to by a slip."""
    names = [name for name in columns_of(table) if name]
    for name in set(names) - {*_COLUMNS}:
        if meant := get_close_matches(name, set(_COLUMNS) - set(names), n=1, cutoff=_SLIP):
            raise DatasetError(
                f"{table}: there is a column {name!r}; call it {meant[0]} if it is that, and "
                "something less like it if not"
            )
    if not {*_TRUTH_COLUMNS} & {*names}:
        raise DatasetError(
            f"{table} says of no clip whether it is fake; add a column "
            f"{' or '.join(_TRUTH_COLUMNS)}"
        )
    if ("start_s" in names) != ("end_s" in names):
        raise DatasetError(f"{table} has one of start_s and end_s; add the other")
    if "start_s" in names and "segments" in names:
        raise DatasetError(f"{table} has start_s and segments; leave one of them out")


def _record(media: Path, path: str, lines: Sequence[_Line]) -> Record:
    audio, visual, is_by_modality = _ground_truth(lines)
    split = _same(lines, "split")
    duration_s = _same(lines, "duration_s")
    columns = {*_COLUMNS, UNNAMED}
    return Record(
        media=media,
        truth=tuple(merge(audio + visual)),
        split=split_word(split) if split else None,
        identity=_same(lines, "identity"),
        audio_truth=tuple(merge(audio)) if is_by_modality else None,
        visual_truth=tuple(merge(visual)) if is_by_modality else None,
        kind=_same(lines, "kind"),
        key=path,
        duration_s=_seconds(duration_s, "duration_s") if duration_s else None,
        extra={name: value for name, value in lines[0].row.items() if name not in columns},
    )


def _ground_truth(lines: Sequence[_Line]) -> tuple[list[Segment], list[Segment], bool]:
    """Read the manipulated segments of audio and video, and whether these are told apart."""
    audio, visual, is_by_modality = [], [], True
    fake = _fake(lines)
    for line in lines:
        segments = _segments(line) or ([WHOLE_CLIP] if fake and len(lines) == 1 else [])
        modality = _one_of(line, "modality", _MODALITIES)
        if modality and not segments:
            raise DatasetError("'modality' says what was altered, but nothing was; clear it")
        is_by_modality &= bool(modality) or not segments
        audio += segments if modality != "visual" else []
        visual += segments if modality != "audio" else []
    if fake and not (audio or visual):
        raise DatasetError("several rows call it fake, and none says where; leave one row")
    return audio, visual, is_by_modality


def _fake(lines: Sequence[_Line]) -> bool:
    """Return whether a clip is fake, on which its labels and its segments must agree."""
    anywhere = any(_segments(line) for line in lines)
    if "label" not in lines[0].row:
        return anywhere
    labels = {_one_of(line, "label", _LABELS) for line in lines} - {None}
    if len(labels) > 1:
        raise DatasetError("'label' is real in one row and fake in another; correct one")
    if not labels and not anywhere:
        raise DatasetError("'label' is empty and there is no segment; say real or fake")
    if labels == {False} and anywhere:
        raise DatasetError("'label' is real, but there is a fake segment; correct one")
    return anywhere or True in labels


def _segments(line: _Line) -> list[Segment]:
    if text := line.get("segments"):
        try:
            rows: Any = json.loads(text)
            pairs = [(float(start), float(end)) for start, end in rows]
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise DatasetError(
                f"'segments' must be [[start, end], …] in seconds, got {text!r:.80}"
            ) from error
        return [_segment(*pair) for pair in pairs]
    start, end = line.get("start_s"), line.get("end_s")
    if not (start or end):
        return []
    if not (start and end):
        raise DatasetError("one of 'start_s' and 'end_s' is empty; fill in both or neither")
    return [_segment(_seconds(start, "start_s"), _seconds(end, "end_s"))]


def _segment(start_s: float, end_s: float) -> Segment:
    if start_s < 0:
        raise DatasetError(f"a segment starts at {start_s:g} s, before the clip; correct it")
    try:
        return Segment(start_s, end_s)
    except SegmentError as error:
        raise DatasetError(str(error)) from error


def _seconds(text: str, name: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise DatasetError(f"{name!r} must be a number of seconds, got {text!r}")
    return seconds


def _one_of(line: _Line, name: str, words: dict[str, Value]) -> Value | None:
    word = line.get(name)
    if word and word.casefold() not in words:
        raise DatasetError(f"{name!r} must be one of {', '.join(words)}, got {word!r}")
    return words[word.casefold()] if word else None


def _same(lines: Sequence[_Line], name: str) -> str | None:
    """Return the value that all rows of a clip share; a row may leave it empty."""
    values = list(dict.fromkeys(line.get(name) for line in lines if line.get(name)))
    if len(values) > 1:
        raise DatasetError(
            f"{name!r} is {values[0]!r} in one row and {values[1]!r} in another; correct one"
        )
    return values[0] if values else None
