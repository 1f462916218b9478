"""Lets somebody else say the same words at the same time.

The throat of a speaker is the smooth shape of the spectrum. Stretched over frequency it is
that of a shorter or longer throat, and with another pitch it is another person, whose lips
fit all the same.
"""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mmmsba_plugin.forge.audio.crossfade import (
    Bounds,
    CrossfadeConfig,
    apply_with_context,
    overlay_at_rms,
    require_speech,
)
from mmmsba_plugin.forge.audio.pitch_tempo import shift_pitch
from mmmsba_plugin.forge.audio.stft import (
    compute_spectral_envelope,
    compute_stft,
    invert_stft,
    window_size,
)
from mmmsba_plugin.forger import Audio, AudioJob

_WINDOW_S = 0.032
#: No frequency is turned up or down by more: 26 dB. Between harmonics there is only noise.
_MAX_LOG_GAIN = 3.0


class VoiceConfig(CrossfadeConfig):
    """How far the new speaker is from the old one."""

    formants: Bounds = Field(
        default=(1.08, 1.25),
        description="Least and largest factor by which formants rise, or by whose inverse they "
        "fall.",
    )
    semitones: Bounds = Field(
        default=(1.0, 6.0), description="Least and largest change of pitch, to the same side."
    )


class ConvertVoice:
    """The same words at the same time, by another throat and larynx.

    Stands for voice conversion: the lips are right to the frame, and who speaks is not.
    """

    needs_donor = False

    def __init__(self, config: VoiceConfig | None = None) -> None:
        self._config = config or VoiceConfig()

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Return the stretch in another voice.

        Raises:
            ForgeError: Nothing is heard in the stretch.
        """
        require_speech(job)
        side = int(rng.choice((-1, 1)))
        factor = float(rng.uniform(*self._config.formants) ** side)
        semitones = side * float(rng.uniform(*self._config.semitones))
        rate_hz = job.sample_rate_hz
        piece = apply_with_context(
            job, lambda audio: convert_voice(audio, rate_hz, factor=factor, semitones=semitones)
        )
        return overlay_at_rms(job, piece, self._config)


def convert_voice(audio: Audio, rate_hz: int, *, factor: float, semitones: float) -> Audio:
    """Return a audio in another voice, as many samples at the same times.

    Args:
        audio: Shape ``(sample,)``.
        rate_hz: Samples a second.
        factor: By which formants rise; below 1 they fall.
        semitones: How much higher the voice is.
    """
    moved = shift_pitch(audio, semitones, rate_hz)
    window = window_size(_WINDOW_S, rate_hz)
    was, now = compute_stft(audio, window), compute_stft(moved, window)
    # Shifting the pitch moved the formants along; their new place is counted from the old.
    logs = _warped(compute_spectral_envelope(was, rate_hz), factor) - compute_spectral_envelope(
        now, rate_hz
    )
    gains = np.exp(np.clip(logs, -_MAX_LOG_GAIN, _MAX_LOG_GAIN))
    return invert_stft((now * gains).astype(np.complex64), audio.size)


def _warped(shape: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """Return a shape stretched over frequency; its end goes on where it has none."""
    at = np.minimum(np.arange(len(shape)) / factor, len(shape) - 1)
    below = np.minimum(at.astype(np.int64), len(shape) - 2)
    part = (at - below)[:, None]
    return np.asarray((1 - part) * shape[below] + part * shape[below + 1])
