"""The command line: one file a command, every body a thin call into the package.

A command is a function in a module of its own name, which imports what it needs inside its
body: ``mmmsba --help`` then answers at once. It is made known by one line below.
"""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mmmsba_plugin.cli import (
    _exit_codes,
    datasets,
    demo,
    detect,
    doctor,
    evaluate,
    features,
    fiftyone,
    finetune,
    forge,
    plugins,
    reproduce,
    train,
)
from mmmsba_plugin.errors import MmmsbaError

_EPILOG = f"""
Exit codes: [bold]{_exit_codes.OK}[/] every clip was evaluated;
[bold]{_exit_codes.USAGE}[/] the command line is wrong;
[bold]{_exit_codes.NOT_EVALUATED}[/] at least one clip could not be evaluated, or its
report not written;
[bold]{_exit_codes.STOPPED}[/] the run could not start or go on: no checkpoint, a
wrong setting, or a broken plug-in that was asked for by name.
"""


class _Commands(TyperGroup):
    """Turns an error of ours into one line on stderr; any other keeps its traceback."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - the context's class differs by version
        try:
            return super().invoke(ctx)
        except MmmsbaError as error:
            _say_error(error)
            raise typer.Exit(_exit_codes.STOPPED) from error


app = typer.Typer(
    cls=_Commands,
    rich_markup_mode="rich",
    epilog=_EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    detect.detect,
    demo.demo,
    forge.forge,
    train.train,
    finetune.finetune,
    evaluate.evaluate,
    reproduce.reproduce,
    features.features,
    plugins.plugins,
    doctor.doctor,
):
    app.command()(command)
app.add_typer(datasets.app, name="datasets")
app.add_typer(fiftyone.app, name="fiftyone")


def main() -> None:
    """Run the command line."""
    app()


def _show_version(requested: bool) -> None:  # noqa: FBT001 - typer calls it so
    if requested:
        from importlib.metadata import version

        typer.echo(f"mmmsba {version('mmmsba-plugin')}")
        raise typer.Exit


def _say_error(error: MmmsbaError) -> None:
    from rich.console import Console
    from rich.text import Text

    # Text is never read as markup: a file may be called `[red].mp4`.
    line = Text.assemble(("error:", "bold red"), " ", str(error))
    Console(stderr=True, soft_wrap=True, highlight=False).print(line)


@app.callback()
def _start(
    plugin: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Load a .py file as a plug-in; can be given again."),
    ] = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Find fake segments in talking-face video: where, and in which modality."""
    if plugin:
        from mmmsba_plugin.plugins import load_file

        for path in plugin:
            load_file(path)
