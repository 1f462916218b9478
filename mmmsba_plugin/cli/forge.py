"""``mmmsba forge``: make a dataset of partial forgeries from real clips."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmmsba_plugin.files import ensure_dir

if TYPE_CHECKING:
    from rich.console import Console

    from mmmsba_plugin.evaluation.metrics.bootstrap import Interval
    from mmmsba_plugin.forge.dataset import ForgeSummary
    from mmmsba_plugin.hookspecs import Forger


def forge(
    real: Annotated[Path, typer.Argument(metavar="REAL_DIR", help="Real talking clips.")],
    *,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Where the dataset goes.")
    ],
    per_clip: Annotated[int, typer.Option(help="Forged variants of each clip.")] = 4,
    real_per_clip: Annotated[
        int, typer.Option(help="Real files of each clip, processed each in its own way.")
    ] = 3,
    per_identity: Annotated[
        int | None,
        typer.Option(help="Most forged variants of one person, spread over their clips."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    split: Annotated[
        str | None, typer.Option(help="Only clips of this split of REAL_DIR's metadata.")
    ] = None,
    forger: Annotated[
        list[str] | None,
        typer.Option(
            "--forger",
            "--forgers",
            metavar="NAMES",
            help="Which forgers, separated by commas; can be given again. All if not given.",
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(metavar="NAMES", help="Which forgers not; written like --forger."),
    ] = None,
    workers: Annotated[
        int, typer.Option(help="Clips at a time, each in a process; 0 for one a core.")
    ] = 0,
    check_leaks: Annotated[
        bool,
        typer.Option(
            "--check-leaks",
            help="Say how well fake files can be told without looking at what they show.",
        ),
    ] = False,
) -> None:
    """Forge stretches of real clips, with exactly known truth, in LAV-DF's layout.

    All files, real or fake, are processed and encoded by the same dice, so that nothing
    but the forgery gives it away. A run that was interrupted goes on where it stopped.
    """
    from mmmsba_plugin.cli import _console
    from mmmsba_plugin.forge.dataset import forge_dataset

    forgers = _chosen(_names(forger), _names(exclude))
    ensure_dir(output)
    console = _console.console()
    with console.status("forging") as status:
        made = forge_dataset(
            real,
            output,
            per_clip=per_clip,
            real_per_clip=real_per_clip,
            per_identity=per_identity,
            seed=seed,
            split=split,
            forgers=forgers,
            workers=workers or os.cpu_count() or 1,
            on_progress=lambda done, total, _: status.update(f"forging: {done} of {total} clips"),
        )
    _say(made, console)
    if check_leaks:
        _say_leaks(output, console)


def _names(given: Sequence[str] | None) -> list[str]:
    return [name.strip() for some in given or () for name in some.split(",") if name.strip()]


def _chosen(wanted: Sequence[str], excluded: Sequence[str]) -> "list[Forger]":
    from mmmsba_plugin.plugins import entries, lookup

    offered = [offer.name for offer in entries("forgers") if offer.state == "ok"]
    left_out = {lookup("forgers", name).name for name in excluded}
    return [lookup("forgers", name) for name in wanted or offered if name not in left_out]


def _say(made: "ForgeSummary", console: "Console") -> None:
    from mmmsba_plugin.cli import _console

    for one in made.left_out:
        _console.failure(f"left out {one}", console)
    for skip in made.skipped:
        _console.failure(f"skipped {skip}", console)
    console.print(f"wrote {made.num_real} real and {made.num_fake} fake clips")
    _console.tell_written([made.metadata], console)


def _say_leaks(dataset: Path, console: "Console") -> None:
    from mmmsba_plugin.datasets.lavdf import read_lavdf
    from mmmsba_plugin.evaluation.leakage import leak_report

    with console.status("looking for leaks") as status:
        found = leak_report(
            list(read_lavdf(dataset)),
            on_clip=lambda number: status.update(f"looking for leaks: {number + 1} files"),
        )
    console.print(f"a guess from size, encoding and loudness alone: AUC {_cell(found.together)}")
    console.print(f"  chance alone reaches {found.by_chance:.3f} in one case of a hundred")
    for name in found.tells:
        console.print(f"  {name} alone: AUC {_cell(found.cues[name])}")
    if found.leaks:
        console.print("the files tell more than chance; find out why before training on them")


def _cell(number: "Interval") -> str:
    return f"{number.value:.3f} ({number.low:.3f} to {number.high:.3f})"
