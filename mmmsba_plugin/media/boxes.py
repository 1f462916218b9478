"""Boxes of ISO media files (mp4, mov) and chunks of RIFF files (avi, wav), without their content.

Source:
    ISO/IEC 14496-12, section 4.2: a length of 1 means that a 64-bit one follows the type, a length
    of 0 that the box reaches to the end of the file. Of RIFF, lengths are little-endian, do not
    count their header, and are padded to an even number.
"""

import struct
from collections.abc import Iterator
from itertools import islice
from typing import IO, NamedTuple

#: Boxes and chunks that hold no frames or audio: index, tags, space that is not used.
_WITHOUT_PACKETS = frozenset(
    {b"moov", b"moof", b"mfra", b"sidx", b"ssix", b"free", b"skip", b"wide", b"meta", b"uuid"}
    | {b"idx1", b"JUNK"}
)

#: Boxes of a file that are walked at most; a film in fragments of a second has some 10,000.
_MAX_WALKED = 100_000

#: Size of a header: four bytes of length, four of type.
_HEADER = struct.Struct(">I4s")
_CHUNK = struct.Struct("<4sI")
_RIFF_HEAD_BYTES = 12


class Box(NamedTuple):
    """A box, or a chunk.

    Attributes:
        kind: Its four letters.
        start: Where its content begins in the file, in bytes.
        end: Where it ends; behind the end of a file that was cut off.
    """

    kind: bytes
    start: int
    end: int


def iter_boxes(file: IO[bytes], start: int, end: int) -> Iterator[Box]:
    """Yield the boxes of a part of an ISO media file, not those within them.

    Args:
        file: The file.
        start: Where the first box begins, in bytes.
        end: Where the last one ends.
    """
    while start < end:
        file.seek(start)
        header = file.read(_HEADER.size)
        if len(header) < _HEADER.size:
            return
        length, kind = _HEADER.unpack(header)
        content = start + _HEADER.size
        if length == 1:
            length, content = int.from_bytes(file.read(8), "big"), content + 8
        elif length == 0:
            length = end - start
        if length < content - start:
            return
        yield Box(kind, content, start + length)
        start += length


def iter_chunks(file: IO[bytes], end: int) -> Iterator[Box]:
    """Yield the outermost chunks of a RIFF file of so many bytes."""
    start = _RIFF_HEAD_BYTES
    while start < end:
        file.seek(start)
        header = file.read(_CHUNK.size)
        if len(header) < _CHUNK.size:
            return
        kind, length = _CHUNK.unpack(header)
        content = start + _CHUNK.size
        yield Box(kind, content, content + length)
        start = content + length + length % 2


def unread_bytes(file: IO[bytes], start: int, end: int) -> int:
    """Count the bytes behind a file's last packet, without boxes that hold no packets.

    Args:
        file: The file, of any format.
        start: Where its last packet ends, in bytes.
        end: Its size in bytes.
    """
    file.seek(0)
    head = file.read(_HEADER.size)
    if head.startswith(b"RIFF"):
        boxes = iter_chunks(file, end)
    elif head.endswith(b"ftyp"):
        boxes = iter_boxes(file, 0, end)
    else:
        return end - start
    walked = islice(boxes, _MAX_WALKED)
    rest = (box for box in walked if box.end > start and box.kind not in _WITHOUT_PACKETS)
    return sum(max(0, min(box.end, end) - max(box.start, start)) for box in rest)
