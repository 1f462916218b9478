"""Operators of a review: what to look at first, one decision, and the report on all of them."""

from typing import Any

import fiftyone.operators as foo

from .. import versions
from ..dataset.runs import review_stems
from ..settings import ReviewReportSettings, ReviewSettings
from ..tasks.base import Task
from ..tasks.review.decide import decide, start_review
from ..tasks.review.decision import Decision
from ..tasks.review.queue import queue, waiting
from ..tasks.review.report import ReviewReportTask
from . import forms
from .base import FormOperator, TaskOperator


class ReviewForgeries(FormOperator):
    """Show the samples that a reviewer should look at, the most telling first."""

    name = "review_forgeries"
    label = "Review forgeries"
    description = "A queue of what to look at: unsure, unlabelled, missed, or at odds"
    settings = ReviewSettings
    options = {}  # noqa: RUF012 - at once or not at all: the App shows the view

    def why_not(self, ctx: Any) -> str:
        """Explain why there is nothing to work on; empty where there is."""
        return forms.why_no_predictions(ctx)

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Put the queue in order, save it as a view, and show that."""
        versions.require_fit()
        settings = forms.read(ctx.params, ReviewSettings)
        start_review(ctx.dataset, settings.label_field)
        fields = {"label_field": settings.label_field, "truth_field": settings.truth_field}
        samples = forms.target_of(ctx)
        view = queue(samples, settings.reason, **fields)
        name = f"review-{settings.reason}"
        ctx.dataset.save_view(name, view, overwrite=True)
        ctx.ops.set_view(name=name)
        return {"view": name, "queued": view.count(), "waiting": waiting(samples, **fields)}


class DecideForgery(foo.Operator):
    """Take one decision about one sample; the review panel calls it."""

    @property
    def config(self) -> Any:
        """Configuration that the App shows."""
        return foo.OperatorConfig(
            name="decide_forgery",
            label="Decide about a forgery",
            unlisted=True,
            disable_schema_validation=True,
        )

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Decide, about the sample that is named or the one that is open."""
        decision = {name: ctx.params[name] for name in Decision.model_fields if name in ctx.params}
        state = decide(
            ctx.dataset,
            ctx.params.get("sample_id") or ctx.current_sample,
            label_field=ctx.params.get("label_field") or ReviewSettings().label_field,
            by=ctx.params.get("by") or ctx.user_id,
            **decision,
        )
        ctx.ops.reload_samples()
        return state.to_dict()

    def __call__(self, samples: Any, sample_id: str, **decision: Any) -> Any:
        """Run it from Python.

        Args:
            samples: A dataset or a view.
            sample_id: The sample.
            **decision: The fields of :class:`~fiftyone_ops.tasks.review.decision.Decision`.
        """
        params = {"sample_id": sample_id, **decision}
        return foo.execute_operator(self.uri, {"view": samples.view()}, params=params)


class ReportReview(TaskOperator):
    """Write one page about the reviewed clips: who decided what, and when."""

    name = "report_review"
    label = "Report on a review"
    description = "One page to hand over: decisions, who and when, and the files' hashes"
    settings = ReviewReportSettings
    task = ReviewReportTask

    def why_not(self, ctx: Any) -> str:
        """Explain why there is nothing to work on; empty where there is."""
        missing = "nobody has reviewed a clip of this dataset yet; decide about some first"
        return forms.why_no_target(ctx) or ("" if review_stems(ctx.dataset) else missing)

    def make_task(self, ctx: Any) -> Task[Any, Any]:
        """Make the task of what was filled in, by whoever is logged in to the App."""
        settings = forms.read(ctx.params, self.settings)
        return ReviewReportTask(forms.target_of(ctx), settings, by=ctx.user_id)

    def finish(self, ctx: Any, task: Task[Any, Any]) -> Any:
        """Nothing in the dataset is new."""
