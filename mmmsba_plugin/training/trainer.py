"""Trains one network up to its best epoch, and goes on after an interruption."""

import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.data import DataLoader

from mmmsba_plugin.config import TrainConfig
from mmmsba_plugin.config.training import ValidationMetric
from mmmsba_plugin.model.mmmsba import MmmsBa
from mmmsba_plugin.run_control import Progress, check
from mmmsba_plugin.training.data import Clip, ClipDataset, EpochShuffle, Source, collate
from mmmsba_plugin.training.module import Learner

_EPOCHS = "epochs"
_BEST, _LAST = "best", "last"
#: What Lightning calls each validation metric, and which way it gains. The loss turns up long
#: before the AUC of snippets falls: it minds how far scores are from the truth, which calibration
#: mends, more than which snippets have the higher ones.
_MONITORS: dict[ValidationMetric, tuple[str, str]] = {
    "loss": ("val_loss", "min"),
    "accuracy": ("val_accuracy", "max"),
    "snippet_auc": ("val_snippet_auc", "max"),
}
#: Says that a run has ended, and after how many epochs of how many it was given.
_END = "end.json"


def train_network(
    network: MmmsBa,
    clips: Sequence[Clip],
    held_out: Sequence[Clip],
    source: Source,
    *,
    config: TrainConfig,
    state: Path,
    progress: bool = False,
) -> int:
    """Train a network in place up to its best epoch.

    Args:
        network: The network, with its statistics.
        clips: What it learns from.
        held_out: What it is stopped by.
        source: Source of the clips' features.
        config: Settings of training.
        state: Folder of what a run needs to go on.
        progress: Whether to show a progress bar.

    Returns:
        The number of epochs until it stopped.
    """
    heads = network.config.heads
    learner = Learner(network, config)
    best, last = (state / _EPOCHS / f"{name}.ckpt" for name in (_BEST, _LAST))
    num_epochs = _epochs_of_ended_run(state / _END, config)
    if num_epochs is None:
        batches, validation_batches = (
            DataLoader(
                ClipDataset(of_set, source, heads, min_overlap=config.min_overlap),
                batch_size=config.batch_size,
                sampler=sampler,
                collate_fn=collate,
            )
            for of_set, sampler in (
                (clips, EpochShuffle(len(clips), seed=config.seed)),
                (held_out, None),
            )
        )
        with _quiet():
            trainer = _trainer(config, state, progress=progress)
            resume_from = last if last.is_file() else None
            trainer.fit(
                learner, batches, validation_batches, ckpt_path=resume_from, weights_only=True
            )
        num_epochs = int(trainer.current_epoch)
        end = {"num_epochs": num_epochs, "max_epochs": config.max_epochs}
        (state / _END).write_text(json.dumps(end), encoding="utf-8")
    learner.load_state_dict(torch.load(best, weights_only=True)["state_dict"])
    return num_epochs


def _epochs_of_ended_run(file: Path, config: TrainConfig) -> int | None:
    """Return the number of epochs of a run that has ended; None if it has epochs to go.

    Lightning would give a run that was stopped for lack of gain another epoch each time.
    """
    if not file.is_file():
        return None
    end = json.loads(file.read_text(encoding="utf-8"))
    num_epochs = int(end["num_epochs"])
    stopped_early = num_epochs < end["max_epochs"]
    return num_epochs if stopped_early or num_epochs >= config.max_epochs else None


def _trainer(config: TrainConfig, state: Path, *, progress: bool) -> lightning.Trainer:
    (keep_monitor, keep_mode), (stop_monitor, stop_mode) = (
        _MONITORS[metric] for metric in (config.keep_by, config.stop_by)
    )
    # Two, because Lightning's own "last" is the last that was also the best.
    checkpoints = [
        ModelCheckpoint(
            dirpath=state / _EPOCHS,
            filename=name,
            monitor=monitor,
            mode=keep_mode,
            enable_version_counter=False,
        )
        for name, monitor in ((_BEST, keep_monitor), (_LAST, None))
    ]
    return lightning.Trainer(
        max_epochs=config.max_epochs,
        callbacks=[
            *checkpoints,
            EarlyStopping(stop_monitor, mode=stop_mode, patience=config.patience),
            StepSeed(config.seed),
            RunProgress(),
            *([RichProgressBar(leave=False)] if progress else []),
        ],
        logger=TensorBoardLogger(str(state), name="", version="log"),
        enable_progress_bar=progress,
        enable_model_summary=False,
        log_every_n_steps=1,
    )


class StepSeed(lightning.Callback):
    """Gives each step a random seed of its own.

    What a run draws when it goes on is then what it would have drawn, had it not stopped.

    Args:
        seed: Of the run.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def on_train_batch_start(
        self, trainer: lightning.Trainer, _learner: object, _batch: object, batch_idx: int
    ) -> None:
        """Seed PyTorch, which hides modalities and drops units, by epoch and step."""
        step = np.random.SeedSequence([self._seed, trainer.current_epoch, batch_idx])
        torch.manual_seed(int(step.generate_state(1, np.uint64)[0]))


class RunProgress(lightning.Callback):
    """Reports the epochs of training, and ends it if whoever started it wants that."""

    def on_train_batch_start(self, *_: object) -> None:
        """Look whether the run shall stop.

        Raises:
            RunCancelledError: It shall.
        """
        check()

    def on_train_epoch_end(self, trainer: lightning.Trainer, _learner: object) -> None:
        """Report the progress of the run."""
        check(Progress("epochs", trainer.current_epoch + 1, trainer.max_epochs))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Lightning's advice, and its use of what PyTorch deprecates, from those it is not for."""
    log = logging.getLogger("lightning.pytorch")
    level = log.level
    log.setLevel(logging.WARNING)
    with warnings.catch_warnings():
        for advice in (
            ".*does not have many workers.*",
            ".*isinstance.treespec, LeafSpec.*",
            ".*exists and is not empty.*",
        ):
            warnings.filterwarnings("ignore", message=advice)
        try:
            yield
        finally:
            log.setLevel(level)
