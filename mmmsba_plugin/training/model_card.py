"""Writes the model card that travels with the weights."""

from collections.abc import Iterator, Mapping

from mmmsba_plugin.config import Calibration
from mmmsba_plugin.evaluation.metrics.bootstrap import wilson
from mmmsba_plugin.localization.calibrate import apply
from mmmsba_plugin.model.checkpoint import CheckpointConfig
from mmmsba_plugin.schema import ScoreThreshold
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

Only on the validation clips that also chose when to stop, where to draw the lines and what
scores mean, so these figures flatter. They are not a test result.

{metrics}

## What a score means

{calibration}

## From which score on

{default}

{lines}

## Not good for

- Evidence. A score is a reason to look, not a finding.
- Forgeries made in ways that it never saw, unless a table above says how it did on them.
- Faces less than 24 px high, faces in profile, several people at once.
"""

_CLIPS = "{num_train} to learn from, {num_validation} of other people to stop by"
_CLIPS_OF_ENSEMBLE = (
    "at most {num_train} for a network to learn from; {num_validation} to stop by, each of people "
    "that its network does not know"
)
_ENSEMBLE = """\
- **Networks**: {num} that answer as one, each stopped by people that it did not learn from.
  Figures, lines and the meaning of scores below are of each clip as judged by those networks that
  held it out; on a new clip all are averaged, which varies less
"""

_TUNED_FROM = """
- **Tuned from**: the checkpoint `{checkpoint}`, whose weights have the SHA-256 `{weights_sha256}`;
  statistics, front-ends and loss are its own{frozen}"""
_FROZEN = ", and so are the encoders"

_PROBABILITY = """\
P(fake), by {how}, fitted to the highest snippet of each of the {num} validation clips. Of
those {share} are fake: where forgeries are rarer than that, a score says too much. The
calibration errors above are in-sample, measured on the clips that the curve was fitted to.
"""
_HOW = {
    "temperature": "`(log-odds + {shift:.3f}) / {temperature:.3f}` of the network's own score",
    "isotonic": "an isotonic curve of {num_blocks} blocks over the network's own score",
}

_NO_PROBABILITY = """\
Scores are not calibrated{why}. A higher one is more suspicious, none is a probability.
"""

_LINES = """\
| false positives asked for | score | real clips flagged | 95 % interval | fake clips flagged |
|---|---|---|---|---|
{rows}

Each line was drawn and counted on the same {num_real} real validation clips. On other
clips alike, the rate lies about where the interval says; it takes clips for independent, which
those of one person are not, so it is too narrow. On clips of another kind nothing is promised.
"""

_LEFT_OUT = """\
There is no line for {rate}: it takes {needed} real validation clips to see one in
{needed} go wrong, and there were {num_real}.
"""
_TIED = """\
There is no line for {rate}: more of the {num_real} real validation clips than that have
the highest score there is.
"""


def write_card(config: CheckpointConfig) -> str:
    """Return the model card of a checkpoint, Markdown."""
    num = len(config.members)
    return _CARD.format(
        modalities=", ".join(config.modalities),
        caution=f"\n**{config.caution}**\n" if config.caution else "",
        trained_on=config.trained_on or "not said",
        tuned_from=_tuned_from(config),
        clips=(_CLIPS if num == 1 else _CLIPS_OF_ENSEMBLE).format(**config.training),
        ensemble=_ENSEMBLE.format(num=num) if num > 1 else "",
        preset=config.training["preset"],
        epochs=config.training["epochs"],
        seed=config.training["seed"],
        attention=" and ".join(dict.fromkeys(m.attention for m in config.members)),
        stride_s=config.features.stride_s,
        metrics="\n".join(_metrics(config.metrics)),
        calibration=_meaning(config).strip(),
        default=_default(config),
        lines="\n".join(_lines(config)).strip(),
    )


def _tuned_from(config: CheckpointConfig) -> str:
    if config.tuned_from is None:
        return ""
    origin = config.tuned_from.model_dump(include={"checkpoint", "weights_sha256"})
    frozen = _FROZEN if config.training.get("freeze_encoders") else ""
    return _TUNED_FROM.format(**origin, frozen=frozen)


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


def _meaning(config: CheckpointConfig) -> str:
    curve = config.calibration
    if curve.method == "none":
        return _NO_PROBABILITY.format(why=f": {curve.reason}" if curve.reason else "")
    num, num_real = (config.training[f"num_validation{of}"] for of in ("", "_real"))
    return _PROBABILITY.format(how=_how(curve), num=num, share=_percent(1 - num_real / num))


def _how(curve: Calibration) -> str:
    return _HOW[curve.method].format(
        shift=curve.shift, temperature=curve.temperature, num_blocks=len(curve.scores)
    )


def _default(config: CheckpointConfig) -> str:
    rate = config.score_threshold.false_positive_rate
    why = (
        "for no stated rate of false positives" if rate is None else f"for {_percent(rate)} of them"
    )
    threshold = _format_threshold(config, config.score_threshold)
    return f"{threshold} unless another line is asked for; drawn {why}."


def _lines(config: CheckpointConfig) -> Iterator[str]:
    """Yield the table of lines, and for each rate without one why it has none."""
    num_real = config.training["num_validation_real"]
    if config.score_thresholds:
        rows = "\n".join(_row(config, line) for line in config.score_thresholds)
        yield _LINES.format(rows=rows, num_real=num_real)
    there = {line.false_positive_rate for line in config.score_thresholds}
    for rate in FALSE_POSITIVE_RATES:
        if rate not in there:
            needed = clips_to_tell(rate)
            why = _TIED if num_real >= needed else _LEFT_OUT
            yield why.format(rate=_percent(rate), needed=needed, num_real=num_real)


def _row(config: CheckpointConfig, line: ScoreThreshold) -> str:
    rate, num_real = line.false_positive_rate or 0.0, config.training["num_validation_real"]
    metrics = config.metrics["validation"]
    num_flagged = round(metrics[f"clip_false_positive_rate@{rate:g}"] * num_real)
    around = wilson(num_flagged, num_real)
    cells = (
        _percent(rate),
        _format_threshold(config, line),
        f"{num_flagged} of {num_real}",
        f"{_percent(around.low, 1)} to {_percent(around.high, 1)}",
        _percent(metrics[f"clip_true_positive_rate@{rate:g}"]),
    )
    return f"| {' | '.join(cells)} |"


def _format_threshold(config: CheckpointConfig, line: ScoreThreshold) -> str:
    """Return a line as reports show it."""
    return f"{apply(config.calibration, line.value):.3f}"


def _percent(share: float, places: int = 0) -> str:
    return f"{100 * share:.{places}f} %"
