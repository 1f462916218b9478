"""``mmmsba fiftyone``: make the plugin known to the FiftyOne App, or take it away."""

import typer

app = typer.Typer(help="Make the plugin known to the FiftyOne App, or take it away.")


@app.command("install")
def install() -> None:
    """Link the plugin into FiftyOne's plugins directory; once is enough."""
    from mmmsba_plugin.cli import _console

    from . import install as plugin

    console = _console.console()
    console.print(_console.visible_text(plugin.install().message))
    for folder in plugin.rivals():
        warning = f"{folder} holds another copy, which the App may load instead; move it away"
        console.print(_console.visible_text(warning))
    console.print("restart the App if it is open")


@app.command("uninstall")
def uninstall() -> None:
    """Take that link away; datasets keep their labels."""
    from mmmsba_plugin.cli import _console

    from . import install as plugin

    _console.console().print(_console.visible_text(plugin.uninstall().message))


@app.command("path")
def path() -> None:
    """Print the plugin's folder, for FIFTYONE_PLUGINS_DIR or a copy."""
    from . import install as plugin

    typer.echo(str(plugin.HERE))
