"""``mmmsba reproduce``: the paper's tables, ours beside what it reports, and its next checks."""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmmsba_plugin.cli import _exit_codes
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.files import ensure_dir, writing_to

if TYPE_CHECKING:
    from rich.console import Console

    from mmmsba_plugin.reproduce.result import MeasuredTable


def reproduce(
    tables: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TABLE",
            help="Tables to measure: table2 to table7 of the paper, which are the ones measured if "
            "none is named; missing, where audio or faces are missing in training or test; "
            "components, where parts of the network are left out; systems, of other networks on "
            "the same features; and cross, where each dataset is tested by the network of every "
            "other.",
        ),
    ] = None,
    *,
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:READER]=DIR",
            help="Folder of fakeavceleb, av-deepfake1m, lav-df or tvil; one at least, and can be "
            "given again. With a READER, the folder is of another dataset, which stands in and is "
            "marked so.",
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Folder of all output.")
    ] = Path("reproduction"),
    seeds: Annotated[
        str,
        typer.Option(
            metavar="LIST",
            help="Random seeds, one training run each; mean and deviation are shown.",
        ),
    ] = "0,1,2",
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="JSON with any setting that all training runs share."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=2, help="Largest number of clips of each split; the tables say so."),
    ] = None,
    resamples: Annotated[
        int, typer.Option(min=0, help="Number of bootstrap resamples; 0 for none.")
    ] = 1000,
    workers: Annotated[
        int, typer.Option(min=1, help="Number of clips that are read at a time.")
    ] = os.cpu_count() or 1,
) -> None:
    """Train and test as the paper does, and show its tables with ours beside them.

    The paper's values are no target: those that contradict one another are marked, with the
    reason. The AUC of leading silence alone stands below every table. Rows whose
    datasets are not given say so, and the rest runs. A run that was interrupted goes on at the
    next clip if the same is asked for again.
    """
    from mmmsba_plugin.cli import _console
    from mmmsba_plugin.cli._training import read_settings
    from mmmsba_plugin.config import FitConfig
    from mmmsba_plugin.reproduce.checks import table
    from mmmsba_plugin.reproduce.datasets import TITLES, open_datasets
    from mmmsba_plugin.reproduce.networks import Networks, Settings
    from mmmsba_plugin.reproduce.plan import TABLES
    from mmmsba_plugin.reproduce.run import Reproduction
    from mmmsba_plugin.reproduce.show import write

    chosen_tables = [table(name) for name in tables or TABLES]
    settings = Settings(
        FitConfig.read(read_settings(config) if config else {}),
        _seeds(seeds),
        limit,
        resamples,
        workers,
    )
    if not data:
        raise typer.BadParameter(
            "say where a dataset lies, such as lav-df=DIR; there are "
            f"{', '.join(TITLES)}, and tables use those that are given",
            param_hint="--data",
        )
    datasets = open_datasets(data)
    ensure_dir(output)
    console = _console.console()
    networks = Networks(
        datasets,
        settings,
        output,
        on_step=lambda what: console.print(_console.visible_text(what)),
        on_clip=_counting(console),
        progress=console.is_terminal,
    )
    failed = False
    for chosen_table in chosen_tables:
        measured = Reproduction(networks).table(chosen_table)
        with writing_to(output):
            paths = write(measured, output)
        _show(measured, console)
        _console.print_written(paths, console)
        failed |= any(row.status == "failed" for row in measured.rows)
    if failed:
        raise typer.Exit(_exit_codes.NOT_EVALUATED)


def _seeds(text: str) -> tuple[int, ...]:
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() for word in words):
        raise ConfigError(f"--seeds must be whole numbers with commas between, got {text!r}")
    return tuple(dict.fromkeys(map(int, words)))


def _counting(console: "Console") -> Callable[[str, str], None]:
    """Build a callback that counts clips on a line that is written over, where one can be."""
    counts: Counter[str] = Counter()

    def count(what: str, _clip: str) -> None:
        counts[what] += 1
        if console.is_terminal:
            console.print(f"clips {what} in this run: {counts[what]}", end="\r")

    return count


def _show(table: "MeasuredTable", console: "Console") -> None:
    from mmmsba_plugin.cli import _console
    from mmmsba_plugin.reproduce.show import as_rich, footnotes, setup_line

    console.print(as_rich(table))
    for footnote in footnotes(table):
        console.print(_console.visible_text(f"  {footnote}"))
    console.print(_console.visible_text(setup_line(table), "dim"))
