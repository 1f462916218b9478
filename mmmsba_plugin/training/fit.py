"""Trains a network on records and leaves a checkpoint."""

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import lightning
import numpy as np
import torch

from mmmsba_plugin.config import FitConfig, LocalizationConfig, Origin
from mmmsba_plugin.errors import TrainingError
from mmmsba_plugin.features.cache import FeatureCache
from mmmsba_plugin.features.front_ends import bind_front_ends
from mmmsba_plugin.model.checkpoint import CheckpointConfig, save_checkpoint
from mmmsba_plugin.model.ensemble import Ensemble
from mmmsba_plugin.model.heads import FAKE, head_class
from mmmsba_plugin.model.inference import predict
from mmmsba_plugin.model.mmmsba import MmmsBa
from mmmsba_plugin.record import Record
from mmmsba_plugin.run_control import Progress, check
from mmmsba_plugin.training.data import Clip, Skipped, Source, load_clips, statistics
from mmmsba_plugin.training.model_card import write_card
from mmmsba_plugin.training.run_state import RunConfig, claim_run, member_state
from mmmsba_plugin.training.split import folds
from mmmsba_plugin.training.thresholds import OperatingPoint, choose_operating_point
from mmmsba_plugin.training.trainer import train_network


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """Trained weights to go on from; without any, a network starts from random ones.

    Attributes:
        network: With its statistics, which stay as they are. It is not changed.
        origin: The checkpoint that it comes from.
    """

    network: Ensemble
    origin: Origin


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
        before: How the weights that it started from did on the same clips, with thresholds chosen
            on them in the same way; empty if it started from none. Like for like: of an ensemble,
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
            stop; without any, a fifth of the identities is held out, or more until real and fake
            clips are, or by each member of an ensemble a share of its own. ``test`` is not touched.
        config: Everything else that decides the run.
        out: Folder of the checkpoint; also keeps the state of the run.
        start: What to go on from; ``config`` must describe its network.
        cache: Where features are kept; the user's cache if not given.
        workers: Clips whose features are computed at a time.
        trained_on: What the records are, in words, for the model card, unless ``config`` says.
        progress: Whether to show a progress bar.
        on_clip: Called with each clip once its features are there, or with why not.

    Raises:
        PluginNotFoundError: No plug-in offers a head of that name.
        RunCancelledError: It was stopped; see :mod:`mmmsba_plugin.run_control`.
        TrainingError: Too few clips could be used, or ``out`` holds another run.
    """
    for member in config.members({"face": 1}):
        for name in member.heads:
            head_class(name)
    # Whatever is misspelt is met before the folder is claimed for a run that cannot start.
    source = Source(bind_front_ends(config.features), config.features, cache or FeatureCache())
    origin = start.origin if start else None
    claim_run(out, RunConfig(**dict(config), tuned_from=origin))
    shares, skipped = _shares(records, config, source, workers=workers, on_clip=on_clip)
    select_thresholds = partial(
        choose_operating_point,
        source=source,
        config=config.localization,
        calibration=config.calibration,
        false_positive_rate=config.false_positive_rate,
        min_overlap=config.train.min_overlap,
        score_threshold=config.score_threshold,
    )
    initial_members = list(start.network) if start else [None] * len(shares)
    before = {}
    if start:
        before = select_thresholds(_held_out_predictors(list(start.network), shares)).metrics
    trained = [
        _train_member(index, share, config, out, source, initial=initial, progress=progress)
        for index, (share, initial) in enumerate(zip(shares, initial_members, strict=True))
    ]
    network = Ensemble([member for member, _ in trained])
    _align_kinds(network, shares, source, config.localization)
    held_out_predictors = _held_out_predictors(list(network), shares)
    held_out = [clip for _, clips in held_out_predictors for clip in clips]
    point = select_thresholds(held_out_predictors)
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
        real_scores=point.real_scores,
        calibration=point.calibration,
        front_end_versions={m: bound.entry.version for m, bound in source.front_ends.items()},
        trained_on=config.trained_on or trained_on,
        tuned_from=origin,
        caution=config.caution,
        training={
            "preset": config.preset,
            "score_threshold": config.score_threshold,
            **config.train.model_dump(mode="json"),
            "epochs": fitted.epochs,
            "num_train": fitted.num_train,
            "num_validation": fitted.num_validation,
            "num_validation_real": sum(not clip.record.fake for clip in held_out),
        },
        metrics={"validation": point.metrics} | ({"validation_before": before} if start else {}),
    )
    save_checkpoint(out, network, checkpoint, write_card(checkpoint))
    return fitted


#: Clips that a network learns from, and those that it is stopped and adjusted by.
_Share = tuple[Sequence[Clip], Sequence[Clip]]


def _shares(
    records: Iterable[Record],
    config: FitConfig,
    source: Source,
    *,
    workers: int,
    on_clip: Callable[[Clip | Skipped], None],
) -> tuple[list[_Share], list[Skipped]]:
    """Return the share of the clips of each network, and the records that could not be used."""
    fold_records = folds(
        list(records),
        members=config.num_members,
        num_folds=config.train.folds,
        seed=config.train.seed,
    )
    all_records = [record for fold in fold_records[0] for record in fold]
    results: list[Clip | Skipped] = []

    def on_result(result: Clip | Skipped) -> None:
        results.append(result)
        on_clip(result)
        check(Progress("clips", len(results), len(all_records)))

    _, skipped = load_clips(all_records, source, workers=workers, on_clip=on_result)
    # By order: a clip's own record may end where the one that was asked for did not say.
    clip_of = {
        id(record): result
        for record, result in zip(all_records, results, strict=True)
        if isinstance(result, Clip)
    }
    shares: list[_Share] = []
    why = f"; {len(skipped)} were skipped, first: {skipped[0].reason}" if skipped else ""
    for fold, member in zip(fold_records, config.members({"face": 1}), strict=True):
        train, held_out = ([clip_of[id(r)] for r in side if id(r) in clip_of] for side in fold)
        if member.learns_from == "segments":
            train = [clip for clip in train if not clip.fake_throughout]
        for purpose, clips in (("to learn from", train), ("to validate on", held_out)):
            if {clip.record.fake for clip in clips} != {True, False}:
                raise TrainingError(
                    f"there must be real and fake clips {purpose}, got {len(clips)} clips{why}; "
                    "make more with `mmmsba forge`"
                )
        shares.append((train, held_out))
    return shares, skipped


def _train_member(
    index: int,
    share: _Share,
    config: FitConfig,
    out: Path,
    source: Source,
    *,
    initial: MmmsBa | None,
    progress: bool,
) -> tuple[MmmsBa, int]:
    """Return one trained network, and after how many epochs it stopped."""
    train = config.train.model_copy(update={"seed": config.train.seed + index})
    lightning.seed_everything(train.seed, verbose=False)
    if initial:
        network = deepcopy(initial).train()
    else:
        spread = statistics(share[0], source)
        network = MmmsBa(config.members({m: len(mean) for m, (mean, _) in spread.items()})[index])
        network.set_statistics(spread)
    network.encoders.requires_grad_(not train.freeze_encoders)
    state = member_state(out, index)
    clips, held_out = (_with_any(network.modalities, side, source) for side in share)
    return network, train_network(
        network, clips, held_out, source, config=train, state=state, progress=progress
    )


def _with_any(modalities: Sequence[str], clips: Sequence[Clip], source: Source) -> list[Clip]:
    """Return the clips in which a modality is present; of others a network learns nothing."""
    if set(modalities) == set(source.front_ends):
        return list(clips)
    return [
        clip
        for clip in clips
        if any(source.features(clip.media).rows[name].present.any() for name in modalities)
    ]


def _held_out_predictors(
    members: Sequence[MmmsBa], shares: Sequence[_Share]
) -> list[tuple[Ensemble, Sequence[Clip]]]:
    """Return the clips that were held out, each once, with all networks that held them out."""
    together: dict[tuple[int, ...], tuple[list[MmmsBa], Sequence[Clip]]] = {}
    for member, (_, held_out) in zip(members, shares, strict=True):
        together.setdefault(tuple(map(id, held_out)), ([], held_out))[0].append(member)
    return [(Ensemble(networks), clips) for networks, clips in together.values()]


#: Share of real clips of which a snippet reaches even odds, by each kind of network.
_REAL_SHARE = 0.05


def _align_kinds(
    network: Ensemble, shares: Sequence[_Share], source: Source, config: LocalizationConfig
) -> None:
    """Shift the logits of each kind of network until as many real clips look fake to each.

    An ensemble believes the kind that is most suspicious, so none may be so by habit. The clips
    are those that were held out.
    """
    kinds = dict.fromkeys(member.config.kind for member in network)
    for kind in kinds if len(kinds) > 1 else ():
        chosen = [
            (member, share)
            for member, share in zip(network, shares, strict=True)
            if member.config.kind == kind
        ]
        highest = [
            np.nanmax(predict(predictor, source.features(clip.media), config).scores)
            for predictor, clips in _held_out_predictors(*zip(*chosen, strict=True))
            for clip in _with_any(list(predictor.dims), clips, source)
            if not clip.record.fake
        ]
        shift = torch.logit(torch.tensor(np.quantile(highest, 1 - _REAL_SHARE)), eps=1e-6)
        for member, _ in chosen:
            with torch.no_grad():
                member.get_parameter("classify.bias")[FAKE] -= shift
