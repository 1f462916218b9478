"""``evaluate_forgeries``: how right the predictions of a dataset are."""

import math
from typing import Any

from fiftyone.operators import types

from mmmsba_plugin.evaluation.evaluate import Evaluation

from .. import versions
from ..settings import EvaluateSettings
from ..tasks.evaluate import evaluate
from . import forms
from .base import FormOperator


class EvaluateForgeries(FormOperator):
    """Evaluate predictions, and mark hits, misses and false alarms."""

    name = "evaluate_forgeries"
    label = "Evaluate forgeries"
    description = "Average precision and recall, AUC and EER, and views of the errors"
    settings = EvaluateSettings

    def why_not(self, ctx: Any) -> str:
        """Explain why there is nothing to work on; empty where there is."""
        return forms.why_no_predictions(ctx)

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Measure."""
        versions.require_fit()
        settings = forms.read(ctx.params, EvaluateSettings)
        result = evaluate(forms.target_of(ctx), **settings.model_dump())
        ctx.ops.reload_dataset()
        return {**result.to_dict(), "rows": table_of(result.evaluation)}

    def resolve_output(self, ctx: Any) -> Any:
        """Return the table of metrics; nothing where there are none, as after an error."""
        outputs = types.Object()
        if not (ctx.results or {}).get("rows"):
            return types.Property(outputs)
        table = types.TableView()
        table.add_column("clips", label="Clips")
        table.add_column("figure", label="Figure")
        table.add_column("value", label="Value")
        outputs.list("rows", types.Object(), view=table)
        return types.Property(outputs, view=types.View(label="Figures"))


def table_of(evaluation: Evaluation) -> list[dict[str, str]]:
    """Return the rows of the table: counts, the metrics of all clips, and those of each group.

    A metric that is not defined, such as an AUC of fake clips alone, is left out.
    """
    num_real, num_without = evaluation.num_real, len(evaluation.not_evaluated)
    metrics = {f"{num_real} real, {evaluation.num_fake} fake": evaluation.intervals}
    for name, group in evaluation.groups.items():
        metrics[f"{name}: {num_real} real, {group.num_fake} fake"] = group.intervals
    counts = [{"clips": "all", "figure": "not evaluated", "value": str(num_without)}]
    return counts + [
        {"clips": clips, "figure": name, "value": f"{interval.value:.4f}"}
        for clips, intervals in metrics.items()
        for name, interval in intervals.items()
        if not math.isnan(interval.value)
    ]
