"""``mmmsba demo``: what the package does, on clips that it makes itself."""

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmmsba_plugin.files import ensure_dir
from mmmsba_plugin.report import files

if TYPE_CHECKING:
    from rich.console import Console

    from mmmsba_plugin.demo import Demo
    from mmmsba_plugin.schema import Report

#: Proposals that are shown where none is sure enough to be reported.
_NUM_PROPOSALS = 2


def demo(
    *,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Folder of all output.")
    ] = Path("mmmsba-demo"),
    train: Annotated[
        bool,
        typer.Option(
            "--train", help="Train a small model too, in a minute or two, and detect with it."
        ),
    ] = False,
    seed: Annotated[int, typer.Option(help="Random seed of clips and training.")] = 0,
    open_page: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the report in a browser.")
    ] = True,
) -> None:
    """Make a talking clip, forge a segment of it, and detect that with the bundled weights.

    Where none are bundled, a small model is trained first, as with --train.
    """
    from mmmsba_plugin import demo as stories
    from mmmsba_plugin import weights
    from mmmsba_plugin.cli import _console
    from mmmsba_plugin.plugins import lookup

    console = _console.console()
    ensure_dir(output)
    story = stories.show if weights.folder() and not train else stories.learn_and_show
    with console.status("starting") as status:

        def print_step(what: str) -> None:
            console.print(what)
            status.update(what)

        result = story(output, seed=seed, on_step=print_step)
    page = files.write_report(result.report, output / "report", lookup("writers", "html"))
    _print_result(result, console)
    _console.print_written([page], console)
    if open_page:
        # Not typer.launch: where there is no browser, that prints what it tried.
        webbrowser.open(page.resolve().as_uri())


def _print_result(result: "Demo", console: "Console") -> None:
    from mmmsba_plugin.cli import _console
    from mmmsba_plugin.demo import DRAWN_FACE_NOTE, truth_of
    from mmmsba_plugin.report.text import ALTERED
    from mmmsba_plugin.timebase import clock

    console.print(f"really forged: {truth_of(result.record)}")
    segments = ", ".join(
        f"{clock(segment.start_s)} to {clock(segment.end_s)} ({ALTERED[segment.modality]})"
        for segment in result.report.segments
    )
    proposals = ", ".join(
        f"{clock(proposal.start_s)} to {clock(proposal.end_s)}"
        for proposal in result.report.proposals[:_NUM_PROPOSALS]
    )
    suspicious = f"; most suspicious are {proposals}" if proposals else ""
    console.print(f"reported as fake: {segments or f'nothing{suspicious}'}")
    _console.print_verdict(Path(result.record.media.name), result.report, console)
    if result.untouched is not None:
        console.print(f"before it was forged, it scored {_score(result.untouched)}")
        console.print(DRAWN_FACE_NOTE)
    if (evaluation := result.evaluation) is not None:
        console.print(
            f"over {evaluation.num_real + evaluation.num_fake} held-out clips of this one drawn "
            f"face: AUC {evaluation.intervals['auc'].value:.2f}. That says nothing about real "
            "footage"
        )


def _score(report: "Report") -> str:
    return "nothing" if report.score is None else f"{report.score:.3f}"
