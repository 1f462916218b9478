"""Splices a stretch of another clip's sound over this one's.

The oldest forgery there is, done with care: the donor speaks rather than pauses, sounds as
loud as the speech it replaces, and is faded in and out inside the stretch, so that neither
a click nor a step in loudness gives it away.
"""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mmmsba_plugin.config import Chapter
from mmmsba_plugin.errors import FeatureError
from mmmsba_plugin.forge.base import Sound, SoundJob
from mmmsba_plugin.timebase import s_to_samples

#: Loudness is measured in pieces of this length.
_FRAME_S = 0.02
#: A piece counts as speech down to this share of the loudest twentieth: -26 dB.
_SPEECH_SHARE = 0.05
#: More would lift a donor's room noise above the speech around it: 20 dB.
_MAX_GAIN = 10.0
_PEAK = 0.99


class SpliceConfig(Chapter):
    """How a stretch of sound is spliced in."""

    fade_s: float = Field(
        default=0.01, ge=0, le=0.1, description="Length of the fade at each end, in seconds."
    )
    num_tries: int = Field(
        default=16, ge=1, description="Places looked at in the donor; the most spoken one is used."
    )


class SpliceSound:
    """The sound of another clip, faded and level-matched."""

    needs_donor = True

    def __init__(self, config: SpliceConfig | None = None) -> None:
        self._config = config or SpliceConfig()

    def forge_sound(self, job: SoundJob, rng: np.random.Generator) -> Sound:
        """Return the stretch with a donor's speech in its place.

        Raises:
            FeatureError: There is no donor, or it is shorter than the stretch.
        """
        stretch, donor = job.stretch, job.donor
        if donor is None or donor.size < stretch.size:
            size = "none" if donor is None else f"{donor.size}"
            raise FeatureError(
                f"a splice of {stretch.size} samples needs a donor at least as long, got {size}; "
                "give a longer clip as the donor"
            )
        rate_hz = job.sample_rate_hz
        piece = self._spoken_piece(donor, stretch.size, rate_hz, rng)
        piece = piece * _gain(piece, speech_rms(stretch, rate_hz, like=job.sound), rate_hz)
        new, old = fades(stretch.size, s_to_samples(self._config.fade_s, rate_hz))
        return np.clip(new * piece + old * stretch, -_PEAK, _PEAK).astype(np.float32)

    def _spoken_piece(
        self, donor: Sound, size: int, rate_hz: int, rng: np.random.Generator
    ) -> Sound:
        starts = rng.integers(donor.size - size + 1, size=self._config.num_tries)
        spoken = [speech_share(donor[s : s + size], rate_hz, like=donor) for s in starts]
        start = starts[int(np.argmax(spoken))]
        return donor[start : start + size]


def fades(size: int, fade: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how much of the new and of the old sound there is in a stretch.

    Their squares add up to one, so two sounds that know nothing of each other keep their
    loudness through the fade. No sample is left as it was.

    Args:
        size: Samples of the stretch.
        fade: Samples of the fade at each end; at most half of the stretch is used.
    """
    fade = min(fade, size // 2)
    angle = np.full(size, np.pi / 2)
    ramp = (np.arange(fade) + 1) / (fade + 1) * np.pi / 2
    angle[:fade], angle[size - fade :] = ramp, ramp[::-1]
    return np.sin(angle), np.cos(angle)


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
    loudness = _loudness(sound, rate_hz)
    return float(np.mean(loudness > _threshold(like, rate_hz))) if loudness.size else 0.0


def _gain(piece: Sound, target_rms: float, rate_hz: int) -> float:
    """Return what brings a piece to ``target_rms`` without clipping it."""
    rms, peak = speech_rms(piece, rate_hz, like=piece), float(np.abs(piece).max(initial=0.0))
    if rms == 0.0 or target_rms == 0.0:
        return 1.0
    return min(float(np.clip(target_rms / rms, 1 / _MAX_GAIN, _MAX_GAIN)), _PEAK / peak)


def _threshold(sound: Sound, rate_hz: int) -> float:
    loudness = _loudness(sound, rate_hz)
    return _SPEECH_SHARE * float(np.percentile(loudness, 95)) if loudness.size else 0.0


def _loudness(sound: Sound, rate_hz: int) -> NDArray[np.float64]:
    """Return the RMS of each piece of ``_FRAME_S``, shape ``(piece,)``."""
    frame = s_to_samples(_FRAME_S, rate_hz)
    num_frames = sound.size // frame
    pieces = sound[: num_frames * frame].reshape(num_frames, frame).astype(np.float64)
    return np.asarray(np.sqrt(np.mean(pieces**2, axis=1)))
