"""Evaluate predictions in a dataset against its ground truth, with the metrics of the field.

From Python, without the App::

    from fiftyone_ops.tasks.evaluate import evaluate

    evaluate(dataset, predictions="forgeries", truth_field="ground_truth").table

Metrics are computed from ranked proposals and exact seconds, by the functions behind ``mmmsba
evaluate``. For whoever goes through the errors, each segment gets ``tp`` or ``fp``, each true one
``tp`` or ``fn`` in an attribute named by ``eval_key``, each sample their counts in
``<eval_key>_tp``, ``_fp`` and ``_fn``, and the dataset a saved view for each kind of error.
Samples without a truth field's value are not counted; an empty one says real. Those without a
score are counted as not evaluated. ``<eval_key>_clips`` is the same as a run of FiftyOne's own; see
:mod:`.model_evaluation`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import fiftyone as fo
from fiftyone import ViewField as F

from mmmsba_plugin.evaluation.evaluate import Evaluation, measure
from mmmsba_plugin.evaluation.metrics.pairing import pair
from mmmsba_plugin.evaluation.summary import to_dict
from mmmsba_plugin.evaluation.tables import (
    GroundTruth,
    Predictions,
    SpanTable,
    common_threshold,
)
from mmmsba_plugin.record import Record
from mmmsba_plugin.segment import Segment

from ..dataset import labels, store
from ..dataset.clock import lazily
from ..dataset.labels import Fields, detections
from ..dataset.records import Row, of_truth, record_of, rows
from ..dataset.samples import Samples, dataset_of, flattened, videos_of
from ..errors import TargetError
from ..settings import EvaluateSettings
from .model_evaluation import fields_of_evaluation, keep_in_panel


@dataclass(frozen=True, slots=True)
class EvaluationSummary:
    """Metrics of an evaluation.

    Attributes:
        evaluation: All metrics, with their intervals.
        eval_key: Name of the evaluation in the dataset.
        views: Names of the saved views of errors.
    """

    evaluation: Evaluation
    eval_key: str
    views: Sequence[str]

    @property
    def table(self) -> dict[str, float]:
        """Every metric by name, such as ``ap@0.5``, ``ar@100`` and ``auc``."""
        return {name: interval.value for name, interval in self.evaluation.intervals.items()}

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {**to_dict(self.evaluation), "eval_key": self.eval_key, "views": list(self.views)}


def evaluate(samples: Samples, **settings: Any) -> EvaluationSummary:
    """Evaluate predictions, and mark hits, misses and false alarms.

    Args:
        samples: A dataset or a view.
        **settings: Those of :class:`~fiftyone_ops.settings.EvaluateSettings`.

    Raises:
        ConfigError: A setting is unknown or out of bounds.
        TargetError: There are no predictions of ours, or no truth.
        FieldTakenError: ``eval_key`` names something of somebody else's.
        PredictionsError: None of the videos with a truth was evaluated.
    """
    options = EvaluateSettings.read(settings)
    videos = videos_of(samples)
    dataset = dataset_of(videos)
    key = options.eval_key
    _require_fields(dataset, options)
    own_fields = [f"{key}_{word}" for word in ("tp", "fp", "fn")]
    if options.model_evaluation:
        own_fields += [f"{key}_clips", *fields_of_evaluation(f"{key}_clips")]
    store.require_ours(dataset, key, method=store.EVALUATE, fields=tuple(own_fields))
    labelled = videos.exists(options.truth_field)
    table, ground_truth = _read_and_mark(labelled, options)
    evaluation = measure(
        table.predictions(options.predictions),
        GroundTruth.of(ground_truth),
        mode=options.mode,
        num_resamples=options.resamples,
    )
    summary = EvaluationSummary(evaluation, key, _save_views(dataset, options))
    store.register(
        dataset,
        key,
        method=store.EVALUATE,
        # As rows: a database's keys have no dots in them, and "ap@0.5" has.
        metrics=[[name, value] for name, value in summary.table.items()],
        settings=options.model_dump(mode="json"),
        num_real=evaluation.num_real,
        num_fake=evaluation.num_fake,
        num_not_evaluated=len(evaluation.not_evaluated),
    )
    if options.model_evaluation:
        keep_in_panel(
            labelled,
            evaluation,
            label_field=options.predictions,
            truth_field=options.truth_field,
            eval_key=f"{key}_clips",
        )
    if options.activitynet:
        # FiftyOne's own evaluation beside ours, for its panel of models.
        labelled.evaluate_detections(
            options.predictions,
            gt_field=options.truth_field,
            eval_key=f"{key}_frames",
            method="activitynet",
            iou=options.tiou,
            classwise=False,
            compute_mAP=False,
        )
    return summary


def _read_and_mark(
    samples: Samples, options: EvaluateSettings
) -> tuple["_PredictionTable", list[Record]]:
    """Read predictions and ground truth, and write the marks, a batch at a time."""
    fields, table, ground_truth = Fields(options.predictions), _PredictionTable(), []
    paths = {
        **of_truth(options.truth_field),
        "segments": fields.segments,
        "verdict": fields.verdict,
        "proposals": fields.proposals,
    }
    for batch in rows(samples, paths):
        ground_truth += [record_of(row) for row in batch]
        columns: dict[str, dict[str, Any]] = {}
        for row in batch:
            table.add(row)
            for name, value in _marks(row, options).items():
                columns.setdefault(name, {})[row["id"]] = value
        store.write(dataset_of(samples), columns)
    return table, ground_truth


@dataclass(slots=True)
class _PredictionTable:
    """Predictions of a system, sample after sample."""

    scores: dict[str, float] = field(default_factory=dict)
    proposals: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    thresholds: set[float | None] = field(default_factory=set)
    by_modality: dict[str, dict[str, float]] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Add the predictions of one sample; nothing, where it was not evaluated.

        Without proposals its segments stand in for them.
        """
        sample_id, verdict = row["id"], row["verdict"]
        if verdict is None or verdict.confidence is None:
            return
        self.scores[sample_id] = verdict.confidence
        if row["proposals"] is not None:
            ranked = row["proposals"].reshape(-1, 3)
            self.proposals[sample_id] = ranked[:, :2], ranked[:, 2]
        else:
            segments, scores = _predicted_segments(row)
            spans = [(segment.start_s, segment.end_s) for segment in segments]
            self.proposals[sample_id] = spans, scores
        self.thresholds.add(verdict.threshold)
        for modality, score in labels.modality_scores(verdict).items():
            if score is not None:
                self.by_modality.setdefault(modality, {})[sample_id] = score

    def predictions(self, name: str) -> Predictions:
        """Return it as the tables that metrics are computed from."""
        return Predictions(
            name=name,
            scores=self.scores,
            proposals=SpanTable.of_proposals(self.proposals),
            threshold=common_threshold(self.thresholds),
            by_modality=self.by_modality,
        )


def _require_fields(dataset: Any, options: EvaluateSettings) -> None:
    """Check that there are predictions, and a ground truth to measure them against."""
    schema = dataset.get_field_schema()
    verdict = Fields(options.predictions).verdict
    if verdict not in schema:
        raise TargetError(
            f"{dataset.name!r} has no field {verdict!r}; run detect_forgeries first, or name its "
            "label field as `predictions`"
        )
    truth = schema.get(options.truth_field)
    if getattr(truth, "document_type", None) is not fo.TemporalDetections:
        raise TargetError(
            f"{dataset.name!r} has no true segments in {options.truth_field!r}; import a dataset, "
            "review predictions, or name the field of TemporalDetections that holds them"
        )


def _predicted_segments(row: Row) -> tuple[list[Segment], list[float]]:
    clock = lazily(row["filepath"], row["metadata"])
    predicted = detections(row["segments"])
    scores = [label.confidence or 0.0 for label in predicted]
    return [labels.seconds_of(label, clock) for label in predicted], scores


def _marks(row: Row, options: EvaluateSettings) -> dict[str, Any]:
    """Build the marks of the hits, misses and false alarms of a sample, by field."""
    key = options.eval_key
    clock = lazily(row["filepath"], row["metadata"])
    ground_truth = [labels.seconds_of(label, clock) for label in detections(row["truth"])]
    segments, scores = _predicted_segments(row)
    indices = pair(segments, scores, ground_truth, tiou=options.tiou)
    num_hits = sum(index is not None for index in indices)
    marks: dict[str, Any] = {
        f"{key}_tp": num_hits,
        f"{key}_fp": len(segments) - num_hits,
        f"{key}_fn": len(ground_truth) - num_hits,
    }
    # A label without any is left alone: there is nothing to mark.
    if segments:
        marks[f"{options.predictions}.detections.{key}"] = [
            "fp" if index is None else "tp" for index in indices
        ]
    if ground_truth:
        marks[f"{options.truth_field}.detections.{key}"] = [
            "tp" if index in indices else "fn" for index in range(len(ground_truth))
        ]
    return marks


def _save_views(dataset: Any, options: EvaluateSettings) -> tuple[str, ...]:
    """Save a view for each kind of error, the surest first."""
    key, verdict = options.eval_key, Fields(options.predictions).verdict
    has_fake_segment = F(f"{options.truth_field}.detections").length() > 0
    is_flagged = F(f"{verdict}.label").is_in(labels.verdict_words("fake"))
    videos = flattened(dataset)
    with_verdict = videos.exists(f"{verdict}.confidence").exists(options.truth_field)
    views = {
        f"{key}-missed-segments": videos.match(F(f"{key}_fn") > 0),
        f"{key}-false-alarms": videos.match(F(f"{key}_fp") > 0),
        f"{key}-real-called-fake": with_verdict.match(is_flagged & ~has_fake_segment),
        f"{key}-fake-called-real": with_verdict.match(~is_flagged & has_fake_segment),
    }
    with store.writing_to(dataset):
        for name, view in views.items():
            in_order = view.sort_by(f"{verdict}.confidence", reverse=not name.endswith("real"))
            dataset.save_view(name, in_order, overwrite=True)
    return tuple(views)
