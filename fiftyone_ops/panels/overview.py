"""The overview panel, beside the grid."""

from typing import Any

import fiftyone.operators as foo

from ..labels import TRUTH_FIELD
from ..responses import Queue, Summary
from ..runs import prediction_fields
from .base import drawn_by, fields_of, respond
from .overview_data import narrowed, overview_of, queue_of


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
            show=self.show,
            queue=self.queue,
            open=self.open,
        )

    @respond
    def summary(self, ctx: Any) -> Summary:
        """Return the counts of the view."""
        fields = fields_of(ctx)
        return Summary(
            fields=tuple(prediction_fields(ctx.dataset)),
            field=fields and fields.segments,
            overview=fields and overview_of(ctx.view, fields),
        )

    @respond
    def show(self, ctx: Any) -> None:
        """Make what was clicked the view."""
        kind, fields = ctx.params["kind"], fields_of(ctx)
        if kind == "all" or fields is None:
            ctx.ops.clear_view()
        else:
            ctx.ops.set_view(narrowed(ctx.view, fields, kind=kind, value=ctx.params["value"]))

    @respond
    def queue(self, ctx: Any) -> Queue:
        """Return the review queue, with reasons."""
        fields = fields_of(ctx)
        if fields is None:
            return Queue(items=(), reasons=(), num_reviewed=0, num_clips=0)
        return queue_of(ctx.view, fields, reason=ctx.params["reason"], truth_field=TRUTH_FIELD)

    @respond
    def open(self, ctx: Any) -> None:
        """Open a clip of the queue."""
        ctx.ops.open_sample(id=ctx.params["sample_id"])
