"""Trains a network on records and leaves a checkpoint."""

import json
import logging
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.data import DataLoader

from mmmsba_plugin.config import FitConfig, Origin, TrainConfig
from mmmsba_plugin.detector import bind_front_ends
from mmmsba_plugin.errors import TrainingError
from mmmsba_plugin.features.cache import FeatureCache
from mmmsba_plugin.model.checkpoint import CheckpointConfig, save_checkpoint
from mmmsba_plugin.model.ensemble import Ensemble
from mmmsba_plugin.model.heads import head_class
from mmmsba_plugin.model.mmmsba import MmmsBa
from mmmsba_plugin.record import Record
from mmmsba_plugin.training.data import (
    Clip,
    ClipDataset,
    EpochShuffle,
    Item,
    Skipped,
    Source,
    collate,
    load_clips,
    statistics,
)
from mmmsba_plugin.training.model_card import write_card
from mmmsba_plugin.training.module import Learner
from mmmsba_plugin.training.split import folds
from mmmsba_plugin.training.thresholds import OperatingPoint, choose_operating_point

#: Where a run keeps what it needs to go on, inside the checkpoint's folder.
_STATE = "training"
_RUN = "run.json"
_EPOCHS = "epochs"
_BEST, _LAST = "best", "last"
#: What the best epoch has most of. The loss turns up long before: it minds how far scores are
#: from the truth, which calibration mends, more than which snippets have the higher ones.
_GAIN = "val_snippet_auc"
#: Says that a run has ended, and after how many epochs of how many it was given.
_END = "end.json"


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """Trained weights to go on from; without any, a network starts from random ones.

    Attributes:
        network: With its statistics, which stay as they are. It is not changed.
        origin: The checkpoint that it comes from.
    """

    network: Ensemble
    origin: Origin


class _Run(FitConfig):
    """Settings that decide the run that a folder holds."""

    tuned_from: Origin | None = None


@dataclass(frozen=True, slots=True)
class Fitted:
    """Result of a training run.

    Attributes:
        checkpoint: The folder of the trained weights.
        num_train: Clips that each network learned from, at most.
        num_validation: Clips that networks were stopped and adjusted by.
        epochs: Passes over the data, of the network that took most.
        skipped: Records that could not be used, and why.
        operating_point: The thresholds chosen on the validation clips, and how they did.
        before: How the weights that it started from did on the same clips, with lines drawn on
            them in the same way; empty if it started from none. Like for like: of an ensemble,
            each clip is evaluated by the member that goes on without it, before and after.
    """

    checkpoint: Path
    num_train: int
    num_validation: int
    epochs: int
    skipped: tuple[Skipped, ...]
    operating_point: OperatingPoint
    before: dict[str, float] = field(default_factory=dict)


def fit(
    records: Iterable[Record],
    config: FitConfig,
    out: Path,
    *,
    start: Start | None = None,
    cache: FeatureCache | None = None,
    workers: int = 1,
    trained_on: str = "",
    progress: bool = False,
    on_clip: Callable[[Clip | Skipped], None] = lambda _: None,
) -> Fitted:
    """Train a network; a run that was interrupted goes on where it stopped.

    On the same machine it ends with the weights that it would have ended with.

    Args:
        records: Clips with their truth. Those of split ``dev`` (or ``val``) decide when to
            stop; without any, a fifth of the identities is held out, or by each member of an
            ensemble a share of its own. ``test`` is not touched.
        config: Everything else that decides the run.
        out: Folder of the checkpoint; also keeps the state of the run.
        start: What to go on from; ``config`` must describe its network.
        cache: Where features are kept; the user's cache if not given.
        workers: Clips whose features are computed at a time.
        trained_on: What the records are, in words, for the model card, unless ``config`` says.
        progress: Whether to show a progress bar.
        on_clip: Called with each clip once its features are there, or with why not.

    Raises:
        ConfigError: A head is not registered.
        TrainingError: Too few clips could be used, or ``out`` holds another run.
    """
    for member in config.members({"face": 1}):
        for name in member.heads:
            head_class(name)
    origin = start.origin if start else None
    _claim(out, _Run(**dict(config), tuned_from=origin))
    front_ends = bind_front_ends(config.features)
    source = Source(front_ends, config.features, cache or FeatureCache())
    shares, skipped = _shares(records, config, source, workers=workers, on_clip=on_clip)
    starts = list(start.network) if start else [None] * len(shares)
    lines = partial(
        choose_operating_point,
        source=source,
        config=config.localization,
        calibration=config.calibration,
        false_positive_rate=config.false_positive_rate,
    )
    before = lines(_held_out_predictors(list(start.network), shares)).metrics if start else {}
    trained = [
        _member(index, share, config, out, source, start=initial, progress=progress)
        for index, (share, initial) in enumerate(zip(shares, starts, strict=True))
    ]
    members = [member for member, _ in trained]
    network, held_out_predictors = Ensemble(members), _held_out_predictors(members, shares)
    held_out = [clip for _, clips in held_out_predictors for clip in clips]
    point = lines(held_out_predictors)
    fitted = Fitted(
        checkpoint=out,
        num_train=max(len(clips) for clips, _ in shares),
        num_validation=len(held_out),
        epochs=max(epochs for _, epochs in trained),
        skipped=tuple(skipped),
        operating_point=point,
        before=before,
    )
    checkpoint = CheckpointConfig(
        members=network.configs,
        features=config.features,
        localization=point.localization,
        score_threshold=point.score_threshold,
        score_thresholds=point.score_thresholds,
        calibration=point.calibration,
        front_end_versions={m: bound.entry.version for m, bound in front_ends.items()},
        trained_on=config.trained_on or trained_on,
        tuned_from=origin,
        caution=config.caution,
        training=_training_entry(config, fitted, held_out),
        metrics={"validation": point.metrics} | ({"validation_before": before} if start else {}),
    )
    save_checkpoint(out, network, checkpoint, write_card(checkpoint))
    return fitted


#: What a network learns from, and what it is stopped and adjusted by.
_Share = tuple[Sequence[Clip], Sequence[Clip]]


def _shares(
    records: Iterable[Record],
    config: FitConfig,
    source: Source,
    *,
    workers: int,
    on_clip: Callable[[Clip | Skipped], None],
) -> tuple[list[_Share], list[Skipped]]:
    """Return the share of the clips of each network, and what could not be used."""
    fold_records = folds(list(records), members=config.num_members, seed=config.train.seed)
    everyone = [record for fold in fold_records[0] for record in fold]
    results: list[Clip | Skipped] = []

    def count_result(result: Clip | Skipped) -> None:
        results.append(result)
        on_clip(result)

    _, skipped = load_clips(everyone, source, workers=workers, on_clip=count_result)
    # By order: a clip's own record may end where the one that was asked for did not say.
    clip_of = {id(record): result for record, result in zip(everyone, results, strict=True)}

    def usable(records_of_fold: Sequence[Record]) -> Sequence[Clip]:
        clips = (clip_of[id(record)] for record in records_of_fold)
        return [result for result in clips if isinstance(result, Clip)]

    shares = [(usable(train), usable(held_out)) for train, held_out in fold_records]
    for train, held_out in shares:
        _require(train, held_out, skipped)
    return shares, skipped


def _member(
    index: int,
    share: _Share,
    config: FitConfig,
    out: Path,
    source: Source,
    *,
    start: MmmsBa | None,
    progress: bool,
) -> tuple[MmmsBa, int]:
    """Return one trained network, and after how many epochs it stopped."""
    train = config.train.model_copy(update={"seed": config.train.seed + index})
    lightning.seed_everything(train.seed, verbose=False)
    network = deepcopy(start).train() if start else _network(config, index, share[0], source)
    network.encoders.requires_grad_(not train.freeze_encoders)
    batches = (
        _batches(share[0], source, train, network.config.heads, shuffle=True),
        _batches(share[1], source, train, network.config.heads, shuffle=False),
    )
    state = out / _STATE / (f"member-{index}" if index else "")
    return network, _learn(Learner(network, train), batches, state, progress=progress)


def _held_out_predictors(
    members: Sequence[MmmsBa], shares: Sequence[_Share]
) -> list[tuple[Ensemble, Sequence[Clip]]]:
    """Return the clips that were held out, each once, with all networks that held them out."""
    together: dict[tuple[int, ...], list[MmmsBa]] = {}
    clips: dict[tuple[int, ...], Sequence[Clip]] = {}
    for member, (_, held_out) in zip(members, shares, strict=True):
        key = tuple(map(id, held_out))
        together.setdefault(key, []).append(member)
        clips[key] = held_out
    return [(Ensemble(those), clips[key]) for key, those in together.items()]


def _training_entry(config: FitConfig, fitted: Fitted, held_out: Sequence[Clip]) -> dict[str, Any]:
    """Return the training entry of a checkpoint."""
    return {
        "preset": config.preset,
        **config.train.model_dump(mode="json"),
        "epochs": fitted.epochs,
        "num_train": fitted.num_train,
        "num_validation": fitted.num_validation,
        "num_validation_real": sum(not clip.record.fake for clip in held_out),
    }


def _claim(out: Path, settings: _Run) -> None:
    """Note what run this folder holds, or refuse if it is another one."""
    run = out / _STATE / _RUN
    if run.is_file() and _without_end(_read_run(run)) != _without_end(settings):
        raise TrainingError(
            f"{out} holds a training run with other settings; choose another folder with -o, "
            "or remove this one"
        )
    run.parent.mkdir(parents=True, exist_ok=True)
    run.write_text(settings.model_dump_json(indent=2), encoding="utf-8")


def _read_run(run: Path) -> _Run | None:
    """Return the settings of a run; None if they are not of this version of the package."""
    try:
        return _Run.read(json.loads(run.read_text(encoding="utf-8")))
    except ValueError:
        return None


def _without_end(run: _Run | None) -> dict[str, Any] | None:
    """Return settings but for those of a run's end.

    More epochs are the same run going on; calibration is fitted, lines are drawn, and words are
    said, when it is over.
    """
    if run is None:
        return None
    settings = run.model_dump(
        mode="json", exclude={"calibration", "false_positive_rate", "trained_on", "caution"}
    )
    del settings["train"]["max_epochs"]
    return settings


def _require(train: Sequence[Clip], held_out: Sequence[Clip], skipped: Sequence[Skipped]) -> None:
    for name, clips in (("to learn from", train), ("to validate on", held_out)):
        kinds = {clip.record.fake for clip in clips}
        if kinds == {True, False}:
            continue
        why = f"; {len(skipped)} were skipped, first: {skipped[0].reason}" if skipped else ""
        raise TrainingError(
            f"there must be real and fake clips {name}, got {len(clips)} clips{why}; "
            "make more with `mmmsba forge`"
        )


def _network(config: FitConfig, index: int, clips: Sequence[Clip], source: Source) -> MmmsBa:
    spread = statistics(clips, source)
    network = MmmsBa(config.members({m: len(mean) for m, (mean, _) in spread.items()})[index])
    network.set_statistics(spread)
    return network


def _learn(
    learner: Learner,
    batches: tuple[DataLoader[Item], DataLoader[Item]],
    state: Path,
    *,
    progress: bool,
) -> int:
    """Train in place up to the best epoch, and return how many epochs there were.

    Args:
        learner: Holds the network.
        batches: To learn from, and to validate on.
        state: Folder of what a run needs to go on.
        progress: Whether to show a progress bar.
    """
    best, last = (state / _EPOCHS / f"{name}.ckpt" for name in (_BEST, _LAST))
    num_epochs = _ended_after(state, learner.config)
    if num_epochs is None:
        with _quiet():
            trainer = _trainer(learner.config, state, progress=progress)
            resume_from = last if last.is_file() else None
            trainer.fit(learner, batches[0], batches[1], ckpt_path=resume_from, weights_only=True)
        num_epochs = int(trainer.current_epoch)
        end = {"num_epochs": num_epochs, "max_epochs": learner.config.max_epochs}
        (state / _END).write_text(json.dumps(end), encoding="utf-8")
    learner.load_state_dict(torch.load(best, weights_only=True)["state_dict"])
    return num_epochs


def _ended_after(state: Path, config: TrainConfig) -> int | None:
    """Return the number of epochs of a run that has ended; None if it has epochs to go.

    Lightning would give a run that was stopped for lack of gain another epoch each time.
    """
    if not (state / _END).is_file():
        return None
    end = json.loads((state / _END).read_text(encoding="utf-8"))
    num_epochs = int(end["num_epochs"])
    stopped_early = num_epochs < end["max_epochs"]
    return num_epochs if stopped_early or num_epochs >= config.max_epochs else None


def _trainer(config: TrainConfig, state: Path, *, progress: bool) -> lightning.Trainer:
    def keep(name: str, monitor: str | None) -> ModelCheckpoint:
        return ModelCheckpoint(
            dirpath=state / _EPOCHS,
            filename=name,
            monitor=monitor,
            mode="max",
            enable_version_counter=False,
        )

    # Two, because Lightning's own "last" is the last that was also the best.
    checkpoints = [keep(_BEST, _GAIN), keep(_LAST, None)]
    stop = EarlyStopping(_GAIN, mode="max", patience=config.patience)
    chance = _Chance(config.seed)
    return lightning.Trainer(
        max_epochs=config.max_epochs,
        callbacks=[
            *checkpoints,
            stop,
            chance,
            *([RichProgressBar(leave=False)] if progress else []),
        ],
        logger=TensorBoardLogger(str(state), name="", version="log"),
        enable_progress_bar=progress,
        enable_model_summary=False,
        log_every_n_steps=1,
    )


class _Chance(lightning.Callback):
    """Gives each step a source of chance of its own.

    What a run draws when it goes on is then what it would have drawn, had it not stopped.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def on_train_batch_start(
        self, trainer: lightning.Trainer, _learner: object, _batch: object, batch_idx: int
    ) -> None:
        """Seed PyTorch, which hides modalities and drops units, by epoch and step."""
        step = np.random.SeedSequence([self._seed, trainer.current_epoch, batch_idx])
        torch.manual_seed(int(step.generate_state(1, np.uint64)[0]))


def _batches(
    clips: Sequence[Clip],
    source: Source,
    config: TrainConfig,
    heads: Sequence[str],
    *,
    shuffle: bool,
) -> DataLoader[Item]:
    return DataLoader(
        ClipDataset(clips, source, heads),
        batch_size=config.batch_size,
        sampler=EpochShuffle(len(clips), seed=config.seed) if shuffle else None,
        collate_fn=collate,
    )


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
