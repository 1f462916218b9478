"""Resynthesize speech through the bottleneck of a neural vocoder or codec.

Synthetic speech is made in two steps: a network paints a spectrogram, a vocoder turns it
into audio. Whatever the first does, the second leaves its traces, on cloned voices as on
converted ones. Its losses need no network: phases are invented, and all that is
finer than the spectrogram is gone.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mmmsba_plugin.forge.audio.crossfade import (
    Bounds,
    Counts,
    CrossfadeConfig,
    Shares,
    apply_with_context,
    overlay_at_rms,
    require_speech,
)
from mmmsba_plugin.forge.audio.stft import (
    HOPS_PER_WINDOW,
    Spectra,
    compute_spectral_envelope,
    compute_stft,
    invert_stft,
    window_size,
)
from mmmsba_plugin.forger import Audio, AudioJob

_WINDOW_S = 0.064
_CODEC_WINDOW_S = 0.032
#: Below it nothing is copied upward: hum and rumble are no model for treble.
_COPIED_FROM_HZ = 500.0
#: Neighbouring frequencies and windows that a codec gives one level.
_TILE = 4
_FAINT = 1e-9
_LOG_PER_DB = np.log(10) / 20


class ResynthConfig(CrossfadeConfig):
    """Settings of the forger ``resynth``."""

    num_mels: Counts = Field(
        default=(40, 100), description="Fewest and most bands of the mel spectrogram."
    )
    num_rounds: Counts = Field(
        default=(4, 32), description="Fewest and most Griffin-Lim iterations."
    )


class Resynth:
    """Forger that resynthesizes a segment from its mel spectrogram, with Griffin-Lim phases.

    Stands for words of a cloned voice that a neural vocoder speaks, with its first loss
    above all: harmonics finer than a mel band, and the phases of the real thing.
    """

    needs_donor = False

    def __init__(self, config: ResynthConfig | None = None) -> None:
        self._config = config or ResynthConfig()

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Resynthesize the segment from its mel spectrogram.

        Raises:
            ForgeError: There is no speech in the segment.
        """
        import librosa

        require_speech(job)
        num_mels, num_rounds = (
            int(rng.integers(low, high + 1))
            for low, high in (self._config.num_mels, self._config.num_rounds)
        )
        rate_hz = job.sample_rate_hz
        window = window_size(_WINDOW_S, rate_hz)

        def transform(audio: Audio) -> Audio:
            magnitudes = pass_through_mel(np.abs(compute_stft(audio, window)), num_mels, rate_hz)
            audio = librosa.griffinlim(
                magnitudes,
                n_iter=num_rounds,
                hop_length=window // HOPS_PER_WINDOW,
                n_fft=window,
                length=audio.size,
                random_state=int(rng.integers(2**31)),
            )
            return np.asarray(audio, dtype=np.float32)

        return overlay_at_rms(job, apply_with_context(job, transform), self._config)


class RecodeConfig(CrossfadeConfig):
    """Settings of the forger ``recode``."""

    low_band_share: Shares = Field(
        default=(0.3, 0.6),
        description="Least and largest share of the band, from below, that is not regrown.",
    )
    phase_error_rad: Bounds = Field(
        default=(0.6, 1.5), description="Least and largest error of phases (sigma), in radians."
    )
    level_error_db: Bounds = Field(
        default=(1.0, 3.0), description="Least and largest error of levels (sigma), in dB."
    )


class Recode:
    """Forger that regrows a segment's treble from its lower band and blurs phases and levels.

    Stands for speech that comes out of a neural codec, as language models of speech write
    it, or out of a vocoder that was trained on narrow-band speech and widened: on the whole
    each band is as loud as it was, but its content is a copy or a guess.
    """

    needs_donor = False

    def __init__(self, config: RecodeConfig | None = None) -> None:
        self._config = config or RecodeConfig()

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Recode the segment as a codec would.

        Raises:
            ForgeError: There is no speech in the segment.
        """
        require_speech(job)
        config, rate_hz = self._config, job.sample_rate_hz
        low_band_share, error_rad, error_db = (
            float(rng.uniform(*bounds))
            for bounds in (config.low_band_share, config.phase_error_rad, config.level_error_db)
        )

        def transform(audio: Audio) -> Audio:
            spectra = compute_stft(audio, window_size(_CODEC_WINDOW_S, rate_hz))
            spectra = regrow_treble(spectra, low_band_share, rate_hz)
            phase_errors = 1j * error_rad * rng.standard_normal(spectra.shape)
            # A tile for each value that a codec would write: errors of single spectra would
            # cancel where their windows overlap.
            coarse = rng.standard_normal([-(-size // _TILE) for size in spectra.shape])
            tiles = coarse.repeat(_TILE, axis=0).repeat(_TILE, axis=1)
            level_errors = error_db * _LOG_PER_DB * tiles[: len(spectra), : spectra.shape[1]]
            return invert_stft(
                (spectra * np.exp(phase_errors + level_errors)).astype(np.complex64), audio.size
            )

        return overlay_at_rms(job, apply_with_context(job, transform), self._config)


def pass_through_mel(
    magnitudes: NDArray[np.float32], num_mels: int, rate_hz: int
) -> NDArray[np.float32]:
    """Convert magnitudes to a mel spectrogram and back.

    Args:
        magnitudes: Shape ``(frequency, frame)``.
        num_mels: Bands of the mel spectrogram.
        rate_hz: Sample rate, in Hz.

    Returns:
        Magnitudes of the same shape: averages of the bands, interpolated between their
        centres.
    """
    bands = _mel_bands(num_mels, len(magnitudes), rate_hz)
    averages = bands @ magnitudes / bands.sum(axis=1, keepdims=True)
    return np.asarray(bands.T @ averages, dtype=np.float32)


@lru_cache(maxsize=128)
def _mel_bands(num_mels: int, num_bins: int, rate_hz: int) -> NDArray[np.float32]:
    """Return triangular mel filters with a peak of 1, shape ``(band, frequency)``; read-only."""
    from librosa.filters import mel

    bands = mel(sr=rate_hz, n_fft=2 * (num_bins - 1), n_mels=num_mels, norm=None)
    bands.flags.writeable = False
    return np.asarray(bands)


def regrow_treble(spectra: Spectra, low_band_share: float, rate_hz: int) -> Spectra:
    """Copy the lower band of spectra over the upper one, and restore its envelope.

    Args:
        spectra: Shape ``(frequency, frame)``.
        low_band_share: Share of the frequencies that stay as they are, in (0, 1].
        rate_hz: Sample rate, in Hz.

    Source:
        Spectral band replication, as in HE-AAC, with the envelope left exact.
    """
    num_bins = len(spectra)
    cut = max(2, round(low_band_share * num_bins))
    first = min(round(_COPIED_FROM_HZ / (rate_hz / 2) * num_bins), cut - 1)
    copied = first + np.arange(num_bins - cut) % (cut - first)
    envelope = compute_spectral_envelope(spectra, rate_hz)
    regrown = spectra[copied] * np.exp(envelope[cut:] - envelope[copied])
    # The envelope says little about single harmonics; treble as a whole is as loud as it was.
    old, new = (np.linalg.norm(treble, axis=0) for treble in (spectra[cut:], regrown))
    regrown *= old / np.maximum(new, _FAINT)
    return np.concatenate([spectra[:cut], regrown]).astype(np.complex64)
