"""Average precision and recall, slow and obvious: one loop for each sentence of the definition."""


def tiou(a, b):
    shared = min(a[1], b[1]) - max(a[0], b[0])
    if shared <= 0:
        return 0.0
    return shared / ((a[1] - a[0]) + (b[1] - b[0]) - shared)


def average_precision(predictions, truths, threshold):
    ranked = [
        (score, key, span)
        for key, (spans, scores) in predictions.items()
        for span, score in zip(spans, scores, strict=True)
    ]
    ranked.sort(key=lambda row: -row[0])
    free = {key: list(spans) for key, spans in truths.items()}
    num_truths = sum(len(spans) for spans in free.values())
    right = []
    for _, key, span in ranked:
        best = None
        for truth in free[key]:
            overlap = tiou(span, truth)
            if overlap >= threshold and (best is None or overlap > tiou(span, best)):
                best = truth
        if best is not None:
            free[key] = [truth for truth in free[key] if truth is not best]
        right.append(best is not None)

    points = []
    for n in range(1, len(right) + 1):
        num_right = sum(right[:n])
        points.append((num_right / num_truths, num_right / n))
    area = reached = 0.0
    for recall, _ in points:
        best_precision = max(p for r, p in points if r >= recall)
        area += (recall - reached) * best_precision
        reached = recall
    return area


def average_recall(predictions, truths, num_proposals, thresholds):
    recalls = []
    for threshold in thresholds:
        found = total = 0
        for key, spans in truths.items():
            proposals, scores = predictions.get(key, ([], []))
            order = sorted(range(len(scores)), key=lambda i: -scores[i])[:num_proposals]
            for truth in spans:
                total += 1
                found += any(tiou(proposals[i], truth) >= threshold for i in order)
        recalls.append(found / total)
    return sum(recalls) / len(recalls)
