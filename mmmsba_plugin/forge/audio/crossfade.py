"""Puts new audio where old audio was, as an editor would.

The new one is brought to the level of what it replaces and faded in and out inside the
stretch, so that neither a click nor a step in loudness gives it away. What a detector is to
find is what was done to the audio, not how it was pasted.
"""

from collections.abc import Callable
from typing import Annotated, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from mmmsba_plugin.config import Config
from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.audio.loudness import (
    PEAK,
    compute_gain,
    compute_rms,
    compute_speech_rms,
    compute_speech_share,
)
from mmmsba_plugin.forger import Audio, AudioJob
from mmmsba_plugin.timebase import s_to_samples

#: What is heard on either side of a stretch is worked on with it and thrown away, so that no
#: window of a transform meets an edge. Longer than any of them.
_MARGIN_S = 0.15


_Pair = TypeVar("_Pair", tuple[float, float], tuple[int, int])


def _rising(bounds: _Pair) -> _Pair:
    low, high = bounds
    if not 0 < low <= high:
        raise ValueError(f"two positive numbers, the smaller first, are needed, got {low}, {high}")
    return bounds


def _up_to_one(shares: tuple[float, float]) -> tuple[float, float]:
    if shares[1] > 1:
        raise ValueError(f"a share is at most 1, got {shares[1]}")
    return shares


#: The least and the most of something that is drawn anew for each stretch.
Bounds = Annotated[tuple[float, float], AfterValidator(_rising)]
#: The same for whole numbers.
Counts = Annotated[tuple[int, int], AfterValidator(_rising)]
#: The same for parts of a whole.
Shares = Annotated[Bounds, AfterValidator(_up_to_one)]


class CrossfadeConfig(Config):
    """How a stretch of audio is joined to what is around it."""

    fade_s: float = Field(
        default=0.01, ge=0, le=0.1, description="Length of the fade at each end, in seconds."
    )


def overlay(job: AudioJob, piece: Audio, config: CrossfadeConfig) -> Audio:
    """Return the stretch with ``piece`` in its place, faded in and out inside it.

    Args:
        job: Where.
        piece: As many samples as the stretch has.
        config: How long the fades are; at most half of the stretch is used for each.
    """
    old, new = job.span, piece
    fade = min(s_to_samples(config.fade_s, job.sample_rate_hz), old.size // 2)
    end = old.size - fade
    parts = crossfade(old[:fade], new[:fade]), new[fade:end], crossfade(new[end:], old[end:])
    return np.clip(np.concatenate(parts), -PEAK, PEAK).astype(np.float32)


def overlay_at_rms(job: AudioJob, piece: Audio, config: CrossfadeConfig) -> Audio:
    """Return what :func:`lay` does, with ``piece`` as loud as the stretch was.

    For what is made of the stretch itself.
    """
    gain = compute_gain(piece, compute_rms(piece), compute_rms(job.span))
    return overlay(job, gain * piece, config)


def overlay_at_speech_level(job: AudioJob, piece: Audio, config: CrossfadeConfig) -> Audio:
    """Return what :func:`lay` does, with ``piece`` as loud as speech is there.

    For what was said elsewhere: laid into a pause, it is as loud as the clip's other speech.
    """
    rate_hz = job.sample_rate_hz
    wanted_rms = compute_speech_rms(job.span, rate_hz, like=job.audio)
    gain = compute_gain(piece, compute_speech_rms(piece, rate_hz, like=piece), wanted_rms)
    return overlay(job, gain * piece, config)


def crossfade(leaving: Audio, coming: Audio) -> Audio:
    """Return a fade from one audio to another of the same size.

    Whatever the two have in common, the power stays: for two that know nothing of each other
    the squares of their weights add up to one, and a audio that is faded into itself is that
    audio. A fixed curve swells by 3 dB for the one or sinks by 3 dB for the other.
    """
    new, old = _ramp(leaving.size)
    weight = np.sqrt(1 + 2 * new * old * _alikeness(leaving, coming))
    return np.asarray((old * leaving + new * coming) / weight, dtype=np.float32)


def crossfade_concat(first: Audio, second: Audio, fade: int) -> Audio:
    """Return one audio after the other, with ``fade`` samples in which both are heard."""
    fade = min(fade, first.size, second.size)
    end = first.size - fade
    return np.concatenate([first[:end], crossfade(first[end:], second[:fade]), second[fade:]])


def compute_fade_weights(size: int, fade: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how much of the new and of the old audio there is in a stretch.

    Their squares add up to one, so two sounds that know nothing of each other keep their
    loudness through the fade. No sample is left as it was.

    Args:
        size: Samples of the stretch.
        fade: Samples of the fade at each end; at most half of the stretch is used.
    """
    fade = min(fade, size // 2)
    new, old = np.ones(size), np.zeros(size)
    new[:fade], old[:fade] = _ramp(fade)
    new[size - fade :], old[size - fade :] = new[:fade][::-1], old[:fade][::-1]
    return new, old


def apply_with_context(job: AudioJob, work: Callable[[Audio], Audio]) -> Audio:
    """Return what ``work`` makes of the stretch when it also hears what is around it.

    Args:
        job: Where; beyond the ends of the clip there is silence.
        work: Makes as many samples as it gets, at the same times.
    """
    margin = s_to_samples(_MARGIN_S, job.sample_rate_hz)
    made = work(slice_padded(job.audio, job.start - margin, job.end + margin))
    return made[margin : margin + job.span.size]


def slice_padded(audio: Audio, start: int, end: int) -> Audio:
    """Return the samples of ``[start, end)``; silence where the audio does not reach."""
    before = min(end, 0) - min(start, 0)
    behind = max(end, audio.size) - max(start, audio.size)
    inside = audio[max(0, start) : max(0, end)]
    return np.pad(inside, (before, behind))


def find_disjoint_starts(job: AudioJob, size: int, *, clear: int) -> NDArray[np.int64]:
    """Return where pieces of ``size`` samples start that are clear of the stretch.

    Raises:
        ForgeError: The clip has no such piece.
    """
    starts = np.arange(job.audio.size - size + 1)
    found = starts[(starts + size + clear <= job.start) | (starts >= job.end + clear)]
    if not found.size:
        raise ForgeError(
            f"a clip of {job.audio.size} samples has no other {size} that are clear of the "
            "stretch; give a longer clip or shorter stretches"
        )
    return found


def require_speech(job: AudioJob) -> None:
    """Refuse a stretch in which nothing is heard: nothing in it can be altered.

    Raises:
        ForgeError: No piece of the stretch is as loud as the clip's speech.
    """
    if compute_speech_share(job.span, job.sample_rate_hz, like=job.audio) == 0.0:
        raise ForgeError(
            f"nothing is said in a stretch of {job.span.size} samples, so there is nothing to "
            "alter; choose one in which somebody speaks"
        )


def _ramp(size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return weights of what comes and of what leaves; neither is ever alone."""
    angle = (np.arange(size) + 1) / (size + 1) * np.pi / 2
    return np.sin(angle), np.cos(angle)


def _alikeness(one: Audio, other: Audio) -> float:
    """Return the correlation of two sounds, 0 for those that oppose each other."""
    power = compute_rms(one) * compute_rms(other) * one.size
    return max(0.0, float(np.dot(one.astype(np.float64), other)) / power) if power > 0 else 0.0
