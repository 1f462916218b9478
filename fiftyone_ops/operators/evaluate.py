"""``evaluate_forgeries``: how right the predictions of a dataset are."""

from typing import Any

from fiftyone.operators import types

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

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Measure."""
        versions.require_fit()
        settings = forms.read(ctx.params, EvaluateSettings)
        result = evaluate(forms.target_of(ctx), **settings.model_dump())
        ctx.ops.reload_dataset()
        rows = [
            {"figure": name, "value": f"{value:.4f}"}
            for name, value in result.table.items()
            # One that is not defined, such as an AUC of fake clips alone, is not shown.
            if value == value  # noqa: PLR0124 - NaN alone differs from itself
        ]
        return {**result.to_dict(), "rows": rows}

    def resolve_output(self, ctx: Any) -> Any:
        """Return the table of metrics; nothing where there are none, as after an error."""
        outputs = types.Object()
        if not (ctx.results or {}).get("rows"):
            return types.Property(outputs)
        table = types.TableView()
        table.add_column("figure", label="Figure")
        table.add_column("value", label="Value")
        outputs.list("rows", types.Object(), view=table)
        return types.Property(outputs, view=types.View(label="Figures"))
