"""Stand-ins for files that show nothing: a still with words, and the audio of the file.

The App's grid draws each video, and one without frames takes the whole grid down.
"""

import itertools
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np

from mmmsba_plugin.errors import MmmsbaError
from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe

#: A sample rate that every AAC decoder knows.
_SAMPLE_RATE_HZ: Final = 44_100
_FPS_HZ: Final = 5
_SIZE_PX: Final = (320, 180)
#: How long a still lasts where there is no audio.
_SILENT_S: Final = 1.0


def write_stand_in(source: str | Path, path: str | Path) -> None:
    """Write a clip that shows in place of a file without frames; it has the file's audio, if any.

    Args:
        source: The file.
        path: Where to; an ``.mp4``.

    Raises:
        OutputError: The folder cannot be written to.
    """
    from PIL import Image, ImageDraw

    audio = None
    with suppress(MmmsbaError):
        media = probe(source, with_hash=False)
        if media.audio is not None:
            audio = read_audio(media, sample_rate_hz=_SAMPLE_RATE_HZ).samples
    if audio is None or not audio.size:
        audio, duration_s, words = None, _SILENT_S, "nothing in this file can be read"
    else:
        duration_s, words = audio.size / _SAMPLE_RATE_HZ, "audio alone"
    num_frames = max(1, round(duration_s * _FPS_HZ))
    still = Image.new("RGB", _SIZE_PX, (40, 44, 52))
    middle_px = (_SIZE_PX[0] / 2, _SIZE_PX[1] / 2)
    ImageDraw.Draw(still).text(middle_px, words, fill=(190, 197, 206), anchor="mm", font_size=20)
    write_clip(
        path,
        itertools.repeat(np.asarray(still, dtype=np.uint8), num_frames),
        fps_hz=_FPS_HZ,
        audio=audio,
        sample_rate_hz=_SAMPLE_RATE_HZ,
    )
