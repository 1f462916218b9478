"""``mmmsba forge``: make a corpus of partial forgeries from genuine clips."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmmsba_plugin.cli import files

if TYPE_CHECKING:
    from rich.console import Console

    from mmmsba_plugin.forge.corpus import ForgeSummary


def forge(
    genuine: Annotated[Path, typer.Argument(metavar="GENUINE_DIR", help="Genuine talking clips.")],
    *,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Where the corpus goes.")
    ],
    per_clip: Annotated[int, typer.Option(help="Forged variants of each clip.")] = 4,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    split: Annotated[
        str | None, typer.Option(help="Only clips of this split of GENUINE_DIR's metadata.")
    ] = None,
    forger: Annotated[
        list[str] | None, typer.Option(help="Which forger; can be given again. All if not given.")
    ] = None,
) -> None:
    """Forge stretches of genuine clips, with exactly known truth, in LAV-DF's layout.

    Genuine clips are written again alike, so that the codec gives nothing away. A run that
    was interrupted goes on where it stopped.
    """
    from mmmsba_plugin.cli import told
    from mmmsba_plugin.forge.corpus import forge_corpus
    from mmmsba_plugin.plugins import entries, lookup

    offered = [offer.name for offer in entries("forgers") if offer.state == "ok"]
    files.make_folder(output)
    console = told.console()
    with console.status("forging") as status:
        made = forge_corpus(
            genuine,
            output,
            per_clip=per_clip,
            seed=seed,
            split=split,
            forgers=[lookup("forgers", name) for name in forger or offered],
            on_progress=lambda done, total, _: status.update(f"forging: {done} of {total} clips"),
        )
    _say(made, console)


def _say(made: "ForgeSummary", console: "Console") -> None:
    from mmmsba_plugin.cli import told

    for skip in made.skipped:
        told.failure(f"skipped {skip}", console)
    console.print(f"wrote {made.num_genuine} genuine and {made.num_forged} forged clips")
    told.tell_written([made.metadata], console)
