"""The lines that plots of an evaluation are drawn from."""

import math

import numpy as np

from mmmsba_plugin.evaluation.answers import Answers, Truths
from mmmsba_plugin.evaluation.calibration_error import reliability
from mmmsba_plugin.evaluation.detection import precision_recall_curve, roc_curve
from mmmsba_plugin.evaluation.localization import TIOUS, Mode, match
from mmmsba_plugin.evaluation.plots import SystemCurves


def curves_of(answers: Answers, truths: Truths, *, mode: Mode = "official") -> SystemCurves:
    """Return a system's lines: those of detection, and AP by tIoU from 0.5 to 0.95.

    Lines that need both classes are left out where only one was judged, and AP is where no
    forged stretch is known.

    Args:
        answers: What the system said, by the keys of ``truths``.
        truths: What is true.
        mode: How localization is measured.
    """
    scores = np.array([answers.scores.get(key, math.nan) for key in truths.keys], dtype=np.float64)
    judged = ~np.isnan(scores)
    scores, forged = scores[judged], truths.forged[judged]
    both = bool(forged.any() and not forged.all())
    return SystemCurves(
        name=answers.name,
        roc=roc_curve(scores, forged) if both else None,
        precision_recall=precision_recall_curve(scores, forged) if both else None,
        reliability=reliability(scores, forged) if both else None,
        ap_by_tiou=_ap_by_tiou(answers, truths, mode),
    )


def _ap_by_tiou(answers: Answers, truths: Truths, mode: Mode) -> dict[float, float]:
    if answers.proposals is None:
        return {}
    matched = match(answers.proposals, truths.spans, tious=TIOUS, mode=mode)
    counts = None if truths.located.all() else truths.located.astype(np.int64)
    found = {tiou: matched.average_precision(tiou, counts) for tiou in TIOUS}
    return {tiou: ap for tiou, ap in found.items() if not math.isnan(ap)}
