"""Labels and fields in a dataset: the one place where seconds become frame numbers.

A run writes these fields, where ``forgeries`` stands for the label field that was chosen. All
seconds count from the clip's zero, and segments are half-open, ``[start_s, end_s)``.

``forgeries``
    ``fo.TemporalDetections``, one a fake segment. ``label``: ``audio``, ``visual``, ``both``
    or ``unknown``; ``confidence``: P(fake) of the segment; ``support``: first and last stored
    frame, numbered from 1, both within; ``start_s`` and ``end_s``: the exact seconds, which
    figures are computed from; ``exact_for``: the support that these seconds belong to, so that
    one which was moved in the App is known by it; ``track``: the face it was seen on, or None;
    ``words``: what is spoken in it, by a transcript beside the clip, or None.
    Labels are made by :func:`detection` and read by :func:`seconds_of`, by nobody else; reports
    become labels, and labels reports, in :mod:`.reports`.
``forgeries_verdict``
    ``fo.Classification``. ``label``: ``fake``, ``not flagged``, ``abstained`` or ``error``,
    where ``not flagged`` says no more than that the score lies below the threshold. FiftyOne's
    own evaluation of classifications compares words, so map these onto the truth's first;
    ``confidence``: calibrated P(fake) of the clip, None unless judged; ``threshold`` and
    ``false_positive_rate``; ``status``: as the report says; ``reason``: why there is no score;
    ``warnings``: a list of sentences; ``score_<modality>``: what each modality says alone, such
    as ``score_audio``; ``duration_s``; ``made_by``: which weights and settings, a key of
    ``makers`` in the run that is registered as ``forgeries``; ``judged_at``: when.
``forgeries_opt_outs``
    ``fo.TemporalDetections``, one a segment that a modality could not be evaluated in, from one
    snippet on. ``label``: the modality in words, such as ``audio not evaluated``; ``reason``;
    ``support``, ``start_s``, ``end_s`` as above.
``forgeries_curves``
    ``fo.DynamicEmbeddedDocument``. ``start_s`` and ``stride_s`` of the grid; ``score``: vector
    of P(fake), one a snippet, NaN where none could be evaluated; ``<modality>``: the same by one
    modality alone, such as ``audio``; ``num_frames`` and ``frame_edges_s``: the clip's clock,
    as the start of each frame and the end of the last one, or the first and the last of these
    where all frames last alike. Curves of earlier versions have none.
``forgeries_proposals``
    Array of shape ``(proposal, 3)``: start and end in seconds, score; best first.
``frames.forgeries_score``
    P(fake) of each frame, only on request.

Truth that a dataset states lies in a field of its own, ``ground_truth``, made as ``forgeries``
is (``label`` may be ``fake`` where modalities are not told apart); what a person decided lies
in ``forgeries_reviewed``, and who and when in ``forgeries_review`` (see
:mod:`~fiftyone_ops.tasks.review.decide`).

Up to version 0.1 labels said ``forged`` and ``genuine``: :data:`FORMER_VERDICTS` and
:data:`FORMER_LABELS` have the words of today. Old ones are read, and renamed by the next run or
import into the dataset.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import fiftyone as fo
import numpy as np
from fiftyone import ViewExpression
from fiftyone.core.utils import deserialize_numpy_array
from numpy.typing import NDArray

from mmmsba_plugin.record import Record, truth_by_modality
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.timebase import FrameClock

#: Labels of segments; the last one where the modality is not known.
LABELS: Final = ("audio", "visual", "both", "unknown")
#: The label of a true segment of a dataset that does not tell modalities apart.
FAKE: Final = "fake"
#: Field of a dataset's ground truth, in panels and in the App's colors.
TRUTH_FIELD: Final = "ground_truth"
#: Labels of verdicts.
VERDICTS: Final = ("fake", "not flagged", "abstained", "error")
#: Labels of verdicts that there is no score for.
WITHOUT_SCORE: Final = VERDICTS[2:]
#: What verdicts were called before, and are called now.
FORMER_VERDICTS: Final[Mapping[str, str]] = {"forged": "fake", "genuine": "not flagged"}
#: What truth and reviews were called before, and are called now.
FORMER_LABELS: Final[Mapping[str, str]] = {"forged": "fake", "genuine": "real"}
#: End of the label of an opt-out, after its modality.
_NOT_EVALUATED: Final = " not evaluated"

#: Attributes of a document of curves that are no curve.
_GRID_AND_CLOCK: Final = {"start_s", "stride_s", "num_frames", "frame_edges_s"}
#: Frames that last alike to this do so exactly: far less than what a label is rounded to.
_EVEN_S: Final = 1e-9

#: Start of the attributes of a verdict that are one modality's score.
_SCORE: Final = "score_"

#: Objects of FiftyOne, which is untyped from here on.
Detections: TypeAlias = Any
Detection: TypeAlias = Any
Verdict: TypeAlias = Any
Document: TypeAlias = Any


class Fields:
    """Names of the fields of one run.

    Args:
        segments: The label field, and the stem of all other names.
        review_stem: Stem of the fields of the review, where several runs share one; see
            :func:`~fiftyone_ops.dataset.runs.fields_of_run`.

    Attributes:
        segments: The label field.
        verdict: Field of the clip's score and status.
        opt_outs: Field of the segments that were not evaluated.
        curves: Field of the scores along time.
        proposals: Field of the ranked candidates.
        frame_score: Field of each frame's score, on frames.
        reviewed: Field of the segments that a person confirmed.
        review: Field of a review's author, time and history.
        predicted: Every field of the sample that detection writes.

    Example:
        >>> Fields("forgeries").verdict
        'forgeries_verdict'
    """

    def __init__(self, segments: str, review_stem: str | None = None) -> None:
        self.segments = segments
        self.verdict = f"{segments}_verdict"
        self.opt_outs = f"{segments}_opt_outs"
        self.curves = f"{segments}_curves"
        self.proposals = f"{segments}_proposals"
        self.frame_score = f"{segments}_score"
        self.reviewed = f"{review_stem or segments}_reviewed"
        self.review = f"{review_stem or segments}_review"
        self.predicted = (segments, self.verdict, self.opt_outs, self.curves, self.proposals)


def truth_of(record: Record, clock: FrameClock) -> Detections:
    """Build ground-truth labels, by modality where a dataset tells them apart.

    A segment that both modalities share is labelled ``both``.

    Args:
        record: Record of the clip; one that is fake at no stated place is so all along.
        clock: Presentation times of its frames, from its zero.
    """
    record = record.lasting(clock.end_s)
    if record.audio_truth is None or record.visual_truth is None:
        segments = {FAKE: set(record.truth)}
    else:
        audio, visual = set(record.audio_truth), set(record.visual_truth)
        segments = {"both": audio & visual, "audio": audio - visual, "visual": visual - audio}
    in_order = sorted((label, segment) for label in segments for segment in segments[label])
    return fo.TemporalDetections(
        detections=[detection(segment, clock, label=label) for label, segment in in_order]
    )


def detection(
    segment: Segment,
    clock: FrameClock,
    *,
    label: str,
    confidence: float | None = None,
    **attributes: Any,
) -> Detection:
    """Build the label of one segment: frames for the App, exact seconds for metrics."""
    support = list(clock.frame_numbers(segment.start_s, segment.end_s))
    return fo.TemporalDetection(
        label=label,
        confidence=confidence,
        support=support,
        start_s=segment.start_s,
        end_s=segment.end_s,
        exact_for=support,
        **attributes,
    )


def seconds_of(label: Detection, clock: Callable[[], FrameClock]) -> Segment:
    """Return the segment of a label, in seconds.

    Its exact seconds hold for as long as its frames are those they belong to. Whoever moves a
    label in the App moves its frames alone; then these hold.

    Args:
        label: A ``fo.TemporalDetection``, ours or anyone's.
        clock: Returns the presentation times of the clip's frames, from its zero; called only
            where that matters.
    """
    start_s, end_s = (getattr(label, name, None) for name in ("start_s", "end_s"))
    exact_for = getattr(label, "exact_for", None)
    was_moved = exact_for is not None and list(exact_for) != list(label.support)
    if start_s is not None and end_s is not None and not was_moved:
        return Segment(float(start_s), float(end_s))
    return Segment(*clock().span(*label.support))


def record_truth(
    labels: Detections | None, clock: Callable[[], FrameClock]
) -> tuple[tuple[Segment, ...], tuple[Segment, ...] | None, tuple[Segment, ...] | None]:
    """Return the ground truth in labels: all segments, those of audio, those of video.

    The last two are None where a label does not state its modality.

    Args:
        labels: ``fo.TemporalDetections``, ours or anyone's.
        clock: As for :func:`seconds_of`.
    """
    return truth_by_modality(
        (seconds_of(label, clock), label.label) for label in detections(labels)
    )


def detections(labels: Detections | None) -> Sequence[Detection]:
    """Return the labels in a field's value, none where it is not set."""
    return () if labels is None else labels.detections


def verdict_words(word: str) -> list[str]:
    """List the labels that say the same as a verdict, those of earlier versions too.

    Example:
        >>> verdict_words("fake")
        ['fake', 'forged']
    """
    return [word, *(before for before, now in FORMER_VERDICTS.items() if now == word)]


def opt_out_label(modality: str) -> str:
    """Return the label of an opt-out of a modality.

    Example:
        >>> opt_out_label("audio")
        'audio not evaluated'
    """
    return f"{modality}{_NOT_EVALUATED}"


def opt_out_modality(label: Detection) -> str:
    """Return the modality of an opt-out.

    Example:
        >>> opt_out_modality(fo.TemporalDetection(label="audio not evaluated", support=[1, 2]))
        'audio'
    """
    return str(label.label.removesuffix(_NOT_EVALUATED))


def curve_names(curves: Document) -> list[str]:
    """List the curves of a document: ``score``, and one a modality."""
    return [
        name
        for name in curves.field_names
        if name not in _GRID_AND_CLOCK and curves[name] is not None
    ]


def raw_curves(stored: Mapping[str, Any]) -> dict[str, NDArray[np.float64]]:
    """Return the curves of a document as the database keeps it, by their names."""
    return {
        name: deserialize_numpy_array(value)
        for name, value in stored.items()
        if isinstance(value, bytes) and name not in _GRID_AND_CLOCK
    }


def clock_attributes(clock: FrameClock) -> dict[str, Any]:
    """Build the attributes of curves that keep the clip's clock."""
    edges_s = np.append(clock.starts_s, clock.end_s)
    even_s = np.linspace(edges_s[0], edges_s[-1], edges_s.size)
    is_even = np.allclose(edges_s, even_s, rtol=0.0, atol=_EVEN_S)
    return {
        "num_frames": len(clock.starts_s),
        "frame_edges_s": edges_s[[0, -1]] if is_even else edges_s,
    }


def stored_clock(stored: Mapping[str, Any]) -> FrameClock | None:
    """Return the clip's clock in curves as the database keeps them; earlier versions kept none."""
    if "frame_edges_s" not in stored:
        return None
    edges_s, num_frames = deserialize_numpy_array(stored["frame_edges_s"]), stored["num_frames"]
    if len(edges_s) <= num_frames:
        edges_s = np.linspace(edges_s[0], edges_s[-1], num_frames + 1)
    return FrameClock(edges_s[:-1], float(edges_s[-1]))


def stored_scores(videos: Any, fields: Fields) -> list[NDArray[np.float64] | None]:
    """Return the scores along time of many clips; None of a clip without a curve.

    Whole documents, which FiftyOne builds attribute by attribute, take four times as long to read.

    Args:
        videos: A view of videos.
        fields: Fields of a run.
    """
    if not videos.has_field(fields.curves):
        return [None] * len(videos)
    stored = videos.values(f"{fields.curves}.score", _raw=True)
    return [None if raw is None else deserialize_numpy_array(raw) for raw in stored]


def score_attribute(modality: str) -> str:
    """Return the name of the attribute of a verdict that is one modality's score.

    Example:
        >>> score_attribute("audio")
        'score_audio'
    """
    return f"{_SCORE}{modality}"


def modality_scores(verdict: Verdict | None) -> dict[str, float | None]:
    """Return the score of each modality alone, by its name; None where it opted out."""
    if verdict is None:
        return {}
    names = verdict.field_names
    return {name.removeprefix(_SCORE): verdict[name] for name in names if name.startswith(_SCORE)}


def modality_scores_expression(fields: Fields) -> Any:
    """Build the view expression of the scores of the modalities of a verdict, as a list.

    It reads whichever modalities a sample's verdict carries, declared or not.
    """
    attributes = {"$objectToArray": {"$ifNull": [f"${fields.verdict}", {}]}}
    is_score = {"$eq": [{"$substrCP": ["$$attribute.k", 0, len(_SCORE)]}, _SCORE]}
    scores = {"$filter": {"input": attributes, "as": "attribute", "cond": is_score}}
    return ViewExpression({"$map": {"input": scores, "as": "score", "in": "$$score.v"}})


def lone_frame(duration_s: float) -> FrameClock:
    """Return the clock of a clip whose frames cannot be numbered: one, shown all along."""
    return FrameClock(np.zeros(1), duration_s if duration_s > 0 else 1.0)
