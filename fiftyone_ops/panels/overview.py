"""The overview panel, beside the grid."""

from typing import Any

import fiftyone.operators as foo
import numpy as np

from ..dataset.labels import TRUTH_FIELD, Fields
from ..dataset.runs import prediction_fields
from ..dataset.samples import Samples, by_id, shown_id
from ..errors import TargetError
from ..responses import (
    Applied,
    Bulk,
    Precisions,
    Queue,
    Statistics,
    Summary,
    ThresholdTable,
    Thumbnail,
)
from ..tasks.rethreshold import rethreshold
from ..tasks.review.bulk import decide_many
from ..tasks.threshold_precision import TIOU, StoredPredictions
from ..tasks.threshold_table import THRESHOLDS, threshold_table
from .base import ONE_AT_A_TIME, drawn_by, fields_of, respond, respond_beside
from .overview_data import narrowed, overview_of, queue_of
from .statistics_data import statistics_of
from .thumbnails import thumbnail


class ForgeryOverview(foo.Panel):
    """Panel of the histogram of scores, counts by kind, and the review queue."""

    @property
    def config(self) -> Any:
        """Configuration that the App shows."""
        return foo.PanelConfig(
            name="forgery_overview",
            label="Forgery overview",
            icon="assessment",
            surfaces="grid",
            help_markdown="Scores and counts of what is in view. Click one to see its clips.",
        )

    def render(self, ctx: Any) -> Any:
        """Return the component that draws it."""
        return drawn_by(
            "MmmsbaOverviewView",
            summary=self.summary,
            queue=self.queue,
            thumbnail=self.thumbnail,
            open=self.open,
            decide_many=self.decide_many,
            statistics=self.statistics,
            thresholds=self.thresholds,
            precisions=self.precisions,
            apply=self.apply,
            report=self.report,
        )

    @respond
    def summary(self, ctx: Any) -> Summary:
        """Return the counts of the view, or of what was clicked, which becomes the view."""
        fields, kind = fields_of(ctx), ctx.params.get("kind")
        samples = ctx.view if fields is None else _clicked(ctx, fields)
        # With the counts, since a request of its own would hold the view up.
        if kind == "all":
            ctx.ops.clear_view()
        elif kind is not None:
            ctx.ops.set_view(samples)
        return Summary(
            fields=tuple(prediction_fields(ctx.dataset)),
            field=fields and fields.segments,
            overview=fields and overview_of(samples, fields),
        )

    @respond
    def queue(self, ctx: Any) -> Queue:
        """Return the review queue, with reasons."""
        fields = fields_of(ctx)
        if fields is None:
            return Queue(items=(), reasons=(), num_reviewed=0, num_clips=0)
        return queue_of(ctx.view, fields, reason=ctx.params["reason"], truth_field=TRUTH_FIELD)

    @respond_beside
    def thumbnail(self, ctx: Any) -> Thumbnail:
        """Return a frame of a clip of the queue; decoding it holds nobody up."""
        with ONE_AT_A_TIME:
            paths = by_id(ctx.dataset, [ctx.params["sample_id"]]).values("filepath")
        if not paths:
            return Thumbnail(src=None, caption="this clip was deleted")
        return thumbnail(paths[0], ctx.params["time_s"])

    @respond
    def open(self, ctx: Any) -> None:
        """Open a clip of the queue."""
        ctx.ops.open_sample(id=shown_id(ctx.view, ctx.params["sample_id"]))

    @respond
    def decide_many(self, ctx: Any) -> Bulk:
        """Take one decision about many clips, or take it back."""
        fields = _require_fields(ctx)
        bulk = decide_many(
            ctx.dataset,
            ctx.params["sample_ids"],
            label_field=fields.segments,
            by=ctx.user_id,
            **ctx.params["decision"],
        )
        return Bulk(
            batch=bulk.batch,
            decided=tuple(bulk.decided),
            num_left=len(bulk.left),
            why_left=next(iter(bulk.left.values()), None),
        )

    @respond
    def statistics(self, ctx: Any) -> Statistics:
        """Count the clips of the view by the values of a field."""
        fields, by = _require_fields(ctx), ctx.params.get("by")
        return statistics_of(ctx.view, fields, by=by, truth_field=TRUTH_FIELD)

    @respond
    def thresholds(self, ctx: Any) -> ThresholdTable:
        """Count the verdicts of the view at each threshold."""
        table = threshold_table(ctx.view, label_field=_require_fields(ctx).segments)
        return ThresholdTable(
            thresholds=tuple(THRESHOLDS.tolist()),
            num_clips=table.num_clips,
            num_fake=tuple(table.num_fake.tolist()),
            num_segments=tuple(table.num_segments.tolist()),
            true_positives=tuple(table.true_positives.tolist()),
            false_positives=tuple(table.false_positives.tolist()),
            num_true_fake=table.num_true_fake,
            num_true_real=table.num_true_real,
        )

    @respond_beside
    def precisions(self, ctx: Any) -> Precisions:
        """Compute the average precision at each threshold; nobody waits for that."""
        with ONE_AT_A_TIME:
            stored = StoredPredictions.read(ctx.view, label_field=_require_fields(ctx).segments)
        return Precisions(
            tiou=TIOU,
            average_precisions=tuple(
                None if np.isnan(value) else float(value) for value in stored.average_precisions()
            ),
            num_clips=len(stored.ground_truth.keys),
        )

    @respond
    def apply(self, ctx: Any) -> Applied:
        """Write verdicts and segments of the view at another threshold."""
        label_field, threshold = _require_fields(ctx).segments, float(ctx.params["threshold"])
        summary = rethreshold(ctx.view, threshold, label_field=label_field)
        ctx.ops.reload_samples()
        return Applied(summary=str(summary))

    @respond
    def report(self, ctx: Any) -> None:
        """Ask where to write the report on the review."""
        params = {"label_field": _require_fields(ctx).segments}
        ctx.prompt("@mmmsba/fiftyone_ops/report_review", params=params)


def _clicked(ctx: Any, fields: Fields) -> Samples:
    """Return the samples that were clicked, those in view if none were."""
    kind = ctx.params.get("kind")
    if kind is None:
        return ctx.view
    if kind == "all":
        return ctx.dataset
    which = {name: ctx.params[name] for name in ("value", "by") if name in ctx.params}
    return narrowed(ctx.view, fields, kind=kind, **which)


def _require_fields(ctx: Any) -> Fields:
    fields = fields_of(ctx)
    if fields is None:
        raise TargetError("nothing was predicted yet; run “Detect forgeries” first")
    return fields
