"""``mmmsba forge``: forge a dataset of partially fake clips from real ones."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmmsba_plugin.files import ensure_dir

if TYPE_CHECKING:
    from rich.console import Console

    from mmmsba_plugin.evaluation.metrics.bootstrap import Interval
    from mmmsba_plugin.hookspecs import Forger


#: So many clips that were skipped for the same reason are named.
_MAX_NAMES = 3


def forge(
    real: Annotated[
        Path, typer.Argument(metavar="REAL_DIR", help="Folder of real clips of talking people.")
    ],
    *,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Folder of the fake dataset.")
    ],
    per_clip: Annotated[int, typer.Option(help="Number of fake variants of each clip.")] = 4,
    real_per_clip: Annotated[
        int,
        typer.Option(help="Number of real files of each clip, each with processing of its own."),
    ] = 3,
    per_identity: Annotated[
        int | None,
        typer.Option(
            help="Largest number of fake variants of one identity, spread over its clips."
        ),
    ] = None,
    per_fake: Annotated[
        int,
        typer.Option(
            help="Number of files of each fake of a whole clip that REAL_DIR's metadata list."
        ),
    ] = 0,
    seed: Annotated[int, typer.Option(help="Random seed of the whole dataset.")] = 0,
    split: Annotated[
        str | None, typer.Option(help="Use only clips of this split of REAL_DIR's metadata.")
    ] = None,
    forger: Annotated[
        list[str] | None,
        typer.Option(
            "--forger",
            "--forgers",
            metavar="NAMES",
            help="Forgers to use, separated by commas; can be given again. All if not given.",
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(metavar="NAMES", help="Forgers to leave out; written like --forger."),
    ] = None,
    workers: Annotated[
        int, typer.Option(help="Number of processes, each with a clip; 0 for one per core.")
    ] = 0,
    check_leaks: Annotated[
        bool,
        typer.Option(
            "--check-leaks",
            help="Measure how well size, encoding and loudness alone tell fake files from real.",
        ),
    ] = False,
) -> None:
    """Forge segments of real clips, with exact ground truth, in LAV-DF's layout.

    All files, real or fake, are processed and encoded by the same dice, so that nothing
    but the manipulation gives it away. A run that was interrupted resumes where it stopped.
    """
    from mmmsba_plugin.cli import _console
    from mmmsba_plugin.forge.dataset import forge_dataset
    from mmmsba_plugin.plugins import entries, lookup

    usable = [offer.name for offer in entries("forgers") if offer.state == "ok"]
    left_out = {lookup("forgers", name).name for name in _split_names(exclude)}
    forgers: list[Forger] = [
        lookup("forgers", name) for name in _split_names(forger) or usable if name not in left_out
    ]
    ensure_dir(output)
    console = _console.console()
    with console.status("forging") as status:
        summary = forge_dataset(
            real,
            output,
            per_clip=per_clip,
            real_per_clip=real_per_clip,
            per_identity=per_identity,
            per_fake=per_fake,
            seed=seed,
            split=split,
            forgers=forgers,
            workers=workers or os.cpu_count() or 1,
            on_progress=lambda count, total, _: status.update(f"forging: {count} of {total} clips"),
        )
    for description in summary.left_out:
        _console.failure(f"left out {description}", console)
    by_reason: dict[str, list[str]] = {}
    for skipped in summary.skipped:
        by_reason.setdefault(skipped.reason, []).append(skipped.name)
    for reason, names in by_reason.items():
        first = ", ".join(names[:_MAX_NAMES])
        more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
        _console.failure(f"skipped {first}{more}: {reason}", console)
    console.print(f"wrote {summary.num_real} real and {summary.num_fake} fake clips")
    _console.print_written([summary.metadata], console)
    if check_leaks:
        _print_leakage(output, console)


def _split_names(options: Sequence[str] | None) -> list[str]:
    return [name.strip() for option in options or () for name in option.split(",") if name.strip()]


def _print_leakage(dataset: Path, console: "Console") -> None:
    from mmmsba_plugin.datasets.lavdf import read_lavdf
    from mmmsba_plugin.evaluation.leakage import leak_report

    with console.status("looking for leaks") as status:
        report = leak_report(
            list(read_lavdf(dataset)),
            on_clip=lambda number: status.update(f"looking for leaks: {number + 1} files"),
        )
    auc = _format_interval(report.together)
    console.print(f"a guess from size, encoding and loudness alone: AUC {auc}")
    console.print(f"  chance alone reaches {report.by_chance:.3f} in one case of a hundred")
    for name in report.tells:
        console.print(f"  {name} alone: AUC {_format_interval(report.cues[name])}")
    if report.leaks:
        console.print("the files tell more than chance; find out why before training on them")


def _format_interval(interval: "Interval") -> str:
    return f"{interval.value:.3f} ({interval.low:.3f} to {interval.high:.3f})"
