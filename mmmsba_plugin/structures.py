"""Structures between stages: frames, audio, faces, and rows of vectors.

A front-end from another distribution receives and returns exactly these, so they are part
of the stable interface. They are plain frozen records of arrays; the arrays are not copied
and must not be written to.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import FeatureError, ShapeError
from mmmsba_plugin.schema import OptOut
from mmmsba_plugin.timebase import Grid

#: An RGB image, shape ``(height, width, 3)``.
Rgb = NDArray[np.uint8]

_NUM_AXES = 2


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded video image, upright.

    Attributes:
        pts_s: Its presentation time from the clip's zero, in seconds.
        rgb: uint8, shape ``(height, width, 3)``, possibly scaled down while decoding.
    """

    pts_s: float
    rgb: Rgb

    def __repr__(self) -> str:
        height, width = self.rgb.shape[:2]
        return f"Frame(pts_s={self.pts_s:.3f}, {width}x{height})"


@dataclass(frozen=True, slots=True, eq=False)
class AudioBlock:
    """A run of mono audio samples without a gap.

    Attributes:
        start_s: Start of its first sample, from the clip's zero, in seconds.
        samples: PCM in [-1, 1], shape ``(sample,)``, float32.
        sample_rate_hz: Sample rate, in Hz.
    """

    start_s: float
    samples: NDArray[np.float32]
    sample_rate_hz: int

    def __repr__(self) -> str:
        rate_hz = self.sample_rate_hz
        return f"AudioBlock(start_s={self.start_s:.3f}, {self.samples.size} at {rate_hz} Hz)"


@dataclass(frozen=True, slots=True, eq=False)
class FaceCrop:
    """One face cropped from one frame, steadily from frame to frame.

    Attributes:
        pts_s: Presentation time of the frame, in seconds.
        track: Number of the person's face track, from 0.
        face: The whole face, eyes level and at a fixed place, shape ``(128, 128, 3)``.
        lips: The mouth, cut by the same rigid points, shape ``(64, 96, 3)``.
        points: The 468 points of the face mesh in the pixels of ``face``, shape
            ``(468, 2)``: a head that moves leaves them still, a mouth that moves does not.
        native: The box around the face as it stands in the decoded frame, not resampled,
            shape ``(height, width, 3)``: what detail there is, is here.
        to_native: Affine map from the pixels of ``face`` to those of ``native``, shape
            ``(2, 3)``.
        to_face: Affine map from the pixels of the decoded frame to those of ``face``,
            shape ``(2, 3)``.
        box_xyxy_px: The face's box in the pixels of the decoded frame.
        confidence: How sure the mesh is that a face is there, in [0, 1].
    """

    pts_s: float
    track: int
    face: Rgb
    lips: Rgb
    points: NDArray[np.float32]
    native: Rgb
    to_native: NDArray[np.float64]
    to_face: NDArray[np.float64]
    box_xyxy_px: tuple[float, float, float, float]
    confidence: float

    @property
    def height_px(self) -> float:
        """Height of the face in the decoded frame."""
        return self.box_xyxy_px[3] - self.box_xyxy_px[1]

    def __repr__(self) -> str:
        return f"FaceCrop(pts_s={self.pts_s:.3f}, track={self.track}, {self.height_px:.0f} px)"


@dataclass(frozen=True, slots=True, eq=False)
class FeatureRows:
    """One modality of one clip as rows of vectors, one a snippet.

    Attributes:
        values: Shape ``(snippet, feature)``, float32, finite; zeros where not present.
        present: True where the modality was observed, shape ``(snippet,)``.

    Raises:
        ShapeError: The shapes disagree.
        FeatureError: A value is not finite.
    """

    values: NDArray[np.float32]
    present: NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.values.ndim != _NUM_AXES or self.present.shape != self.values.shape[:1]:
            raise ShapeError(
                "feature rows need values of shape (snippet, feature) and present of shape "
                f"(snippet,), got {self.values.shape} and {self.present.shape}",
                shape=self.values.shape,
            )
        if not np.isfinite(self.values).all():
            raise FeatureError("feature rows hold NaN or infinity; set those rows to not present")

    @property
    def dim(self) -> int:
        """Length of one vector."""
        return int(self.values.shape[1])

    def __len__(self) -> int:
        return int(self.values.shape[0])

    def __repr__(self) -> str:
        shape = f"{len(self)} x {self.dim}"
        return f"FeatureRows({shape}, {self.present.mean() if len(self) else 0:.0%} present)"


@dataclass(frozen=True, slots=True, eq=False)
class ClipFeatures:
    """The features of one clip, all that a model gets of it.

    Attributes:
        grid: Grid of the snippets in time.
        end_s: End of the clip, in seconds; the last cell may reach beyond.
        rows: The rows of each modality; all have the same number of snippets.
        opt_outs: For each modality, the segments that could not be evaluated, and why.
        warnings: Sentences about the input for whoever reads the report.
    """

    grid: Grid
    end_s: float
    rows: dict[str, FeatureRows]
    opt_outs: dict[str, tuple[OptOut, ...]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def num_snippets(self) -> int:
        """Number of snippets of the clip."""
        return self.grid.num_snippets(self.end_s)
