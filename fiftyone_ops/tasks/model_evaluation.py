"""Keep an evaluation as a run of FiftyOne's own, for the App's panel *Model Evaluation*.

The panel compares classifications, by words, and takes a confidence for that of the label. So
verdicts are kept once more, as ``fake`` or ``real`` at their threshold, beside the ground truth in
the same words. Clips without a score are left out, and counted among the run's metrics; so are the
figures that FiftyOne does not compute.
"""

import math
from collections.abc import Mapping
from typing import Any

import fiftyone as fo

from mmmsba_plugin.evaluation.evaluate import Evaluation

from ..dataset import labels, store
from ..dataset.labels import Fields
from ..dataset.records import rows
from ..dataset.samples import Samples, dataset_of

#: Words of both classes, the negative one first.
CLASSES = ("real", "fake")
#: Metrics of which less is better.
_LOWER_IS_BETTER = ("eer", "not_evaluated")


def keep_in_panel(
    samples: Samples, evaluation: Evaluation, *, label_field: str, truth_field: str, eval_key: str
) -> None:
    """Register an evaluation where the App's panel of models looks for it.

    Args:
        samples: The videos with a ground truth.
        evaluation: Their evaluation.
        label_field: Field of the predictions.
        truth_field: Field of the true segments.
        eval_key: Key of the run, and stem of the fields that it compares.

    Raises:
        WriteError: The database does not take it.
    """
    fields = Fields(label_field)
    evaluated = samples.exists(f"{fields.verdict}.confidence")
    predicted, true = fields_of_evaluation(eval_key)
    for batch in rows(evaluated, {"verdict": fields.verdict, "truth": truth_field}):
        columns: dict[str, dict[str, Any]] = {predicted: {}, true: {}}
        for row in batch:
            is_fake = row["verdict"].label in labels.verdict_words("fake")
            probability = row["verdict"].confidence
            columns[predicted][row["id"]] = fo.Classification(
                label=CLASSES[is_fake], confidence=probability if is_fake else 1 - probability
            )
            is_truly_fake = bool(labels.detections(row["truth"]))
            columns[true][row["id"]] = fo.Classification(label=CLASSES[is_truly_fake])
        store.write(dataset_of(samples), columns)
    results = evaluated.evaluate_classifications(
        predicted, gt_field=true, eval_key=eval_key, method="binary", classes=list(CLASSES)
    )
    results.custom_metrics = _custom_metrics(evaluation)
    results.save()


def fields_of_evaluation(eval_key: str) -> tuple[str, str]:
    """Return the fields of the predicted and of the true labels that a run compares."""
    return f"{eval_key}_predicted", f"{eval_key}_true"


def _custom_metrics(evaluation: Evaluation) -> Mapping[str, Mapping[str, Any]]:
    """Build the metrics that the panel shows below its own, as it keeps those of operators."""
    metrics: dict[str, float] = {
        name: interval.value
        for name, interval in evaluation.intervals.items()
        # One that is not defined, such as an AUC of fake clips alone, is not shown.
        if not math.isnan(interval.value)
    }
    metrics["not_evaluated"] = len(evaluation.not_evaluated)
    return {
        # The database's keys have no dots in them, and "ap@0.5" has.
        f"mmmsba/{name.replace('.', '_')}": {
            "key": name.replace(".", "_"),
            "value": value,
            "label": "Clips not evaluated" if name == "not_evaluated" else name,
            "lower_is_better": name.endswith(_LOWER_IS_BETTER),
        }
        for name, value in metrics.items()
    }
