"""``mmmsba detect``: detect in clips and write their reports."""

import logging
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmmsba_plugin.cli import _exit_codes
from mmmsba_plugin.errors import OutputError
from mmmsba_plugin.files import ensure_dir, require_writable
from mmmsba_plugin.report import files

if TYPE_CHECKING:
    from rich.console import Console

    from mmmsba_plugin.hookspecs import Writer
    from mmmsba_plugin.schema import Report

_log = logging.getLogger(__name__)


def detect(
    clips: Annotated[list[Path], typer.Argument(metavar="CLIP", help="Files to detect in.")],
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="DIR",
            help="Folder of the reports; beside each clip, as CLIP.mmmsba.json, if not given.",
        ),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Trained weights, as `mmmsba train` wrote; the bundled ones if not given.",
        ),
    ] = None,
    formats: Annotated[
        str,
        typer.Option(
            "--format", metavar="NAMES", help="Writers, separated by commas; see `mmmsba plugins`."
        ),
    ] = "json,html",
    detector: Annotated[
        str, typer.Option(help="Detector to use; see `mmmsba plugins`.")
    ] = "mmms-ba",
    fpr: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="Share of real clips that may be flagged, such as 0.05; the checkpoint's "
            "default threshold if not given.",
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Leave out clips that this detector has reported on before."),
    ] = False,
) -> None:
    """Detect fake segments in clips: the score of each clip, and where, in which modality.

    A clip that cannot be evaluated gets a report that says why, and the rest go on.
    """
    from mmmsba_plugin.cli import _console
    from mmmsba_plugin.cli._detectors import load_detector
    from mmmsba_plugin.plugins import lookup

    chosen = [name.strip() for name in formats.split(",") if name.strip()]
    writers: dict[str, Writer] = {name: lookup("writers", name) for name in chosen}
    if resume and "json" not in writers:
        raise typer.BadParameter("--resume reads the json reports; add json to --format")
    loaded = load_detector(detector, checkpoint, fpr=fpr)
    names = files.report_names(clips, output)
    if writers:
        if output is not None:
            ensure_dir(output)
        # A clip whose folder is not there is not there either; its report will say so.
        require_writable(*(n.parent for n in names.values() if n.parent.is_dir()))

    console = _console.console()
    before = files.reports_before(names, writers, loaded.info) if resume else {}
    if resume:
        console.print(f"{len(before)} of {len(names)} clips were evaluated before")
    left = {clip: name for clip, name in names.items() if clip not in before}
    reports = loaded.detect_many(left, command=shlex.join(["mmmsba", *sys.argv[1:]]))
    well = sum(status == "ok" for status in before.values())
    with console.status("detecting"):
        for (clip, name), report in zip(left.items(), reports, strict=True):
            _console.print_report(clip, report, console)
            well += _write(report, name, writers, console) and report.status == "ok"
    if well < len(names):
        raise typer.Exit(_exit_codes.NOT_EVALUATED)


def _write(
    report: "Report", name: Path, writers: "Mapping[str, Writer]", console: "Console"
) -> bool:
    """Write the reports of one clip and say where; return whether that went well."""
    from mmmsba_plugin.cli import _console

    # A misspelt folder is not made only to hold the news that its clip is not there.
    if not name.parent.is_dir():
        return True
    paths = []
    for called, writer in writers.items():
        try:
            paths.append(files.write_report(report, name, writer))
        except OutputError:
            raise
        except Exception as error:  # noqa: BLE001 - a stranger's writer can raise anything
            _log.exception("the writer %r failed", called)
            _console.print_warning(
                f"not written as {called}: {type(error).__name__}: {error}", console
            )
    _console.print_written(paths, console)
    return len(paths) == len(writers)
