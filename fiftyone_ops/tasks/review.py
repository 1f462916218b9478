"""Decisions of people about predictions, kept with author and time.

Decisions never touch the predictions. They make up two fields beside ``forgeries``:

``forgeries_reviewed``
    ``fo.TemporalDetections``: what the person stands by, as labels are everywhere (see
    :mod:`.labels`), and with ``source``: the id of the prediction it came from (None for one that
    was missed), ``by`` and ``at``.
``forgeries_review``
    ``fo.Classification``, one a sample that somebody looked at. ``label``: ``open`` for as long as
    a prediction is undecided, then ``forged`` or ``genuine``; ``by`` and ``at``: whoever decided
    last; ``decided``: ``accepted`` or ``rejected`` by the prediction's id; ``history``: every
    decision, with who, when, and what was there before it.

A sample is learned from once its label is ``forged`` or ``genuine``.
"""

import getpass
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar

import fiftyone as fo
from bson import ObjectId
from fiftyone import ViewField as F
from pydantic import Field as Described

from mmmsba_plugin.config import Config
from mmmsba_plugin.errors import DatasetError, MmmsbaError, SegmentError
from mmmsba_plugin.record import Record
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.timebase import FrameClock

from .. import labels, store
from ..errors import TargetError
from ..labels import Fields
from ..records import detections, records
from ..samples import Samples, dataset_of, flattened, require_video
from ..store import declare_segments, write, writing_to
from .metadata import lazily

_T = TypeVar("_T")

OPEN: Final = "open"
_TRIES: Final = 5
_PAUSE_S: Final = 0.1
_WORD: Final = {True: "forged", False: "genuine"}

Action = Literal["accept", "reject", "adjust", "relabel", "add", "finish", "undo"]


class Decision(Config):
    """One decision about one sample.

    ``accept`` and ``reject`` decide about a prediction, or about all that are undecided if no
    label is named. ``adjust`` moves and ``relabel`` renames a prediction, or a segment that was
    reviewed before. ``add`` puts in what was missed. ``finish`` rejects what is undecided, and
    so says real of a sample of which nothing was accepted. ``undo`` takes the last one back.
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


@dataclass(slots=True)
class Decisions:
    """Decisions about one sample.

    Attributes:
        segments: As plain values: ``id``, ``label``, ``start_s``, ``end_s``, ``source``, and
            ``by`` and ``at`` of who decided it.
        decided: ``accepted`` or ``rejected`` by a prediction's id.
    """

    segments: list[dict[str, Any]] = field(default_factory=list)
    decided: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return a copy as plain values."""
        return {
            "segments": [dict(segment) for segment in self.segments],
            "decided": dict(self.decided),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Decisions":
        """Parse the values of :meth:`to_dict`."""
        return cls([dict(segment) for segment in values["segments"]], dict(values["decided"]))


@dataclass(frozen=True, slots=True)
class Reviewed:
    """State of a sample after a decision.

    Attributes:
        label: ``open``, ``forged`` or ``genuine``.
        segments: What somebody stands by, as plain values.
        undecided: Ids of the predictions that are left to decide.
    """

    label: str
    segments: Sequence[Mapping[str, Any]]
    undecided: Sequence[str]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "label": self.label,
            "segments": [dict(segment) for segment in self.segments],
            "undecided": list(self.undecided),
        }


def start_review(dataset: Any, label_field: str = "forgeries") -> None:
    """Add the fields of a review, unless they are there.

    Args:
        dataset: The dataset.
        label_field: Field of the predictions.

    Raises:
        TargetError: There are no predictions of ours in that field.
        FieldTakenError: The fields are there, and no review made them.
        WriteError: The database does not take them.
    """
    _steadily(dataset, lambda: _start(dataset, Fields(label_field)))


def _start(dataset: Any, fields: Fields) -> None:
    label_field = fields.segments
    if label_field not in dataset.get_field_schema():
        raise TargetError(
            f"{dataset.name!r} has no predictions in {label_field!r} to review; run "
            "detect_forgeries first, or name its label field"
        )
    store.require_ours(
        dataset, fields.review, method=store.REVIEW, fields=(fields.reviewed, fields.review)
    )
    # First, so that fields of a review that was cut short here are still known as a review's.
    store.register(dataset, fields.review, method=store.REVIEW, label_field=label_field)
    with writing_to(dataset):
        _declare(dataset, fields)


def _steadily(dataset: Any, act: Callable[[], _T]) -> _T:
    """Run an act that may be tried again, once the dataset is as it should be.

    All requests of the App's server share one object for a dataset. Another one that reads it
    anew at the wrong moment takes a field away that was added a moment ago.
    """
    for _ in range(_TRIES):
        try:
            return act()
        except MmmsbaError:
            raise
        except (AttributeError, KeyError, ValueError):
            time.sleep(_PAUSE_S)
            dataset.reload()
    return act()


def _declare(dataset: Any, fields: Fields) -> None:
    declare_segments(dataset, fields.reviewed)
    dataset.add_sample_field(
        fields.review, fo.EmbeddedDocumentField, embedded_doc_type=fo.Classification
    )
    for name, kind in (("by", fo.StringField), ("at", fo.DateTimeField)):
        dataset.add_sample_field(f"{fields.reviewed}.detections.{name}", kind)
        dataset.add_sample_field(f"{fields.review}.{name}", kind)
    dataset.add_sample_field(f"{fields.reviewed}.detections.source", fo.StringField)
    dataset.add_sample_field(f"{fields.review}.decided", fo.DictField)
    dataset.add_sample_field(f"{fields.review}.history", fo.ListField)


def decide(
    samples: Any,
    sample_id: str,
    *,
    label_field: str = "forgeries",
    by: str | None = None,
    **decision: Any,
) -> Reviewed:
    """Decide something about a sample, and keep who did and when.

    Args:
        samples: The dataset, or a view of it.
        sample_id: The sample.
        label_field: Field of the predictions.
        by: Who decides; whoever is logged in if not given.
        **decision: The fields of :class:`Decision`.

    Raises:
        ConfigError: The decision makes no sense.
        TargetError: There is no such sample or segment, or nothing to undo.
        SegmentError: The segment would end before it starts.
        FieldTakenError: The fields of the review are there, and no review made them.
        WriteError: The database does not take it.
    """
    parsed = Decision.read(decision)
    dataset = dataset_of(samples)
    fields = Fields(label_field)

    def at_desk() -> _Desk:
        _start(dataset, fields)
        return _Desk(_sample(dataset, sample_id), fields, by or whoami())

    desk = _steadily(dataset, at_desk)
    desk.take(parsed)
    decided = {
        fields.reviewed: {sample_id: desk.labels()},
        fields.review: {sample_id: desk.review()},
    }
    _steadily(dataset, lambda: write(dataset, decided))
    return desk.reviewed()


def is_finished(fields: Fields) -> Any:
    """Build the view expression of samples whose review is finished."""
    return F(f"{fields.review}.label").is_in([*_WORD.values()])


def whoami() -> str:
    """Return the name of whoever is logged in; ``unknown`` where that cannot be said."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


class _Desk:
    """One sample on the reviewer's desk: what was decided before, and what is decided now."""

    def __init__(self, sample: Any, fields: Fields, by: str) -> None:
        self._sample, self._by = sample, by
        self._at = datetime.now(UTC)
        self._clock = lazily(sample.filepath, sample.metadata)
        self._predicted = {label.id: label for label in detections(sample[fields.segments])}
        review = sample[fields.review]
        self._history: list[dict[str, Any]] = list(review.history or []) if review else []
        self._decisions = Decisions(
            [_label_values(label, self._clock) for label in detections(sample[fields.reviewed])],
            dict(review.decided or {}) if review else {},
        )
        self._finished = review is not None and review.label != OPEN

    def take(self, decision: Decision) -> None:
        """Carry a decision out, and note it."""
        if decision.action == "undo":
            self._undo()
            return
        before = {**self._decisions.to_dict(), "finished": self._finished}
        _ACTIONS[decision.action](self, decision)
        values = decision.model_dump(mode="json", exclude_none=True)
        self._history.append(
            {**values, "by": self._by, "at": self._at.isoformat(), "before": before}
        )

    def labels(self) -> Any:
        """Build labels of the confirmed segments."""
        in_order = sorted(
            self._decisions.segments,
            key=lambda held_segment: (held_segment["start_s"], held_segment["end_s"]),
        )
        built = []
        for held_segment in in_order:
            segment = Segment(held_segment["start_s"], held_segment["end_s"])
            origin = {name: held_segment[name] for name in ("id", "source", "by", "at")}
            built.append(
                labels.detection(segment, self._clock(), label=held_segment["label"], **origin)
            )
        return fo.TemporalDetections(detections=built)

    def review(self) -> Any:
        """Return the state of the sample, as a label."""
        return fo.Classification(
            label=self.reviewed().label,
            by=self._by,
            at=self._at,
            decided=self._decisions.decided,
            history=self._history,
        )

    def reviewed(self) -> Reviewed:
        """Return the state of the sample."""
        undecided = [
            label_id for label_id in self._predicted if label_id not in self._decisions.decided
        ]
        is_open = bool(undecided) or not (self._finished or self._decisions.decided)
        label = OPEN if is_open else _WORD[bool(self._decisions.segments)]
        return Reviewed(
            label, [_segment_values(label_id) for label_id in self._decisions.segments], undecided
        )

    def accept(self, decision: Decision) -> None:
        for label_id in self._meant(decision):
            self._hold(label_id)

    def reject(self, decision: Decision) -> None:
        if decision.label_id is not None and decision.label_id not in self._predicted:
            self._decisions.segments.remove(self._own(decision.label_id))
            return
        for label_id in self._meant(decision):
            self._decisions.decided[label_id] = "rejected"
            self._decisions.segments = [
                s for s in self._decisions.segments if s["source"] != label_id
            ]

    def adjust(self, decision: Decision) -> None:
        own = self._own(decision.label_id)
        start_s = own["start_s"] if decision.start_s is None else decision.start_s
        end_s = own["end_s"] if decision.end_s is None else decision.end_s
        self._change(own, start_s=start_s, end_s=end_s)

    def relabel(self, decision: Decision) -> None:
        if decision.modality is None:
            raise TargetError("say what was altered: audio, visual, both or unknown")
        self._change(self._own(decision.label_id), label=decision.modality)

    def add(self, decision: Decision) -> None:
        if decision.start_s is None or decision.end_s is None:
            raise SegmentError("a segment that was missed needs start_s and end_s, in seconds")
        new: dict[str, Any] = {"id": None, "source": None, "label": decision.modality or "unknown"}
        self._change(new, start_s=decision.start_s, end_s=decision.end_s)
        self._decisions.segments.append(new)
        self._finished = True

    def finish(self, decision: Decision) -> None:
        del decision
        for label_id in self._predicted:
            self._decisions.decided.setdefault(label_id, "rejected")
        self._finished = True

    def _undo(self) -> None:
        if not self._history:
            raise TargetError("nothing was decided about this sample yet, so nothing is undone")
        before = self._history.pop()["before"]
        self._decisions = Decisions.from_dict(before)
        self._finished = before["finished"]

    def _meant(self, decision: Decision) -> list[str]:
        """Return the predictions that are meant: the one named, or all that are undecided."""
        if decision.label_id is None:
            return [
                label_id for label_id in self._predicted if label_id not in self._decisions.decided
            ]
        if decision.label_id not in self._predicted:
            raise TargetError(_no_segment(decision.label_id))
        return [decision.label_id]

    def _own(self, label_id: str | None) -> dict[str, Any]:
        """Return the held segment that is meant; a prediction is accepted by changing it."""
        if label_id in self._predicted and label_id is not None:
            return self._hold(label_id)
        matches = [segment for segment in self._decisions.segments if segment["id"] == label_id]
        if not matches:
            raise TargetError(_no_segment(label_id))
        return matches[0]

    def _hold(self, predicted: str) -> dict[str, Any]:
        self._decisions.decided[predicted] = "accepted"
        for segment in self._decisions.segments:
            if segment["source"] == predicted:
                return segment
        new = {
            **_label_values(self._predicted[predicted], self._clock),
            "id": None,
            "source": predicted,
        }
        self._change(new)
        self._decisions.segments.append(new)
        return new

    def _change(self, own: dict[str, Any], **changes: Any) -> None:
        own |= {**changes, "by": self._by, "at": self._at}
        own["id"] = own["id"] or str(ObjectId())
        # Refuses what ends before it starts.
        Segment(own["start_s"], own["end_s"])


_ACTIONS: Mapping[str, Callable[[_Desk, Decision], None]] = {
    "accept": _Desk.accept,
    "reject": _Desk.reject,
    "adjust": _Desk.adjust,
    "relabel": _Desk.relabel,
    "add": _Desk.add,
    "finish": _Desk.finish,
}

_Label: TypeAlias = Any


def _label_values(label: _Label, clock: Callable[[], FrameClock]) -> dict[str, Any]:
    segment = labels.seconds_of(label, clock)
    origin = {name: getattr(label, name, None) for name in ("source", "by", "at")}
    return {
        "id": label.id,
        "label": label.label,
        "start_s": segment.start_s,
        "end_s": segment.end_s,
        **origin,
    }


def _segment_values(segment: Mapping[str, Any]) -> dict[str, Any]:
    at = segment["at"]
    return {**segment, "at": at.isoformat() if isinstance(at, datetime) else at}


def _sample(dataset: Any, sample_id: str) -> Any:
    try:
        sample = dataset[sample_id]
    except KeyError as error:
        raise TargetError(
            f"{dataset.name!r} has no sample {sample_id!r}; it may have been deleted, so reload"
        ) from error
    require_video(sample)
    return sample


def _no_segment(label_id: str | None) -> str:
    return (
        f"the sample has no segment {label_id!r}, predicted or reviewed; it may have been judged "
        "anew meanwhile, so reload"
    )


#: What stands between a dataset's name and a field's.
_COLON = ":"
_DEFAULT = Fields("forgeries").reviewed
_SUFFIX = "_reviewed"


def learnable(argument: str) -> tuple[str, Iterator[Record]]:
    """Return the name of a dataset, and its clips with their truth.

    Args:
        argument: ``DATASET`` or ``DATASET:FIELD``. The field that a review wrote, ``FIELD``
            ending in
            ``_reviewed``, counts where the review is finished; any other one where it is set.

    Raises:
        DatasetError: There is no such dataset or field, or nothing in it was reviewed.
    """
    name, _, field = argument.partition(_COLON)
    dataset = _opened(name)
    field = field or _DEFAULT
    if field not in dataset.get_field_schema():
        raise DatasetError(
            f"the dataset {name!r} has no field {field!r} to learn from; review predictions in "
            f"the App first, or name a field of true segments as {name}:ground_truth"
        )
    samples = finished(dataset, field)
    if not samples:
        raise DatasetError(
            f"no sample of {name!r} has a finished review in {field!r}; finish some in the App"
        )
    return name, records(samples, field)


def _opened(name: str) -> Any:
    if not fo.dataset_exists(name):
        there = ", ".join(fo.list_datasets()) or "none"
        raise DatasetError(f"FiftyOne has no dataset {name!r}; there are: {there}")
    return fo.load_dataset(name)


def finished(samples: Samples, field: str) -> Samples:
    """Return the samples whose truth can be learned from.

    Args:
        samples: A dataset or a view.
        field: A field of segments. That of a review counts where the review is finished.
    """
    samples = flattened(samples)
    stem = field.removesuffix(_SUFFIX)
    fields = Fields(stem)
    if stem == field or fields.review not in samples.get_field_schema():
        return samples.exists(field)
    return samples.match(is_finished(fields))
