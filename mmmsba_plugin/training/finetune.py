"""Fine-tunes trained weights on somebody's own clips.

The network, what it is fed and the statistics by which that is standardised stay; so does the
loss. What changes is the pace: few epochs at a small learning rate, which a CPU does in minutes.
Thresholds and calibration are chosen anew, on identities that were held out.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from mmmsba_plugin import weights
from mmmsba_plugin.config import FitConfig, Origin, TuneConfig
from mmmsba_plugin.features.cache import FeatureCache
from mmmsba_plugin.features.front_ends import bind_front_ends, require_versions
from mmmsba_plugin.model.checkpoint import CheckpointConfig, load_checkpoint, weights_sha256
from mmmsba_plugin.record import Record
from mmmsba_plugin.training.data import Clip, Skipped
from mmmsba_plugin.training.fit import Fitted, Start, fit
from mmmsba_plugin.training.recipe import settings_of
from mmmsba_plugin.weights import checkpoint_folder


def finetune(
    records: Iterable[Record],
    out: Path,
    config: TuneConfig | None = None,
    *,
    checkpoint: Path | None = None,
    cache: FeatureCache | None = None,
    workers: int = 1,
    tuned_on: str = "",
    progress: bool = False,
    on_clip: Callable[[Clip | Skipped], None] = lambda _: None,
) -> Fitted:
    """Tune trained weights; a run that was interrupted goes on where it stopped.

    Args:
        records: Clips with their truth, split as :func:`mmmsba_plugin.training.fit.fit` does.
        out: Folder of the new checkpoint; also keeps the state of the run.
        config: How it is tuned.
        checkpoint: What to start from; the default checkpoint if not given.
        cache: Where features are kept; the user's cache if not given.
        workers: Clips whose features are computed at a time.
        tuned_on: What the records are, in words, for the model card.
        progress: Whether to show a progress bar.
        on_clip: Called with each clip once its features are there, or with why not.

    Raises:
        CheckpointNotFoundError: There is nothing to start from.
        CheckpointError: It is damaged, or a front-end has changed since.
        TrainingError: Too few clips could be used, or ``out`` holds another run.
    """
    folder = checkpoint_folder(checkpoint)
    network, before = load_checkpoint(folder)
    require_versions(bind_front_ends(before.features), before.front_end_versions)
    origin = Origin(
        checkpoint=weights.name_of(folder),
        weights_sha256=weights_sha256(folder),
        trained_on=before.trained_on,
    )
    return fit(
        records,
        tuning(before, config or TuneConfig()),
        out,
        start=Start(network, origin),
        cache=cache,
        workers=workers,
        trained_on=f"{before.trained_on or 'not said'}; then tuned on {tuned_on or 'not said'}",
        progress=progress,
        on_clip=on_clip,
    )


def tuning(before: CheckpointConfig, config: TuneConfig) -> FitConfig:
    """Return the settings of a run that tunes a checkpoint: its own, but for what is given.

    Args:
        before: What the checkpoint says of itself.
        config: How it is tuned.
    """
    pace = config.model_dump(exclude={"calibration"})
    settings = settings_of(before)
    # Its data are named by who tunes it, and its thresholds chosen anew, as by default.
    return settings.model_copy(
        update={
            "train": settings.train.model_copy(update=pace),
            "calibration": config.calibration,
            "false_positive_rate": FitConfig.model_fields["false_positive_rate"].default,
            "trained_on": "",
        }
    )
