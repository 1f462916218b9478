"""Writes the model card that travels with the weights."""

from collections.abc import Iterator, Mapping, Sequence

from mmmsba_plugin.config import ModelConfig
from mmmsba_plugin.evaluation.metrics.bootstrap import wilson
from mmmsba_plugin.localization.calibrate import apply
from mmmsba_plugin.model.checkpoint import CheckpointConfig
from mmmsba_plugin.schema import ScoreThreshold
from mmmsba_plugin.training.recipe import recipe_lines, settings_of
from mmmsba_plugin.training.thresholds import FALSE_POSITIVE_RATES, clips_to_tell

_CARD = """\
---
library_name: mmmsba-plugin
tags: [deepfake-detection, audio-visual, temporal-localization]
---

# MMMS-BA checkpoint

Scores segments of a talking-face clip as fake, from its {modalities}.
{caution}
- **Learned from**: {trained_on}{tuned_from}
- **Clips**: {clips}
{ensemble}- **Preset**: {preset}, attention {attention}; snippets of {stride_s:g} s; {epochs}
  epochs, seed {seed}

## Measured

Only on the validation clips that also chose when to stop, the thresholds and the calibration,
so these metrics flatter. They are not a test result.

{metrics}

<!-- recipe: start -->
{recipe}
<!-- recipe: end -->

## What a score means

{calibration}

## From which score on

{default}

{thresholds}

## Not good for

- Evidence. A score is a reason to look, not a finding.
- Manipulations made in ways that it never saw, unless a table above says how it did on them.
- Faces less than 24 px high, faces in profile, several people at once.
"""

_CLIPS = "{num_train} to learn from, {num_validation} of other identities to stop by"
_CLIPS_OF_ENSEMBLE = (
    "at most {num_train} for a network to learn from; {num_validation} to stop by, each of "
    "identities that its network does not know"
)
_ENSEMBLE = """\
- **Networks**: an ensemble of {num}, each stopped by identities that it did not learn from.
  Metrics, thresholds and calibration below are of each clip as predicted by those networks that
  held it out; on a new clip all take part, which varies less.
"""
_KINDS = """\
  {kinds}.
  Each kind is averaged by itself, and shifted until 5 % of the real validation clips look fake to
  it. The most suspicious kind counts at each moment{ranking}.
"""
_KIND = "{num} learned from {clips}{read}"
_TRAINING_CLIPS = {
    "all": "all clips",
    "segments": "clips but those that are fake from end to end",
}
_RANKING = """;
  proposals are ranked by those that learned from no clip that is fake from end to end"""

_TUNED_FROM = """
- **Tuned from**: the checkpoint `{checkpoint}`, whose weights have the SHA-256 `{weights_sha256}`;
  statistics, front-ends and loss are its own{frozen}"""
_FROZEN = ", and so are the encoders"

_PROBABILITY = """\
P(fake), by {how}, fitted to the highest snippet of each of the {num} validation clips. Of
those {share} are fake: where fakes are rarer than that, a score says too much. The
calibration errors above are in-sample, measured on the clips that the curve was fitted to.
"""
_HOW = {
    "temperature": "`(log-odds + {shift:.3f}) / {temperature:.3f}` of the network's own score",
    "isotonic": "an isotonic curve of {num_blocks} blocks over the network's own score",
}

_NO_PROBABILITY = """\
Scores are not calibrated{why}. A higher one is more suspicious, none is a probability.
"""

_DEFAULT = "{threshold} unless another threshold is asked for; chosen for {rate}."

_THRESHOLDS = """\
| false-positive rate | probability | real clips flagged | 95 % interval | fake clips flagged |
|---|---|---|---|---|
{rows}

Each threshold was chosen and counted on the same {num_real} real validation clips. On other
clips alike, the rate lies about where the interval says; it takes clips for independent, which
those of one identity are not, so it is too narrow. On clips of another kind nothing is promised.
"""

_LEFT_OUT = """\
There is no threshold for {rate}: it takes {needed} real validation clips to see one in
{needed} go wrong, and there were {num_real}.
"""
_TIED = """\
There is no threshold for {rate}: more of the {num_real} real validation clips than that have
the highest score there is.
"""


def write_card(config: CheckpointConfig) -> str:
    """Write the model card of a checkpoint, Markdown."""
    num, training, origin, curve = (
        len(config.members),
        config.training,
        config.tuned_from,
        config.calibration,
    )
    tuned_from = ""
    if origin is not None:
        tuned_from = _TUNED_FROM.format(
            checkpoint=origin.checkpoint,
            weights_sha256=origin.weights_sha256,
            frozen=_FROZEN if training.get("freeze_encoders") else "",
        )
    if curve.method == "none":
        reason = f": {curve.reason}" if curve.reason else ""
        calibration = _NO_PROBABILITY.format(why=reason)
    else:
        num_clips, num_real = training["num_validation"], training["num_validation_real"]
        formula = _HOW[curve.method].format(
            shift=curve.shift, temperature=curve.temperature, num_blocks=len(curve.scores)
        )
        share = _percent(1 - num_real / num_clips)
        calibration = _PROBABILITY.format(how=formula, num=num_clips, share=share)
    rate = config.score_threshold.false_positive_rate
    return _CARD.format(
        modalities=", ".join(config.modalities),
        caution=f"\n**{config.caution}**\n" if config.caution else "",
        trained_on=config.trained_on or "not said",
        tuned_from=tuned_from,
        clips=(_CLIPS if num == 1 else _CLIPS_OF_ENSEMBLE).format(**training),
        ensemble=_ensemble(config),
        preset=training["preset"],
        epochs=training["epochs"],
        seed=training["seed"],
        attention=" and ".join(dict.fromkeys(m.attention for m in config.members)),
        stride_s=config.features.stride_s,
        metrics="\n".join(_metrics(config.metrics)),
        recipe="\n".join(recipe_lines(settings_of(config))),
        calibration=calibration.strip(),
        default=_DEFAULT.format(
            threshold=_format_threshold(config, config.score_threshold),
            rate="no stated rate" if rate is None else f"a false-positive rate of {_percent(rate)}",
        ),
        thresholds="\n".join(_thresholds(config)).strip(),
    )


def _ensemble(config: CheckpointConfig) -> str:
    """Format the ensemble and its kinds of networks; empty for a single network."""
    if len(config.members) == 1:
        return ""
    of_kind: dict[tuple[str, ...], list[ModelConfig]] = {}
    for member in config.members:
        of_kind.setdefault(member.kind, []).append(member)
    kinds = ""
    if len(of_kind) > 1:
        sources = {member.learns_from for member in config.members}
        kinds = _KINDS.format(
            kinds=", and ".join(map(_kind, of_kind.values())),
            ranking=_RANKING if len(sources) > 1 else "",
        )
    return _ENSEMBLE.format(num=len(config.members)) + kinds


def _kind(members: Sequence[ModelConfig]) -> str:
    """Format the networks of one kind."""
    reads = members[0].modalities
    return _KIND.format(
        num=len(members),
        clips=_TRAINING_CLIPS[members[0].learns_from],
        read=f", by {' and '.join(reads)} alone" if reads else "",
    )


def _metrics(metrics: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """Yield the table of what was measured, and of what was before tuning, line by line."""
    now, before = metrics["validation"], metrics.get("validation_before")
    if before is None:
        yield from ("| what | value |", "|---|---|")
        yield from (f"| {name} | {value:.3f} |" for name, value in now.items())
        return
    yield from ("| what | before tuning | after |", "|---|---|---|")
    for name, value in now.items():
        was = f"{before[name]:.3f}" if name in before else "none"
        yield f"| {name} | {was} | {value:.3f} |"


def _thresholds(config: CheckpointConfig) -> Iterator[str]:
    """Yield the table of thresholds, and for each rate without one why it has none."""
    num_real, metrics = config.training["num_validation_real"], config.metrics.get("validation", {})
    rows = {}
    for threshold in config.score_thresholds:
        rate = threshold.false_positive_rate or 0.0
        num_flagged = round(metrics[f"clip_false_positive_rate@{rate:g}"] * num_real)
        interval = wilson(num_flagged, num_real)
        cells = (
            _percent(rate),
            _format_threshold(config, threshold),
            f"{num_flagged} of {num_real}",
            f"{_percent(interval.low, 1)} to {_percent(interval.high, 1)}",
            _percent(metrics[f"clip_true_positive_rate@{rate:g}"]),
        )
        rows[threshold.false_positive_rate] = f"| {' | '.join(cells)} |"
    if rows:
        yield _THRESHOLDS.format(rows="\n".join(rows.values()), num_real=num_real)
    for rate in FALSE_POSITIVE_RATES:
        if rate not in rows:
            needed = clips_to_tell(rate)
            why = _TIED if num_real >= needed else _LEFT_OUT
            yield why.format(rate=_percent(rate), needed=needed, num_real=num_real)


def _format_threshold(config: CheckpointConfig, threshold: ScoreThreshold) -> str:
    """Return a threshold as reports show it."""
    return f"{apply(config.calibration, threshold.value):.3f}"


def _percent(share: float, places: int = 0) -> str:
    return f"{100 * share:.{places}f} %"
