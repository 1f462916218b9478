"""``export_forgeries``: reports, clips of segments, or a dataset to train on."""

from collections.abc import Iterator
from typing import Any

from .. import forms, versions
from ..settings import ExportSettings
from ..tasks.export import Export
from .base import STEP_BY_STEP, OnSamples, carry_out


class ExportForgeries(OnSamples):
    """Writes what was found or decided to a folder."""

    name = "export_forgeries"
    label = "Export forgeries"
    description = "Reports, clips of the segments, or a dataset in LAV-DF's layout"
    settings = ExportSettings

    options = STEP_BY_STEP

    def execute(self, ctx: Any) -> dict[str, Any] | Iterator[Any]:
        """Write."""
        versions.require_fit()
        run = Export(forms.target_of(ctx), forms.read(ctx.params, ExportSettings))
        return carry_out(ctx, run)
