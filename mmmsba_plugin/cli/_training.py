"""Shared parts of the commands that train."""

import itertools
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mmmsba_plugin.datasets.load import DatasetSpec, open_dataset
from mmmsba_plugin.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from rich.console import Console

    from mmmsba_plugin.record import Record
    from mmmsba_plugin.training.fit import Fitted
    from mmmsba_plugin.training.grid_search import Trial

NUM_CORES = os.cpu_count() or 1

Fiftyone = Annotated[
    list[str] | None,
    typer.Option(
        metavar="DATASET[:FIELD]",
        help="A FiftyOne dataset with reviewed labels; can be given again. FIELD is "
        "forgeries_reviewed if not given.",
    ),
]
MaxEpochs = Annotated[int | None, typer.Option(help="Largest number of passes over the data.")]
Reader = Annotated[
    str | None,
    typer.Option(help="Reader of a plain DIR; the one that recognises it if not given."),
]
Seed = Annotated[int | None, typer.Option(help="Random seed of training.")]
Workers = Annotated[int, typer.Option(help="Number of clips that are read at a time.")]


@contextmanager
def needs_training() -> Iterator[None]:
    """Turn a missing module into an error that names the extra to install.

    Raises:
        MissingExtraError: What the ``train`` extra installs is not there.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"training needs {error.name}; install it with: pip install 'mmmsba-plugin[train]'"
        ) from error


def read_settings(file: Path) -> dict[str, Any]:
    """Read the settings of a training run from a JSON file.

    Raises:
        ConfigError: It is no JSON object, or holds what is no setting.
    """
    from mmmsba_plugin.config import FitConfig

    settings = read_json(file)
    FitConfig.read(settings)
    return settings


def read_json(file: Path) -> dict[str, Any]:
    """Read a JSON object from a file.

    Raises:
        ConfigError: It holds none.
    """
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"{file} cannot be read as JSON: {error}; give a file such as "
            '{"train": {"max_epochs": 50}}'
        ) from error
    if not isinstance(settings, dict):
        raise ConfigError(f"{file} must hold a JSON object of settings, such as {{}}")
    return settings


def open_records(
    data: Sequence[str],
    fiftyone: Sequence[str],
    reader: str | None = None,
    *,
    reviewed: Sequence[Path] = (),
    **settings: Any,
) -> "tuple[Iterator[Record], str]":
    """Open the training data: datasets, reviewed datasets of FiftyOne, and reviewed reports.

    Args:
        data: Each dataset, as for :func:`mmmsba_plugin.datasets.load.parse_spec`.
        fiftyone: ``DATASET`` or ``DATASET:FIELD``, of each dataset.
        reader: Who reads a plain ``DIR``.
        reviewed: Folders of reports that were reviewed by ``mmmsba review``.
        **settings: As for :func:`mmmsba_plugin.datasets.load.open_dataset`.

    Returns:
        The records of all of them, and what they are called.

    Raises:
        BadParameter: There is none of them.
        MissingExtraError: FiftyOne is not installed, and a dataset was named.
    """
    if not data and not fiftyone and not reviewed:
        raise typer.BadParameter("give clips to learn from: --data DIR, or --fiftyone DATASET")
    sources = [open_dataset(argument, reader, **settings) for argument in data]
    sources += [
        open_dataset(DatasetSpec(Path(argument), "fiftyone", name=argument.partition(":")[0]))
        for argument in fiftyone
    ]
    sources += [open_dataset(DatasetSpec(folder, "reviewed")) for folder in reviewed]
    records = [source.records() for source in sources]
    return itertools.chain.from_iterable(records), ", ".join(source.name for source in sources)


def counting(console: "Console") -> Callable[[object], None]:
    """Build a callback that counts the clips that were read, on a line that is written over.

    A live display would fight with the progress bar of the training that follows. Where nobody
    watches, nothing is said.
    """
    count = itertools.count(1)
    if not console.is_terminal:
        return lambda _: None
    return lambda _: console.print(f"reading clips: {next(count)}", end="\r")


def print_training(fitted: "Fitted", console: "Console") -> None:
    """Print the training data, skipped clips and metrics of a run."""
    from mmmsba_plugin.cli import _console

    for skip in fitted.skipped:
        _console.failure(f"skipped {skip.record.media}: {skip.reason}", console)
    console.print(
        f"learned from {fitted.num_train} clips in {fitted.epochs} epochs, validated on "
        f"{fitted.num_validation}, none by a network that learned from its people"
    )
    point = fitted.operating_point
    for name, value in point.metrics.items():
        was = f", before {fitted.before[name]:.3f}" if name in fitted.before else ""
        console.print(f"  validation {name}: {value:.3f}{was}")
    if why := point.calibration.reason:
        console.print(f"  scores are not calibrated: {why}")
    _console.print_written([fitted.checkpoint], console)


def print_trials(trials: "Sequence[Trial]", console: "Console") -> None:
    """Print the trials of a grid search, best first, and all about the best one."""
    from rich.table import Table

    from mmmsba_plugin.training.grid_search import RANKED_BY

    table = Table("folder", *trials[0].values, *RANKED_BY, box=None)
    for trial in trials:
        values = (json.dumps(value) for value in trial.values.values())
        metrics = (f"{metric:.3f}" for metric in trial.rank)
        table.add_row(trial.fitted.checkpoint.name, *values, *metrics)
    console.print(table)
    print_training(trials[0].fitted, console)
