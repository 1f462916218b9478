"""``mmmsba detect``: detect in clips and write their reports."""

import logging
import os
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

    from mmmsba_plugin.cli._detectors import BatchDetector
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
    workers: Annotated[
        int,
        typer.Option(min=0, help="Processes to detect in, each with a clip; 0 for one per core."),
    ] = 1,
    no_isolation: Annotated[
        bool,
        typer.Option(
            "--no-isolation",
            help="Detect in this very process, which suits clips that you trust: there, a clip "
            "that crashes a codec ends the run.",
        ),
    ] = False,
    time_limit_s: Annotated[
        float,
        typer.Option(
            "--time-limit",
            metavar="SECONDS",
            min=0,
            help="Seconds that a clip may take, with 20 more for each second that it lasts; 0 for "
            "no limit.",
        ),
    ] = 120,
    memory_limit_mib: Annotated[
        float,
        typer.Option(
            "--memory-limit",
            metavar="MIB",
            min=0,
            help="Memory that a clip may take in MiB, the detector's own aside; 0 for no limit.",
        ),
    ] = 4096,
) -> None:
    """Detect fake segments in clips: the score of each clip, and where, in which modality.

    A clip that cannot be evaluated gets a report that says why, and the rest go on.
    """
    from mmmsba_plugin.cli._detectors import (
        TrustingDetector,
        isolated_detector,
        load_detector,
    )
    from mmmsba_plugin.plugins import lookup
    from mmmsba_plugin.workers import Limits

    chosen = [name.strip() for name in formats.split(",") if name.strip()]
    writers: dict[str, Writer] = {name: lookup("writers", name) for name in chosen}
    if resume and "json" not in writers:
        raise typer.BadParameter("--resume reads the json reports; add json to --format")
    if no_isolation:
        if workers != 1:
            raise typer.BadParameter("--workers detect in isolation; leave out --no-isolation")
        trusting = TrustingDetector(load_detector(detector, checkpoint, fpr=fpr))
        _detect(clips, trusting, output=output, writers=writers, resume=resume)
        return
    limits = Limits(
        floor_s=time_limit_s,
        per_second=Limits().per_second if time_limit_s else None,
        memory_mib=memory_limit_mib or None,
    )
    with isolated_detector(
        detector, checkpoint, fpr=fpr, workers=workers or os.cpu_count() or 1, limits=limits
    ) as isolated:
        _detect(clips, isolated, output=output, writers=writers, resume=resume)


def _detect(
    clips: list[Path],
    detector: "BatchDetector",
    *,
    output: Path | None,
    writers: "Mapping[str, Writer]",
    resume: bool,
) -> None:
    """Detect in clips, and print and write their reports.

    Raises:
        Exit: A clip could not be evaluated, or its report not be written.
    """
    from mmmsba_plugin.cli import _console

    names = files.report_names(clips, output)
    # What is wrong with the detector shall be said before anything is written.
    info = detector.info
    if writers:
        if output is not None:
            ensure_dir(output)
        # A clip whose folder is not there is not there either; its report will say so.
        require_writable(*(n.parent for n in names.values() if n.parent.is_dir()))

    console = _console.console()
    before = files.reports_before(names, writers, info) if resume else {}
    if resume:
        console.print(f"{len(before)} of {len(names)} clips were evaluated before")
    left = [clip for clip in names if clip not in before]
    reports = detector.detect_unordered(left, command=shlex.join(["mmmsba", *sys.argv[1:]]))
    well = sum(status == "ok" for status in before.values())
    with console.status("detecting"):
        for clip, report in reports:
            _console.print_report(clip, report, console)
            well += _write(report, names[clip], writers, console) and report.status == "ok"
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
