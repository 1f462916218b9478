"""Says the same again through the bottleneck of a neural vocoder.

Synthetic speech is made in two steps: a network paints a spectrogram, a vocoder turns it
into audio. Whatever the first does, the second leaves its traces, on cloned voices as on
converted ones. Its losses are had without any network: phases are invented, and what is
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
#: Neighbouring frequencies and windows of which a codec tells one level.
_TILE = 4
_FAINT = 1e-9
_LOG_PER_DB = np.log(10) / 20


class ResynthConfig(CrossfadeConfig):
    """How coarse the spectrogram is, and how well phases are guessed."""

    num_mels: Counts = Field(
        default=(40, 100), description="Fewest and most bands of the mel spectrogram."
    )
    num_rounds: Counts = Field(
        default=(4, 32), description="Fewest and most rounds in which phases are guessed."
    )


class Resynth:
    """The same words from a mel spectrogram alone, phases guessed by Griffin and Lim.

    Stands for words of a cloned voice that a neural vocoder speaks, with its first loss
    above all: harmonics finer than a mel band, and the phases of the real thing.
    """

    needs_donor = False

    def __init__(self, config: ResynthConfig | None = None) -> None:
        self._config = config or ResynthConfig()

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Return the stretch as its mel spectrogram has it.

        Raises:
            ForgeError: Nothing is heard in the stretch.
        """
        require_speech(job)
        num_mels, num_rounds = (
            int(rng.integers(low, high + 1))
            for low, high in (self._config.num_mels, self._config.num_rounds)
        )
        rate_hz = job.sample_rate_hz
        window = window_size(_WINDOW_S, rate_hz)

        def work(audio: Audio) -> Audio:
            magnitudes = pass_through_mel(np.abs(compute_stft(audio, window)), num_mels, rate_hz)
            return _guessed(magnitudes, audio.size, num_rounds, rng)

        return overlay_at_rms(job, apply_with_context(job, work), self._config)


class RecodeConfig(CrossfadeConfig):
    """What a codec keeps of a stretch, and how well."""

    low_band_share: Shares = Field(
        default=(0.3, 0.6), description="Least and largest share of the band that is kept."
    )
    phase_error_rad: Bounds = Field(
        default=(0.6, 1.5), description="Least and largest error of phases (sigma), in radians."
    )
    level_error_db: Bounds = Field(
        default=(1.0, 3.0), description="Least and largest error of levels (sigma), in dB."
    )


class Recode:
    """The same words with treble regrown from the middle, all of it only nearly right.

    Stands for speech that comes out of a neural codec, as language models of speech write
    it, or out of a vocoder that was trained on narrow-band speech and widened: on the whole
    each band is as loud as it was, but what sounds there is a copy or a guess.
    """

    needs_donor = False

    def __init__(self, config: RecodeConfig | None = None) -> None:
        self._config = config or RecodeConfig()

    def forge_audio(self, job: AudioJob, rng: np.random.Generator) -> Audio:
        """Return the stretch as a codec would.

        Raises:
            ForgeError: Nothing is heard in the stretch.
        """
        require_speech(job)
        config, rate_hz = self._config, job.sample_rate_hz
        kept, error_rad, error_db = (
            float(rng.uniform(*bounds))
            for bounds in (config.low_band_share, config.phase_error_rad, config.level_error_db)
        )

        def work(audio: Audio) -> Audio:
            found = compute_stft(audio, window_size(_CODEC_WINDOW_S, rate_hz))
            found = _regrown(found, kept, rate_hz)
            turned = 1j * error_rad * rng.standard_normal(found.shape)
            louder = error_db * _LOG_PER_DB * _coarse_noise(found.shape, rng)
            return invert_stft((found * np.exp(turned + louder)).astype(np.complex64), audio.size)

        return overlay_at_rms(job, apply_with_context(job, work), self._config)


def pass_through_mel(
    magnitudes: NDArray[np.float32], num_mels: int, rate_hz: int
) -> NDArray[np.float32]:
    """Return magnitudes as they come back from a mel spectrogram.

    Args:
        magnitudes: Shape ``(frequency, frame)``.
        num_mels: Bands of the spectrogram.
        rate_hz: Samples a second.

    Returns:
        Of the same shape: averages of the bands, interpolated between their middles.
    """
    bands = _bands(num_mels, len(magnitudes), rate_hz)
    averages = bands @ magnitudes / bands.sum(axis=1, keepdims=True)
    return np.asarray(bands.T @ averages, dtype=np.float32)


@lru_cache(maxsize=128)
def _bands(num_mels: int, num_bins: int, rate_hz: int) -> NDArray[np.float32]:
    """Return triangles with a peak of one, shape ``(band, frequency)``; read-only."""
    from librosa.filters import mel

    bands = mel(sr=rate_hz, n_fft=2 * (num_bins - 1), n_mels=num_mels, norm=None)
    bands.flags.writeable = False
    return np.asarray(bands)


def _guessed(
    magnitudes: NDArray[np.float32], size: int, num_rounds: int, rng: np.random.Generator
) -> Audio:
    """Return a audio with these magnitudes and whatever phases come of it."""
    import librosa

    window = 2 * (len(magnitudes) - 1)
    audio = librosa.griffinlim(
        magnitudes,
        n_iter=num_rounds,
        hop_length=window // HOPS_PER_WINDOW,
        n_fft=window,
        length=size,
        random_state=int(rng.integers(2**31)),
    )
    return np.asarray(audio, dtype=np.float32)


def _coarse_noise(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return noise in tiles, one for each value that a codec would write.

    Errors of single spectra would cancel where their windows overlap.
    """
    coarse = rng.standard_normal([-(-size // _TILE) for size in shape])
    tiles = coarse.repeat(_TILE, axis=0).repeat(_TILE, axis=1)
    return tiles[: shape[0], : shape[1]]


def _regrown(
    found: NDArray[np.complex64], low_band_share: float, rate_hz: int
) -> NDArray[np.complex64]:
    """Return spectra whose upper part is copied from below and shaped as it was.

    Source:
        Spectral band replication, as in HE-AAC, with the envelope left exact.
    """
    num_bins = len(found)
    cut = max(2, round(low_band_share * num_bins))
    first = min(round(_COPIED_FROM_HZ / (rate_hz / 2) * num_bins), cut - 1)
    copied = first + np.arange(num_bins - cut) % (cut - first)
    shape = compute_spectral_envelope(found, rate_hz)
    regrown = found[copied] * np.exp(shape[cut:] - shape[copied])
    # The shape says little about single harmonics; as loud as it was, treble is as a whole.
    was, now = (np.linalg.norm(treble, axis=0) for treble in (found[cut:], regrown))
    regrown *= was / np.maximum(now, _FAINT)
    return np.concatenate([found[:cut], regrown]).astype(np.complex64)
