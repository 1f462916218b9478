"""``detect_forgeries``: the detector, from the App's grid."""

import json
from contextlib import suppress
from typing import Any

from fiftyone.operators import types

from mmmsba_plugin.errors import MmmsbaError
from mmmsba_plugin.plugins import entries

from ..dataset.labels import Fields
from ..dataset.metadata import PLAYABLE_PATH, UNPLAYABLE, UNREADABLE
from ..settings import DetectSettings
from ..tasks.detect import DetectTask
from . import forms
from .base import TaskOperator

_ICON = "/assets/detect.svg"


class DetectForgeries(TaskOperator):
    """Detect fakes in videos, and write the reports as labels."""

    name = "detect_forgeries"
    label = "Detect forgeries"
    description = "Say how likely each video is fake, where, and in which modality"
    settings = DetectSettings
    task = DetectTask
    options = {"icon": _ICON, **TaskOperator.options}  # noqa: RUF012

    def resolve_placement(self, ctx: Any) -> Any:
        """Put a button above the grid."""
        button = types.Button(label=self.label, icon=_ICON, prompt=True)
        return types.Placement(types.Places.SAMPLES_GRID_SECONDARY_ACTIONS, button)

    def ask(self, ctx: Any, inputs: Any) -> None:
        """Add the questions of the form, and what to know before it is sent."""
        forms.ask_target(ctx, inputs)
        if PLAYABLE_PATH not in ctx.dataset.get_field_schema() and ctx.dataset.match_tags(
            [UNPLAYABLE, UNREADABLE]
        ):
            forms.warn(
                inputs,
                "unplayable",
                "Some videos of this dataset cannot be shown here, and may take the grid down: run "
                "“Make videos playable”.",
            )
        field = ctx.params.get("label_field") or DetectSettings().label_field
        ran_before = Fields(field).verdict in ctx.dataset.get_field_schema()
        detectors = [offer.name for offer in entries("detectors") if offer.entry]
        forms.ask(
            inputs,
            DetectSettings,
            choices={"detector": detectors},
            leave_out=() if ran_before else ("existing",),
        )
        if ctx.params.get("detector") in (None, "mmms-ba"):
            _warn_of_weights(inputs, ctx.params.get("checkpoint"))


def _warn_of_weights(inputs: Any, checkpoint: str | None) -> None:
    """Say at once that there are no weights, or what to know of their scores."""
    from mmmsba_plugin.weights import checkpoint_folder

    try:
        folder = checkpoint_folder(checkpoint or None)
    except MmmsbaError:
        forms.warn(
            inputs,
            "no_weights",
            "There are no weights here: name the folder of a checkpoint that `mmmsba train` "
            "wrote, or set MMMSBA_WEIGHTS before the App starts.",
        )
        return
    # Not by the reader of checkpoints, which loads PyTorch; it checks them once the form is sent.
    with suppress(OSError, ValueError, AttributeError):
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if caution := config.get("caution"):
            forms.warn(inputs, "caution", caution)
