"""``mmmsba train-sync``: train the encoder that compares mouth and audio."""

from pathlib import Path
from typing import Annotated

import typer

from mmmsba_plugin.cli import _training
from mmmsba_plugin.files import ensure_dir


def train_sync(
    *,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="File of the encoder's weights.")
    ],
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[READER=]DIR",
            help="Clips of talking faces with sound; can be given again. Fakes among them, and "
            "splits other than train, are passed over.",
        ),
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of training; 1000 if not given.")] = None,
    align_steps: Annotated[
        int | None,
        typer.Option(
            help="Steps of each encoder that finds clips whose own audio is early or late; 400 "
            "if not given, 0 to trust all clips."
        ),
    ] = None,
    held_out: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Share of people that accuracy is measured on instead of learned from; 0.2 if "
            "not given.",
        ),
    ] = None,
    seed: _training.Seed = None,
    reader: _training.Reader = None,
) -> None:
    """Train the lip-sync encoder of the front-end `sync` on real speech.

    No fakes are needed. Use it with the setting `weights` of that front-end.
    """
    from mmmsba_plugin.cli import _console

    with _training.needs_training():
        from mmmsba_plugin.training.sync import SyncTrainConfig
        from mmmsba_plugin.training.sync import train_sync as train

    options = {
        "steps": steps,
        "align_steps": align_steps,
        "held_out": held_out,
        "seed": seed,
    }
    config = SyncTrainConfig.read({k: value for k, value in options.items() if value is not None})
    records, _ = _training.open_records(data or [], [], reader)
    ensure_dir(output.parent)
    console = _console.console()
    trained = train(records, output, config, on_step=lambda line: console.print(line, markup=False))
    console.print(
        f"learned from {trained.num_clips} clips, {trained.duration_s / 60:.1f} minutes; "
        f"{len(trained.lags)} clips were out of sync by themselves"
    )
    for length_s, accuracy in trained.accuracy.items():
        console.print(
            f"  held-out lag over {length_s:g} s: {accuracy.within_1:.0%} within one frame, "
            f"{accuracy.within_3:.0%} within three, of {accuracy.number} segments"
        )
    _console.print_written([trained.weights], console)
