"""``embed_forgeries``: embeddings of clips, similar clips, and a map of all."""

from ..settings import EmbedSettings
from ..tasks.embed import EmbedTask
from .base import TaskOperator


class EmbedClips(TaskOperator):
    """Embed clips by the detector, for the App's search by similarity and its map of embeddings."""

    name = "embed_forgeries"
    label = "Embed clips for similarity"
    description = "Find clips that look alike to the detector; see all in the panel Embeddings"
    settings = EmbedSettings
    task = EmbedTask
