"""One item of a dataset."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from mmmsba_plugin.segment import Segment, merge

#: All of a clip, where a dataset says that it is fake but not where, nor how long it lasts.
#: Nothing reaches its end, so arithmetic with it fails loudly; :meth:`Record.lasting` puts the
#: clip's own end in its place.
WHOLE_CLIP = Segment(0.0, sys.float_info.max)


@dataclass(frozen=True, slots=True)
class Record:
    """One clip and what is known about it.

    Attributes:
        media: The clip's file.
        truth: Fake segments, in time order and joined over modalities; empty if real.
            Just :data:`WHOLE_CLIP` where a dataset states no segments.
        split: ``train``, ``dev`` or ``test`` (a dataset may use words of its own).
        identity: Who is seen; None if the dataset does not say.
        audio_truth: The segments whose audio was altered; None if not told apart.
        visual_truth: The segments whose video was altered; None if not told apart.
        original: Name of the real clip it was made from, if any.
        kind: How it was made, in the dataset's words: ``real``, ``splice``, ….
        key: What the dataset calls it; reports and predictions are matched by it.
        duration_s: How long it lasts by the dataset's own count, in seconds; None if it does
            not say. What the file itself says is better, where the file is there.
        listed: The segments as the dataset lists them, in its order and not joined, which
            evaluators count one by one; None where they are those of ``truth``.
        extra: Anything else the dataset says, by its own keys.
    """

    media: Path
    truth: tuple[Segment, ...] = ()
    split: str | None = None
    identity: str | None = None
    audio_truth: tuple[Segment, ...] | None = None
    visual_truth: tuple[Segment, ...] | None = None
    original: str | None = None
    kind: str | None = None
    key: str = ""
    duration_s: float | None = None
    listed: tuple[Segment, ...] | None = None
    extra: dict[str, object] = field(default_factory=dict, compare=False)

    @property
    def name(self) -> str:
        """Name by which reports, predictions and messages know the clip: its key, else its path."""
        return self.key or str(self.media)

    @property
    def identity_key(self) -> str:
        """Key of the identity that keeps splits and bootstrap clusters apart; never empty.

        Clips with the same key are never both learned from and tested on.
        """
        return identity_key(self.identity, self.original, self.name)

    @property
    def fake(self) -> bool:
        """Return whether any segment is fake."""
        return bool(self.truth)

    @property
    def altered(self) -> str:
        """Manipulated modality: ``audio``, ``visual``, ``both`` or ``real``; else ``fake``."""
        if not self.fake:
            return "real"
        if self.audio_truth is None or self.visual_truth is None:
            return "fake"
        both = bool(self.audio_truth), bool(self.visual_truth)
        return {(True, True): "both", (True, False): "audio", (False, True): "visual"}.get(
            both, "fake"
        )

    @property
    def whole_clip(self) -> bool:
        """Return whether it is fake at no stated place: no metric of localization counts it."""
        return WHOLE_CLIP in self.truth

    def lasting(self, end_s: float) -> "Record":
        """Return the record with its clip's end: a whole clip is ``[0, end_s)``.

        Args:
            end_s: Where the clip ends, in seconds; above 0.
        """
        if not self.whole_clip:
            return self
        ended = tuple(
            _ended(truth_of_modality, end_s)
            for truth_of_modality in (self.audio_truth, self.visual_truth)
        )
        truth = _ended(self.truth, end_s) or ()
        return replace(self, truth=truth, audio_truth=ended[0], visual_truth=ended[1])


def truth_by_modality(
    labelled: Iterable[tuple[Segment, str | None]],
) -> tuple[tuple[Segment, ...], tuple[Segment, ...] | None, tuple[Segment, ...] | None]:
    """Return the ground truth of labelled segments: all of them, those of audio, those of video.

    The last two are None where the label of a segment does not state its modality.

    Args:
        labelled: Segments, each with ``audio``, ``visual`` or ``both``, or what says neither.

    Example:
        >>> truth_by_modality([(Segment(0.0, 1.0), "audio"), (Segment(0.5, 2.0), "audio")])
        ((Segment(start_s=0.0, end_s=2.0),), (Segment(start_s=0.0, end_s=2.0),), ())
    """
    by_label: dict[str | None, list[Segment]] = {}
    for segment, label in labelled:
        by_label.setdefault(label, []).append(segment)
    truth = tuple(merge(segment for segments in by_label.values() for segment in segments))
    if by_label.keys() - {"audio", "visual", "both"}:
        return truth, None, None
    both = by_label.get("both", [])
    audio, visual = ([*by_label.get(word, []), *both] for word in ("audio", "visual"))
    return truth, tuple(merge(audio)), tuple(merge(visual))


def identity_key(identity: str | None, original: str | None, name: str) -> str:
    """Return the identity that a clip counts as.

    Args:
        identity: Who is seen, if the dataset says so.
        original: Name of the real clip it was made from, if any: all fakes of a clip show the
            same person.
        name: Name of the clip itself: without anything else it is its own identity, so that
            clips about which nothing is known are not taken for one person.
    """
    return identity or original or name


def _ended(truth: tuple[Segment, ...] | None, end_s: float) -> tuple[Segment, ...] | None:
    if truth is None:
        return None
    return tuple(Segment(0.0, end_s) if segment == WHOLE_CLIP else segment for segment in truth)
