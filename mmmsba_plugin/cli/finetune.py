"""``mmmsba finetune``: adapt trained weights to one's own footage."""

from pathlib import Path
from typing import Annotated

import typer

from mmmsba_plugin.cli import _training
from mmmsba_plugin.files import ensure_dir


def finetune(
    *,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Folder of the new checkpoint.")
    ],
    data: Annotated[
        list[str] | None,
        typer.Option(metavar="[READER=]DIR", help="Clips with ground truth; can be given again."),
    ] = None,
    fiftyone: _training.Fiftyone = None,
    reviewed: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="Folder of reports that were reviewed with `mmmsba review`; can be given again.",
        ),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Checkpoint to start from; the bundled weights if not given."
        ),
    ] = None,
    max_epochs: _training.MaxEpochs = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(metavar="RATE", help="Learning rate at the start; 0.0001 if not given."),
    ] = None,
    freeze: Annotated[
        bool,
        typer.Option("--freeze", help="Leave the encoders as they are; for very little footage."),
    ] = False,
    calibration: Annotated[
        str | None,
        typer.Option(help="Calibration: none, temperature or isotonic; temperature if not given."),
    ] = None,
    seed: _training.Seed = None,
    workers: _training.Workers = _training.NUM_CORES,
) -> None:
    """Adapt trained weights to your own footage, in minutes on a CPU.

    Make that footage with `mmmsba forge` from real clips of your cameras and speakers, or review
    reports. A run that was interrupted goes on where it stopped.
    """
    from mmmsba_plugin.cli import _console
    from mmmsba_plugin.config import TuneConfig
    from mmmsba_plugin.weights import checkpoint_folder

    options = {
        "max_epochs": max_epochs,
        "learning_rate": learning_rate,
        "freeze_encoders": freeze,
        "calibration": calibration,
        "seed": seed,
    }
    start = checkpoint_folder(checkpoint)
    tune_config = TuneConfig.read(
        {name: value for name, value in options.items() if value is not None}
    )
    with _training.needs_training():
        from mmmsba_plugin.training import finetune as tuning

    records, names = _training.open_records(data or [], fiftyone or [], reviewed=reviewed or [])
    ensure_dir(output)
    console = _console.console()
    fitted = tuning.finetune(
        records,
        output,
        tune_config,
        checkpoint=start,
        workers=workers,
        tuned_on=names,
        progress=console.is_terminal,
        on_clip=_training.counting(console),
    )
    _training.print_training(fitted, console)
