"""Writes the model card that travels with the weights."""

from mmmsba_plugin.model.checkpoint import CheckpointConfig

_CARD = """\
---
library_name: mmmsba-plugin
tags: [deepfake-detection, audio-visual, temporal-localization]
---

# MMMS-BA checkpoint

Scores stretches of a talking-face clip as forged, from its {modalities}.

- **Learned from**: {trained_on}
- **Clips**: {num_train} to learn from, {num_validation} of other people to stop by
- **Preset**: {preset}, attention {attention}; snippets of {stride_s:g} s; {epochs} epochs,
  seed {seed}

## Measured

Only on the validation clips that also chose when to stop and where to draw the lines, so
these figures flatter. They are not a test result.

{metrics}

## Not good for

- Evidence. A score is a reason to look, not a finding.
- Forgeries made in ways that it never saw; nothing is known about those.
- Faces less than 24 px high, faces in profile, several people at once.
"""


def write_card(config: CheckpointConfig) -> str:
    """Return the model card of a checkpoint, Markdown."""
    rows = [f"| {name} | {value:.3f} |" for name, value in config.metrics["validation"].items()]
    return _CARD.format(
        modalities=", ".join(config.model.dims),
        trained_on=config.trained_on or "not said",
        num_train=config.training["num_train"],
        num_validation=config.training["num_validation"],
        preset=config.training["preset"],
        epochs=config.training["epochs"],
        seed=config.training["seed"],
        attention=config.model.attention,
        stride_s=config.features.stride_s,
        metrics="\n".join(["| what | value |", "|---|---|", *rows]),
    )
