"""Resynthesize speech from pitch, voicing and spectral envelope (source-filter vocoder).

Source and filter, as vocoders had them before networks did: pulses in voiced frames, noise in
unvoiced ones, filtered by the spectral envelope of the speech. The buzz is theirs.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from pydantic import Field

from mmmsba_plugin.forge.audio.crossfade import (
    CrossfadeConfig,
    Shares,
    apply_with_context,
    overlay_at_rms,
    require_speech,
)
from mmmsba_plugin.forge.audio.stft import (
    compute_spectral_envelope,
    compute_stft,
    invert_stft,
    window_size,
)
from mmmsba_plugin.forger import Audio, AudioJob
from mmmsba_plugin.timebase import s_to_samples

_WINDOW_S = 0.032
#: Pitch is tracked every so often, in frames that hold two periods of the lowest voice.
_STEP_S = 0.01
_FRAME_S = 0.04
_PITCH_HZ = (65.0, 400.0)
#: A period twice as long fits as well; it must fit this much better for each octave.
_OCTAVE_COST = 0.1
#: From here on a frame is voiced more than it is noise.
_VOICED = 0.45


class PitchTrack(NamedTuple):
    """Pitch and voicing of speech, in frames 10 ms apart.

    Attributes:
        pitch_hz: Shape ``(frame,)``; a guess where nothing is voiced.
        voicing: In [0, 1], shape ``(frame,)``.
    """

    pitch_hz: NDArray[np.float64]
    voicing: NDArray[np.float64]


class VocodeConfig(CrossfadeConfig):
    """Settings of the forger ``vocode``."""

    breath: Shares = Field(
        default=(0.02, 0.3), description="Least and largest noise in a voice, as a share of it."
    )
    flatness: Shares = Field(
        default=(0.01, 0.6),
        description="Least and largest share by which the pitch is drawn to its median.",
    )


class Vocode:
    """Forger that resynthesizes a segment from pulses and noise through its spectral envelope.

    Stands for statistical synthesis and for the source-filter vocoders behind many cloned
    and converted voices: every period is the last one's twin, and the pitch is a little
    flat.
    """

    needs_donor = False

    def __init__(self, config: VocodeConfig | None = None) -> None:
        self._config = config or VocodeConfig()

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Resynthesize the segment.

        Raises:
            ForgeError: There is no speech in the segment.
        """
        require_speech(job)
        breath, flatness = (
            float(rng.uniform(*bounds)) for bounds in (self._config.breath, self._config.flatness)
        )
        rate_hz = job.sample_rate_hz

        def transform(audio: Audio) -> Audio:
            pitch = flatten_pitch(track_pitch(audio, rate_hz), flatness)
            source = synthesize_source(pitch, audio.size, rate_hz, breath=breath, rng=rng)
            window = window_size(_WINDOW_S, rate_hz)
            spectra = compute_stft(source, window)
            gains = np.exp(
                compute_spectral_envelope(compute_stft(audio, window), rate_hz)
                - compute_spectral_envelope(spectra, rate_hz)
            )
            return invert_stft((spectra * gains).astype(np.complex64), audio.size)

        return overlay_at_rms(job, apply_with_context(job, transform), self._config)


def track_pitch(audio: Audio, rate_hz: int) -> PitchTrack:
    """Track the pitch of a voice, once every 10 ms.

    ``librosa.yin`` is as fast but has no voicing. ``librosa.pyin`` has, at 0.4 s for 4 s of
    speech against 0.01 s here; its voicing agrees with this one in 79 to 95 % of the frames,
    and its pitch, where both are voiced, within 50 cents in 99 % of the frames of synthetic
    speech and in 69 to 90 % of real speech. So it would change forgeries and not mend any.

    Args:
        audio: Shape ``(sample,)``.
        rate_hz: Sample rate, in Hz.

    Source:
        Autocorrelation over that of the window, Boersma (1993), without his path finder.
    """
    size, step = (s_to_samples(s, rate_hz) for s in (_FRAME_S, _STEP_S))
    padded = np.pad(audio.astype(np.float64), size // 2)
    window = np.hanning(size + 2)[1:-1]
    frames = sliding_window_view(padded, size)[::step] * window
    correlation = _autocorrelate(frames) / _autocorrelate(window[None])
    low, high = (round(rate_hz / hz) for hz in reversed(_PITCH_HZ))
    lags = np.arange(low, high + 1)
    best = np.argmax(correlation[:, lags] - _OCTAVE_COST * np.log2(lags / low), axis=1)
    voicing = correlation[np.arange(len(frames)), lags[best]]
    return PitchTrack(rate_hz / lags[best], np.clip(voicing, 0.0, 1.0))


def flatten_pitch(pitch: PitchTrack, flatness: float) -> PitchTrack:
    """Draw the pitch of voiced frames to its median by a share, in logarithms."""
    voiced = pitch.voicing > _VOICED
    logs = np.log(pitch.pitch_hz)
    middle = np.median(logs[voiced] if voiced.any() else logs)
    return pitch._replace(pitch_hz=np.exp(logs + flatness * (middle - logs)))


def _autocorrelate(frames: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the autocorrelation of frames, 1 at lag 0, shape ``(frame, lag)``."""
    size = frames.shape[-1]
    power = np.abs(np.fft.rfft(frames, 2 * size)) ** 2
    correlation = np.fft.irfft(power)[:, :size]
    return np.asarray(correlation / np.maximum(correlation[:, :1], 1e-12))


def synthesize_source(
    pitch: PitchTrack, size: int, rate_hz: int, *, breath: float, rng: np.random.Generator
) -> Audio:
    """Synthesize pulses in voiced frames and noise in unvoiced ones, of equal power.

    Args:
        pitch: Pitch and voicing, in frames 10 ms apart.
        size: Number of samples.
        rate_hz: Sample rate, in Hz.
        breath: Noise in voiced frames, as a share of their power.
        rng: Source of the noise.
    """
    knots = np.arange(pitch.voicing.size) * s_to_samples(_STEP_S, rate_hz)
    pitch_hz = np.interp(np.arange(size), knots, pitch.pitch_hz)
    voiced = np.interp(np.arange(size), knots, pitch.voicing > _VOICED)
    pulses = np.diff(np.floor(np.cumsum(pitch_hz / rate_hz)), prepend=0.0)
    pulses *= np.sqrt(rate_hz / pitch_hz)
    noise = rng.standard_normal(size)
    voice = np.sqrt(1 - breath) * pulses + np.sqrt(breath) * noise
    return np.asarray(voiced * voice + (1 - voiced) * noise, dtype=np.float32)
