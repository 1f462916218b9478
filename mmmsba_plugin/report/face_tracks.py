"""The part of a report about the face tracks of a clip."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from mmmsba_plugin.config import Calibration
from mmmsba_plugin.errors import FaceTrackError
from mmmsba_plugin.features.face_tracks import ChunkTracks, TrackRun
from mmmsba_plugin.localization.calibrate import apply
from mmmsba_plugin.schema import FaceTrackReport, Media
from mmmsba_plugin.tracks.speaker import LEAST_AGREEMENT


def face_track_reports(
    chunks: Sequence[ChunkTracks], highest: Mapping[int, float], *, calibration: Calibration
) -> tuple[FaceTrackReport, ...]:
    """Build the reports of the face tracks of a clip; none where one face was seen at a time.

    Args:
        chunks: The face tracks of each chunk, in time order.
        highest: Highest score of each track that was evaluated.
        calibration: The curve that makes probabilities of scores.
    """
    if max((chunk.num_at_once for chunk in chunks), default=0) <= 1:
        return ()
    runs: dict[int, list[TrackRun]] = defaultdict(list)
    for chunk in chunks:
        for run in chunk.runs:
            runs[run.track].append(run)
    num_frames = sum(chunk.num_frames for chunk in chunks)
    agreements = {track: _agreement(own) for track, own in runs.items()}
    best = max((a for a in agreements.values() if a is not None), default=0.0)
    return tuple(
        _report(
            runs[track],
            num_frames=num_frames,
            best_agreement=best,
            score=float(apply(calibration, highest[track])) if track in highest else None,
        )
        for track in sorted(runs)
    )


def require_track(track: int, face_tracks: Iterable[FaceTrackReport], media: Media) -> None:
    """Check that a clip has a face track of that number.

    Raises:
        FaceTrackError: It has not; the message lists those it has.
    """
    choices = [report.track for report in face_tracks]
    if track in choices:
        return
    advice = (
        f"choose from {', '.join(map(str, choices))}"
        if choices
        else "no two faces are in view at once, so leave the number out"
    )
    raise FaceTrackError(f"{media.path} has no face track {track}; {advice}", track=track)


def left_out(chunks: Iterable[ChunkTracks]) -> tuple[str, ...]:
    """Return the warnings about faces that were not followed."""
    chunks = list(chunks)
    if not (number := max((chunk.num_left_out for chunk in chunks), default=0)):
        return ()
    at_once = max(chunk.num_at_once for chunk in chunks)
    return (f"{at_once + number} faces in view at once; {at_once} of them were evaluated",)


def _report(
    runs: Sequence[TrackRun],
    *,
    num_frames: int,
    best_agreement: float,
    score: float | None,
) -> FaceTrackReport:
    longest = max(runs, key=lambda run: run.num_frames)
    agreement = _agreement(runs)
    return FaceTrackReport(
        start_s=min(run.start_s for run in runs),
        end_s=max(run.end_s for run in runs),
        track=longest.track,
        share=min(1.0, sum(run.num_frames for run in runs) / num_frames),
        box_time_s=longest.box_time_s,
        box_xywh=longest.box_xywh,
        speaks=None if agreement is None else agreement >= max(LEAST_AGREEMENT, best_agreement / 2),
        lip_audio_agreement=agreement,
        score=score,
    )


def _agreement(runs: Iterable[TrackRun]) -> float | None:
    """Return the mean agreement of mouth and audio by time; None if it is not known."""
    parts = [(s.agreement, s.end_s - s.start_s) for s in runs if s.agreement is not None]
    if not parts:
        return None
    return sum(a * length_s for a, length_s in parts) / sum(length_s for _, length_s in parts)
