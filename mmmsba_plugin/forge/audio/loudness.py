"""Measures how loud speech is, and where somebody speaks."""

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.forger import Sound
from mmmsba_plugin.timebase import s_to_samples

#: More would lift a donor's room noise above the speech around it: 20 dB.
MAX_GAIN = 10.0
#: No sample of a forged stretch lies beyond it: clipping would be a trace of its own.
PEAK = 0.99
#: Loudness is measured in pieces of this length.
_FRAME_S = 0.02
#: A piece counts as speech down to this share of the loudest twentieth: -26 dB.
_SPEECH_SHARE = 0.05


def speech_rms(sound: Sound, rate_hz: int, *, like: Sound) -> float:
    """Return how loud the speech in ``sound`` is.

    Args:
        sound: The stretch, shape ``(sample,)``.
        rate_hz: Samples a second.
        like: The whole that it belongs to, which says how loud speech is; where the stretch
            holds no speech, the whole's loudness is returned.
    """
    for part in (sound, like):
        loudness = _loudness(part, rate_hz)
        speech = loudness[loudness > _threshold(like, rate_hz)]
        if speech.size:
            return float(np.sqrt(np.mean(speech**2)))
    return 0.0


def speech_share(sound: Sound, rate_hz: int, *, like: Sound) -> float:
    """Return which share of ``sound`` is speech, by loudness against the whole ``like``."""
    return _share_above(_threshold(like, rate_hz), sound, rate_hz)


def most_spoken(sound: Sound, size: int, rate_hz: int, *, starts: NDArray[np.int64]) -> Sound:
    """Return the piece of ``size`` samples that holds the most speech.

    Args:
        sound: The whole, shape ``(sample,)``.
        size: Samples of a piece.
        rate_hz: Samples a second.
        starts: The first samples of the pieces that are compared.
    """
    threshold = _threshold(sound, rate_hz)
    spoken = [_share_above(threshold, sound[s : s + size], rate_hz) for s in starts]
    start = starts[int(np.argmax(spoken))]
    return sound[start : start + size]


def bounded_gain(sound: Sound, rms: float, wanted_rms: float) -> float:
    """Return what makes a sound as loud as wanted, without clipping it.

    Args:
        sound: What is made louder or softer, shape ``(sample,)``.
        rms: How loud it is.
        wanted_rms: How loud it shall be. Where either is zero, nothing is said of loudness.
    """
    gain = 1.0
    if rms > 0.0 and wanted_rms > 0.0:
        gain = float(np.clip(wanted_rms / rms, 1 / MAX_GAIN, MAX_GAIN))
    return min(gain, PEAK / max(float(np.abs(sound).max(initial=0.0)), 1e-9))


def plain_rms(sound: Sound) -> float:
    """Return the RMS of a sound, speech or not."""
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))) if sound.size else 0.0


def _share_above(threshold: float, sound: Sound, rate_hz: int) -> float:
    loudness = _loudness(sound, rate_hz)
    return float(np.mean(loudness > threshold)) if loudness.size else 0.0


def _threshold(sound: Sound, rate_hz: int) -> float:
    loudness = _loudness(sound, rate_hz)
    return _SPEECH_SHARE * float(np.percentile(loudness, 95)) if loudness.size else 0.0


def _loudness(sound: Sound, rate_hz: int) -> NDArray[np.float64]:
    """Return the RMS of each piece of ``_FRAME_S``, shape ``(piece,)``."""
    frame = s_to_samples(_FRAME_S, rate_hz)
    num_frames = sound.size // frame
    pieces = sound[: num_frames * frame].reshape(num_frames, frame).astype(np.float64)
    return np.asarray(np.sqrt(np.mean(pieces**2, axis=1)))
