"""Predictions of any system: read, matched with a dataset's clips, and written."""

from mmmsba_plugin.evaluation.predictions.formats import FORMS, Form
from mmmsba_plugin.evaluation.predictions.match_keys import matched
from mmmsba_plugin.evaluation.predictions.read import read_predictions
from mmmsba_plugin.evaluation.predictions.write import write_activitynet, write_submission

__all__ = [
    "FORMS",
    "Form",
    "matched",
    "read_predictions",
    "write_activitynet",
    "write_submission",
]
