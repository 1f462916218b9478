"""``fill_video_metadata`` and ``make_videos_playable``: what the App needs to draw each video."""

from typing import Any

from ..settings import MetadataSettings, PlayableSettings
from ..tasks.metadata import MetadataTask
from .base import TaskOperator


class FillVideoMetadata(TaskOperator):
    """Fill metadata without ffprobe, and make copies of what no browser plays."""

    name = "fill_video_metadata"
    label = "Fill video metadata"
    description = "Without ffprobe; tags videos that no browser plays, and can copy them"
    settings = MetadataSettings
    task = MetadataTask


class MakeVideosPlayable(TaskOperator):
    """Show a copy of each video that no browser plays, and a still of what has no frames.

    It asks nothing, so that one click is enough, also where the grid is down.
    """

    name = "make_videos_playable"
    label = "Make videos playable"
    description = "Shows copies of the videos that no browser plays, and stills of unreadable ones"
    settings = PlayableSettings

    def resolve_input(self, ctx: Any) -> None:
        """Return no form, so that the App executes at once."""

    def make_task(self, ctx: Any) -> MetadataTask:
        """Make the task, of the whole dataset."""
        return MetadataTask(ctx.dataset, MetadataSettings(proxies=True))
