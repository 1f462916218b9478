"""``export_forgeries``: reports, clips of segments, or a corpus to train on."""

from typing import Any

from .. import forms, versions
from ..export import export
from ..settings import ExportSettings
from .base import OnSamples


class ExportForgeries(OnSamples):
    """Writes what was found or decided to a folder."""

    name = "export_forgeries"
    label = "Export forgeries"
    description = "Reports, clips of the segments, or a corpus in LAV-DF's layout"
    settings = ExportSettings

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Write."""
        versions.require_fit()
        settings = forms.read(ctx.params, ExportSettings)
        samples = forms.target_of(ctx)
        total = max(1, samples.count())

        def tell(done: int) -> None:
            ctx.set_progress(progress=done / total, label=f"{done} of {total} videos")

        told = export(samples, on_progress=tell, **settings.model_dump())
        return {"folder": str(told.folder), "written": told.written, "failed": told.failed}
