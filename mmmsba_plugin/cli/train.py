"""``mmmsba train``: learn from clips with known truth."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mmmsba_plugin.cli import _training
from mmmsba_plugin.files import ensure_dir


def train(
    *,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Folder of the checkpoint.")
    ],
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[READER=]DIR",
            help="Clips with ground truth; can be given again. READER can have settings in "
            "brackets, such as av-deepfake1m\\[protocol=paper].",
        ),
    ] = None,
    fiftyone: _training.Fiftyone = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="Preset of the network: paper, reference, enc-dec, fpn-transformer, correlation, "
            "dimodif, wafl, mmmsba or fast; paper if not given."
        ),
    ] = None,
    attention: Annotated[
        str | None, typer.Option(help="Attention: mmms-ba, mmus-sa, ms-sa or none.")
    ] = None,
    modalities: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES", help="Modalities to train on, of face,audio,lips; all if not given."
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="JSON with any setting of a training run.")
    ] = None,
    grid: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="JSON with lists of values for some settings, by their paths; every combination "
            "is trained, and they are ranked by the AUC of validation clips.",
        ),
    ] = None,
    calibration: Annotated[
        str | None,
        typer.Option(
            help="Calibration of scores: none, temperature, or isotonic for hundreds "
            "of validation clips; temperature if not given."
        ),
    ] = None,
    max_epochs: _training.MaxEpochs = None,
    seed: _training.Seed = None,
    reader: _training.Reader = None,
    features_only: Annotated[
        bool,
        typer.Option(
            "--features-only", help="Train on precomputed features; the clips need not be there."
        ),
    ] = False,
    trim_silence: Annotated[
        bool,
        typer.Option("--trim-silence", help="Leave out the silence that clips start with."),
    ] = False,
    workers: _training.Workers = _training.NUM_CORES,
) -> None:
    """Train a detector. A run that was interrupted goes on where it stopped.

    Features are kept, so that a second run on the same clips starts at once.
    """
    from mmmsba_plugin.cli import _console
    from mmmsba_plugin.config import FitConfig

    settings = _settings(config, preset, attention, modalities, max_epochs=max_epochs, seed=seed)
    if calibration:
        settings["calibration"] = calibration
    if trim_silence:
        settings["features"] = {**settings.get("features", {}), "trim_silence": True}
    fit_config = FitConfig.read(settings)
    values = _training.read_json(grid) if grid else {}
    with _training.needs_training():
        from mmmsba_plugin.training.fit import fit
        from mmmsba_plugin.training.grid_search import grid_search

    records, names = _training.open_records(
        data or [], fiftyone or [], reader, need_media=not features_only
    )
    ensure_dir(output)
    console = _console.console()
    options: dict[str, Any] = {
        "workers": workers,
        "trained_on": names,
        "progress": console.is_terminal,
        "on_clip": _training.counting(console),
    }
    if grid:
        _training.print_trials(grid_search(records, settings, values, output, **options), console)
    else:
        _training.print_training(fit(records, fit_config, output, **options), console)


def _settings(
    config: Path | None,
    preset: str | None,
    attention: str | None,
    modalities: str | None,
    **train: int | None,
) -> dict[str, Any]:
    """Return the settings of a file, with what the command line says put over them."""
    from mmmsba_plugin.config import FitConfig

    settings = _training.read_settings(config) if config else {}
    if preset:
        settings["preset"] = preset
    if attention:
        settings["network"] = {**settings.get("network", {}), "attention": attention}
    if modalities:
        features = FitConfig.read(settings).features
        chosen = [name.strip() for name in modalities.split(",")]
        settings["features"] = features.only(chosen).model_dump(mode="json")
    options = {name: value for name, value in train.items() if value is not None}
    settings["train"] = {**settings.get("train", {}), **options}
    return settings
