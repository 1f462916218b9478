"""Read what a file's container says of how the file was made: tags, edit lists, C2PA.

Nothing of it enters a score. A tag says what it was made to say, and whoever forges a file may
forge its tags.
"""

import os
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from mmmsba_plugin.media.boxes import Box, iter_boxes, iter_chunks
from mmmsba_plugin.media.container import AvContainer
from mmmsba_plugin.schema import Edit, FileTraces

#: A file can hold as many and as long tags as it likes.
_MAX_TAGS = 64
_MAX_CHARACTERS = 200
#: The same of tracks and their edits, and of the boxes beside them.
_MAX_EDITS = 64
_MAX_BOXES = 10_000

#: Type of the box that holds a C2PA manifest. C2PA Technical Specification 2.1, section A.5.
_C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
#: The chunk that does in RIFF files, section A.3.
_C2PA_CHUNK = b"C2PA"


def read_traces(container: AvContainer, path: Path) -> FileTraces:
    """Read the traces of an opened file; only its index is read for them.

    Args:
        container: The opened file.
        path: Its path.
    """
    with path.open("rb") as file:
        head, size = file.read(12), os.fstat(file.fileno()).st_size
        if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
            outer = _bounded(iter_boxes(file, 0, size))
            return FileTraces(
                tags=_tags(container), edits=tuple(_edits(file, outer)), c2pa=_has_uuid(file, outer)
            )
        has_manifest = None
        if head[:4] == b"RIFF":
            has_manifest = any(c.kind == _C2PA_CHUNK for c in _bounded(iter_chunks(file, size)))
        return FileTraces(tags=_tags(container), c2pa=has_manifest)


def _tags(container: AvContainer) -> dict[str, str]:
    """Return the tags of a file and its streams."""
    tags = dict(_shortened(container.metadata, ""))
    for stream in container.streams:
        tags |= _shortened(stream.metadata, f"stream {stream.index} ")
    return dict(list(tags.items())[:_MAX_TAGS])


def _shortened(metadata: Mapping[str, str], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in metadata.items():
        # What most formats state where nothing is known (ISO 639-2).
        if (name, value) != ("language", "und"):
            yield f"{prefix}{name}"[:_MAX_CHARACTERS], value[:_MAX_CHARACTERS]


def _has_uuid(file: IO[bytes], boxes: list[Box]) -> bool:
    for box in boxes:
        if box.kind == b"uuid":
            file.seek(box.start)
            if file.read(len(_C2PA_UUID)) == _C2PA_UUID:
                return True
    return False


def _edits(file: IO[bytes], outer: list[Box]) -> Iterator[Edit]:
    """Yield the edits of all tracks of an ISO media file.

    Source:
        ISO/IEC 14496-12, section 8.6.6; durations are in units of the movie, media times in those
        of the track, and a media time of -1 is an empty edit.
    """
    for movie in (box for box in outer if box.kind == b"moov"):
        movie_hz = _timescale(file, _first(file, movie, b"mvhd"))
        tracks = [box for box in _inner(file, movie) if box.kind == b"trak"]
        for number, track in enumerate(tracks, start=1):
            track_hz = _timescale(file, _first(file, track, b"mdia", b"mdhd"))
            edit_list = _first(file, track, b"edts", b"elst")
            if edit_list is None or not movie_hz or not track_hz:
                continue
            for duration, media_time, rate in _entries(file, edit_list):
                yield Edit(
                    track=number,
                    duration_s=duration / movie_hz,
                    media_start_s=None if media_time < 0 else media_time / track_hz,
                    rate=rate / (1 << 16),
                )


def _entries(file: IO[bytes], box: Box) -> Iterator[tuple[Any, ...]]:
    file.seek(box.start)
    version, num_entries = struct.unpack(">B3xI", file.read(8).ljust(8, b"\0"))
    entry = struct.Struct(">QqI" if version == 1 else ">IiI")
    content = file.read(min(num_entries, _MAX_EDITS) * entry.size)
    whole = len(content) // entry.size * entry.size
    yield from entry.iter_unpack(content[:whole])


def _timescale(file: IO[bytes], box: Box | None) -> int:
    """Read the units a second of a movie's or a track's header; 0 if there is none."""
    if box is None:
        return 0
    file.seek(box.start)
    fields = file.read(24).ljust(24, b"\0")
    # Behind version and flags come two times, of 8 bytes each in version 1, else of 4.
    at = 20 if fields[0] == 1 else 12
    return int.from_bytes(fields[at : at + 4], "big")


def _first(file: IO[bytes], box: Box, *kinds: bytes) -> Box | None:
    """Return the first box of a kind within the first box of the kind before it, and so on."""
    inner: Box | None = box
    for kind in kinds:
        if inner is None:
            return None
        inner = next((other for other in _inner(file, inner) if other.kind == kind), None)
    return inner


def _inner(file: IO[bytes], box: Box) -> list[Box]:
    return _bounded(iter_boxes(file, box.start, box.end))


def _bounded(boxes: Iterator[Box]) -> list[Box]:
    return [box for box, _ in zip(boxes, range(_MAX_BOXES), strict=False)]
