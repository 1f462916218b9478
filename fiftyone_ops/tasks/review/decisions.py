"""Decisions of people about one sample, on plain values: what each action does, and undo."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import fiftyone as fo
from bson import ObjectId

from mmmsba_plugin.errors import SegmentError
from mmmsba_plugin.segment import Segment

from ...dataset import labels
from ...dataset.clock import lazily
from ...dataset.labels import Fields, detections
from ...dataset.records import FINISHED, WITHOUT_TRUTH, prediction_snapshot, review_label
from ...errors import TargetError
from .decision import OPEN, Decision, Outcome, OutcomeKind, ReviewState, Span
from .matching import Values, match

#: What a confirmed segment keeps, besides its ends.
_ATTRIBUTES: Final = (
    *("label", "id", "by", "at"),
    *("source", "source_label", "source_start_s", "source_end_s"),
)


class SampleReview:
    """Review of one sample: the decisions before, and those that are taken now.

    Args:
        sample: A video sample, with predictions and decisions or without.
        fields: Names of its fields.
        by: Who decides; whoever did last, if not given.
    """

    def __init__(self, sample: Any, fields: Fields, by: str | None = None) -> None:
        verdict, predicted, reviewed, review = (
            sample[name] if sample.has_field(name) else None
            for name in (fields.verdict, fields.segments, fields.reviewed, fields.review)
        )
        self._by = by or getattr(review, "by", None)
        self._at: datetime = datetime.now(UTC) if by or review is None else review.at
        self._clock = lazily(sample.filepath, sample.metadata)
        self._predicted = {label.id: self._values_of(label) for label in detections(predicted)}
        self._scores = {label.id: label.confidence for label in detections(predicted)}
        self._segments = [self._values_of(label) for label in detections(reviewed)]
        stored = {
            name: getattr(review, name, None)
            for name in ("decided", "rejected", "notes", "history")
        }
        self._rejected = self._rejections(stored)
        self._notes: list[Values] = [dict(note) for note in stored["notes"] or []]
        self._history: list[dict[str, Any]] = list(stored["history"] or [])
        self._label_before = OPEN if review is None else review_label(review)
        self._finished = self._label_before in FINISHED.values()
        is_without = self._label_before in WITHOUT_TRUTH.values()
        self._without_truth = self._label_before if is_without else None
        self._has_score = verdict is not None and verdict.confidence is not None
        self._now = prediction_snapshot(verdict, predicted)
        snapshots = getattr(review, "snapshots", None)
        self._snapshots = None if snapshots is None else [list(before) for before in snapshots]
        self._is_noted_only = False

    def take(self, decision: Decision) -> None:
        """Carry a decision out, and add it to the history.

        Raises:
            TargetError: There is no such segment, or nothing to undo.
            SegmentError: The segment would end before it starts.
        """
        if decision.action == "undo":
            if not self._history:
                raise TargetError("nothing was decided about this sample yet, so nothing is undone")
            if decision.batch is not None and self._history[-1].get("batch") != decision.batch:
                raise TargetError("this sample was decided about since; undo that first")
            before = self._history.pop()["before"]
            self._segments = [dict(segment) for segment in before["segments"]]
            self._rejected, self._finished = self._rejections(before), before["finished"]
            self._without_truth = before.get("without_truth")
            self._notes = [dict(note) for note in before.get("notes") or []]
            return
        before = {
            "segments": [dict(segment) for segment in self._segments],
            "rejected": [dict(values) for values in self._rejected],
            "finished": self._finished,
            "without_truth": self._without_truth,
            "notes": [dict(note) for note in self._notes],
        }
        # Whoever writes a note has not seen predictions through.
        self._is_noted_only = decision.action == "note"
        if not self._is_noted_only:
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
            segment = self._segment(decision.label_id)
            self._segments.remove(segment)
            if segment["source"] is not None:
                self._rejected.append(self._rejection(segment["source"], _predicted_as(segment)))
            return
        for label_id in self._predictions_of(decision):
            self._forget(label_id)
            self._rejected.append(self._rejection(label_id, self._predicted[label_id]))

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

    def note(self, decision: Decision) -> None:
        """Keep a note on a segment, in place of the one before."""
        segments = self._by_name()
        if decision.label_id not in segments:
            raise _missing(decision.label_id)
        values = segments[decision.label_id]
        before = self._noted().get(decision.label_id)
        self._notes = [note for note in self._notes if note is not before]
        if decision.note:
            note = {name: values[name] for name in ("label", "start_s", "end_s")}
            note |= {"source": decision.label_id, "text": decision.note}
            self._notes.append({**note, "by": self._by, "at": self._at})

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
        self._rejected += [self._rejection(i, self._predicted[i]) for i in self._undecided()]
        self._finished = True

    def cannot_tell(self, _: Decision) -> None:
        """End the review of a sample that a person cannot tell real from fake."""
        self._without_truth = WITHOUT_TRUTH["cannot_tell"]

    def unreadable(self, _: Decision) -> None:
        """End the review of a sample that nobody can see or hear."""
        self._without_truth = WITHOUT_TRUTH["unreadable"]

    def state(self) -> ReviewState:
        """Return the state of the sample."""
        matched = self._matched()
        decided = {
            name: "accepted" if _is_among(decision, self._segments) else "rejected"
            for name, decision in matched.items()
        }
        names = {id(decision): name for name, decision in matched.items()}
        segments = [{**values, "source": names.get(id(values))} for values in self._segments]
        unmatched = [
            values
            for values in self._rejected
            if id(values) not in names and values["start_s"] is not None
        ]
        return ReviewState(
            self._label(),
            segments,
            self._undecided(),
            decided,
            self._is_outdated(decided),
            unmatched,
            {name: note["text"] for name, note in self._noted().items()},
        )

    def outcomes(self) -> list[Outcome]:
        """List what became of each segment, in the order of time."""
        about = {id(decision): name for name, decision in self._matched().items()}
        undecided = [(self._predicted[name], name) for name in self._undecided()]
        outcomes = [
            *(self._confirmed(values, about.get(id(values))) for values in self._segments),
            *(
                self._outcome("rejected", values, about.get(id(values)), predicted=_span(values))
                for values in self._rejected
            ),
            *(self._outcome("undecided", v, name, predicted=_span(v)) for v, name in undecided),
        ]
        return sorted(outcomes, key=lambda outcome: outcome.start_s)

    def _confirmed(self, values: Values, about: str | None) -> Outcome:
        decided = _span(values)
        if values["source"] is None:
            return self._outcome("added", values, about, decided=decided)
        predicted = _span(_predicted_as(values))
        kind: OutcomeKind = "accepted" if decided == predicted else "changed"
        return self._outcome(kind, values, about, predicted=predicted, decided=decided)

    def _outcome(
        self, kind: OutcomeKind, values: Values, about: str | None, **spans: Span
    ) -> Outcome:
        """Build an outcome from a segment, and from the prediction of now that it is about."""
        names = {values.get("id"), values["source"]}
        note = self._noted().get(str(about)) or next(
            (note for note in self._notes if note["source"] in names), None
        )
        return Outcome(
            kind=kind,
            score=self._scores.get(str(about)),
            by=values["by"],
            at=values["at"],
            note="" if note is None else note["text"],
            **spans,
        )

    def _is_outdated(self, decided: Mapping[str, str]) -> bool:
        if self._label_before == OPEN or self._now[0] is None:
            return False
        if self._snapshots is not None:
            return self._now not in self._snapshots
        # Of reviews of earlier versions no more is known than which predictions were decided.
        return self._without_truth is None and not decided.keys() >= self._predicted.keys()

    def _label(self) -> str:
        if self._is_noted_only:
            return self._label_before
        if self._without_truth is not None:
            return self._without_truth
        is_decided = self._finished or bool(self._segments) or bool(self._rejected)
        if self._undecided() or not is_decided or not (self._segments or self._has_score):
            return OPEN
        return FINISHED[bool(self._segments)]

    def columns(self, fields: Fields) -> dict[str, Any]:
        """Build the values of the fields of a review: confirmed segments, and their history.

        Args:
            fields: Names of those fields.
        """

        def attributes(values: Values) -> dict[str, Any]:
            return {name: values.get(name) for name in _ATTRIBUTES}

        in_order = sorted(self._segments, key=lambda values: (values["start_s"], values["end_s"]))
        confirmed = [
            labels.detection(
                Segment(values["start_s"], values["end_s"]),
                self._clock(),
                **attributes(values),
            )
            for values in in_order
        ]
        state = self.state()
        return {
            fields.reviewed: fo.TemporalDetections(detections=confirmed),
            fields.review: fo.Classification(
                label=state.label,
                decided=state.decided,
                rejected=self._rejected,
                notes=self._notes,
                snapshots=self._snapshots_at(state.label),
                history=self._history,
                by=self._by,
                at=self._at,
            ),
        }

    def _snapshots_at(self, label: str) -> list[list[Any]] | None:
        """Return the predictions that the review was ended about, with those of now if it is."""
        if self._is_noted_only:
            return self._snapshots
        snapshots = self._snapshots or []
        is_new = label != OPEN and self._now not in snapshots
        return [*snapshots, self._now] if is_new else snapshots

    def _undecided(self) -> list[str]:
        matched = self._matched()
        return [label_id for label_id in self._predicted if label_id not in matched]

    def _matched(self) -> dict[str, Values]:
        return match(self._predicted, self._segments, self._rejected)

    def _by_name(self) -> dict[str, Values]:
        """Return the segments that a note can be on: predictions, and what else is confirmed."""
        matched = self._matched().values()
        others = [values for values in self._segments if not _is_among(values, [*matched])]
        return {**self._predicted, **{values["id"]: values for values in others}}

    def _noted(self) -> dict[str, Values]:
        return match(self._by_name(), self._notes, [])

    def _predictions_of(self, decision: Decision) -> list[str]:
        """Return the predictions of a decision: the one it names, or all that are undecided.

        Those are the ones that reach a score, where the decision is about these.
        """
        if decision.label_id is not None:
            if decision.label_id not in self._predicted:
                raise _missing(decision.label_id)
            return [decision.label_id]
        min_score, names = decision.min_score, self._undecided()
        if min_score is None:
            return names
        names = [name for name in names if (self._scores[name] or 0.0) >= min_score]
        if not names:
            raise TargetError(f"no undecided segment has a score of {min_score:g} or more")
        return names

    def _segment(self, label_id: str | None) -> dict[str, Any]:
        """Return the confirmed segment of an id; a prediction is confirmed by changing it."""
        if label_id is not None and label_id in self._predicted:
            return self._confirm(label_id)
        for segment in self._segments:
            if segment["id"] == label_id:
                return segment
        raise _missing(label_id)

    def _confirm(self, predicted_id: str) -> dict[str, Any]:
        decision = self._matched().get(predicted_id)
        if decision is not None and _is_among(decision, self._segments):
            return decision
        self._forget(predicted_id)
        values = self._predicted[predicted_id]
        origin = {f"source_{name}": values[name] for name in ("label", "start_s", "end_s")}
        new = {**values, **origin, "id": None, "source": predicted_id}
        self._change(new)
        self._segments.append(new)
        return new

    def _forget(self, predicted_id: str) -> None:
        """Take the decision about a prediction out, if there is one."""
        before = self._matched().get(predicted_id)
        self._segments = [values for values in self._segments if values is not before]
        self._rejected = [values for values in self._rejected if values is not before]

    def _rejection(self, predicted_id: str, values: Values) -> Values:
        ends = {name: values[name] for name in ("label", "start_s", "end_s")}
        return {**ends, "source": predicted_id, "by": self._by, "at": self._at}

    def _rejections(self, stored: Mapping[str, Any]) -> list[Values]:
        """Return the rejected predictions; earlier versions stored their ids alone."""
        if stored.get("rejected") is not None:
            return [dict(values) for values in stored["rejected"]]
        ids = [name for name, word in (stored["decided"] or {}).items() if word == "rejected"]
        unknown: Values = dict.fromkeys(("label", "start_s", "end_s"))
        rejections = [self._rejection(i, self._predicted.get(i, unknown)) for i in ids]
        return [{**values, "by": None, "at": None} for values in rejections]

    def _change(self, values: dict[str, Any], **changes: Any) -> None:
        values |= {**changes, "by": self._by, "at": self._at}
        values["id"] = values["id"] or str(ObjectId())
        # Refuses what ends before it starts.
        Segment(values["start_s"], values["end_s"])

    def _values_of(self, label: Any) -> dict[str, Any]:
        segment = labels.seconds_of(label, self._clock)
        stored = {name: getattr(label, name, None) for name in _ATTRIBUTES}
        return {**stored, "start_s": segment.start_s, "end_s": segment.end_s}


def _is_among(decision: Values, decisions: Sequence[Values]) -> bool:
    return any(decision is other for other in decisions)


def _predicted_as(segment: Values) -> Values:
    """Return the prediction behind a confirmed segment: label and ends, as far as known."""
    prefix = "" if segment.get("source_label") is None else "source_"
    return {name: segment[f"{prefix}{name}"] for name in ("label", "start_s", "end_s")}


def _span(values: Values) -> Span:
    return Span(values["label"], values["start_s"], values["end_s"])


def _missing(label_id: str | None) -> TargetError:
    return TargetError(
        f"the sample has no segment {label_id!r}, predicted or reviewed; it may have been "
        "evaluated anew meanwhile, so reload"
    )
