"""``fill_video_metadata``: what the App needs to know of a video, without ffprobe."""

from typing import Any

from .. import forms, versions
from ..metadata import fill_metadata
from ..proxies import make_proxies
from ..settings import MetadataSettings
from .base import OnSamples


class FillVideoMetadata(OnSamples):
    """Fills metadata without ffprobe, and makes copies of what no browser plays."""

    name = "fill_video_metadata"
    label = "Fill video metadata"
    description = "Without ffprobe; tags videos that no browser plays, and can copy them"
    settings = MetadataSettings

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Fill it in."""
        versions.require_fit()
        settings = forms.read(ctx.params, MetadataSettings)
        samples = forms.target_of(ctx)

        def tell(done: int, total: int) -> None:
            ctx.set_progress(progress=done / total, label=f"{done} of {total} videos")

        filled = fill_metadata(samples, overwrite=settings.overwrite, on_progress=tell)
        result = {
            "filled": filled.filled,
            "unplayable": dict(filled.unplayable),
            "unreadable": dict(filled.unreadable),
        }
        if settings.proxies:
            made = make_proxies(samples, settings.proxies_folder, on_progress=tell)
            result |= {"proxies": made.made, "without_proxy": dict(made.failed)}
        ctx.ops.reload_dataset()
        return result
