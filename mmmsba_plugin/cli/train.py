"""``mmmsba train``: learn from a folder of clips with known truth."""

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mmmsba_plugin.cli import files
from mmmsba_plugin.errors import MissingExtraError

if TYPE_CHECKING:
    from rich.console import Console

    from mmmsba_plugin.training.fit import Fitted


def train(
    *,
    data: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Clips with a metadata.json in LAV-DF's layout.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Folder of the checkpoint.")
    ],
    preset: Annotated[
        str | None, typer.Option(help="paper or reference; paper if not given.")
    ] = None,
    attention: Annotated[str | None, typer.Option(help="mmms-ba, mmus-sa, ms-sa or none.")] = None,
    modalities: Annotated[
        str | None, typer.Option(metavar="NAMES", help="Some of face,audio,lips; all if not given.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="JSON with any setting of a training run.")
    ] = None,
    max_epochs: Annotated[int | None, typer.Option(help="Most passes over the data.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of every random choice.")] = None,
    reader: Annotated[str, typer.Option(help="Who reads FOLDER; see `mmmsba plugins`.")] = "lav-df",
    workers: Annotated[int, typer.Option(help="Clips read at a time.")] = os.cpu_count() or 1,
) -> None:
    """Train a detector. A run that was interrupted goes on where it stopped.

    Features are kept, so that a second run on the same clips starts at once.
    """
    from mmmsba_plugin.cli import told
    from mmmsba_plugin.config import FitConfig
    from mmmsba_plugin.plugins import lookup

    wanted = FitConfig.read(
        _settings(config, preset, attention, modalities, max_epochs=max_epochs, seed=seed)
    )
    try:
        from mmmsba_plugin.training.fit import fit
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"training needs {error.name}; install it with: pip install 'mmmsba-plugin[train]'"
        ) from error

    entry = lookup("dataset_readers", reader)
    records = entry.build(entry.config.read({"root": data}))
    files.make_folder(output)
    console = told.console()
    fitted = fit(
        records,
        wanted,
        output,
        workers=workers,
        trained_on=data.resolve().name,
        progress=console.is_terminal,
        on_clip=_counting(console) if console.is_terminal else lambda _: None,
    )
    _say(console, fitted)


def _counting(console: "Console") -> Callable[[object], None]:
    """Return what says how many clips were read, on a line that is written over.

    A live display would fight with the progress bar of the training that follows.
    """
    count = itertools.count(1)
    return lambda _: console.print(f"reading clips: {next(count)}", end="\r")


def _settings(
    config: Path | None,
    preset: str | None,
    attention: str | None,
    modalities: str | None,
    **train: int | None,
) -> dict[str, Any]:
    """Return the settings of a file, with what the command line says put over them."""
    from mmmsba_plugin.config import FeaturesConfig

    settings = _read(config) if config else {}
    if preset:
        settings["preset"] = preset
    if attention:
        settings["network"] = {**settings.get("network", {}), "attention": attention}
    if modalities:
        features = FeaturesConfig.read(settings.get("features", {}))
        chosen = [name.strip() for name in modalities.split(",")]
        settings["features"] = features.only(chosen).model_dump(mode="json")
    said = {name: value for name, value in train.items() if value is not None}
    settings["train"] = {**settings.get("train", {}), **said}
    return settings


def _read(config: Path) -> dict[str, Any]:
    """Return what a file sets, once it is known to set what there is."""
    import json

    from mmmsba_plugin.config import FitConfig
    from mmmsba_plugin.errors import ConfigError

    try:
        settings = json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{config} cannot be read as JSON: {error}; give a file such as "
            '{"train": {"max_epochs": 50}}'
        ) from error
    if not isinstance(settings, dict):
        raise ConfigError(f"{config} must hold a JSON object of settings, such as {{}}")
    FitConfig.read(settings)
    return settings


def _say(console: "Console", fitted: "Fitted") -> None:
    from mmmsba_plugin.cli import told

    for skip in fitted.skipped:
        told.failure(f"skipped {skip.record.media}: {skip.reason}", console)
    console.print(
        f"learned from {fitted.num_train} clips in {fitted.epochs} epochs, "
        f"validated on {fitted.num_validation} of other people"
    )
    for name, value in fitted.operating_point.metrics.items():
        console.print(f"  validation {name}: {value:.3f}")
    told.tell_written([fitted.checkpoint], console)
