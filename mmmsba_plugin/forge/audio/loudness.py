"""Measures how loud speech is, and where somebody speaks."""

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.forger import Audio
from mmmsba_plugin.timebase import s_to_samples

#: More would lift a donor's room noise above the speech around it: 20 dB.
MAX_GAIN = 10.0
#: No sample of a fake stretch lies beyond it: clipping would be a trace of its own.
PEAK = 0.99
#: Loudness is measured in pieces of this length.
_FRAME_S = 0.02
#: A piece counts as speech down to this share of the loudest twentieth: -26 dB.
_SPEECH_SHARE = 0.05


def compute_speech_rms(audio: Audio, rate_hz: int, *, like: Audio) -> float:
    """Return how loud the speech in ``audio`` is.

    Args:
        audio: The stretch, shape ``(sample,)``.
        rate_hz: Samples a second.
        like: The whole that it belongs to, which says how loud speech is; where the stretch
            holds no speech, the whole's loudness is returned.
    """
    for part in (audio, like):
        loudness = _loudness(part, rate_hz)
        speech = loudness[loudness > _threshold(like, rate_hz)]
        if speech.size:
            return float(np.sqrt(np.mean(speech**2)))
    return 0.0


def compute_speech_share(audio: Audio, rate_hz: int, *, like: Audio) -> float:
    """Return which share of ``audio`` is speech, by loudness against the whole ``like``."""
    return _share_above(_threshold(like, rate_hz), audio, rate_hz)


def select_most_speech(
    audio: Audio, size: int, rate_hz: int, *, starts: NDArray[np.int64]
) -> Audio:
    """Return the piece of ``size`` samples that holds the most speech.

    Args:
        audio: The whole, shape ``(sample,)``.
        size: Samples of a piece.
        rate_hz: Samples a second.
        starts: The first samples of the pieces that are compared.
    """
    threshold = _threshold(audio, rate_hz)
    spoken = [_share_above(threshold, audio[s : s + size], rate_hz) for s in starts]
    start = starts[int(np.argmax(spoken))]
    return audio[start : start + size]


def compute_gain(audio: Audio, rms: float, wanted_rms: float) -> float:
    """Return what makes a audio as loud as wanted, without clipping it.

    Args:
        audio: What is made louder or softer, shape ``(sample,)``.
        rms: How loud it is.
        wanted_rms: How loud it shall be. Where either is zero, nothing is said of loudness.
    """
    gain = 1.0
    if rms > 0.0 and wanted_rms > 0.0:
        gain = float(np.clip(wanted_rms / rms, 1 / MAX_GAIN, MAX_GAIN))
    return min(gain, PEAK / max(float(np.abs(audio).max(initial=0.0)), 1e-9))


def compute_rms(audio: Audio) -> float:
    """Return the RMS of a audio, speech or not."""
    return float(np.sqrt(np.mean(np.square(audio, dtype=np.float64)))) if audio.size else 0.0


def _share_above(threshold: float, audio: Audio, rate_hz: int) -> float:
    loudness = _loudness(audio, rate_hz)
    return float(np.mean(loudness > threshold)) if loudness.size else 0.0


def _threshold(audio: Audio, rate_hz: int) -> float:
    loudness = _loudness(audio, rate_hz)
    return _SPEECH_SHARE * float(np.percentile(loudness, 95)) if loudness.size else 0.0


def _loudness(audio: Audio, rate_hz: int) -> NDArray[np.float64]:
    """Return the RMS of each piece of ``_FRAME_S``, shape ``(piece,)``."""
    frame = s_to_samples(_FRAME_S, rate_hz)
    num_frames = audio.size // frame
    pieces = audio[: num_frames * frame].reshape(num_frames, frame).astype(np.float64)
    return np.asarray(np.sqrt(np.mean(pieces**2, axis=1)))
