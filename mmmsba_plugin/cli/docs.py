"""``mmmsba docs``: the documentation that ships with the package, in the terminal."""

import re
from typing import Annotated

import typer

from mmmsba_plugin.docs import FOLDER, PAGES, path_of


def docs(
    page: Annotated[
        str | None,
        typer.Argument(metavar="PAGE", help="Page to print; a list of all if not given."),
    ] = None,
    *,
    path: Annotated[
        bool,
        typer.Option("--path", help="Print where the page lies, or the folder of all pages."),
    ] = False,
) -> None:
    """Print a page of the documentation, or list the pages.

    A terminal gets it set, and a file or pipe the Markdown as it is, to copy from.
    """
    if page is not None and page not in PAGES:
        raise typer.BadParameter(f"no page is called {page!r}; pages: {', '.join(PAGES)}")
    if path:
        typer.echo(FOLDER if page is None else path_of(page))
        return
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.table import Table

    if page is None:
        table = Table("page", "what it is about", box=None)
        for name, summary in PAGES.items():
            table.add_row(name, summary)
        Console().print(table)
        return
    text = path_of(page).read_text(encoding="utf-8")
    # A model card begins with a block for model hubs.
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    console = Console()
    if console.is_terminal:
        console.print(Markdown(text))
    else:
        # As set, lines of code would be broken.
        typer.echo(text, nl=False)
