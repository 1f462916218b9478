"""Base of the visual front-ends: a vector for each frame, then rows on the grid."""

from abc import ABC, abstractmethod
from typing import cast

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.features.align import rows_on_grid, with_deviation
from mmmsba_plugin.schema import Media
from mmmsba_plugin.structures import AudioBlock, FaceCrop, FeatureRows, Frame
from mmmsba_plugin.timebase import Grid

#: After this long without a face, in seconds, the next one is not compared with the last.
_FORGET_S = 0.3


class PerFrame(ABC):
    """Describes each frame by itself and against the one before it.

    Rows are the means over a cell's frames, followed by their deviation from the clip's
    median, in units of the clip's own spread.
    """

    #: Length of the vector of one frame.
    num_values: int

    def __init__(self) -> None:
        self._vectors: list[NDArray[np.float32]] = []
        self._times_s: list[float] = []
        self._last: FaceCrop | None = None

    @property
    def dim(self) -> int:
        """Length of one vector."""
        return 2 * self.num_values

    def start(self, media: Media, grid: Grid) -> None:
        """Begin a clip whose rows shall lie on ``grid``."""
        self._grid = grid

    def add(self, observation: AudioBlock | FaceCrop | Frame) -> None:
        """Take in a face."""
        face = cast("FaceCrop", observation)
        last = self._last
        if last and (face.track != last.track or face.pts_s - last.pts_s > _FORGET_S):
            self._last = None
        self._vectors.append(self.describe(face))
        self._times_s.append(face.pts_s)
        self._last = face

    def finish(self, num_snippets: int) -> FeatureRows:
        """Return the rows of the clip, shape ``(num_snippets, dim)``."""
        vectors = np.array(self._vectors, dtype=np.float32).reshape(-1, self.num_values)
        times_s = np.array(self._times_s, dtype=np.float64)
        return with_deviation(rows_on_grid(vectors, times_s, self._grid, num_snippets))

    @abstractmethod
    def describe(self, face: FaceCrop) -> NDArray[np.float32]:
        """Return the vector of one frame, shape ``(num_values,)``.

        What an implementation remembers of the frame before, it must forget when
        ``self.fresh`` is true.
        """

    @property
    def fresh(self) -> bool:
        """True while the frame being described has none before it to compare with."""
        return self._last is None
