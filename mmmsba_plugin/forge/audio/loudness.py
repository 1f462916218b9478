"""Measure the level of speech, and the share of speech in audio."""

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.forger import Audio
from mmmsba_plugin.timebase import s_to_samples

#: More would lift a donor's room noise above the speech around it: 20 dB.
MAX_GAIN = 10.0
#: No sample of a fake segment lies beyond it: clipping would be a trace of its own.
PEAK = 0.99
#: Loudness is measured in frames of this length.
_FRAME_S = 0.02
#: A frame counts as speech down to this share of the loudest twentieth: -26 dB.
_SPEECH_SHARE = 0.05


def compute_speech_rms(audio: Audio, rate_hz: int, *, like: Audio) -> float:
    """Compute the RMS of the speech in ``audio``.

    Args:
        audio: A span of the whole, shape ``(sample,)``.
        rate_hz: Sample rate, in Hz.
        like: The whole audio, which sets the threshold of speech; where the span holds no
            speech, the RMS of the speech of the whole is returned.
    """
    for span in (audio, like):
        loudness = _loudness(span, rate_hz)
        speech = loudness[loudness > _threshold(like, rate_hz)]
        if speech.size:
            return float(np.sqrt(np.mean(speech**2)))
    return 0.0


def compute_speech_share(audio: Audio, rate_hz: int, *, like: Audio) -> float:
    """Compute the share of ``audio`` that is speech, by loudness against the whole ``like``."""
    return _share_above(_threshold(like, rate_hz), audio, rate_hz)


def select_most_speech(
    audio: Audio, size: int, rate_hz: int, *, starts: NDArray[np.int64]
) -> Audio:
    """Select the span of ``size`` samples with the most speech.

    Args:
        audio: The whole, shape ``(sample,)``.
        size: Samples of a span.
        rate_hz: Sample rate, in Hz.
        starts: First samples of the spans that are compared, shape ``(span,)``.
    """
    threshold = _threshold(audio, rate_hz)
    shares = [_share_above(threshold, audio[s : s + size], rate_hz) for s in starts]
    start = starts[int(np.argmax(shares))]
    return audio[start : start + size]


def compute_gain(audio: Audio, rms: float, target_rms: float) -> float:
    """Compute the gain that brings audio to a target RMS, without clipping it.

    Args:
        audio: The audio that the gain is for, shape ``(sample,)``.
        rms: Its RMS.
        target_rms: The RMS that it shall have. Where either is zero, the gain only avoids
            clipping.
    """
    gain = 1.0
    if rms > 0.0 and target_rms > 0.0:
        gain = float(np.clip(target_rms / rms, 1 / MAX_GAIN, MAX_GAIN))
    return min(gain, PEAK / max(float(np.abs(audio).max(initial=0.0)), 1e-9))


def compute_rms(audio: Audio) -> float:
    """Compute the RMS of audio, speech or not; 0 without samples."""
    return float(np.sqrt(np.mean(np.square(audio, dtype=np.float64)))) if audio.size else 0.0


def _share_above(threshold: float, audio: Audio, rate_hz: int) -> float:
    loudness = _loudness(audio, rate_hz)
    return float(np.mean(loudness > threshold)) if loudness.size else 0.0


def _threshold(audio: Audio, rate_hz: int) -> float:
    loudness = _loudness(audio, rate_hz)
    return _SPEECH_SHARE * float(np.percentile(loudness, 95)) if loudness.size else 0.0


def _loudness(audio: Audio, rate_hz: int) -> NDArray[np.float64]:
    """Compute the RMS of each frame of ``_FRAME_S``, shape ``(frame,)``."""
    frame = s_to_samples(_FRAME_S, rate_hz)
    num_frames = audio.size // frame
    frames = audio[: num_frames * frame].reshape(num_frames, frame).astype(np.float64)
    return np.asarray(np.sqrt(np.mean(frames**2, axis=1)))
