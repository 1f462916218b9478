"""Average precision and recall, slow and obvious: one loop for each sentence of the definition.

The functions that end in ``_officially`` follow AV-Deepfake1M's evaluator, number by number in
float32; the others are exact fractions of the decimals that times are written in.
"""

from fractions import Fraction

import numpy as np

f32 = np.float32


def on_paper(seconds):
    return Fraction(str(float(seconds)))


def tiou(a, b):
    (a0, a1), (b0, b1) = (map(on_paper, span) for span in (a, b))
    shared = min(a1, b1) - max(a0, b0)
    if shared <= 0:
        return Fraction(0)
    return shared / ((a1 - a0) + (b1 - b0) - shared)


def average_precision(predictions, ground_truth, threshold):
    ranked = [
        (score, key, span)
        for key in ground_truth
        for span, score in zip(*predictions.get(key, ([], [])), strict=True)
    ]
    ranked.sort(key=lambda row: -row[0])
    free = {key: list(spans) for key, spans in ground_truth.items()}
    num_ground_truth = sum(len(spans) for spans in free.values())
    right = []
    for _, key, span in ranked:
        best = None
        for truth in free[key]:
            overlap = tiou(span, truth)
            if overlap >= on_paper(threshold) and (best is None or overlap > tiou(span, best)):
                best = truth
        if best is not None:
            free[key] = [truth for truth in free[key] if truth is not best]
        right.append(best is not None)

    points = []
    for n in range(1, len(right) + 1):
        num_right = sum(right[:n])
        points.append((num_right / num_ground_truth, num_right / n))
    area = reached = 0.0
    for recall, _ in points:
        best_precision = max(p for r, p in points if r >= recall)
        area += (recall - reached) * best_precision
        reached = recall
    return area


def average_recall(predictions, ground_truth, num_proposals, thresholds):
    recalls = []
    for threshold in thresholds:
        num_hits = total = 0
        for key, spans in ground_truth.items():
            proposals, scores = predictions.get(key, ([], []))
            order = sorted(range(len(scores)), key=lambda i: -scores[i])[:num_proposals]
            for truth in spans:
                total += 1
                num_hits += any(tiou(proposals[i], truth) >= on_paper(threshold) for i in order)
        recalls.append(num_hits / total)
    return sum(recalls) / len(recalls)


def tiou_officially(a, b):
    (a0, a1), (b0, b1) = (map(f32, span) for span in (a, b))
    with np.errstate(all="ignore"):
        return max(min(a1, b1) - max(a0, b0), f32(0)) / (max(a1, b1) - min(a0, b0))


def average_precision_officially(predictions, ground_truth, threshold):
    ranked = []
    for key, spans in ground_truth.items():
        proposals, scores = predictions.get(key, ([], []))
        right = [False] * len(scores)
        for truth in spans:
            for i, span in enumerate(proposals):
                if not right[i] and tiou_officially(span, truth) > f32(threshold):
                    right[i] = True
                    break
        ranked += zip(map(f32, scores), right, strict=True)
    ranked.sort(key=lambda row: -row[0])
    num_ground_truth = f32(sum(len(spans) for spans in ground_truth.values()))

    precisions, recalls = [], []
    for n in range(1, len(ranked) + 1):
        num_right = f32(sum(right for _, right in ranked[:n]))
        precisions.append(num_right / f32(n))
        recalls.append(num_right / num_ground_truth)
    strips = [
        (recalls[i] - recalls[i - 1]) * max(precisions[i:]) for i in range(len(ranked) - 1, 0, -1)
    ]
    return float(sum_officially([f32(0), *strips]))


def sum_officially(terms):
    lanes = [f32(0)] * 8
    while len(terms) >= 8:
        lanes = [lane + term for lane, term in zip(lanes, terms[:8], strict=True)]
        terms = terms[8:]
    total = f32(0)
    for lane in range(4):
        total = total + (lanes[lane] + lanes[lane + 4])
    for term in terms:
        total = total + term
    return total


def average_recall_officially(predictions, ground_truth, num_proposals, thresholds):
    total = f32(0)
    num_ground_truth = f32(sum(len(spans) for spans in ground_truth.values()))
    for threshold in thresholds:
        num_hits = 0
        for key, spans in ground_truth.items():
            proposals = predictions.get(key, ([], []))[0][:num_proposals]
            for truth in spans:
                num_hits += any(tiou_officially(span, truth) > f32(threshold) for span in proposals)
        total = total + f32(num_hits) / num_ground_truth
    return float(total / f32(len(thresholds)))
