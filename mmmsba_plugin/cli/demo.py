"""``mmmsba demo``: the whole way in two minutes, on clips that it makes itself."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from mmmsba_plugin.demo import Demo


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
    from rich.console import Console
    from rich.text import Text

    from mmmsba_plugin.demo import run_demo
    from mmmsba_plugin.plugins import lookup

    console = Console(highlight=False, soft_wrap=True)
    with console.status("starting") as status:

        def say(what: str) -> None:
            console.print(what)
            status.update(what)

        found = run_demo(output, seed=seed, say=say)
    page = output / "report.html"
    with page.open("w", encoding="utf-8") as stream:
        lookup("writers", "html").write(found.report, stream)
    _say(found, console)
    console.print(Text(f"wrote {page}"))
    if open_page:
        typer.launch(page.resolve().as_uri())


def _say(found: "Demo", console: "Console") -> None:
    from mmmsba_plugin.timebase import clock

    stretches = {
        "really forged": found.record.truth,
        "reported as forged": found.report.segments,
    }
    for what, segments in stretches.items():
        said = ", ".join(f"{clock(s.start_s)} to {clock(s.end_s)}" for s in segments) or "nothing"
        console.print(f"{what}: {said}")
    auc = found.evaluation.numbers["clip_auc"]
    num_clips = found.evaluation.num_genuine + found.evaluation.num_forged
    console.print(
        f"over {num_clips} held-out clips of this one drawn face: AUC {auc.value:.2f}. "
        "That says nothing about real footage"
    )
