"""``mmmsba plugin``: begin a plug-in of one's own."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Begin a plug-in of your own.", no_args_is_help=True)


class Kind(Enum):
    """Kind of an entry, as typer offers choices."""

    DETECTOR = "detector"
    FRONT_END = "front-end"
    DATASET_READER = "dataset-reader"
    WRITER = "writer"
    FORGER = "forger"
    HEAD = "head"


@app.callback()
def _group() -> None:
    """Begin a plug-in of your own; `mmmsba plugins` lists those that are installed."""


@app.command("new")
def new_plugin(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name, such as my-detector.")],
    *,
    kind: Annotated[Kind, typer.Option(help="What it offers.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Where its folder goes.")
    ] = Path(),
) -> None:
    """Write a distribution that works, with the tests that hosts rely on.

    Install it, and change what it computes.
    """
    from mmmsba_plugin.cli import _console
    from mmmsba_plugin.scaffold import write_plugin

    paths = write_plugin(name, kind.value, output)
    console = _console.console()
    _console.print_written(paths, console)
    root = output / name
    console.print(f"now: pip install -e '{root}[test]' && pytest {root}", markup=False)
