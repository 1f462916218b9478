"""Copy a file or a segment of it as H.264 and AAC in mp4, which every browser plays.

The frames keep their time stamps, so that times in the one hold for the other.
"""

from pathlib import Path

from mmmsba_plugin.errors import MediaUnreadableError
from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.encode import fps_of, write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.schema import Media
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.structures import Frame
from mmmsba_plugin.timebase import clock, s_to_samples

#: A sample rate that every AAC decoder knows.
_SAMPLE_RATE_HZ = 44_100
#: Frames of a cut whose shorter side is longer are scaled down to it.
_CUT_PX = 540


def write_proxy(source: str | Path, path: str | Path, *, max_short_side_px: int = 720) -> None:
    """Write a copy of a video that browsers play; it appears only once it is complete.

    Frames are taken one at a time; all of the audio, as one channel, is held at once.

    Args:
        source: The file.
        path: Where to; an ``.mp4``.
        max_short_side_px: Frames whose shorter side is longer are scaled down to it.

    Raises:
        MediaNotFoundError: There is no file at ``source``.
        MediaUnreadableError: Nothing in it can be decoded.
    """
    media = probe(source, with_hash=False)
    has_audio = media.audio is not None
    write_clip(
        path,
        FrameReader(media, max_short_side_px=max_short_side_px),
        fps_hz=fps_of(media),
        audio=read_audio(media, sample_rate_hz=_SAMPLE_RATE_HZ).samples if has_audio else None,
        sample_rate_hz=_SAMPLE_RATE_HZ,
    )


def cut(media: Media, within: Segment, path: str | Path, *, lossless: bool = False) -> None:
    """Write a segment of a file as a clip of its own; it appears only once it is complete.

    Args:
        media: The file, as :func:`mmmsba_plugin.media.probe.probe` describes it.
        within: The segment, in seconds from the file's zero, which becomes the clip's. Frames
            that appear in it are kept, with their time stamps.
        path: Where to; an ``.mp4``, or an ``.mkv`` where it shall be lossless.
        lossless: Whether the codecs lose nothing (4:2:0 frames, 16-bit samples), so that segments
            of one file that overlap have the very same frames and samples there.

    Raises:
        MediaUnreadableError: Nothing is seen or heard there.
    """
    frames = (
        Frame(frame.pts_s - within.start_s, frame.rgb)
        for frame in FrameReader(media, max_short_side_px=_CUT_PX)
        if frame.pts_s in within
    )
    audio = None
    if media.audio is not None:
        whole = read_audio(media, sample_rate_hz=_SAMPLE_RATE_HZ).samples
        start, end = (
            s_to_samples(max(0.0, t), _SAMPLE_RATE_HZ) for t in (within.start_s, within.end_s)
        )
        audio = whole[start:end] if start < whole.size else None
    if media.video is None and audio is None:
        raise MediaUnreadableError(
            f"nothing is seen or heard in {media.path} at {clock(within.start_s)}; choose a "
            "segment within the file"
        )
    write_clip(
        path,
        frames,
        fps_hz=fps_of(media),
        audio=audio,
        sample_rate_hz=_SAMPLE_RATE_HZ,
        video_codec="ffv1" if lossless else None,
        audio_codec="pcm_s16le" if lossless else None,
    )
