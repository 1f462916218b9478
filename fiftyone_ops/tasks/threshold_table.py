"""Table of every threshold, from stored scores: clips called fake, segments, and true ones."""

from dataclasses import dataclass
from typing import Final

import fiftyone as fo
import numpy as np
from numpy.typing import NDArray

from ..dataset.labels import TRUTH_FIELD, Fields, stored_scores
from ..dataset.samples import Samples, flattened

#: Thresholds of the table.
THRESHOLDS: Final[NDArray[np.float64]] = np.linspace(0.0, 1.0, 201)


@dataclass(frozen=True, slots=True)
class ThresholdTable:
    """Counts of clips at each of :data:`THRESHOLDS`, arrays of its shape.

    Attributes:
        num_clips: Clips with a score.
        num_fake: Clips with a score that reaches it.
        num_segments: Segments of all clips at it.
        true_positives: Fake clips that are called fake.
        false_positives: Real clips that are called fake.
        num_true_fake: Clips with a score that the ground truth calls fake.
        num_true_real: Clips with a score that it calls real.
    """

    num_clips: int
    num_fake: NDArray[np.int64]
    num_segments: NDArray[np.int64]
    true_positives: NDArray[np.int64]
    false_positives: NDArray[np.int64]
    num_true_fake: int
    num_true_real: int


def threshold_table(
    samples: Samples, *, label_field: str = "forgeries", truth_field: str = TRUTH_FIELD
) -> ThresholdTable:
    """Compute what each threshold would make of the clips, from stored scores.

    Args:
        samples: A dataset or a view of videos.
        label_field: Field of the predictions.
        truth_field: Field of the ground truth; an empty one says real, one that is not set nothing.
    """
    fields = Fields(label_field)
    videos = flattened(samples).exists(f"{fields.verdict}.confidence")
    scores = np.array(videos.values(f"{fields.verdict}.confidence"), dtype=np.float64)
    truth = truth_labels(videos, truth_field)
    rises = np.zeros(THRESHOLDS.size + 1, dtype=np.int64)
    for curve in stored_scores(videos, fields):
        if curve is not None:
            rises += _rises(curve)
    return ThresholdTable(
        num_clips=scores.size,
        num_fake=_reaching(scores),
        num_segments=rises.cumsum()[:-1],
        true_positives=_reaching(scores[truth == 1]),
        false_positives=_reaching(scores[truth == 0]),
        num_true_fake=int((truth == 1).sum()),
        num_true_real=int((truth == 0).sum()),
    )


def truth_labels(videos: Samples, truth_field: str) -> NDArray[np.float64]:
    """Return the ground truth of each video: 1 for fake, 0 for real, NaN where nothing is known.

    Args:
        videos: A view of videos.
        truth_field: Field of the ground truth.

    Returns:
        Labels of shape ``(video,)``.
    """
    if not videos.has_field(truth_field):
        return np.full(len(videos), np.nan)
    lengths = videos.values(fo.ViewField(f"{truth_field}.detections").length())
    is_known = videos.values(fo.ViewField(truth_field).type() == "object")
    with_truth = np.array([bool(value) for value in is_known])
    return np.where(with_truth, np.array([float(bool(length)) for length in lengths]), np.nan)


def _reaching(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count the scores that reach each threshold."""
    return scores.size - np.searchsorted(np.sort(scores), THRESHOLDS, side="left")


def _rises(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count where a curve comes to reach thresholds, as differences from one to the next.

    From one snippet to a higher one, it comes to reach the thresholds above the first up to the
    second: at each of them a segment starts.
    """
    after = np.nan_to_num(scores, nan=-1.0)
    before = np.concatenate([[-1.0], after[:-1]])
    is_rise = after > before
    # The first threshold above the one, and the first above the other.
    low, high = (
        np.searchsorted(THRESHOLDS, values[is_rise], side="right") for values in (before, after)
    )
    size = THRESHOLDS.size + 1
    return np.bincount(low, minlength=size) - np.bincount(high, minlength=size)
