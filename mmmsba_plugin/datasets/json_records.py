"""Streaming reader of JSON records, one after the other, however long the file is.

``json.load`` holds a file of a million records several times over. Here a window slides over
the text and holds little more than the record at hand, so memory does not grow with the file.
A file that breaks off, or breaks, still yields the records before that.
"""

import codecs
import itertools
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from mmmsba_plugin.errors import DatasetError

#: Bytes read at once; more only for a record that is longer.
CHUNK_BYTES = 1 << 18
#: A record takes tens of times its text in memory, and tells of one clip.
_MAX_RECORD_CHARACTERS = 1 << 22
#: No word of JSON that the end of the window may cut (``-Infinity``, a pair of ``\uXXXX``) is
#: longer, so a fault that lies farther from the end is no cut.
_LONGEST_CUT = 32

#: How the standard library's decoder says so.
_OPEN_STRING = "Unterminated string"
_SOLID = re.compile(r"[^ \t\n\r]")
_decode = json.JSONDecoder().raw_decode


class Item(NamedTuple):
    """One entry of a JSON file, and where it stands.

    Attributes:
        value: What ``json.loads`` makes of it.
        path: The file.
        line: The line it starts in, from 1.
        entry: Its index in a list, from 0, or its key in an object; None if it is the whole
            file. Some datasets are one line of many megabytes, where the line says nothing.
    """

    value: Any
    path: Path
    line: int = 1
    entry: int | str | None = None

    @property
    def place(self) -> str:
        """Place of the record in the file, for people."""
        return _place(self.path, self.line, self.entry)


def listed(path: Path) -> Iterator[Item]:
    """Yield the items of the list that a JSON file holds.

    Yields:
        Each item with its index.

    Raises:
        DatasetError: The file cannot be read, is no list, or breaks off; it is raised after
            the items before that were yielded, and names file, line and item.
    """
    with _opened(path, "[") as text:
        if text.peek() != "]":
            for index in itertools.count():
                text.entry = index
                text.peek()
                yield Item(line=text.line, value=text.value(), path=path, entry=index)
                if text.take(",]") == "]":
                    return text.close()
        text.take("]")
        text.close()


def members(path: Path) -> Iterator[Item]:
    """Yield the members of the object that a JSON file holds.

    Yields:
        Each value with its key. A key that stands twice is yielded twice.

    Raises:
        DatasetError: As :func:`listed`, where the file holds no object.
    """
    with _opened(path, "{") as text:
        if text.peek() != "}":
            for index in itertools.count():
                text.entry = index
                text.peek('"')
                line, text.entry = text.line, str(text.value())
                text.take(":")
                text.peek()
                yield Item(line=line, value=text.value(), path=path, entry=text.entry)
                if text.take(",}") == "}":
                    return text.close()
        text.take("}")
        text.close()


def whole(path: Path) -> Item:
    """Return a JSON file that is one record.

    Raises:
        DatasetError: The file cannot be read as JSON.
    """
    with _opened(path) as text:
        text.peek()
        item = Item(line=text.line, value=text.value(), path=path)
        text.close()
        return item


def first(items: Iterator[Item]) -> object:
    """Return the first value of a file without reading on; None if there is none to read."""
    try:
        item = next(items, None)
    except DatasetError:
        return None
    return item.value if item else None


@contextmanager
def _opened(path: Path, opening: str = "") -> Iterator["_Text"]:
    try:
        stream = path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error
    with stream:
        text = _Text(path, stream)
        if opening:
            text.enter(opening)
        yield text


class _Text:
    """A window that slides over the text of a file.

    Attributes:
        entry: What errors name; the caller says which entry comes next.
    """

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self.entry: int | str | None = None
        self._path = path
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._window = ""
        self._at = 0
        self._line = 1
        self._counted = 0
        self._ends_with: str | None = None

    @property
    def line(self) -> int:
        """The line of the next character, from 1."""
        self._line += self._window.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def peek(self, expected: str = "") -> str:
        """Return the next character that is not blank, without taking it; empty at the end."""
        while not (match := _SOLID.search(self._window, self._at)):
            self._at = len(self._window)
            if not self._read_on(CHUNK_BYTES):
                break
        self._at = match.start() if match else self._at
        character = match.group() if match else ""
        if expected and character not in tuple(expected):
            raise self._wrong(f"expected {' or '.join(expected)}", self._at)
        return character

    def take(self, expected: str) -> str:
        """Take and return the next character, which must be one of those expected."""
        character = self.peek(expected)
        self._at += 1
        return character

    def enter(self, opening: str) -> None:
        """Take the bracket that opens the file."""
        character = self.peek()
        if character != opening:
            kind = "a list" if opening == "[" else "an object"
            raise DatasetError(
                f"{_place(self._path, self.line)}: cannot be read as JSON records (must hold "
                f"{kind} and so start with '{opening}', got {character or 'nothing'}); give the "
                "dataset's own metadata"
            )
        self._at += 1

    def value(self) -> object:
        """Take and return the next value; the window grows until it holds it whole."""
        size = CHUNK_BYTES
        while True:
            try:
                value, end = _decode(self._window, self._at)
            except (ValueError, RecursionError) as error:
                message, at = str(error), self._at
                may_be_cut = False
                if isinstance(error, json.JSONDecodeError):
                    is_open = error.msg.startswith(_OPEN_STRING)
                    message, at = error.msg, len(self._window) if is_open else error.pos
                    may_be_cut = is_open or len(self._window) - error.pos <= _LONGEST_CUT
                if may_be_cut and len(self._window) - self._at > _MAX_RECORD_CHARACTERS:
                    raise DatasetError(
                        f"{_place(self._path, self.line, self.entry)}: one record is longer than "
                        f"{_MAX_RECORD_CHARACTERS >> 20} million characters; give the dataset's "
                        "own metadata"
                    ) from error
                if not (may_be_cut and self._read_on(size)):
                    raise self._wrong(message, at) from error
            else:
                # A number at the window's end may go on behind it.
                if len(self._window) - end > _LONGEST_CUT or not self._read_on(size):
                    self._at = end
                    return value
            size = min(2 * size, _MAX_RECORD_CHARACTERS)

    def close(self) -> None:
        """Make sure that nothing follows.

        Raises:
            DatasetError: Something does.
        """
        self.entry = None
        if self.peek() or self._ends_with:
            raise self._wrong("there is more behind its end", self._at)

    def _wrong(self, what: str, at: int) -> DatasetError:
        """Return an error at a place of the window; at its end, it says why there is no more."""
        if not self._window[at:].strip():
            what = self._ends_with or f"it breaks off; {what}"
        self._at = at
        return DatasetError(
            f"{_place(self._path, self.line, self.entry)}: cannot be read as JSON ({what}); "
            "copy the file again"
        )

    def _read_on(self, size: int) -> bool:
        """Let go of what was taken, and read on; False at the end of the text."""
        if self._ends_with is not None:
            return False
        try:
            data = self._stream.read(size)
        except OSError as error:
            raise _unreadable(self._path, error) from error
        self._ends_with = None if data else ""
        try:
            more = self._decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            self._ends_with = f"it is no UTF-8 text: {error.reason}"
            more = error.object[: error.start].decode("utf-8")
        self._line = self.line
        self._window = self._window[self._at :] + more
        self._at = self._counted = 0
        return True


def _place(path: Path, line: int, entry: int | str | None = None) -> str:
    return f"{path}, line {line}" + ("" if entry is None else f", record {entry!r}")


def _unreadable(path: Path, error: OSError) -> DatasetError:
    return DatasetError(f"{path} cannot be read ({error.strerror}); check the path and its rights")
