"""Models of a decision of a person about one sample, and of the state of its review then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import Field as Described

from mmmsba_plugin.config import Config

from ...dataset.records import WITHOUT_TRUTH

#: Label of a review that is not finished.
OPEN: Final = "open"

Action = Literal[
    "accept",
    "reject",
    "adjust",
    "relabel",
    "add",
    "note",
    "finish",
    "cannot_tell",
    "unreadable",
    "undo",
]
#: Actions that end a review.
CLOSING: Final = ("finish", *WITHOUT_TRUTH)


class Decision(Config):
    """One decision about one sample.

    ``accept`` and ``reject`` decide about a prediction, or about all that are undecided if no
    label is named, or about those of them that reach ``min_score``. ``adjust`` moves and
    ``relabel`` renames a prediction, or a segment that was reviewed before. ``add`` puts in what
    was missed. ``note`` keeps words about a segment, and decides nothing; without words it takes
    them away. ``finish`` rejects what is undecided, and so says real of a sample of which nothing
    was accepted. ``cannot_tell`` and ``unreadable`` end the review without a ground truth.
    ``undo`` takes the last one back, or nothing if that was not of the ``batch`` that is named.
    """

    action: Action = Described(description="Action of the decision.")
    label_id: str | None = Described(default=None, description="Id of the segment's label.")
    start_s: float | None = Described(default=None, description="Start of the segment, in seconds.")
    end_s: float | None = Described(default=None, description="End of the segment, in seconds.")
    modality: Literal["audio", "visual", "both", "unknown"] | None = Described(
        default=None, description="Manipulated modality of the segment."
    )
    min_score: float | None = Described(
        default=None, ge=0, le=1, description="Lowest score of undecided segments to decide about."
    )
    batch: str | None = Described(
        default=None,
        max_length=40,
        description="Name of the decision about many samples that it belongs to.",
    )
    note: Annotated[str, Described(max_length=1000)] = Described(
        default="", description="Why, in words."
    )


@dataclass(frozen=True, slots=True)
class ReviewState:
    """State of a sample after a decision.

    Attributes:
        label: ``open``, ``fake``, ``real``, ``cannot tell`` or ``unreadable``.
        segments: Confirmed segments, as plain values: ``id``, ``label``, ``start_s``, ``end_s``,
            ``source``, the id of the prediction that it is about now, and ``by`` and ``at`` of the
            decision.
        undecided: Ids of the predictions that are left to decide.
        decided: ``accepted`` or ``rejected``, by the ids of the predictions of now.
        is_outdated: Whether the review was ended about other predictions than those of now.
        rejected: Rejected segments that no prediction of now is like, as plain values.
        notes: Notes on segments, by the ids of the predictions of now, or else of the segments.
    """

    label: str
    segments: Sequence[Mapping[str, Any]]
    undecided: Sequence[str]
    decided: Mapping[str, str]
    is_outdated: bool
    rejected: Sequence[Mapping[str, Any]]
    notes: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "label": self.label,
            "segments": [
                {**segment, "at": segment["at"] and segment["at"].isoformat()}
                for segment in self.segments
            ],
            "undecided": list(self.undecided),
            "decided": dict(self.decided),
            "is_outdated": self.is_outdated,
            "rejected": [
                {**segment, "at": segment["at"] and segment["at"].isoformat()}
                for segment in self.rejected
            ],
            "notes": dict(self.notes),
        }


#: What became of a segment.
OutcomeKind = Literal["accepted", "changed", "rejected", "added", "undecided"]


@dataclass(frozen=True, slots=True)
class Span:
    """Label and ends of a segment; None where an earlier version did not keep them.

    Attributes:
        label: Its manipulated modality.
        start_s: Its start, in seconds.
        end_s: Its end, in seconds.
    """

    label: str | None
    start_s: float | None
    end_s: float | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of a review for one segment.

    Attributes:
        kind: ``accepted`` as it was predicted, ``changed``, ``rejected``, ``added`` by a person,
            or ``undecided``.
        score: Score of the prediction of now; None without one.
        by: Who decided; None while nobody did.
        at: When, in UTC; None as there.
        note: The note on it; empty without one.
        predicted: The prediction that it is about; None without one.
        decided: The segment that a person stands by; None without one.
    """

    kind: OutcomeKind
    score: float | None
    by: str | None
    at: datetime | None
    note: str
    predicted: Span | None = None
    decided: Span | None = None

    @property
    def start_s(self) -> float:
        """Its start, in seconds; 0 where that was not kept."""
        span = self.decided or self.predicted
        return (span and span.start_s) or 0.0
