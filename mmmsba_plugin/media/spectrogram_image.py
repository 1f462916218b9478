"""Spectrograms of a clip's audio as images, as panels and pages show them."""

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.media.audio import read_audio_between
from mmmsba_plugin.schema import Media
from mmmsba_plugin.structures import AudioBlock, Rgb

#: Width of an image, in pixels.
NUM_COLUMNS = 256
#: Speech has nothing above half of it that detectors or people need to see.
RATE_HZ = 16_000

#: Width of the window of a spectrum in samples: 32 ms, which shows single harmonics.
_WINDOW = 512
#: A column of a long span is the mean of no more spectra than this.
_MAX_SPECTRA = 8
#: Height of an image in pixels, from 0 Hz at the bottom to 8 kHz.
_NUM_ROWS = 64
#: What is black and what is brightest, in dB of a full-scale sine.
_DARKEST_DB = -90.0
_BRIGHTEST_DB = -15.0


def read_audio_around(media: Media, start_s: float, end_s: float) -> tuple[AudioBlock, int]:
    """Read the audio of a span with half a window more at both ends, as spectra need it.

    Args:
        media: The file.
        start_s: Start of the span, in seconds.
        end_s: Its end, in seconds.

    Returns:
        The audio, and the number of samples that it has more at each end.
    """
    margin_s = _WINDOW / 2 / RATE_HZ
    block = read_audio_between(media, start_s - margin_s, end_s + margin_s, sample_rate_hz=RATE_HZ)
    return block, _WINDOW // 2


def spectrogram(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Compute the level of each frequency band along time.

    Args:
        samples: PCM in [-1, 1], shape ``(sample,)``, with half a window more at both ends than
            is shown.

    Returns:
        Levels in dB of a full-scale sine, shape ``(row, NUM_COLUMNS)``, high bands on top.
    """
    num_samples = samples.size - _WINDOW
    num_spectra = min(_MAX_SPECTRA, max(1, num_samples // NUM_COLUMNS // (_WINDOW // 2)))
    places = (
        (np.arange(NUM_COLUMNS * num_spectra) + 0.5) * num_samples / (NUM_COLUMNS * num_spectra)
    )
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[places.astype(np.int64)]
    taper = np.hanning(_WINDOW)
    amplitudes = np.abs(np.fft.rfft(windows * taper, axis=1))[:, 1:] * 2 / taper.sum()
    power = (amplitudes**2).reshape(NUM_COLUMNS, num_spectra, _NUM_ROWS, -1).mean(axis=1)
    levels: NDArray[np.float64] = 10 * np.log10(power.max(axis=-1) + 1e-12)
    return levels.T[::-1]


def spectrogram_image(samples: NDArray[np.float32]) -> Rgb:
    """Draw a spectrogram, from black to yellow in a scale that is read without colors too.

    Args:
        samples: As for :func:`spectrogram`.

    Returns:
        Shape ``(row, NUM_COLUMNS, 3)``.
    """
    scaled = (spectrogram(samples) - _DARKEST_DB) / (_BRIGHTEST_DB - _DARKEST_DB)
    return heat_image(scaled)


def heat_image(values: NDArray[np.float64]) -> Rgb:
    """Draw values in [0, 1], shape ``(row, column)``, from black to yellow."""
    import cv2

    gray = np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)
    colored = cv2.cvtColor(cv2.applyColorMap(gray, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    return np.asarray(colored, dtype=np.uint8)
