"""Average precision of the segments at every threshold, from stored scores: no network runs.

From Python, without the App::

    from fiftyone_ops.tasks.threshold_precision import StoredPredictions

    StoredPredictions.read(dataset).average_precisions()
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from fiftyone import ViewField as F
from numpy.typing import NDArray

from mmmsba_plugin.evaluation.metrics.localization import match
from mmmsba_plugin.evaluation.tables import SpanTable, offsets_of
from mmmsba_plugin.localization.proposals import long_enough, runs_of
from mmmsba_plugin.record import truth_by_modality
from mmmsba_plugin.segment import Spans, as_spans

from ..dataset.clock import lazily
from ..dataset.labels import TRUTH_FIELD, Fields, seconds_of, stored_scores
from ..dataset.samples import Samples, flattened
from .threshold_table import THRESHOLDS

#: Overlap from which a segment counts as found.
TIOU: Final = 0.5


@dataclass(frozen=True, slots=True)
class StoredPredictions:
    """Scores along time and ground truth of clips that have both, as arrays.

    Attributes:
        keys: Ids of the samples.
        clip_scores: Score of each clip, shape ``(clip,)``.
        scores: Scores of all snippets, those of one clip behind those of another, with a -1
            before each clip and behind the last.
        firsts: Where in ``scores`` each clip's own begin, shape ``(clip,)``.
        grids: Start, stride and end of each clip, in seconds, shape ``(clip, 3)``.
        ground_truth: True segments of the clips of which it is known where they are fake.
    """

    keys: Sequence[str]
    clip_scores: NDArray[np.float64]
    scores: NDArray[np.float64]
    firsts: NDArray[np.int64]
    grids: NDArray[np.float64]
    ground_truth: SpanTable

    @classmethod
    def read(
        cls, samples: Samples, *, label_field: str = "forgeries", truth_field: str = TRUTH_FIELD
    ) -> "StoredPredictions":
        """Read what is stored of clips; those without a score, a curve or a truth are left out.

        Args:
            samples: A dataset or a view of videos.
            label_field: Field of the predictions.
            truth_field: Field of the ground truth.
        """
        fields, videos = Fields(label_field), flattened(samples)
        verdict, curves = fields.verdict, fields.curves
        for name in (truth_field, curves, f"{verdict}.confidence"):
            videos = videos.exists(name) if videos.has_field(name) else videos.limit(0)
        paths = [f"{verdict}.confidence", f"{verdict}.duration_s"]
        paths += [f"{curves}.start_s", f"{curves}.stride_s"]
        keys, clip_scores, durations_s, starts_s, strides_s = videos.values(["id", *paths])
        stored = stored_scores(videos, fields)
        # Where nothing was evaluated, no segment goes on.
        vectors = [np.nan_to_num(scores, nan=0.0) for scores in stored if scores is not None]
        behind = [np.append(vector, -1.0) for vector in vectors]
        grids = [
            (start_s, stride_s, duration_s or start_s + stride_s * vector.size)
            for start_s, stride_s, duration_s, vector in zip(
                starts_s, strides_s, durations_s, vectors, strict=True
            )
        ]
        return cls(
            keys,
            np.array(clip_scores, dtype=np.float64),
            np.concatenate([[-1.0], *behind]),
            offsets_of([vector.size for vector in behind])[:-1] + 1,
            np.array(grids, dtype=np.float64).reshape(-1, 3),
            _ground_truth(videos, truth_field),
        )

    def average_precisions(self) -> NDArray[np.float64]:
        """Compute the average precision (AP) of the segments that each threshold would make.

        They are those that :func:`~fiftyone_ops.tasks.rethreshold.rethreshold` would write,
        measured as ``evaluate_forgeries`` does in its mode ``voc``.

        Returns:
            AP at :data:`TIOU` at each of
            :data:`~fiftyone_ops.tasks.threshold_table.THRESHOLDS`; NaN where there is no segment
            to find.
        """
        if not len(self.ground_truth.spans):
            return np.full(THRESHOLDS.size, np.nan)
        precisions = []
        for threshold in THRESHOLDS:
            segments = self.segments_at(threshold)
            matched = match(segments, self.ground_truth, tious=(TIOU,), recall_tious=(), mode="voc")
            precisions.append(matched.average_precision(TIOU))
        return np.array(precisions)

    def segments_at(self, threshold: float) -> SpanTable:
        """Return the segments at a threshold, each with the highest score of its snippets."""
        runs = runs_of(self.scores >= threshold)
        # What lies between two runs is below the threshold, and so below the highest of a run.
        scores = np.maximum.reduceat(self.scores, runs[:, 0]) if len(runs) else np.zeros(0)
        clips = np.searchsorted(self.firsts, runs[:, 0], side="right") - 1
        start_s, stride_s, end_s = self.grids[clips].T
        edges = start_s + stride_s * (runs - self.firsts[clips, np.newaxis]).T
        spans = np.clip(edges, start_s, np.maximum(start_s, end_s)).T
        keeps = long_enough(spans, 0.0) & (self.clip_scores[clips] >= threshold)
        offsets = offsets_of(np.bincount(clips[keeps], minlength=len(self.keys)))
        return SpanTable(self.keys, offsets, spans[keeps], scores[keeps])


def _ground_truth(videos: Any, truth_field: str) -> SpanTable:
    """Return the true segments of the clips of which it is known where they are fake.

    Of labels no more is read than seconds take, since whole ones take long to read.
    """
    if videos.has_field(located := f"{truth_field}_verdict.located"):
        videos = videos.match(F(located).is_in([None, True]))
    paths = [f"{truth_field}.detections.{name}" for name in _Label._fields]
    columns = videos.values(["id", "filepath", *paths]) if videos else []
    spans: dict[str, Spans] = {}
    for key, path, *attributes in zip(*columns, strict=True):
        clock = lazily(path)
        true_labels = map(_Label, *attributes)
        segments = ((seconds_of(label, clock), label.label) for label in true_labels)
        spans[key] = as_spans(truth_by_modality(segments)[0])
    return SpanTable.of_ground_truth(spans)


class _Label(NamedTuple):
    """Attributes of a label that :func:`~fiftyone_ops.dataset.labels.seconds_of` reads."""

    label: str
    start_s: float | None
    end_s: float | None
    support: Sequence[int]
    exact_for: Sequence[int] | None
