"""Report files of a batch, and those of an earlier run."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmmsba_plugin.files import atomic_write, sha256_of

if TYPE_CHECKING:
    from mmmsba_plugin.hookspecs import Writer
    from mmmsba_plugin.schema import Media, Report, Status

#: Put into a report's name where it lies beside its clip: there, ``clip.json`` and ``clip.vtt``
#: are often the owner's annotations and subtitles.
_BESIDE = ".mmmsba"

#: File systems take names of 255 bytes; the rest is for what follows a report's name.
_LONGEST_BYTES = 200


def report_names(clips: Iterable[Path], output: Path | None) -> dict[Path, Path]:
    """List the report paths of each clip, without their suffix; each clip once.

    Two clips of one name get their suffix, or a number, into their reports' names, so that
    no report replaces another; nor does one replace what an earlier run, or somebody, left
    there of another clip. A clip that was reported on before keeps its name.

    Args:
        clips: Files as they were named.
        output: Folder of all reports; each clip's own folder if not given.
    """
    names: dict[Path, Path] = {}
    used_names: set[Path] = set()
    for clip in clips:
        if clip in names:
            continue
        # Absolute, because "." has no name; and "/" has none even so.
        whole, folder = clip.absolute(), output or clip.parent
        beside = output is None or output.resolve() == whole.parent.resolve()
        stem, full = _shortened(whole.stem or "root"), _shortened(whole.name)
        choices = chain((stem, full), (f"{full}-{n}" for n in count(2)))
        paths = (folder / f"{choice}{_BESIDE if beside else ''}" for choice in choices)
        names[clip] = next(
            path for path in paths if path not in used_names and _is_free(path, clip)
        )
        used_names.add(names[clip])
    return names


def _is_free(name: Path, clip: Path) -> bool:
    """Return whether no report lies there, or one of this very clip."""
    from mmmsba_plugin.schema import Report

    path = name.with_name(f"{name.name}.json")
    # Of a folder that is none, or is closed, every name is free: writing says what is wrong.
    if not os.path.lexists(path):
        return True
    if not path.is_file():
        return False
    try:
        text = path.read_bytes()
        return not text or _is_of(Report.model_validate_json(text).media, clip)
    except (OSError, ValueError):
        return False  # It is no report, so it is not ours to replace.


def _is_of(media: "Media", clip: Path) -> bool:
    """Return whether a report's file is this clip: by its path, or by its bytes if it moved."""
    path = Path(media.path)
    if path.is_absolute() and (path == clip.absolute() or path.exists()):
        return path.resolve() == clip.resolve()
    # A relative path was named from a folder that the report does not tell.
    if media.sha256 is None:
        return path == clip
    return media.size_bytes == clip.stat().st_size and media.sha256 == sha256_of(clip)


def _shortened(name: str) -> str:
    data = os.fsencode(name)
    return name if len(data) <= _LONGEST_BYTES else data[:_LONGEST_BYTES].decode(errors="ignore")


def report_path(name: Path, writer: "Writer") -> Path:
    """Return the path of the report that ``writer`` makes."""
    return name.with_name(f"{name.name}{writer.suffix}")


def write_report(report: "Report", name: Path, writer: "Writer") -> Path:
    """Write a report, and return its path; whoever reads it never sees half of it.

    Raises:
        OutputError: The disk is full, or the like.
    """
    path = report_path(name, writer)
    with atomic_write(path, newline="") as stream:
        writer.write(report, stream)
    return path


def reports_before(
    names: Mapping[Path, Path], writers: Mapping[str, "Writer"], info: Mapping[str, Any]
) -> "dict[Path, Status]":
    """Return the clips of which an earlier run left what judging again would only repeat.

    All files of a clip must be there, and be of the same bytes and by the same weights,
    settings and version. A report of status ``error`` does not count: what failed may work now.

    Args:
        names: Where the reports of each clip go, as :func:`report_names` says.
        writers: Those that are asked for, by name, ``json`` among them.
        info: What the detector says of itself.

    Returns:
        The status of each such clip's report.
    """
    from mmmsba_plugin.schema import Report

    statuses: dict[Path, Status] = {}
    for clip, name in names.items():
        if not all(report_path(name, writer).is_file() for writer in writers.values()):
            continue
        # A file that cannot be read, or is no report, is one that has to be made.
        with suppress(OSError, ValueError):
            text = report_path(name, writers["json"]).read_bytes()
            report = Report.model_validate_json(text)
            made_by = report.provenance.model_dump(mode="json", exclude={"command", "created_utc"})
            is_of_use = report.status != "error" and made_by.items() <= info.items()
            # Last, since all bytes of the clip have to be read for it.
            if is_of_use and report.media.sha256 == sha256_of(clip):
                statuses[clip] = report.status
    return statuses
