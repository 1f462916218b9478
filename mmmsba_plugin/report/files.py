"""Report files of a batch, and those of an earlier run."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from io import StringIO
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmmsba_plugin.files import atomic_write, sha256_of

if TYPE_CHECKING:
    from mmmsba_plugin.hookspecs import Writer
    from mmmsba_plugin.schema import Media, Report

#: Put into a report's name where it lies beside its clip: there, ``clip.json`` and ``clip.vtt``
#: are often the owner's annotations and subtitles.
_BESIDE = ".mmmsba"

#: File systems take names of 255 bytes; the rest is for what follows a report's name.
_LONGEST_BYTES = 200


def report_names(
    clips: Iterable[Path], output: Path | None, *, reserved: Iterable[Path] = ()
) -> dict[Path, Path]:
    """List the report paths of each clip, without their suffix; each clip once.

    Two clips of one name get their suffix, or a number, into their reports' names, so that
    no report replaces another; nor does one replace what an earlier run, or somebody, left
    there of another clip. A clip that was reported on before keeps its name.

    Args:
        clips: Files as they were named.
        output: Folder of all reports; each clip's own folder if not given.
        reserved: Names that something else has.
    """
    names: dict[Path, Path] = {}
    used_names = set(reserved)
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


def render(report: "Report", writer: "Writer") -> str:
    """Return the text of a report as a writer writes it."""
    stream = StringIO(newline="")
    writer.write(report, stream)
    return stream.getvalue()


def write_report(report: "Report", name: Path, writer: "Writer") -> Path:
    """Write a report, and return its path; whoever reads it never sees half of it.

    Raises:
        OutputError: The disk is full, or the like.
    """
    path = report_path(name, writer)
    with atomic_write(path, newline="") as stream:
        writer.write(report, stream)
    return path


def write_text(text: str, path: Path, *, replace: bool = True) -> Path:
    """Write the text of a report, and return its path; nobody ever sees half of it.

    Raises:
        FileExistsError: It may not replace another file, and there is one.
        OutputError: The disk is full, or the like.
    """
    with atomic_write(path, newline="", replace=replace) as stream:
        stream.write(text)
    return path


def claim_name(text: str, clip: Path, names: Mapping[Path, Path], output: Path | None) -> Path:
    """Write the JSON report of a clip, and return the name that its reports have.

    If another run gave the name to another clip meanwhile, the next one that is free.

    Args:
        text: The JSON report.
        clip: The clip.
        names: Those of all clips of this run, as :func:`report_names` says.
        output: Folder of all reports; each clip's own folder if None.

    Raises:
        OutputError: The disk is full, or the like.
    """
    name = names[clip]
    while True:
        if not _is_free(name, clip):
            others = {other for key, other in names.items() if key != clip}
            name = report_names([clip], output, reserved=others)[clip]
        path = name.with_name(f"{name.name}.json")
        with suppress(FileExistsError):
            write_text(text, path, replace=os.path.lexists(path))
            return name


def copies_of(clips: Iterable[Path]) -> dict[Path, list[Path]]:
    """Return the clips, in order, whose bytes no clip before has, each with those that have them.

    Only clips of equal size are read for it.
    """
    by_size: dict[int, list[Path]] = {}
    copies: dict[Path, list[Path]] = {}
    for clip in clips:
        copies[clip] = []
        with suppress(OSError):
            if clip.is_file():
                by_size.setdefault(clip.stat().st_size, []).append(clip)
    for same_size in by_size.values():
        firsts: dict[str, Path] = {}
        for clip in same_size if len(same_size) > 1 else ():
            with suppress(OSError):
                first = firsts.setdefault(sha256_of(clip), clip)
                if first != clip:
                    copies[first].append(clip)
                    del copies[clip]
    return copies


def as_copy(report: "Report", clip: Path) -> "Report":
    """Return the report of a clip whose bytes are those of the clip that a report is of."""
    original = Path(report.media.path)
    from mmmsba_plugin.media.source import with_name

    copy = with_name(report, original, str(clip))
    warning = f"its bytes are those of {original}, and were evaluated there"
    return copy.model_copy(update={"warnings": (warning, *copy.warnings)})


def reports_before(
    names: Mapping[Path, Path], writers: Mapping[str, "Writer"], info: Mapping[str, Any]
) -> "Iterator[tuple[Path, Report]]":
    """Yield clips of which an earlier run left what judging again would only repeat.

    All files of a clip must be there, and be of the same bytes and by the same weights,
    settings and version. A report of status ``error`` does not count: what failed may work now.

    Args:
        names: Where the reports of each clip go, as :func:`report_names` says.
        writers: Those that are asked for, by name, ``json`` among them.
        info: What the detector says of itself.

    Yields:
        Each such clip and its report, without curves.
    """
    from mmmsba_plugin.schema import Report

    for clip, name in names.items():
        if not all(report_path(name, writer).is_file() for writer in writers.values()):
            continue
        report = None
        # A file that cannot be read, or is no report, is one that has to be made.
        with suppress(OSError, ValueError):
            text = report_path(name, writers["json"]).read_bytes()
            report = Report.model_validate_json(text)
            made_by = report.provenance.model_dump(mode="json", exclude={"command", "created_utc"})
            is_of_use = report.status != "error" and made_by.items() <= info.items()
            # Last, since all bytes of the clip have to be read for it.
            if not is_of_use or report.media.sha256 != sha256_of(clip):
                report = None
        if report is not None:
            yield clip, report
