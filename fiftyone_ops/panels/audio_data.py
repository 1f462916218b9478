"""Audio of a clip as pictures: waveform and spectrogram, tile by tile, as the browser shows them.

A tile is a span of a power of two in seconds, so that whoever zooms or pans comes by the same
ones again. Each is decoded alone, when it is seen, and kept.
"""

from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.schema import Media

from ..responses import AudioTile

#: Width of a tile in points of its waveform and of its spectrogram.
NUM_COLUMNS: Final = 256
#: Length of the shortest tile, in seconds, and of the longest, which costs 65 MB to decode.
MIN_TILE_S: Final = 0.25
MAX_TILE_S: Final = 1024.0
#: Tiles that are kept, at some 10 kB each.
_NUM_KEPT: Final = 1024

#: Speech has nothing above half of it that detectors or people need to see.
_RATE_HZ: Final = 16_000
#: Width of the window of a spectrum in samples: 32 ms, which shows single harmonics.
_WINDOW: Final = 512
#: A column of a long tile is the mean of no more spectra than this.
_MAX_SPECTRA: Final = 8
#: Height of a spectrogram in pixels, from 0 Hz at the bottom to 8 kHz.
_NUM_ROWS: Final = 64
#: What is black and what is brightest in a spectrogram, in dB of a full-scale sine.
_DARKEST_DB: Final = -90.0
_BRIGHTEST_DB: Final = -15.0
#: Amplitudes are sent as whole numbers up to this one.
_FULL_SCALE: Final = 127


def audio_tile(path: str, tile_s: float, number: int) -> AudioTile:
    """Return a tile of a clip's audio, decoded when it is first asked for.

    Args:
        path: The clip's file.
        tile_s: Length of the tile, in seconds.
        number: Number of the tile, from 0 at the clip's zero.

    Raises:
        ConfigError: There are no tiles of that length or number.
        MmmsbaError: The file cannot be read.
    """
    if not MIN_TILE_S <= tile_s <= MAX_TILE_S or number < 0:
        raise ConfigError(
            f"there is no tile {number} of {tile_s:g} s of audio; tiles last {MIN_TILE_S:g} to "
            f"{MAX_TILE_S:g} s and count from 0"
        )
    file = Path(path)
    return _tile(path, file.stat().st_mtime_ns if file.is_file() else 0, tile_s, number)


@lru_cache(maxsize=_NUM_KEPT)
def _tile(path: str, changed_ns: int, tile_s: float, number: int) -> AudioTile:
    from mmmsba_plugin.media.audio import read_audio_between
    from mmmsba_plugin.media.encode import jpeg_data_uri

    media = _probed(path, changed_ns)
    start_s, end_s = number * tile_s, (number + 1) * tile_s
    if media.audio is None:
        return AudioTile(start_s=start_s, end_s=end_s, low=(), high=(), spectrogram=None)
    margin_s = _WINDOW / 2 / _RATE_HZ
    block = read_audio_between(media, start_s - margin_s, end_s + margin_s, sample_rate_hz=_RATE_HZ)
    low, high = envelope(block.samples[_WINDOW // 2 : -_WINDOW // 2])
    return AudioTile(
        start_s=start_s,
        end_s=end_s,
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
        spectrogram=jpeg_data_uri(_colored(spectrogram(block.samples))),
    )


@lru_cache(maxsize=64)
def _probed(path: str, changed_ns: int) -> Media:
    from mmmsba_plugin.media.probe import probe

    del changed_ns
    return probe(path, with_hash=False)


def envelope(samples: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the lowest and the highest amplitude of each column of a waveform.

    Args:
        samples: PCM in [-1, 1], shape ``(sample,)``, at least one a column.

    Returns:
        Two arrays of shape ``(NUM_COLUMNS,)``, from -127 to 127.
    """
    edges = np.linspace(0, samples.size, NUM_COLUMNS, endpoint=False).astype(np.int64)
    scaled = np.clip(np.rint(samples * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE).astype(np.int64)
    return np.minimum.reduceat(scaled, edges), np.maximum.reduceat(scaled, edges)


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


def _colored(levels_db: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return levels as RGB, from black to yellow in a scale that is read without colors too."""
    import cv2

    scaled = (levels_db - _DARKEST_DB) / (_BRIGHTEST_DB - _DARKEST_DB)
    gray = np.rint(255 * np.clip(scaled, 0, 1)).astype(np.uint8)
    colored = cv2.cvtColor(cv2.applyColorMap(gray, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    return np.asarray(colored, dtype=np.uint8)
