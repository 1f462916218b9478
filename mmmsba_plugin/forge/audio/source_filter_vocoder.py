"""Takes speech apart into pitch, voicing and throat, and puts it together again.

Source and filter, as vocoders had them before networks did: pulses where there is voice,
noise where there is none, through the throat that was measured. The buzz is theirs.
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
#: Pitch is looked for every so often, in frames that hold two periods of the lowest voice.
_STEP_S = 0.01
_FRAME_S = 0.04
_PITCH_HZ = (65.0, 400.0)
#: A period twice as long fits as well; it must fit this much better for each octave.
_OCTAVE_COST = 0.1
#: From here on a frame is voiced more than it is noise.
_VOICED = 0.45


class PitchTrack(NamedTuple):
    """How high, and how much of it is voice.

    Attributes:
        pitch_hz: Shape ``(frame,)``; a guess where nothing is voiced.
        voicing: In [0, 1], shape ``(frame,)``.
    """

    pitch_hz: NDArray[np.float64]
    voicing: NDArray[np.float64]


class VocodeConfig(CrossfadeConfig):
    """How speech is put together again."""

    breath: Shares = Field(
        default=(0.02, 0.3), description="Least and largest noise in a voice, as a share of it."
    )
    flatness: Shares = Field(
        default=(0.01, 0.6),
        description="By which share a pitch_track is drawn to its middle, least and largest.",
    )


class Vocode:
    """The same words from pulses and noise through the measured throat.

    Stands for statistical synthesis and for the source-filter vocoders behind many cloned
    and converted voices: every period is the last one's twin, and the melody is a little
    flat.
    """

    needs_donor = False

    def __init__(self, config: VocodeConfig | None = None) -> None:
        self._config = config or VocodeConfig()

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Return the stretch as a vocoder says it.

        Raises:
            ForgeError: Nothing is heard in the stretch.
        """
        require_speech(job)
        breath, flatness = (
            float(rng.uniform(*bounds)) for bounds in (self._config.breath, self._config.flatness)
        )
        rate_hz = job.sample_rate_hz

        def work(audio: Audio) -> Audio:
            pitch_track = flatten_pitch(track_pitch(audio, rate_hz), flatness)
            source = _source(pitch_track, audio.size, rate_hz, breath, rng)
            return _through_throat_of(audio, source, rate_hz)

        return overlay_at_rms(job, apply_with_context(job, work), self._config)


def track_pitch(audio: Audio, rate_hz: int) -> PitchTrack:
    """Return how high a voice is, once every 10 ms.

    Args:
        audio: Shape ``(sample,)``.
        rate_hz: Samples a second.

    Source:
        Autocorrelation over that of the window, Boersma (1993), without his path finder.
    """
    size, step = (s_to_samples(s, rate_hz) for s in (_FRAME_S, _STEP_S))
    padded = np.pad(audio.astype(np.float64), size // 2)
    window = np.hanning(size + 2)[1:-1]
    frames = sliding_window_view(padded, size)[::step] * window
    similar = _autocorrelation(frames) / _autocorrelation(window[None])
    low, high = (round(rate_hz / hz) for hz in reversed(_PITCH_HZ))
    lags = np.arange(low, high + 1)
    best = np.argmax(similar[:, lags] - _OCTAVE_COST * np.log2(lags / low), axis=1)
    voicing = similar[np.arange(len(frames)), lags[best]]
    return PitchTrack(rate_hz / lags[best], np.clip(voicing, 0.0, 1.0))


def flatten_pitch(pitch_track: PitchTrack, flatness: float) -> PitchTrack:
    """Return a melody that is drawn to its middle by so large a share."""
    voiced = pitch_track.voicing > _VOICED
    logs = np.log(pitch_track.pitch_hz)
    middle = np.median(logs[voiced] if voiced.any() else logs)
    return pitch_track._replace(pitch_hz=np.exp(logs + flatness * (middle - logs)))


def _autocorrelation(frames: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how alike frames are to themselves later, 1 at once, shape ``(frame, lag)``."""
    size = frames.shape[-1]
    power = np.abs(np.fft.rfft(frames, 2 * size)) ** 2
    found = np.fft.irfft(power)[:, :size]
    return np.asarray(found / np.maximum(found[:, :1], 1e-12))


def _source(
    pitch_track: PitchTrack, size: int, rate_hz: int, breath: float, rng: np.random.Generator
) -> Audio:
    """Return pulses where there is voice and noise where there is none, of equal power."""
    knots = np.arange(pitch_track.voicing.size) * s_to_samples(_STEP_S, rate_hz)
    pitch_hz = np.interp(np.arange(size), knots, pitch_track.pitch_hz)
    voiced = np.interp(np.arange(size), knots, pitch_track.voicing > _VOICED)
    pulses = np.diff(np.floor(np.cumsum(pitch_hz / rate_hz)), prepend=0.0)
    pulses *= np.sqrt(rate_hz / pitch_hz)
    noise = rng.standard_normal(size)
    voice = np.sqrt(1 - breath) * pulses + np.sqrt(breath) * noise
    return np.asarray(voiced * voice + (1 - voiced) * noise, dtype=np.float32)


def _through_throat_of(audio: Audio, source: Audio, rate_hz: int) -> Audio:
    """Return the source with the throat of a audio in place of its own."""
    window = window_size(_WINDOW_S, rate_hz)
    wanted, found = compute_stft(audio, window), compute_stft(source, window)
    gains = np.exp(
        compute_spectral_envelope(wanted, rate_hz) - compute_spectral_envelope(found, rate_hz)
    )
    return invert_stft((found * gains).astype(np.complex64), audio.size)
