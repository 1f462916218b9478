"""Report files of a batch, and those of an earlier run."""

import os
from collections.abc import Iterable, Mapping
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmmsba_plugin.files import atomic_write, sha256_of

if TYPE_CHECKING:
    from mmmsba_plugin.hookspecs import Writer
    from mmmsba_plugin.schema import Report, Status

#: Put into a report's name where it lies beside its clip: there, ``clip.json`` and ``clip.vtt``
#: are often the owner's annotations and subtitles.
_BESIDE = ".mmmsba"

#: File systems take names of 255 bytes; the rest is for what follows a report's name.
_LONGEST_BYTES = 200


def report_names(clips: Iterable[Path], output: Path | None) -> dict[Path, Path]:
    """List the report paths of each clip, without their suffix; each clip once.

    Two clips of one name get their suffix, or a number, into their reports' names, so that
    no report replaces another.

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
        names[clip] = next(path for path in paths if path not in used_names)
        used_names.add(names[clip])
    return names


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
    return {
        clip: report.status
        for clip, name in names.items()
        if all(report_path(name, writer).is_file() for writer in writers.values())
        and (report := _read(report_path(name, writers["json"]))) is not None
        and report.status != "error"
        and report.provenance.model_dump(mode="json", exclude={"command", "created_utc"}).items()
        <= info.items()
        and report.media.sha256 is not None
        and report.media.sha256 == _sha256(clip)
    }


def _read(path: Path) -> "Report | None":
    from mmmsba_plugin.schema import Report

    try:
        return Report.model_validate_json(path.read_bytes())
    except (OSError, ValueError):
        return None


def _sha256(clip: Path) -> str | None:
    try:
        return sha256_of(clip)
    except OSError:
        return None
