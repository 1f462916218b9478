"""Convert the voice: another speaker says the same words at the same time.

The vocal tract of a speaker shapes the spectral envelope. Stretched over frequency it is that
of a shorter or longer vocal tract, and with another pitch it is another person, whose lips fit
all the same.
"""

import numpy as np
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
    """Settings of the forger ``voice``."""

    formants: Bounds = Field(
        default=(1.08, 1.25),
        description="Least and largest factor by which formants rise, or by whose inverse they "
        "fall.",
    )
    semitones: Bounds = Field(
        default=(1.0, 6.0),
        description="Least and largest change of pitch, in semitones, to the same side.",
    )


class ConvertVoice:
    """Forger that converts the voice of a segment: other formants and another pitch.

    Stands for voice conversion: the lips are right to the frame, and the speaker is not.
    """

    needs_donor = False

    def __init__(self, config: VoiceConfig | None = None) -> None:
        self._config = config or VoiceConfig()

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Convert the voice of the segment.

        Raises:
            ForgeError: There is no speech in the segment.
        """
        require_speech(job)
        side = int(rng.choice((-1, 1)))
        factor = float(rng.uniform(*self._config.formants) ** side)
        semitones = side * float(rng.uniform(*self._config.semitones))
        rate_hz = job.sample_rate_hz
        new = apply_with_context(
            job, lambda audio: convert_voice(audio, rate_hz, factor=factor, semitones=semitones)
        )
        return overlay_at_rms(job, new, self._config)


def convert_voice(audio: Audio, rate_hz: int, *, factor: float, semitones: float) -> Audio:
    """Convert the voice of audio; the result has as many samples at the same times.

    Args:
        audio: Shape ``(sample,)``.
        rate_hz: Sample rate, in Hz.
        factor: Factor by which formants rise; below 1 they fall.
        semitones: Change of pitch, in semitones; negative is down.
    """
    window = window_size(_WINDOW_S, rate_hz)
    spectra = compute_stft(shift_pitch(audio, semitones, rate_hz), window)
    envelope = compute_spectral_envelope(compute_stft(audio, window), rate_hz)
    # Stretched over frequency; where it has no value any more, its last one goes on.
    last = len(envelope) - 1
    at = np.minimum(np.arange(last + 1) / factor, last)
    below = np.minimum(at.astype(np.int64), last - 1)
    weight = (at - below)[:, None]
    warped = (1 - weight) * envelope[below] + weight * envelope[below + 1]
    # Shifting the pitch moved the formants along; their new place is counted from the old.
    log_gains = warped - compute_spectral_envelope(spectra, rate_hz)
    gains = np.exp(np.clip(log_gains, -_MAX_LOG_GAIN, _MAX_LOG_GAIN))
    return invert_stft((spectra * gains).astype(np.complex64), audio.size)
