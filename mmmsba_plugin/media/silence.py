"""Find where the audio of a clip begins.

Fake clips of widely used datasets start with a brief moment of silence that real ones do
not have, and a detector can learn that moment instead of the manipulation. So it must be known
where it ends: to measure how much it gives away, and to leave it out.
"""

import math

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.media.audio import AudioReader
from mmmsba_plugin.media.level import noise_level
from mmmsba_plugin.run_control import check
from mmmsba_plugin.schema import Media
from mmmsba_plugin.timebase import samples_to_s

#: Audio whose every sample stays below this is silent, in dB of full scale: a thousandth.
#: Relative to full scale, not to the clip's peak, which only a clip that is decoded to its
#: end has. Measured on silence of 30 ms to 1 s made with known ends: noise of a room at this
#: level is heard within 1 ms. Lossy codecs smear a loud beginning into the silence before it:
#: AAC by up to 2 ms at 44.1 kHz and 12 ms at 16 kHz, where it can hide 30 ms altogether. At
#: -80 dB the smear is heard up to 12 ms early at 44.1 kHz, and at -40 dB speech that sets in
#: gently is heard late and a quiet room not at all.
#: Two lower thresholds answer other questions: ``features.opt_outs`` (-80 dB: a segment without
#: any signal is no evidence) and ``features.spectrogram.FLOOR_DB`` (-100 dB: the floor of levels).
SILENT_DB = -60.0

#: So little is decoded at a time; most clips are heard from their first block on.
_BLOCK_S = 0.1
#: Share of the first block that tells what silence is in it: 10 ms.
_BEGINNING = 10


def audio_start_s(
    media: Media, *, sample_rate_hz: int = 16_000, level_db: float = SILENT_DB
) -> float:
    """Find the first audible moment of a clip, in seconds from its zero; infinite if there is none.

    Audio that begins before the clip's zero is heard from zero on. Decoding stops at the
    first sample that is heard. A constant is not heard, nor is the noise of a coarse coding.

    Args:
        media: The file, as :func:`mmmsba_plugin.media.probe.probe` describes it.
        sample_rate_hz: Sample rate to resample to, in Hz.
        level_db: Level from which on audio is audible, in dB of full scale.
    """
    level = max(10.0 ** (level_db / 20), noise_level(media.audio.codec) if media.audio else 0.0)
    constant: float | None = None
    for block in AudioReader(media, sample_rate_hz=sample_rate_hz, block_s=_BLOCK_S):
        check()
        if constant is None:
            constant = _constant(block.samples[: block.samples.size // _BEGINNING], level)
        loud = np.flatnonzero(np.abs(block.samples - constant) >= level)
        if loud.size:
            # It may have moved, as slowly as a microphone warms up.
            constant = _constant(block.samples, level)
            loud = np.flatnonzero(np.abs(block.samples - constant) >= level)
        # A block can end before the clip's zero, and what is heard only there is not heard.
        times_s = block.start_s + samples_to_s(1, sample_rate_hz) * loud
        if (inside := times_s[times_s >= 0]).size:
            return float(inside[0])
    return math.inf


def _constant(samples: NDArray[np.float32], level: float) -> float:
    """Return what is added to silent samples, such as a DC offset; zero if they are not silent."""
    if not samples.size or np.ptp(samples) >= 2 * level:
        return 0.0
    constant = float(np.median(samples))
    return constant if abs(constant) >= level else 0.0


def leading_silence_s(media: Media, *, level_db: float = SILENT_DB) -> float | None:
    """Measure the leading silence of a clip, in seconds.

    A stream of audio that starts late counts as silent until then, for that is what a
    detector hears.

    Args:
        media: As for :func:`audio_start_s`.
        level_db: As for :func:`audio_start_s`.

    Returns:
        The whole length of a clip that is silent throughout. None where there is no stream
        of audio, or where a silent one does not say how long it lasts.

    Source:
        Smeu et al., "Circumventing Shortcuts in Audio-visual Deepfake Detection Datasets with
        Unsupervised Learning", 2025, arXiv 2412.00175.
    """
    if media.audio is None:
        return None
    start_s = audio_start_s(media, level_db=level_db)
    return start_s if math.isfinite(start_s) else media.duration_s
