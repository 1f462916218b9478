"""``fill_video_metadata``: what the App needs to know of a video, without ffprobe."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

from .. import forms, versions
from ..progress import Counted
from ..samples import Samples
from ..settings import MetadataSettings
from ..tasks.metadata import Copying, Filled, Filling, Proxies
from .base import STEP_BY_STEP, OnSamples, carry_out


class FillVideoMetadata(OnSamples):
    """Fills metadata without ffprobe, and makes copies of what no browser plays."""

    name = "fill_video_metadata"
    label = "Fill video metadata"
    description = "Without ffprobe; tags videos that no browser plays, and can copy them"
    settings = MetadataSettings
    options = STEP_BY_STEP

    def execute(self, ctx: Any) -> dict[str, Any] | Iterator[Any]:
        """Fill it in."""
        versions.require_fit()
        run = _Both(forms.target_of(ctx), forms.read(ctx.params, MetadataSettings))
        return carry_out(ctx, run, last=ctx.ops.reload_dataset)


@dataclass(slots=True)
class _Results:
    """Metadata that were filled, and copies that were made if that was asked for."""

    filled: Filled
    proxies: Proxies | None = None

    def __str__(self) -> str:
        return f"{self.filled}; {self.proxies}" if self.proxies else str(self.filled)

    def to_dict(self) -> dict[str, Any]:
        values = self.filled.to_dict()
        if self.proxies:
            values |= {
                "proxies": self.proxies.num_copied,
                "without_proxy": dict(self.proxies.failed),
            }
        return values


class _Both:
    """Fills metadata, and then makes copies of what turned out to be not playable."""

    def __init__(self, samples: Samples, settings: MetadataSettings) -> None:
        self._samples, self._settings = samples, settings
        self._filling = Filling(samples, overwrite=settings.overwrite)
        self.summary = _Results(self._filling.summary)

    def steps(self) -> Generator[Counted, None, None]:
        yield from self._filling.steps()
        if self._settings.proxies:
            copying = Copying(self._samples, self._settings.proxies_folder)
            self.summary.proxies = copying.summary
            yield from copying.steps()
