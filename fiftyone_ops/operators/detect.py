"""``detect_forgeries``: the detector, from the App's grid."""

from collections.abc import Iterator
from typing import Any

from fiftyone.operators import types

from mmmsba_plugin.errors import MmmsbaError

from .. import forms, versions
from ..labels import Fields
from ..samples import has_videos
from ..settings import DetectSettings
from ..tasks.detect import Annotation
from .base import STEP_BY_STEP, OnSamples, carry_out


class DetectForgeries(OnSamples):
    """Judges videos and writes what is said about them as labels."""

    name = "detect_forgeries"
    label = "Detect forgeries"
    description = "Say how likely each video is fake, where, and in which modality"
    settings = DetectSettings
    options = {"icon": "/assets/detect.svg", **STEP_BY_STEP}  # noqa: RUF012

    def resolve_placement(self, ctx: Any) -> Any:
        """Put a button above the grid."""
        button = types.Button(label=self.label, icon="/assets/detect.svg", prompt=True)
        return types.Placement(types.Places.SAMPLES_GRID_SECONDARY_ACTIONS, button)

    def resolve_input(self, ctx: Any) -> Any:
        """Return the form."""
        inputs = types.Object()
        if why := versions.why_unfit():
            forms.refuse(inputs, "unfit", why)
            return types.Property(inputs, view=types.View(label=self.label))
        if why := _why_not(ctx):
            forms.refuse(inputs, "not_here", why)
        forms.ask_target(ctx, inputs)
        hidden = () if _ran_before(ctx) else ("existing",)
        forms.ask(inputs, DetectSettings, choices={"detector": _detectors()}, leave_out=hidden)
        _warn_of_weights(ctx, inputs)
        return types.Property(inputs, view=types.View(label=self.label))

    def execute(self, ctx: Any) -> dict[str, Any] | Iterator[Any]:
        """Run: step by step for the App, and for anybody else in one go, with a result."""
        versions.require_fit()
        run = Annotation(forms.target_of(ctx), forms.read(ctx.params, DetectSettings))
        return carry_out(ctx, run, last=ctx.ops.reload_dataset)


def _detectors() -> list[str]:
    from mmmsba_plugin.plugins import entries

    return [offer.name for offer in entries("detectors") if offer.entry]


def _ran_before(ctx: Any) -> bool:
    field = ctx.params.get("label_field") or DetectSettings().label_field
    return Fields(field).verdict in ctx.dataset.get_field_schema()


def _why_not(ctx: Any) -> str:
    if has_videos(ctx.dataset):
        return ""
    return (
        f"{ctx.dataset.name!r} holds no videos but samples of media type "
        f"{ctx.dataset.media_type!r}; open a dataset of videos, or of groups with videos in them"
    )


def _warn_of_weights(ctx: Any, inputs: Any) -> None:
    """Warn at once that there are no weights, and not once the form is sent."""
    from mmmsba_plugin.detector import checkpoint_folder

    if ctx.params.get("checkpoint") or ctx.params.get("detector") not in (None, "mmms-ba"):
        return
    try:
        checkpoint_folder(None)
    except MmmsbaError:
        forms.warn(
            inputs,
            "no_weights",
            "There are no weights here: name the folder of a checkpoint that `mmmsba train` "
            "wrote, or set MMMSBA_WEIGHTS before the App starts.",
        )
