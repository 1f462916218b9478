"""Building of reports from what a detector predicts."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.config import Calibration
from mmmsba_plugin.errors import MmmsbaError
from mmmsba_plugin.localization.calibrate import apply
from mmmsba_plugin.media.transcript import Word, read_transcript, words_in
from mmmsba_plugin.schema import (
    ALTERED_BY_MODALITY,
    AudioTrackReport,
    Curves,
    FaceTrackReport,
    FakeSegment,
    ManipulatedModality,
    Media,
    ModalityReport,
    Problem,
    Proposal,
    Provenance,
    Report,
    ScoreThreshold,
    Threshold,
    Windows,
)
from mmmsba_plugin.segment import Segment, Spans
from mmmsba_plugin.structures import ClipFeatures
from mmmsba_plugin.timebase import Grid, clock

NOTHING_TO_EVALUATE = "NothingToJudge"

#: Jumps of time stamps that a warning names one by one.
_MAX_MOMENTS = 5

Scores = NDArray[np.float64]


def ok_report(
    media: Media,
    features: ClipFeatures,
    *,
    scores: Scores,
    by_modality: Mapping[str, Scores],
    segments: Sequence[tuple[Segment, float]],
    proposals: tuple[Spans, Scores],
    threshold: ScoreThreshold,
    onsets: Mapping[str, float],
    calibration: Calibration,
    provenance: Provenance,
    real_scores: Sequence[float] = (),
    windows: Windows | None = None,
    face_tracks: Sequence[FaceTrackReport] = (),
    track_ids: NDArray[np.int64] | None = None,
) -> Report:
    """Build the report of a clip that was evaluated.

    What is decided is decided on the network's own scale. Then every score, and the threshold,
    passes the same curve, here and nowhere else; as it rises strictly, all that was decided
    still holds.

    Args:
        media: The file.
        features: Features of the clip, with the segments that could not be evaluated.
        scores: P(fake) of each snippet, shape ``(snippet,)``; NaN where nothing is present.
        by_modality: The same when shown one modality alone.
        segments: Fake segments and their scores.
        proposals: Ranked candidates: start and end in seconds, and scores.
        threshold: What the clip's score is compared with.
        onsets: For each modality, the score from which it says by itself that it was altered.
        calibration: The curve that makes probabilities of the scores above.
        provenance: Where the numbers come from.
        real_scores: Scores of real clips at equally spaced quantiles, rising.
        windows: How the clip was cut; None if it was evaluated whole.
        face_tracks: What is predicted of each face, where several are in view at once.
        track_ids: Number of the face track that the score of each snippet is of, 0 for none,
            shape ``(snippet,)``; None where there are no such tracks.
    """
    # Paper section 3.1: a clip is fake if at least one of its sequences is.
    highest = float(np.nanmax(scores))
    # Whoever says that a clip is fake says where, though the place be shorter than a
    # segment may be.
    if highest >= threshold.value and not segments:
        start_s, end_s = features.grid.cell(int(np.nanargmax(scores)))
        segments = [(Segment(start_s, min(end_s, features.end_s)), highest)]

    def probability(score: float) -> float:
        return float(apply(calibration, score))

    return Report(
        status="ok",
        media=media,
        score=probability(highest),
        threshold=Threshold(
            value=probability(threshold.value), false_positive_rate=threshold.false_positive_rate
        ),
        real_share_above=_share_above(highest, real_scores) if real_scores else None,
        windows=windows,
        segments=fake_segments(
            segments,
            features.grid,
            by_modality,
            onsets=onsets,
            calibration=calibration,
            tracks=[_track_of(s, features.grid, scores, track_ids) for s, _ in segments],
            transcript=read_transcript(media.path) if segments else (),
        ),
        face_tracks=tuple(face_tracks),
        verdict_track=None if track_ids is None else int(track_ids[np.nanargmax(scores)]) or None,
        modalities={
            modality: ModalityReport(
                score=_highest(apply(calibration, alone)),
                opt_outs=features.opt_outs.get(modality, ()),
            )
            for modality, alone in by_modality.items()
        },
        proposals=_proposals(*proposals, calibration),
        warnings=_warnings(media, features),
        provenance=provenance,
        curves=curves(features.grid, scores, by_modality, calibration=calibration),
    )


def fake_segments(
    segments: Sequence[tuple[Segment, float]],
    grid: Grid,
    by_modality: Mapping[str, Scores],
    *,
    onsets: Mapping[str, float],
    calibration: Calibration,
    tracks: Sequence[int | None] = (),
    transcript: Sequence[Word] = (),
) -> tuple[FakeSegment, ...]:
    """Return segments with their probability and the modality that was manipulated.

    Args:
        segments: Fake segments and their scores.
        grid: The grid of the scores.
        by_modality: P(fake) of each snippet when the network is shown one modality alone.
        onsets: For each modality, the score from which it says by itself that it was altered.
        calibration: The curve that makes probabilities of scores.
        tracks: The face track of each segment; None for all of them if not given.
        transcript: Words of the clip, by which segments are named.
    """
    return tuple(
        FakeSegment(
            start_s=segment.start_s,
            end_s=segment.end_s,
            score=float(apply(calibration, score)),
            modality=manipulated_modality(segment, grid, by_modality, onsets),
            track=track,
            words=words_in(transcript, segment),
        )
        for (segment, score), track in zip_longest(segments, tracks)
    )


def _track_of(
    segment: Segment, grid: Grid, scores: Scores, track_ids: NDArray[np.int64] | None
) -> int | None:
    """Return the face track with the highest score in a segment; None where no face is seen."""
    if track_ids is None:
        return None
    cells = grid.overlapping(segment.start_s, segment.end_s)
    own = slice(cells.start, cells.stop)
    return int(track_ids[own][np.argmax(np.nan_to_num(scores[own], nan=-1.0))]) or None


def curves(
    grid: Grid, scores: Scores, by_modality: Mapping[str, Scores], *, calibration: Calibration
) -> Curves:
    """Return the probability of each snippet, over all modalities and of each alone."""
    return Curves(
        start_s=grid.start_s,
        stride_s=grid.stride_s,
        score=_nullable(apply(calibration, scores)),
        by_modality={m: _nullable(apply(calibration, s)) for m, s in by_modality.items()},
    )


def _share_above(score: float, quantiles: Sequence[float]) -> float:
    """Return the share of a distribution that is at or above a score."""
    shares = np.linspace(0.0, 1.0, len(quantiles))
    return 1.0 - float(np.interp(score, quantiles, shares))


def _warnings(media: Media, features: ClipFeatures) -> tuple[str, ...]:
    """Return the warnings of a report about its media file."""
    others = tuple(map(_not_evaluated, media.others))
    if not media.joins_s:
        return (*features.warnings, *others)
    moments = ", ".join(clock(join_s) for join_s in media.joins_s[:_MAX_MOMENTS])
    # A damaged file can hold thousands.
    rest = len(media.joins_s) - _MAX_MOMENTS
    more = f" and {rest} times more" if rest > 0 else ""
    jump = f"the time stamps jump at {moments}{more}; what follows was laid behind what lies before"
    return (*features.warnings, jump, *others)


def _not_evaluated(stream: str) -> str:
    return f"the {stream} of the file was not evaluated"


def of_audio_tracks(reports: Mapping[int, Report]) -> Report:
    """Return the report of the audio track with which a clip scores highest, naming the others.

    Args:
        reports: The report of the clip with each of its audio tracks, by their numbers.
    """
    worst = max(reports.values(), key=lambda report: -1.0 if report.score is None else report.score)
    # What no report is of was not evaluated at all.
    left_out = [
        stream
        for stream in worst.media.others
        if all(stream in report.media.others for report in reports.values())
    ]
    evaluated = {_not_evaluated(stream) for stream in worst.media.others if stream not in left_out}
    scores = ", ".join(
        f"track {number} " + ("none" if report.score is None else f"{report.score:.2f}")
        for number, report in reports.items()
    )
    by_track = f"audio tracks were evaluated one by one, the highest score counts: {scores}"
    return worst.model_copy(
        update={
            "media": worst.media.model_copy(update={"others": tuple(left_out)}),
            "warnings": (*(w for w in worst.warnings if w not in evaluated), by_track),
            "audio_tracks": tuple(
                AudioTrackReport(track=number, score=report.score, problem=report.problem)
                for number, report in reports.items()
            ),
        }
    )


def abstained(media: Media, features: ClipFeatures, *, provenance: Provenance) -> Report:
    """Return the report of a clip that could be read but holds nothing to judge."""
    reasons = dict.fromkeys(
        opt_out.reason for parts in features.opt_outs.values() for opt_out in parts
    )
    why = ", ".join(reasons) or "nothing could be decoded"
    return Report(
        status="abstained",
        media=media,
        modalities={
            modality: ModalityReport(score=None, opt_outs=parts)
            for modality, parts in features.opt_outs.items()
        },
        warnings=_warnings(media, features),
        problem=Problem(
            kind=NOTHING_TO_EVALUATE,
            message=f"nothing to judge in {media.path}: {why}; give a clip in which a face is "
            "seen, or speech is heard",
        ),
        provenance=provenance,
    )


def unread(path: str | Path) -> Media:
    """Describe a file that could not be opened, perhaps not even found."""
    size_bytes = None
    with suppress(OSError):
        size_bytes = Path(path).stat().st_size if Path(path).is_file() else None
    return Media(path=str(path), size_bytes=size_bytes)


def failed(media: Media, error: Exception, *, provenance: Provenance) -> Report:
    """Return the report of a clip that could not be read.

    An error of ours says itself what to do. Any other is a fault of somebody's code.
    """
    kind, message = type(error).__name__, str(error)
    if not isinstance(error, MmmsbaError):
        message = (
            f"judging {media.path} failed unexpectedly: {kind}: {message}; the log has the "
            "traceback for those who wrote the code. Try the clip converted to mp4"
        )
    return Report(
        status="error",
        media=media,
        problem=Problem(kind=kind, message=message),
        provenance=provenance,
    )


def stamped(provenance: Provenance, *, command: str | None = None) -> Provenance:
    """Return provenance with the command line, if there was one, and the time filled in."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return provenance.model_copy(update={"command": command, "created_utc": now})


def manipulated_modality(
    segment: Segment,
    grid: Grid,
    by_modality: Mapping[str, Scores],
    onsets: Mapping[str, float],
) -> ManipulatedModality | None:
    """Name the manipulated modality of a segment, as the modalities predict it alone.

    A modality speaks up if its own scores reach its onset on average over the segment. Where
    none does, they only convince together, and what was altered is not known; nor is it where
    only one speaks that can show either.
    """
    cells = grid.overlapping(segment.start_s, segment.end_s)
    altered = {
        ALTERED_BY_MODALITY.get(modality)
        for modality, alone in by_modality.items()
        if _mean(alone[cells.start : cells.stop]) >= onsets[modality]
    }
    if {"audio", "visual"} <= altered:
        return "both"
    if "audio" in altered:
        return "audio"
    return "visual" if "visual" in altered else None


def _proposals(spans: Spans, scores: Scores, calibration: Calibration) -> tuple[Proposal, ...]:
    # Suppression leaves scores that float32 cannot hold, and where two of those are next to
    # each other, rounding might swap them.
    probabilities = np.minimum.accumulate(apply(calibration, scores))
    return tuple(
        Proposal(start_s=start_s, end_s=end_s, score=score)
        for (start_s, end_s), score in zip(spans.tolist(), probabilities.tolist(), strict=True)
    )


def _mean(scores: Scores) -> float:
    return 0.0 if np.isnan(scores).all() else float(np.nanmean(scores))


def _highest(scores: Scores) -> float | None:
    return None if np.isnan(scores).all() else float(np.nanmax(scores))


def _nullable(scores: Scores) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(score) else float(score) for score in scores)
