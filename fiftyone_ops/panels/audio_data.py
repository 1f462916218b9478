"""Audio of a clip as pictures: waveform and spectrogram, tile by tile, as the browser shows them.

A tile is a span of a power of two in seconds, so that whoever zooms or pans comes by the same
ones again. Each is decoded alone, when it is seen, and kept.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.media.spectrogram_image import NUM_COLUMNS, read_audio_around, spectrogram_image
from mmmsba_plugin.schema import Media

from ..responses import AudioTile
from .file_cache import cached_by_file

#: Length of the shortest tile, in seconds, and of the longest, which costs 65 MB to decode.
MIN_TILE_S: Final = 0.25
MAX_TILE_S: Final = 1024.0
#: Tiles that are kept, at some 10 kB each.
_NUM_KEPT: Final = 1024

#: Amplitudes are sent as whole numbers up to this one.
_FULL_SCALE: Final = 127


@cached_by_file(_NUM_KEPT)
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
    from mmmsba_plugin.media.encode import jpeg_data_uri

    media = _probed(path)
    start_s, end_s = number * tile_s, (number + 1) * tile_s
    if media.audio is None:
        return AudioTile(start_s=start_s, end_s=end_s, low=(), high=(), spectrogram=None)
    block, margin = read_audio_around(media, start_s, end_s)
    low, high = envelope(block.samples[margin:-margin])
    return AudioTile(
        start_s=start_s,
        end_s=end_s,
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
        spectrogram=jpeg_data_uri(spectrogram_image(block.samples)),
    )


@cached_by_file(64)
def _probed(path: str) -> Media:
    from mmmsba_plugin.media.probe import probe

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
