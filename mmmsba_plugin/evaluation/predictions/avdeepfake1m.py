"""AV-Deepfake1M's ``prediction.json``: ``{"000001.mp4": [[score, start_s, end_s], ...]}``.

Proposals for fifty thousand clips are a hundred megabytes of digits, and fifteen million
Python objects if they are read with :mod:`json`. Here they never become objects: the file is
taken in pieces that end with a clip, the clips' names are cut out of a piece, and what is left
is one array that simdjson turns into float64. A file that this cannot account for to the last
bracket is read again the slow and exact way, which says what is wrong with it.

LAV-DF's own files look alike but count in video frames; divide them by 25 first.
"""

import json
import math
import re
import reprlib
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import shorten
from typing import IO, Any

import numpy as np
import simdjson
from numpy.typing import NDArray

from mmmsba_plugin.errors import PredictionsError
from mmmsba_plugin.evaluation.predictions.formats import separator_of
from mmmsba_plugin.evaluation.tables import SpanTable, offsets_of

#: Bytes read at once.
PIECE_BYTES = 1 << 21

_SPACE = b" \t\r\n"
#: All that a clip's text consists of but its brackets and commas.
_NO_SKELETON = b"0123456789+-.eE" + _SPACE
_ROW = b"[,,]"
_NO_ROWS = b":[],"
_COLUMNS = 3
_CONTROL = re.compile(rb"[\x00-\x1f]")


#: A value may be longer and deeper than anybody reads.
_EXCERPT = reprlib.Repr()
_EXCERPT.maxlevel, _EXCERPT.maxstring, _EXCERPT.maxother = 3, 80, 80


class UnusualLayoutError(Exception):
    """The fast way does not account for all of the file."""


def read_proposals(path: Path) -> SpanTable:
    """Read the proposals of all clips, in the order of the file.

    A row is three finite numbers: score, start and end in seconds. Scores may be on any scale,
    and rows in any order. A clip may have no rows.

    Args:
        path: JSON, in UTF-8.

    Raises:
        PredictionsError: The file is not there or no JSON, a clip comes twice, or a row is not
            three finite numbers; the message names the clip and the row.
    """
    try:
        return read_fast(path)
    except OSError as error:
        raise PredictionsError(
            f"{path} cannot be read ({error.strerror}); check the path", path=path
        ) from error
    except UnusualLayoutError:
        return read_exactly(path)


def read_fast(path: Path) -> SpanTable:
    """Read segments in pieces, which takes a file to be laid out as usual.

    Args:
        path: JSON, in UTF-8.

    Raises:
        OSError: It cannot be read.
        UnusualLayoutError: It is not; :func:`read_exactly` says what is wrong, if anything is.
    """
    keys: list[str] = []
    counts: list[int] = []
    scores: list[NDArray[np.float64]] = []
    spans: list[NDArray[np.float64]] = []
    parser = simdjson.Parser()
    with path.open("rb") as file:
        for names, texts in _clips(file):
            keys += _decoded(names)
            rows_of_clip = [_num_rows(text) for text in texts]
            counts += rows_of_clip
            rows = _parse_rows(texts, sum(rows_of_clip), parser)
            # Copies, so that a piece's memory can be used for the next one.
            scores.append(rows[:, 0].copy())
            spans.append(rows[:, 1:].copy())
    if len(set(keys)) != len(keys):
        raise UnusualLayoutError
    return SpanTable(keys, offsets_of(counts), np.concatenate(spans), np.concatenate(scores))


def _clips(file: IO[bytes]) -> Iterator[tuple[list[bytes], list[bytes]]]:
    """Yield names and texts of some clips; a text is what stands between two names.

    Each looks like ``: [[0.9, 1.2, 3.4]], ``, the last one too, whose brace becomes a comma.
    """
    #   {"a.mp4": [[0.9, 1, 2]], "b.mp4": [[0.8, 3, 4]], "c.m     a piece is cut at its quotes:
    #     name    text             name    text            name   the last text, or half a name,
    #                             |- - - - - - - - - - - - - ->   waits for the next piece
    rest = b""
    if file.read(1) != b"{":
        raise UnusualLayoutError
    while chunk := file.read(PIECE_BYTES):
        if b"\\" in chunk:  # an escaped quote would be no quote
            raise UnusualLayoutError
        head, *parts = (rest + chunk).split(b'"')
        if head.strip(_SPACE):
            raise UnusualLayoutError
        whole = max(len(parts) - 1, 0) // 2 * 2
        if whole:
            yield parts[0:whole:2], parts[1:whole:2]
        rest = b'"'.join([head, *parts[whole:]])
    parts = rest.rstrip(_SPACE).split(b'"')
    if len(parts) != len(("head", "name", "text")) or not parts[-1].endswith(b"}"):
        raise UnusualLayoutError
    yield [parts[1]], [parts[2][:-1] + b","]


def _decoded(names: list[bytes]) -> list[str]:
    if any(_CONTROL.search(name) for name in names):  # JSON forbids them between quotes
        raise UnusualLayoutError
    try:
        return [name.decode("utf-8") for name in names]
    except UnicodeDecodeError as error:
        raise UnusualLayoutError from error


def _num_rows(text: bytes) -> int:
    """Count the rows of a clip, from its brackets and commas alone.

    With ``n`` rows of three, and no other bracket, the skeleton is ``:[[,,],[,,]],`` and has
    ``5 n + 3`` signs. No other text with ``n`` times ``[,,]`` has as many and is valid, but for
    numbers that stand outside of rows, which :func:`_parse_rows` counts.
    """
    skeleton = text.translate(None, _NO_SKELETON)
    num_rows = skeleton.count(_ROW)
    length = 5 * num_rows + 3 if num_rows else len(_NO_ROWS)
    if len(skeleton) != length or skeleton[:2] != _NO_ROWS[:2] or skeleton[-2:] != _NO_ROWS[-2:]:
        raise UnusualLayoutError
    return num_rows


def _parse_rows(texts: list[bytes], num_rows: int, parser: simdjson.Parser) -> NDArray[np.float64]:
    """Return the rows of several clips, shape ``(row, 3)``.

    Without its colons and its last comma their text is one array of arrays, and invalid if
    theirs was.
    """
    text = b"".join(texts).replace(b":", b"").rstrip(_SPACE)
    try:
        clips: Any = parser.parse(b"[" + text[:-1] + b"]")
    except (ValueError, RuntimeError) as error:  # no JSON, or an integer beyond 64 bits
        raise UnusualLayoutError from error
    values = np.frombuffer(clips.as_buffer(of_type="d"), dtype=np.float64)
    if len(values) != _COLUMNS * num_rows:
        raise UnusualLayoutError
    return values.reshape(-1, _COLUMNS)


class _Pairs(tuple[tuple[str, Any], ...]):
    """An object of JSON with its keys as they come, so that none replaces another."""

    __slots__ = ()


def read_exactly(path: Path) -> SpanTable:
    """Read segments by way of a JSON parser that keeps what comes twice.

    Args:
        path: JSON, in UTF-8.

    Raises:
        PredictionsError: It is no JSON, a clip comes twice, or a row is not three finite numbers.
    """
    try:
        entries = json.loads(path.read_bytes(), object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        raise PredictionsError(
            f"{path} cannot be read as JSON ({error}); write it again", path=path
        ) from error
    if not isinstance(entries, _Pairs):
        raise PredictionsError(
            f"{path} must hold an object of clips with their proposals, got a "
            f"{type(entries).__name__}; write it like prediction.json of AV-Deepfake1M",
            path=path,
        )
    rows_of_clip: dict[str, list[list[float]]] = {}
    for key, rows in entries:
        if key in rows_of_clip:
            raise PredictionsError(f"{path}: clip {key!r} comes twice; keep one of them", path=path)
        if fault := _fault_of(rows):
            raise PredictionsError(f"{path}: clip {key!r}{fault}", path=path)
        rows_of_clip[key] = rows
    all_rows = [row for rows in rows_of_clip.values() for row in rows]
    values = np.array(all_rows, dtype=np.float64).reshape(-1, _COLUMNS)
    offsets = offsets_of([len(rows) for rows in rows_of_clip.values()])
    return SpanTable(list(rows_of_clip), offsets, values[:, 1:].copy(), values[:, 0].copy())


def _fault_of(rows: object) -> str | None:
    """Describe what is wrong with the rows of a clip; None if nothing is."""
    if not isinstance(rows, list):
        return (
            f" must have a list of rows [score, start_s, end_s], got {_short(rows)}; "
            "a clip without proposals has an empty one"
        )
    for index, row in enumerate(rows):
        if not (isinstance(row, list) and len(row) == _COLUMNS and all(map(_is_finite, row))):
            return (
                f", row {index} must be three finite numbers [score, start_s, end_s], got "
                f"{_short(row)}; correct it or leave it out"
            )
    return None


def _is_finite(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    # Compared, since an integer can be too large to become a float.
    return number and -sys.float_info.max <= value <= sys.float_info.max  # type: ignore[operator]


def _short(value: object) -> str:
    return shorten(_EXCERPT.repr(value), 60)


def read_scores(path: Path) -> dict[str, float]:
    """Read the score of each clip.

    The semicolon is AV-Deepfake1M's, the comma MM-DDL's; a file has one of them. The name of a
    clip may hold either: it ends at the last one of its line.

    Raises:
        PredictionsError: The file holds no line, a line is none of these, a clip comes twice, or
            a score is not finite; the message names file, line and clip.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise PredictionsError(
            f"{path} is no text in UTF-8: {error.reason}; save it so", path=path
        ) from error
    scores: dict[str, float] = {}
    separator: str | None = None
    # Not by `splitlines`, which also ends lines at signs that a name may hold.
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if not line.strip():
            continue
        separator = separator or separator_of(line)
        key, _, value = line.rpartition(separator or ";")
        try:
            score = float(value)
        except ValueError:
            score = math.nan
        if not key or not math.isfinite(score):
            raise PredictionsError(
                f"{path}, line {number}: {line!r} is no clip with a score; write one clip a line, "
                "as 000001.mp4;0.9128",
                path=path,
            )
        if key in scores:
            raise PredictionsError(
                f"{path}, line {number}: {key!r} comes a second time; keep one", path=path
            )
        scores[key] = score
    if not scores:
        raise PredictionsError(
            f"{path} is empty; write one clip a line, as 000001.mp4;0.9128", path=path
        )
    return scores
