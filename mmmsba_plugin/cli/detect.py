"""``mmmsba detect``: judge clips and write their reports."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmmsba_plugin.cli import exits

if TYPE_CHECKING:
    from mmmsba_plugin.hookspecs import Writer
    from mmmsba_plugin.schema import Report


def detect(
    clips: Annotated[list[Path], typer.Argument(metavar="CLIP...", help="Files to judge.")],
    *,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="Where reports go; beside the clip."),
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Trained weights, as `mmmsba train` wrote.")
    ] = None,
    formats: Annotated[
        str, typer.Option("--format", metavar="NAMES", help="Writers, separated by commas.")
    ] = "json,html",
    detector: Annotated[
        str, typer.Option(help="Which detector; see `mmmsba plugins`.")
    ] = "mmms-ba",
) -> None:
    """Judge clips: how likely each is forged, where, and in which modality.

    A clip that cannot be judged gets a report that says why, and the rest go on.
    """
    from mmmsba_plugin.plugins import lookup

    writers = [lookup("writers", name.strip()) for name in formats.split(",") if name.strip()]
    judge = lookup("detectors", detector).load(checkpoint)
    names = _report_names(clips, output)
    judged = 0
    for clip, report in zip(clips, judge.detect_many(clips), strict=True):
        written = [_write(report, names[clip], writer) for writer in writers]
        judged += report.status == "ok"
        _say(clip, report, written)
    if judged < len(clips):
        raise typer.Exit(exits.UNJUDGED)


def _report_names(clips: list[Path], output: Path | None) -> dict[Path, Path]:
    """Return where the reports of each clip go, without their suffix.

    Two clips of one name get their suffix, or a number, into their reports' names, so that
    no report replaces another.
    """
    names: dict[Path, Path] = {}
    for clip in dict.fromkeys(clips):
        folder = output or clip.parent
        choices = [clip.stem, clip.name, *(f"{clip.name}-{n}" for n in range(2, len(clips) + 2))]
        names[clip] = next(folder / c for c in choices if folder / c not in names.values())
    return names


def _write(report: "Report", name: Path, writer: "Writer") -> Path:
    path = name.with_name(f"{name.name}{writer.suffix}")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.part")
    with partial.open("w", encoding="utf-8", newline="") as stream:
        writer.write(report, stream)
    return partial.replace(path)


def _say(clip: Path, report: "Report", written: list[Path]) -> None:
    from rich.console import Console
    from rich.text import Text

    from mmmsba_plugin.timebase import clock

    console = Console(highlight=False, soft_wrap=True)
    if report.problem is not None:
        console.print(
            Text.assemble((f"{clip}: {report.status}", "yellow"), ": ", report.problem.message)
        )
    else:
        verdict = {True: ("forged", "bold red"), False: ("no forgery found", "green")}
        score = f"{report.score:.2f}" if report.score is not None else "-"
        word, style = (
            verdict.get(report.forged, ("judged", ""))
            if report.forged is not None
            else ("judged", "")
        )
        console.print(Text.assemble(f"{clip}: ", (word, style), f", score {score}"))
    for segment in report.segments:
        what = segment.modality or "not known which modality"
        console.print(
            f"  {clock(segment.start_s)} to {clock(segment.end_s)}  {segment.score:.2f}  {what}"
        )
    for warning in report.warnings:
        console.print(Text.assemble("  ", ("note: ", "yellow"), warning))
    for path in written:
        console.print(Text(f"  wrote {path}", style="dim"))
