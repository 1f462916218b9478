"""``fill_video_metadata``: what the App needs to know of a video, without ffprobe."""

from ..settings import MetadataSettings
from ..tasks.metadata import MetadataTask
from .base import TaskOperator


class FillVideoMetadata(TaskOperator):
    """Fill metadata without ffprobe, and make copies of what no browser plays."""

    name = "fill_video_metadata"
    label = "Fill video metadata"
    description = "Without ffprobe; tags videos that no browser plays, and can copy them"
    settings = MetadataSettings
    task = MetadataTask
