"""``mmmsba demo``: the whole way in two minutes, on clips that it makes itself."""

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmmsba_plugin.cli import files

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from mmmsba_plugin.demo import Demo
    from mmmsba_plugin.schema import ForgedSegment
    from mmmsba_plugin.segment import Segment


def demo(
    *,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Where everything goes.")
    ] = Path("mmmsba-demo"),
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    open_page: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the report in a browser.")
    ] = True,
) -> None:
    """Make talking clips, forge them, train a small model, and judge a held-out one."""
    from mmmsba_plugin.cli import told
    from mmmsba_plugin.demo import run_demo
    from mmmsba_plugin.plugins import lookup

    console = told.console()
    files.make_folder(output)
    with console.status("starting") as status:

        def say(what: str) -> None:
            console.print(what)
            status.update(what)

        found = run_demo(output, seed=seed, say=say)
    page = files.write_report(found.report, output / "report", lookup("writers", "html"))
    _say(found, console)
    told.tell_written([page], console)
    if open_page:
        # Not typer.launch: where there is no browser, that prints what it tried.
        webbrowser.open(page.resolve().as_uri())


def _say(found: "Demo", console: "Console") -> None:
    console.print(f"really forged: {_stretches(found.record.truth)}")
    console.print(f"reported as forged: {_stretches(found.report.segments)}")
    auc = found.evaluation.numbers["auc"]
    num_clips = found.evaluation.num_genuine + found.evaluation.num_forged
    console.print(
        f"over {num_clips} held-out clips of this one drawn face: AUC {auc.value:.2f}. "
        "That says nothing about real footage"
    )


def _stretches(segments: "Iterable[Segment | ForgedSegment]") -> str:
    from mmmsba_plugin.timebase import clock

    said = [f"{clock(one.start_s)} to {clock(one.end_s)}" for one in segments]
    return ", ".join(said) or "nothing"
