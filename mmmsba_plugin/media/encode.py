"""Write frames and audio to a file; the same input gives the same bytes.

Fake and real clips must leave through one door with the same settings, or a
detector learns the encoder instead of the manipulation.
"""

import base64
from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.files import atomic_path, ensure_dir
from mmmsba_plugin.media.codecs import container_for, video_options
from mmmsba_plugin.media.muxing import AudioTrack, FrameTrack
from mmmsba_plugin.schema import Media
from mmmsba_plugin.structures import Frame, Rgb
from mmmsba_plugin.timebase import USUAL_FPS_HZ, frames_to_s

_MAX_DENOMINATOR = 1001
_JPEG_QUALITY = 82


def write_clip(
    path: str | Path,
    frames: Iterable[Frame] | Iterable[Rgb],
    *,
    fps_hz: int | Fraction,
    audio: NDArray[np.float32] | None = None,
    sample_rate_hz: int = 16_000,
    audio_start_s: float = 0.0,
    video_codec: str | None = None,
    crf: int = 23,
    encoder: Mapping[str, str] | None = None,
    audio_codec: str | None = None,
    audio_bit_rate: int = 64_000,
) -> None:
    """Write a clip; it appears at ``path`` only once it is complete.

    Frames are taken one at a time, so memory does not grow with the clip.

    Args:
        path: The file to write; its suffix names the container: mp4, mov, mkv, webm, avi or mpg.
        frames: Either with time stamps, which are kept (avi and mpg move them to the
            nearest place of a constant rate, and avi shows the first one from zero), or
            plain arrays, shape ``(height, width, 3)``, at a constant rate. All of one size;
            an odd last row or column is cut off. A frame that falls on the place of the
            last one is left out.
        fps_hz: Frames per second.
        audio: Mono PCM in [-1, 1], shape ``(sample,)``.
        sample_rate_hz: Sample rate of ``audio``, in Hz.
        audio_start_s: When the audio starts, in seconds; avi and mpg hold silence until then.
        video_codec: Encoder of the frames; that of the container if not given.
        crf: Constant rate factor: less is better, 0 to 51.
        encoder: More settings of the encoder of the frames, in its own words: ``{"g": "50"}``
            for a key frame every 50. Others of one name are overruled.
        audio_codec: Encoder of the audio; that of the container if not given.
        audio_bit_rate: Bits a second of the audio.

    Raises:
        ConfigError: The suffix, the frame rate, a codec or a frame's size cannot be
            written, or there is nothing to write.
    """
    import av

    container = container_for(Path(path))
    if not fps_hz > 0:
        raise ConfigError(f"fps_hz must be a positive number of frames a second, got {fps_hz}")
    either: Iterable[Frame | Rgb] = frames
    stamped = (
        (f.pts_s, f.rgb) if isinstance(f, Frame) else (frames_to_s(index, fps_hz), f)
        for index, f in enumerate(either)
    )
    first = next(stamped, None)
    if first is None and audio is None:
        raise ConfigError(f"there is nothing to write to {path}; give frames, audio or both")
    ensure_dir(Path(path).parent)
    options = {"fflags": "+bitexact", "movflags": "+faststart"}
    with (
        atomic_path(Path(path)) as partial,
        av.open(str(partial), "w", format=container.muxer, container_options=options) as out,
    ):
        video_track = audio_track = None
        if first is not None:
            codec = video_codec or container.video_codec
            video_track = FrameTrack(
                out,
                codec,
                container,
                like=first[1],
                fps_hz=fps_hz,
                options=video_options(container, codec, crf) | dict(encoder or {}),
            )
        if audio is not None:
            codec = audio_codec or container.audio_codec
            audio_track = AudioTrack(
                out,
                codec,
                container,
                audio=audio,
                sample_rate_hz=sample_rate_hz,
                start_s=audio_start_s,
                bit_rate=audio_bit_rate,
            )
        for time_s, rgb in chain([first] if first else [], stamped):
            # The muxer holds back one stream until the other one has come as far.
            if audio_track is not None:
                audio_track.write_until(time_s)
            if video_track is not None:
                video_track.write(time_s, rgb)
        for track in (audio_track, video_track):
            if track is not None:
                track.finish()


def fps_of(media: Media) -> Fraction:
    """Return the frame rate of a file as a fraction that encoders accept, in Hz."""
    fps_hz = (media.video.fps_hz if media.video else None) or USUAL_FPS_HZ
    return Fraction(fps_hz).limit_denominator(_MAX_DENOMINATOR)


def jpeg_data_uri(rgb: Rgb) -> str:
    """Encode a frame as the data URI of a JPEG, to stand in a page.

    Args:
        rgb: The frame, shape ``(height, width, 3)``.
    """
    import cv2

    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode("ascii")
