"""Responses of the panels' methods, as models of the JSON that the browser gets.

``panel/src/types.ts`` is generated from them; after a change here run, in ``fiftyone_ops/panel``::

    npm run types && npm run build

All times are seconds from the clip's zero.
"""

from pydantic import BaseModel, ConfigDict, Field


class Response(BaseModel):
    """Base of all responses: frozen, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Problem(Response):
    """Error in words, in place of any other response."""

    problem: str


class Span(Response):
    """Part of a clip."""

    start_s: float
    end_s: float


class Segment(Span):
    """A fake segment: predicted, reviewed, or of the ground truth."""

    id: str
    label: str = Field(
        description="Manipulated modality: audio, visual, both, unknown, or a dataset's own word."
    )
    score: float | None
    source: str | None = Field(
        description="Id of the prediction that a reviewed segment is about; null if there is none."
    )
    words: str | None = Field(default=None, description="What a transcript says in it.")


class Review(Response):
    """State of a clip's review."""

    label: str = Field(
        description="open as long as a prediction is undecided, then fake or real; or "
        "cannot tell or unreadable, which training leaves out."
    )
    by: str
    at: str
    decided: dict[str, str] = Field(description="accepted or rejected, by the prediction's id.")
    num_decisions: int
    notes: dict[str, str] = Field(
        description="Notes on segments, by the prediction's id, or else the reviewed segment's."
    )


class OptOut(Span):
    """A span that a modality could not be evaluated in."""

    reason: str


class Modality(Response):
    """Score of one modality alone, and its opt-outs."""

    name: str
    score: float | None
    opt_outs: tuple[OptOut, ...]


class Curves(Response):
    """Scores along time."""

    start_s: float
    stride_s: float
    snippets_a_point: int = Field(
        description="How many snippets one point stands for; it shows the highest of them."
    )
    score: tuple[float | None, ...] = Field(
        description="Of all modalities together; null where none could be evaluated."
    )
    by_modality: dict[str, tuple[float | None, ...]]


class FieldChoice(Response):
    """A label field that detection wrote, and whether it evaluated the clip."""

    name: str
    is_evaluated: bool


class OtherRun(Response):
    """Prediction of another run for a clip, to be seen beside the one that is reviewed."""

    field: str
    verdict: str | None
    score: float | None
    threshold: float | None
    predicted: tuple[Segment, ...]
    curves: Curves | None


class Clip(Response):
    """Timeline of one clip."""

    sample_id: str
    field: str
    fields: tuple[FieldChoice, ...] = Field(
        default=(), description="The label fields to choose from, the newest run last."
    )
    name: str
    duration_s: float
    zero_s: float = Field(
        description="The clip's zero on the clock of the file that is played, in seconds."
    )
    fps_hz: float | None
    verdict: str | None = Field(
        description="fake, not flagged, abstained or error; null if it was never evaluated."
    )
    reason: str | None = Field(description="Why there is no score.")
    warnings: tuple[str, ...] = Field(description="What a reader of the score must know.")
    score: float | None
    threshold: float | None
    modalities: tuple[Modality, ...]
    curves: Curves | None
    predicted: tuple[Segment, ...]
    reference: tuple[Segment, ...] | None
    reviewed: tuple[Segment, ...] | None
    rejected: tuple[Segment, ...] = Field(
        description="Segments that a person rejected and that no prediction of now is like."
    )
    review: Review | None
    beside: OtherRun | None = None


class Step(Response):
    """The clip before or after another one; null where that was the first or the last."""

    sample_id: str | None


class FrameImage(Response):
    """A frame of a segment as a data URI, or in the caption why there is none."""

    segment_id: str
    src: str | None
    caption: str


class Frames(Response):
    """Frames of the segments of a clip."""

    frames: tuple[FrameImage, ...]


class AudioTile(Span):
    """Waveform and spectrogram of a span of a clip's audio."""

    low: tuple[int, ...] = Field(
        description="Lowest amplitude of each column, from -127; empty without audio."
    )
    high: tuple[int, ...] = Field(description="Highest amplitude of each column, up to 127.")
    spectrogram: str | None = Field(
        description="Data URI of a picture, 0 Hz at the bottom, 8 kHz on top."
    )


class Mouth(Response):
    """Mouth in one frame as a data URI; null where no face was found."""

    src: str | None
    caption: str = Field(description="Time of the frame.")
    is_within: bool = Field(description="Whether that lies within the segment.")


class Excerpt(Span):
    """Excerpt of a clip: frames, audio and scores of a short span."""

    scores: dict[str, float | None] = Field(
        description="Highest score in the segment, or else in the span, by modality."
    )
    mouths: tuple[Mouth, ...]
    spectrogram: str | None = Field(description="Data URI; null without audio.")
    left: float = Field(description="Where the segment begins in it, in percent.")
    width: float = Field(description="How much of it the segment fills, in percent.")


class SegmentDetails(Response):
    """A segment with what lies around it, and a part of the clip to compare it with."""

    segment: Excerpt
    comparison: Excerpt | None = Field(description="The nearest part that is not flagged.")


class Bar(Response):
    """A bar of the histogram: clips with low <= score < high (the last one takes 1 too)."""

    low: float
    high: float
    count: int


class Count(Response):
    """Number of clips or segments of one value."""

    value: str
    count: int


class Tally(Response):
    """Counts of the values of one kind."""

    kind: str
    title: str
    counts: tuple[Count, ...]


class ClipWarning(Response):
    """A warning, and the number of clips that carry it."""

    text: str
    count: int


class Overview(Response):
    """Histogram and counts of the samples in view."""

    num_clips: int
    num_evaluated: int = Field(description="Clips with a score.")
    warnings: tuple[ClipWarning, ...]
    bars: tuple[Bar, ...]
    threshold: float | None
    tallies: tuple[Tally, ...]


class Summary(Response):
    """Label fields of a dataset, and the overview of one of them; null without any."""

    fields: tuple[str, ...]
    field: str | None
    overview: Overview | None


class QueueItem(Response):
    """A clip of the review queue."""

    sample_id: str
    name: str
    verdict: str
    score: float | None
    reason: str | None = Field(description="Why there is no score.")
    threshold: float | None
    duration_s: float | None
    starts_s: tuple[float, ...] = Field(description="Starts of its fake segments.")


class Thumbnail(Response):
    """Small frame of a clip as a data URI, or in the caption why there is none."""

    src: str | None
    caption: str


class Reason(Response):
    """A reason to look at clips, and how many wait for it."""

    name: str
    title: str
    description: str
    count: int


class Queue(Response):
    """The review queue of one reason."""

    items: tuple[QueueItem, ...]
    reasons: tuple[Reason, ...]
    num_reviewed: int
    num_clips: int


class ThresholdTable(Response):
    """Verdicts of the clips in view at each threshold; all lists are of one length."""

    thresholds: tuple[float, ...]
    num_clips: int = Field(description="Clips with a score.")
    num_fake: tuple[int, ...]
    num_segments: tuple[int, ...]
    true_positives: tuple[int, ...] = Field(description="Fake clips that are called fake.")
    false_positives: tuple[int, ...] = Field(description="Real clips that are called fake.")
    num_true_fake: int = Field(description="Clips that the ground truth calls fake.")
    num_true_real: int


class Precisions(Response):
    """Average precision (AP) of the segments at each threshold of the table, from stored scores."""

    tiou: float = Field(description="Overlap from which a segment counts as found.")
    average_precisions: tuple[float | None, ...] = Field(
        description="Null where the ground truth has no segment."
    )
    num_clips: int = Field(description="Clips with a ground truth that says where they are fake.")


class GroupCounts(Response):
    """Counts of the clips of one group."""

    value: str
    num_clips: int
    num_evaluated: int = Field(description="Clips with a score.")
    num_fake: int = Field(description="Clips that are called fake.")
    num_true_fake: int = Field(description="Clips with a score that the ground truth calls fake.")
    num_true_real: int
    true_positives: int = Field(description="Fake clips that are called fake.")
    false_positives: int = Field(description="Real clips that are called fake.")


class Statistics(Response):
    """Counts of the clips in view by the values of a field."""

    by: str
    fields: tuple[str, ...] = Field(description="The fields to choose from.")
    groups: tuple[GroupCounts, ...] = Field(description="The largest group first.")
    num_left: int = Field(description="Smaller groups that are not listed.")


class Applied(Response):
    """Changes by a new threshold, in words."""

    summary: str


class Bulk(Response):
    """Outcome of a decision about many clips."""

    batch: str = Field(description="Name to undo it by.")
    decided: tuple[str, ...] = Field(description="Clips that it was taken about, by their ids.")
    num_left: int = Field(description="Clips that were left as they were.")
    why_left: str | None = Field(description="Why the first of them was.")


#: Every response of a method, for the types of the browser's half.
RESPONSES: tuple[type[Response], ...] = (
    Problem,
    Clip,
    Step,
    Frames,
    AudioTile,
    SegmentDetails,
    Summary,
    Queue,
    Thumbnail,
    Bulk,
    ThresholdTable,
    Precisions,
    Statistics,
    Applied,
    Span,
)
