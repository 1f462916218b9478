"""Matching of decisions with predictions, by time: whatever is run anew has other ids."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mmmsba_plugin.segment import Segment, tiou

#: Values of a segment: ``label``, ``start_s`` and ``end_s``. Those that were decided about have
#: ``source``, the id of the prediction, and may have ``source_label``, ``source_start_s`` and
#: ``source_end_s``, what it was like.
Values = dict[str, Any]

#: Overlap over union from which a decision is about a prediction, as for hits in evaluations.
SAME_TIOU: Final = 0.5


def match(
    predicted: Mapping[str, Values], confirmed: Sequence[Values], rejected: Sequence[Values]
) -> dict[str, Values]:
    """Match each prediction with the decision about it; one that has none is undecided.

    A decision that names a prediction is about that one. Any other is about the free prediction
    of its modality that it overlaps most, if by :data:`SAME_TIOU`.

    Args:
        predicted: Predictions by their ids.
        confirmed: Segments that a person stands by, predicted or added.
        rejected: Predictions that a person rejected.

    Returns:
        Decisions, the very objects that were given, by the ids of predictions.

    Example:
        >>> decision = {"label": "audio", "start_s": 1.0, "end_s": 2.0, "source": "before"}
        >>> again = {"label": "audio", "start_s": 1.1, "end_s": 2.0}
        >>> match({"now": again}, [decision], []) == {"now": decision}
        True
    """
    decisions = [*confirmed, *rejected]
    by_source = {decision["source"]: decision for decision in decisions if decision["source"]}
    matched = {name: by_source[name] for name in predicted if name in by_source}
    for _, name, decision in sorted(_pairs(predicted, confirmed, rejected), key=lambda p: -p[0]):
        if name not in matched and not any(decision is other for other in matched.values()):
            matched[name] = decision
    return matched


def _pairs(
    predicted: Mapping[str, Values], confirmed: Sequence[Values], rejected: Sequence[Values]
) -> Iterator[tuple[float, str, Values]]:
    """Yield what may be a match: overlap, id of the prediction, decision."""
    # Whoever stands by both has decided about audio; whoever rejects both has not.
    for decisions, any_label in ((confirmed, {"both", "unknown"}), (rejected, {"unknown"})):
        for decision in decisions:
            labels = {decision["label"], decision.get("source_label")}
            # What a person made of it, and what was predicted then.
            prefixes = [p for p in ("", "source_") if decision.get(f"{p}start_s") is not None]
            segments = [_segment(decision, prefix) for prefix in prefixes]
            for name, prediction in predicted.items():
                is_same = prediction["label"] in labels or labels & any_label
                now = _segment(prediction)
                overlap = max((tiou(now, segment) for segment in segments), default=0.0)
                if (is_same or prediction["label"] == "unknown") and overlap >= SAME_TIOU:
                    yield overlap, name, decision


def _segment(values: Values, prefix: str = "") -> Segment:
    return Segment(values[f"{prefix}start_s"], values[f"{prefix}end_s"])
