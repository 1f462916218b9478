"""Front-ends ``face-embedding`` and ``lips-embedding``: texture, and an image encoder's view.

Texture by hand tells a mouth that was pasted; what generators leave, a network that was trained
on photographs responds to more widely. It looks at every second frame or so, since most of the
time goes into it.
"""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, cast

import numpy as np
from pydantic import Field

from mmmsba_plugin.config import Config
from mmmsba_plugin.features.align import rows_on_grid, with_deviation
from mmmsba_plugin.features.embeddings.image import NUM_VALUES, image_embeddings
from mmmsba_plugin.features.face import FaceTexture, FaceTextureConfig
from mmmsba_plugin.features.lips import LipsTexture, LipsTextureConfig
from mmmsba_plugin.features.per_frame import PerFrame
from mmmsba_plugin.schema import Media
from mmmsba_plugin.structures import AudioBlock, FaceCrop, FeatureRows, Frame, Rgb
from mmmsba_plugin.timebase import Grid
from mmmsba_plugin.tracks.crop import crop_region

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Images that the encoder takes at a time. Responses to more than these are larger than what the C
#: library keeps for its next use, and the system would hand out each page anew.
_BATCH = 8


class EmbeddingConfig(Config):
    """Settings of a front-end with an image encoder."""

    every_s: float = Field(
        default=0.06, ge=0, description="Shortest time between two embedded frames, in seconds."
    )
    size_px: int = Field(
        default=160, ge=32, le=320, description="Side of the embedded region, in pixels."
    )


class Embedded(ABC):
    """A texture front-end and an image encoder that looks at a region of the same face.

    Rows hold those of the texture, then the means of the embeddings over a cell's frames, then
    their deviation from the clip's median, in units of the clip's own spread.
    """

    #: Middle of the region, from the point between the eyes, and half its side, both in
    #: distances between the eyes' middles.
    center: tuple[float, float]
    half: float

    def __init__(self, config: EmbeddingConfig) -> None:
        self.config = config
        self._texture = self.texture()

    @property
    def dim(self) -> int:
        """Length of one vector."""
        return self._texture.dim + 2 * NUM_VALUES

    @abstractmethod
    def texture(self) -> PerFrame:
        """Return the front-end whose rows come first."""

    def start(self, media: Media, grid: Grid) -> None:
        """Begin a clip whose rows shall lie on ``grid``."""
        self._texture.start(media, grid)
        self._grid = grid
        self._times_s: list[float] = []
        self._pending: list[Rgb] = []
        self._embeddings: list[NDArray[np.float32]] = []

    def add(self, observation: AudioBlock | FaceCrop | Frame) -> None:
        """Take in a face."""
        face = cast("FaceCrop", observation)
        self._texture.add(face)
        if self._times_s and face.pts_s - self._times_s[-1] < self.config.every_s:
            return
        self._times_s.append(face.pts_s)
        self._pending.append(crop_region(face, self.center, self.half, self.config.size_px))
        if len(self._pending) == _BATCH:
            self._embed()

    def finish(self, num_snippets: int) -> FeatureRows:
        """Return the rows of the clip, shape ``(num_snippets, dim)``."""
        if self._pending:
            self._embed()
        texture = self._texture.finish(num_snippets)
        values = np.concatenate([np.zeros((0, NUM_VALUES), np.float32), *self._embeddings])
        rows = rows_on_grid(values, np.array(self._times_s), self._grid, num_snippets)
        embedded = with_deviation(rows)
        present = texture.present & embedded.present
        both = np.concatenate([texture.values, embedded.values], axis=1)
        return FeatureRows(np.where(present[:, None], both, np.float32(0)), present)

    def _embed(self) -> None:
        self._embeddings.append(image_embeddings(np.stack(self._pending)))
        self._pending.clear()


class LipsEmbedding(Embedded):
    """Texture of the mouth, and the embedding of the lower face from the nose to the chin."""

    center, half = (0.0, 1.0), 0.95

    def texture(self) -> PerFrame:
        """Return the front-end ``lips-texture``."""
        return LipsTexture(LipsTextureConfig())


class FaceEmbedding(Embedded):
    """Texture of the face, and the embedding of the whole face with its border."""

    center, half = (0.0, 0.45), 1.25

    def texture(self) -> PerFrame:
        """Return the front-end ``face-texture``."""
        return FaceTexture(FaceTextureConfig())
