"""Metrics of detection written as their definitions read, one clip at a time."""

import math
from fractions import Fraction
from itertools import pairwise


def rates_at(scores, fake, threshold):
    """Return false and true positive rate at a threshold, as exact fractions."""
    flagged = [s >= threshold for s in scores]
    alarms = sum(f and not y for f, y in zip(flagged, fake, strict=True))
    hits = sum(f and y for f, y in zip(flagged, fake, strict=True))
    return Fraction(alarms, fake.count(False)), Fraction(hits, fake.count(True))


def steps(scores, fake):
    """Return the points of the ROC curve, strictest threshold first."""
    return [
        rates_at(scores, fake, threshold)
        for threshold in [math.inf, *sorted(set(scores), reverse=True)]
    ]


def auc(scores, fake):
    """Compute the share of pairs that are ranked rightly (AUC), ties by half."""
    pairs = [
        (s, t)
        for s, y in zip(scores, fake, strict=True)
        if y
        for t, z in zip(scores, fake, strict=True)
        if not z
    ]
    return Fraction(sum(2 * (s > t) + (s == t) for s, t in pairs), 2 * len(pairs))


def eer(scores, fake):
    """Compute the equal error rate (EER) on straight lines between the points."""
    points = steps(scores, fake)
    for (x, y), (u, v) in pairwise(points):
        lead, then = x + y - 1, u + v - 1
        if lead < 0 <= then:
            return x + (u - x) * -lead / (then - lead)
    raise AssertionError("the two rates always cross")


def nearest_eer(scores, fake):
    """Return the false positive rate of the step where both errors are most alike."""
    return min(steps(scores, fake), key=lambda step: abs(step[0] - (1 - step[1])))[0]


def calibration_error(scores, fake, bins):
    """Sum the gaps between mean score and share of fakes, weighted by clips, as a loop."""
    gap = 0.0
    for number in range(bins):
        low, high = number / bins, (number + 1) / bins
        last = number == bins - 1
        clips = [
            (s, y) for s, y in zip(scores, fake, strict=True) if low <= s and (s < high or last)
        ]
        if clips:
            mean_score = math.fsum(s for s, _ in clips) / len(clips)
            fake_share = sum(y for _, y in clips) / len(clips)
            gap += abs(mean_score - fake_share) * len(clips) / len(scores)
    return gap
