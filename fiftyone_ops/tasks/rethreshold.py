"""Verdicts and segments at another threshold, from the scores that are stored: no network runs.

From Python, without the App::

    from fiftyone_ops.tasks.rethreshold import rethreshold

    rethreshold(dataset, 0.6, label_field="forgeries")

A clip is fake at a threshold exactly if its score reaches it, and has a segment wherever its
curve does. The network's own ends of segments are not stored for other thresholds, so these end
at the edges of snippets, and say so in the verdict's warnings.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any, Final

import fiftyone as fo
import numpy as np

from mmmsba_plugin.config import Calibration, LocalizationConfig
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.localization.binarize import localize
from mmmsba_plugin.media.transcript import read_transcript
from mmmsba_plugin.report.build import fake_segments
from mmmsba_plugin.timebase import Grid

from ..dataset import labels, reports, runs, store
from ..dataset.clock import clock_of
from ..dataset.labels import VERDICTS, Fields
from ..dataset.records import Row, rows
from ..dataset.samples import Samples, dataset_of, flattened
from .review.decide import keep_decisions

_DERIVED: Final = "segments were derived from stored scores, and end at the edges of snippets"


@dataclass(slots=True)
class RethresholdSummary:
    """Summary of a new threshold.

    Attributes:
        threshold: The threshold, a probability.
        num_clips: Clips with a verdict at it now.
        num_changed: Clips of another verdict than before.
        num_without_curve: Clips that keep verdict and segments, since no curve was stored.
        verdicts: Number of clips by verdict, of those at the threshold.
    """

    threshold: float
    num_clips: int = 0
    num_changed: int = 0
    num_without_curve: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        sentence = (
            f"{self.num_clips} clips at {self.threshold:g}: {self.verdicts[VERDICTS[0]]} fake"
        )
        sentence += f", {self.num_changed} of another verdict than before"
        if self.num_without_curve:
            sentence += f"; {self.num_without_curve} without a stored curve stay as they are"
        return sentence

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def rethreshold(
    samples: Samples, threshold: float, *, label_field: str = "forgeries"
) -> RethresholdSummary:
    """Write verdicts and segments at another threshold, from stored scores.

    Args:
        samples: A dataset or a view of videos that were evaluated.
        threshold: P(fake) from which a clip counts as fake, in (0, 1].
        label_field: Field of the predictions.

    Raises:
        ConfigError: There is no such threshold.
        FieldTakenError: The fields are of no run of ours.
        WriteError: The database does not take it.
    """
    if not 0.0 < threshold <= 1.0:
        raise ConfigError(f"a threshold lies in (0, 1], got {threshold:g}")
    dataset, fields = dataset_of(samples), Fields(label_field)
    runs.adopt(dataset, fields)
    store.require_ours(dataset, label_field, method=store.DETECT, fields=fields.predicted)
    keep_decisions(dataset, label_field)
    # Each detector is another one at the threshold, and its new name is registered.
    infos = store.makers_of(dataset, fields)
    makers = {name: store.made_by({**info, "threshold": threshold}) for name, info in infos.items()}
    registered = infos | {makers[name]: info for name, info in infos.items()}
    key = fields.segments
    store.register(dataset, key, method=store.DETECT, label_field=key, makers=registered)
    summary = RethresholdSummary(threshold)
    no_segments = fo.TemporalDetections().to_dict()
    videos = flattened(samples).exists(f"{fields.verdict}.confidence")
    for batch in rows(videos, {"verdict": fields.verdict, "curves": fields.curves}, raw=True):
        changes: dict[Any, dict[str, Any]] = {}
        for row in batch:
            if row["curves"] is None:
                summary.num_without_curve += 1
                continue
            verdict = row["verdict"]
            is_fake = verdict["confidence"] >= threshold
            values = _verdict_at(verdict, threshold, is_fake=is_fake, makers=makers)
            segments = _segments_at(row, threshold).to_dict() if is_fake else no_segments
            changes[row["id"]] = {
                fields.segments: segments,
                **{f"{fields.verdict}.{name}": value for name, value in values.items()},
            }
            summary.num_clips += 1
            summary.num_changed += verdict["label"] not in labels.verdict_words(values["label"])
            summary.verdicts[values["label"]] += 1
        store.update(dataset, changes)
    return summary


def _verdict_at(
    verdict: Row, threshold: float, *, is_fake: bool, makers: Mapping[str, str]
) -> dict[str, Any]:
    """Return the attributes of a verdict that are others at another threshold."""
    made_by: Any = verdict.get("made_by")
    warnings = verdict.get("warnings") or ()
    return {
        "label": VERDICTS[0] if is_fake else VERDICTS[1],
        "threshold": threshold,
        "false_positive_rate": None,
        "made_by": makers.get(made_by, made_by),
        "warnings": [*(text for text in warnings if text != _DERIVED), _DERIVED],
    }


def _segments_at(row: Row, threshold: float) -> labels.Detections:
    path, stored = row["filepath"], row["curves"]
    grid = Grid(start_s=stored["start_s"], stride_s=stored["stride_s"])
    # Where nothing was evaluated, no segment goes on.
    curves = {name: np.nan_to_num(c, nan=0.0) for name, c in labels.raw_curves(stored).items()}
    score = curves.pop("score")
    config = LocalizationConfig(onset=threshold, offset=threshold, min_segment_s=0.0)
    end_s = row["verdict"].get("duration_s") or grid.cell(score.size)[0]
    segments = localize(score, None, grid, end_s=end_s, config=config)
    fakes = fake_segments(
        segments,
        grid,
        curves,
        onsets=dict.fromkeys(curves, threshold),
        calibration=Calibration(),
        transcript=read_transcript(path) if segments else (),
    )
    stated = row["metadata"] and fo.VideoMetadata.from_dict(row["metadata"])
    clock = cache(lambda: labels.stored_clock(stored) or clock_of(path, stated))
    return reports.segment_labels(fakes, clock)
