"""The command line: one file a command, every body a thin call into the package.

A command is a function in a module of its own name, which imports what it needs inside its
body: ``mmmsba --help`` then answers at once. It is made known by one line below. The commands
of other packages are entry points.
"""

from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mmmsba_plugin.cli import (
    _exit_codes,
    datasets,
    demo,
    detect,
    docs,
    doctor,
    evaluate,
    export,
    features,
    finetune,
    forge,
    licenses,
    plugin,
    plugins,
    reproduce,
    review,
    serve,
    train,
    train_sync,
    watch,
)
from mmmsba_plugin.errors import MmmsbaError

#: Entry points of commands.
_COMMANDS = "mmmsba.commands"

_EPILOG = f"""
Exit codes: [bold]{_exit_codes.OK}[/] every clip was evaluated;
[bold]{_exit_codes.USAGE}[/] the command line is wrong;
[bold]{_exit_codes.NOT_EVALUATED}[/] at least one clip could not be evaluated, or its
report not written;
[bold]{_exit_codes.STOPPED}[/] the run could not start or go on: no checkpoint, a
wrong setting, a broken plug-in that was asked for by name, no room for reports, or Ctrl-C.
"""


class _Commands(TyperGroup):
    """Turns an error of ours into one line on stderr; any other keeps its traceback.

    Other packages offer commands as entry points, each a Typer app: they are imported once they,
    or the list of commands, are asked for.
    """

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - as for invoke
        """Return the names of our commands, then of those that are offered."""
        offered = sorted(entry_points(group=_COMMANDS).names)
        return list(dict.fromkeys([*super().list_commands(ctx), *offered]))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - as for invoke
        """Return a command of ours, or else one that is offered; None if there is neither."""
        if command := super().get_command(ctx, cmd_name):
            return command
        for point in entry_points(group=_COMMANDS, name=cmd_name):
            # A broken one must not take the others, or their list, with it.
            try:
                command = typer.main.get_command(point.load())
            except Exception as error:  # noqa: BLE001 - a stranger's code can raise anything
                typer.echo(f"the command {cmd_name!r} is broken: {error}", err=True)
            else:
                command.name = cmd_name
                return command
        return None

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - the context's class differs by version
        try:
            return super().invoke(ctx)
        except MmmsbaError as error:
            from rich.console import Console
            from rich.text import Text

            # Text is never read as markup: a file may be called `[red].mp4`.
            line = Text.assemble(("error:", "bold red"), " ", str(error))
            Console(stderr=True, soft_wrap=True, highlight=False).print(line)
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
    watch.watch,
    review.review,
    serve.serve,
    demo.demo,
    forge.forge,
    train.train,
    finetune.finetune,
    train_sync.train_sync,
    evaluate.evaluate,
    reproduce.reproduce,
    features.features,
    export.export,
    plugins.plugins,
    doctor.doctor,
    docs.docs,
    licenses.licenses,
):
    app.command()(command)
app.add_typer(datasets.app, name="datasets")
app.add_typer(plugin.app, name="plugin")


def main() -> None:
    """Run the command line."""
    app()


def _show_version(requested: bool) -> None:  # noqa: FBT001 - typer calls it so
    if requested:
        typer.echo(f"mmmsba {version('mmmsba-plugin')}")
        raise typer.Exit


@app.callback()
def _start(
    plugin: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Load a .py file as a plug-in; stands before the command, and can be given again.",
        ),
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
