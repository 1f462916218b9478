"""Lay new audio over a segment of old audio, with crossfades and matched levels.

The new audio is brought to the level of the audio that it replaces and faded in and out
inside the segment, so that neither a click nor a step in loudness gives it away. A detector
is to find the manipulation of the audio, not the way it was pasted.
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

#: Context on either side of a segment that is processed with it and thrown away, so that no
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


#: Least and largest value of a setting that is drawn anew for each segment.
Bounds = Annotated[tuple[float, float], AfterValidator(_rising)]
#: The same for whole numbers.
Counts = Annotated[tuple[int, int], AfterValidator(_rising)]
#: The same for shares of a whole.
Shares = Annotated[Bounds, AfterValidator(_up_to_one)]


class CrossfadeConfig(Config):
    """Settings of the crossfades at the ends of a segment."""

    fade_s: float = Field(
        default=0.01, ge=0, le=0.1, description="Length of the crossfade at each end, in seconds."
    )


def overlay(job: AudioJob, new: Audio, config: CrossfadeConfig) -> Audio:
    """Replace the segment by new audio, faded in and out inside it.

    Args:
        job: The segment.
        new: As many samples as the segment has, shape ``(sample,)``.
        config: Length of the fades; at most half of the segment is used for each.
    """
    old = job.span
    fade = min(s_to_samples(config.fade_s, job.sample_rate_hz), old.size // 2)
    end = old.size - fade
    parts = crossfade(old[:fade], new[:fade]), new[fade:end], crossfade(new[end:], old[end:])
    return np.clip(np.concatenate(parts), -PEAK, PEAK).astype(np.float32)


def overlay_at_rms(job: AudioJob, new: Audio, config: CrossfadeConfig) -> Audio:
    """Replace the segment as :func:`overlay` does, by new audio at the RMS of the old.

    For audio that is made of the segment itself.
    """
    gain = compute_gain(new, compute_rms(new), compute_rms(job.span))
    return overlay(job, gain * new, config)


def overlay_at_speech_level(job: AudioJob, new: Audio, config: CrossfadeConfig) -> Audio:
    """Replace the segment as :func:`overlay` does, by new audio at the level of its speech.

    For speech of elsewhere: laid into a pause, it is as loud as the clip's other speech.
    """
    rate_hz = job.sample_rate_hz
    target_rms = compute_speech_rms(job.span, rate_hz, like=job.audio)
    gain = compute_gain(new, compute_speech_rms(new, rate_hz, like=new), target_rms)
    return overlay(job, gain * new, config)


def crossfade(old: Audio, new: Audio) -> Audio:
    """Fade from one audio to another of the same size.

    Whatever the two have in common, the power stays: for two that are uncorrelated
    the squares of their weights add up to one, and audio that is faded into itself is that
    audio. A fixed curve swells by 3 dB for the one or sinks by 3 dB for the other.
    """
    rising, falling = _ramp(old.size)
    power = compute_rms(old) * compute_rms(new) * old.size
    correlation = float(np.dot(old.astype(np.float64), new)) / power if power > 0 else 0.0
    # Two that oppose each other count as uncorrelated.
    weight = np.sqrt(1 + 2 * rising * falling * max(0.0, correlation))
    return np.asarray((falling * old + rising * new) / weight, dtype=np.float32)


def crossfade_concat(first: Audio, second: Audio, fade: int) -> Audio:
    """Concatenate two spans of audio, with a crossfade of ``fade`` samples between them."""
    fade = min(fade, first.size, second.size)
    end = first.size - fade
    return np.concatenate([first[:end], crossfade(first[end:], second[:fade]), second[fade:]])


def compute_fade_weights(size: int, fade: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute the weights of the new and of the old audio in a segment.

    Their squares add up to one, so uncorrelated audio keeps its loudness through the fade. No
    sample is left as it was.

    Args:
        size: Samples of the segment.
        fade: Samples of the fade at each end; at most half of the segment is used.

    Returns:
        Weights of the new audio and of the old, shape ``(size,)`` each.
    """
    fade = min(fade, size // 2)
    new, old = np.ones(size), np.zeros(size)
    new[:fade], old[:fade] = _ramp(fade)
    new[size - fade :], old[size - fade :] = new[:fade][::-1], old[:fade][::-1]
    return new, old


def apply_with_context(job: AudioJob, transform: Callable[[Audio], Audio]) -> Audio:
    """Apply a transform to the segment and its context, and return the segment.

    Args:
        job: The segment; beyond the ends of the clip there is silence.
        transform: Returns as many samples as it gets, at the same times.
    """
    margin = s_to_samples(_MARGIN_S, job.sample_rate_hz)
    new = transform(slice_padded(job.audio, job.start - margin, job.end + margin))
    return new[margin : margin + job.span.size]


def slice_padded(audio: Audio, start: int, end: int) -> Audio:
    """Slice the samples of ``[start, end)``, padded by silence beyond the ends of the audio."""
    before = min(end, 0) - min(start, 0)
    behind = max(end, audio.size) - max(start, audio.size)
    inside = audio[max(0, start) : max(0, end)]
    return np.pad(inside, (before, behind))


def find_disjoint_starts(job: AudioJob, size: int, *, clear: int) -> NDArray[np.int64]:
    """Find the starts of all spans of the clip that do not touch the segment.

    Args:
        job: The segment.
        size: Samples of a span.
        clear: Least distance from the segment, in samples.

    Returns:
        First samples, shape ``(start,)``.

    Raises:
        ForgeError: The clip has no such span.
    """
    starts = np.arange(job.audio.size - size + 1)
    starts = starts[(starts + size + clear <= job.start) | (starts >= job.end + clear)]
    if not starts.size:
        raise ForgeError(
            f"a clip of {job.audio.size} samples has no other {size} that are clear of the "
            "segment; give a longer clip or shorter segments"
        )
    return starts


def require_speech(job: AudioJob) -> None:
    """Refuse a segment without speech: nothing in it can be altered.

    Raises:
        ForgeError: No part of the segment is as loud as the clip's speech.
    """
    if compute_speech_share(job.span, job.sample_rate_hz, like=job.audio) == 0.0:
        raise ForgeError(
            f"nothing is said in a segment of {job.span.size} samples, so there is nothing to "
            "alter; choose one in which somebody speaks"
        )


def _ramp(size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rising and the falling weights of a fade; neither is ever 0."""
    angle = (np.arange(size) + 1) / (size + 1) * np.pi / 2
    return np.sin(angle), np.cos(angle)
