"""Decisions of people about one sample, on plain values: what each action does, and undo."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import fiftyone as fo
from bson import ObjectId
from pydantic import Field as Described

from mmmsba_plugin.config import Config
from mmmsba_plugin.errors import SegmentError
from mmmsba_plugin.segment import Segment

from .. import labels
from ..errors import TargetError
from ..labels import Fields, detections
from ..records import FINISHED, WITHOUT_TRUTH
from .metadata import lazily

#: Label of a review that is not finished.
OPEN: Final = "open"

Action = Literal[
    "accept", "reject", "adjust", "relabel", "add", "finish", "cannot_tell", "unreadable", "undo"
]
#: Actions that end a review.
CLOSING: Final = ("finish", *WITHOUT_TRUTH)


class Decision(Config):
    """One decision about one sample.

    ``accept`` and ``reject`` decide about a prediction, or about all that are undecided if no
    label is named. ``adjust`` moves and ``relabel`` renames a prediction, or a segment that was
    reviewed before. ``add`` puts in what was missed. ``finish`` rejects what is undecided, and
    so says real of a sample of which nothing was accepted. ``cannot_tell`` and ``unreadable`` end
    the review without a ground truth. ``undo`` takes the last one back.
    """

    action: Action = Described(description="Action of the decision.")
    label_id: str | None = Described(default=None, description="Id of the segment's label.")
    start_s: float | None = Described(default=None, description="Start of the segment, in seconds.")
    end_s: float | None = Described(default=None, description="End of the segment, in seconds.")
    modality: Literal["audio", "visual", "both", "unknown"] | None = Described(
        default=None, description="Manipulated modality of the segment."
    )
    note: Annotated[str, Described(max_length=1000)] = Described(
        default="", description="Why, in words."
    )


@dataclass(frozen=True, slots=True)
class ReviewState:
    """State of a sample after a decision.

    Attributes:
        label: ``open``, ``forged``, ``genuine``, ``cannot tell`` or ``unreadable``.
        segments: Confirmed segments, as plain values: ``id``, ``label``, ``start_s``, ``end_s``,
            ``source``, and ``by`` and ``at`` of the decision.
        undecided: Ids of the predictions that are left to decide.
    """

    label: str
    segments: Sequence[Mapping[str, Any]]
    undecided: Sequence[str]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "label": self.label,
            "segments": [
                {**segment, "at": segment["at"] and segment["at"].isoformat()}
                for segment in self.segments
            ],
            "undecided": list(self.undecided),
        }


class SampleReview:
    """Review of one sample: the decisions before, and those that are taken now.

    Args:
        sample: A video sample with the fields of a review.
        fields: Names of those fields.
        by: Who decides.
    """

    def __init__(self, sample: Any, fields: Fields, by: str) -> None:
        self._by, self._at = by, datetime.now(UTC)
        self._clock = lazily(sample.filepath, sample.metadata)
        self._predicted = {label.id: label for label in detections(sample[fields.segments])}
        self._segments = [self._values_of(label) for label in detections(sample[fields.reviewed])]
        review = sample[fields.review]
        self._decided: dict[str, str] = dict(review.decided or {}) if review else {}
        self._history: list[dict[str, Any]] = list(review.history or []) if review else []
        label = OPEN if review is None else review.label
        self._finished = label in FINISHED.values()
        self._without_truth = label if label in WITHOUT_TRUTH.values() else None
        verdict = sample[fields.verdict] if sample.has_field(fields.verdict) else None
        self._has_score = verdict is not None and verdict.confidence is not None

    def take(self, decision: Decision) -> None:
        """Carry a decision out, and add it to the history.

        Raises:
            TargetError: There is no such segment, or nothing to undo.
            SegmentError: The segment would end before it starts.
        """
        if decision.action == "undo":
            if not self._history:
                raise TargetError("nothing was decided about this sample yet, so nothing is undone")
            before = self._history.pop()["before"]
            self._segments = [dict(segment) for segment in before["segments"]]
            self._decided, self._finished = dict(before["decided"]), before["finished"]
            self._without_truth = before.get("without_truth")
            return
        before = {
            "segments": [dict(segment) for segment in self._segments],
            "decided": dict(self._decided),
            "finished": self._finished,
            "without_truth": self._without_truth,
        }
        self._without_truth = None
        getattr(self, decision.action)(decision)
        values = decision.model_dump(mode="json", exclude_none=True)
        values |= {"by": self._by, "at": self._at.isoformat(), "before": before}
        self._history.append(values)

    def accept(self, decision: Decision) -> None:
        """Confirm a prediction, or all that are undecided."""
        for label_id in self._predictions_of(decision):
            self._confirm(label_id)

    def reject(self, decision: Decision) -> None:
        """Reject a prediction, all that are undecided, or a segment that was added."""
        if decision.label_id is not None and decision.label_id not in self._predicted:
            self._segments.remove(self._segment(decision.label_id))
            return
        for label_id in self._predictions_of(decision):
            self._decided[label_id] = "rejected"
            self._segments = [s for s in self._segments if s["source"] != label_id]

    def adjust(self, decision: Decision) -> None:
        """Move the ends of a segment."""
        segment = self._segment(decision.label_id)
        start_s = segment["start_s"] if decision.start_s is None else decision.start_s
        end_s = segment["end_s"] if decision.end_s is None else decision.end_s
        self._change(segment, start_s=start_s, end_s=end_s)

    def relabel(self, decision: Decision) -> None:
        """State which modality of a segment was manipulated."""
        if decision.modality is None:
            raise TargetError("say what was altered: audio, visual, both or unknown")
        self._change(self._segment(decision.label_id), label=decision.modality)

    def add(self, decision: Decision) -> None:
        """Add a segment that was missed."""
        if decision.start_s is None or decision.end_s is None:
            raise SegmentError("a segment that was missed needs start_s and end_s, in seconds")
        new: dict[str, Any] = {"id": None, "source": None, "label": decision.modality or "unknown"}
        self._change(new, start_s=decision.start_s, end_s=decision.end_s)
        self._segments.append(new)
        self._finished = True

    def finish(self, _: Decision) -> None:
        """Reject what is undecided.

        Raises:
            TargetError: That would say real of a sample that could not be evaluated.
        """
        if not (self._has_score or self._segments):
            raise TargetError(
                "this clip has no score, so it cannot be finished as real; say that one cannot "
                "tell or that it is unreadable, or add the segments that are fake"
            )
        self._decided = dict.fromkeys(self._predicted, "rejected") | self._decided
        self._finished = True

    def cannot_tell(self, _: Decision) -> None:
        """End the review of a sample that a person cannot tell real from fake."""
        self._without_truth = WITHOUT_TRUTH["cannot_tell"]

    def unreadable(self, _: Decision) -> None:
        """End the review of a sample that nobody can see or hear."""
        self._without_truth = WITHOUT_TRUTH["unreadable"]

    def state(self) -> ReviewState:
        """Return the state of the sample."""
        segments = [dict(segment) for segment in self._segments]
        return ReviewState(self._label(), segments, self._undecided())

    def _label(self) -> str:
        if self._without_truth is not None:
            return self._without_truth
        is_decided = self._finished or bool(self._decided)
        if self._undecided() or not is_decided or not (self._segments or self._has_score):
            return OPEN
        return FINISHED[bool(self._segments)]

    def columns(self, fields: Fields) -> dict[str, Any]:
        """Build the values of the fields of a review: confirmed segments, and their history.

        Args:
            fields: Names of those fields.
        """
        in_order = sorted(self._segments, key=lambda values: (values["start_s"], values["end_s"]))
        confirmed = [
            labels.detection(
                Segment(values["start_s"], values["end_s"]),
                self._clock(),
                **{name: values[name] for name in ("label", "id", "source", "by", "at")},
            )
            for values in in_order
        ]
        return {
            fields.reviewed: fo.TemporalDetections(detections=confirmed),
            fields.review: fo.Classification(
                label=self.state().label,
                decided=self._decided,
                history=self._history,
                by=self._by,
                at=self._at,
            ),
        }

    def _undecided(self) -> list[str]:
        return [label_id for label_id in self._predicted if label_id not in self._decided]

    def _predictions_of(self, decision: Decision) -> list[str]:
        """Return the predictions of a decision: the one it names, or all that are undecided."""
        if decision.label_id is None:
            return self._undecided()
        if decision.label_id not in self._predicted:
            raise _missing(decision.label_id)
        return [decision.label_id]

    def _segment(self, label_id: str | None) -> dict[str, Any]:
        """Return the confirmed segment of an id; a prediction is confirmed by changing it."""
        if label_id is not None and label_id in self._predicted:
            return self._confirm(label_id)
        for segment in self._segments:
            if segment["id"] == label_id:
                return segment
        raise _missing(label_id)

    def _confirm(self, predicted_id: str) -> dict[str, Any]:
        self._decided[predicted_id] = "accepted"
        for segment in self._segments:
            if segment["source"] == predicted_id:
                return segment
        values = self._values_of(self._predicted[predicted_id])
        new = {**values, "id": None, "source": predicted_id}
        self._change(new)
        self._segments.append(new)
        return new

    def _change(self, values: dict[str, Any], **changes: Any) -> None:
        values |= {**changes, "by": self._by, "at": self._at}
        values["id"] = values["id"] or str(ObjectId())
        # Refuses what ends before it starts.
        Segment(values["start_s"], values["end_s"])

    def _values_of(self, label: Any) -> dict[str, Any]:
        segment = labels.seconds_of(label, self._clock)
        origin = {name: getattr(label, name, None) for name in ("source", "by", "at")}
        ends = {"start_s": segment.start_s, "end_s": segment.end_s}
        return {"id": label.id, "label": label.label, **ends, **origin}


def _missing(label_id: str | None) -> TargetError:
    return TargetError(
        f"the sample has no segment {label_id!r}, predicted or reviewed; it may have been "
        "evaluated anew meanwhile, so reload"
    )
