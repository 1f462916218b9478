"""Open a file, or explain in words why that cannot be.

The decoder's own message for almost everything is "Invalid data found when processing
input". A person needs to know what to do instead, and the first bytes mostly tell.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, TypeAlias

from mmmsba_plugin.errors import MediaNotFoundError, MediaUnreadableError
from mmmsba_plugin.media.boxes import iter_boxes
from mmmsba_plugin.schema import Media
from mmmsba_plugin.timebase import s_to_pts

#: Objects of PyAV: an opened file, one of its streams, and what the stream is made of. They
#: are untyped from here on, because PyAV is imported only where it is used, and its stubs
#: call even the clock of a decoded frame optional.
AvContainer: TypeAlias = Any
AvStream: TypeAlias = Any
AvPacket: TypeAlias = Any
AvFrame: TypeAlias = Any

#: How much of a file is looked at to tell text from video.
_HEAD_BYTES = 4096

#: The major version of PyAV that reads titles only when asked to.
_LAZY_TITLES = 19

#: Demuxers that may read a file, by libavformat's names (``ffmpeg -demuxers``). Each reads the
#: bytes of the one file it is given. Playlists (``concat``, ``hls``, ``dash``, ``imf``, ``sdp``),
#: sequences of pictures (``image2``), recordings in parts (``mlv``, ``vobsub``), and whatever a
#: later FFmpeg learns, stay out: they open other files, which a name or a byte can disguise.
_DEMUXERS = (
    # Films and streams of broadcast, cameras and phones.
    *("mov", "matroska", "avi", "mpegts", "mpeg", "asf", "flv", "ogg", "mxf", "gxf", "dv"),
    *("nut", "rm", "wtv", "dhav", "ivf", "gif", "yuv4mpegpipe"),
    # Bare streams of frames.
    *("mpegvideo", "m4v", "h261", "h263", "h264", "hevc", "vvc", "vc1", "av1", "obu", "mjpeg"),
    # Audio alone.
    *("wav", "w64", "aiff", "au", "caf", "amr", "mp3", "aac", "ac3", "eac3", "dts", "truehd"),
    *("flac", "ape", "wv", "tta"),
)

#: Demuxers that may read a live source beyond those: of cameras, broadcasts and devices.
_LIVE_DEMUXERS = (
    *(*_DEMUXERS, "rtsp", "rtp", "sdp", "hls", "mpjpeg", "live_flv"),
    *("v4l2", "video4linux2", "alsa", "pulse", "avfoundation", "dshow", "x11grab"),
)
#: Protocols by which a live source may come; no playlist of one reaches a file of this machine.
_LIVE_PROTOCOLS = "http,https,tls,tcp,udp,rtp,srtp,rtsp,rtmp,rtmps,srt,crypto,httpproxy"

#: A live source: ``-`` for standard input, a path, a URL, a device as ``FORMAT:NAME`` (such as
#: ``v4l2:/dev/video0``), or a file that is open for bytes.
LiveSource = str | Path | IO[bytes]

#: Formats in which frames come with another's stamp after a jump: a program stream stamps
#: one frame of several, and a jump leads into the middle of them.
_SEEKS_WRONG = frozenset({"mpeg"})


def open_media(path: str | Path) -> AvContainer:
    """Open the container (``av.container.InputContainer``) of the file at ``path``.

    Nothing else is opened, on disk or elsewhere, whatever the file says: only formats that
    are complete in themselves are read, and which one it is in is told by its content.

    Raises:
        MediaNotFoundError: There is no file at ``path``.
        MediaUnreadableError: It is a folder, empty, not allowed to be read, a list of other
            files, or in no format that can be decoded.
    """
    import av

    path = Path(path)
    _require_file(path)
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if _is_text(head):
        raise MediaUnreadableError(
            f"cannot read {path}: it holds text, not video; if it was downloaded, a web page may "
            "have been saved in its place, so download it again; of a playlist, give the files "
            "that it names"
        )
    # From a major version on, PyAV reads a file's titles only when asked to, and does not know
    # the setting by which a title in a broken encoding does not refuse the whole file.
    lenient = {"metadata_errors": "replace"}
    if int(av.__version__.split(".", maxsplit=1)[0]) >= _LAZY_TITLES:
        lenient = {}
    try:
        # Absolute, because a name such as "clip:1.mp4" would be taken for a protocol. The
        # demuxer is looked up in its list after the content told it and before it reads on.
        return av.open(
            str(path.absolute()),
            container_options={
                "format_whitelist": ",".join(_DEMUXERS),
                "protocol_whitelist": "file",
            },
            **lenient,
        )
    except (av.FFmpegError, OSError) as error:
        raise MediaUnreadableError(f"cannot read {path}: {_reason(path, head)}") from error


def seek_before(container: AvContainer, stream: AvStream, media: Media, time_s: float) -> None:
    """Go to a key frame before a time, or stay at the start where a file cannot be entered.

    Args:
        container: The opened file.
        stream: The stream that is to be decoded from there.
        media: The file, as :func:`mmmsba_plugin.media.probe.probe` describes it.
        time_s: The time, from the clip's zero, in seconds.
    """
    import av

    # Behind a join, only who read all before it knows the time.
    if container.format.name in _SEEKS_WRONG or media.joins_s:
        return
    # Where a format cannot seek, reading on from the start finds the frame as well.
    with suppress(av.FFmpegError):
        container.seek(s_to_pts(time_s, stream.time_base, zero_s=media.zero_s), stream=stream)


def open_live(source: LiveSource) -> tuple[AvContainer, str, bool]:
    """Open a source that is read once, and return its container, its name, and whether it waits.

    A file or a pipe waits for its reader. A URL or a device does not.

    Raises:
        MediaNotFoundError: It is the path of no file.
        MediaUnreadableError: It cannot be opened; the message says why.
    """
    import av

    if isinstance(source, Path) or (isinstance(source, str) and Path(source).is_file()):
        return open_media(source), str(source), True
    options = {"format_whitelist": ",".join(_LIVE_DEMUXERS)}
    name, form, waits = str(getattr(source, "name", "stream")), None, True
    opened: str | IO[bytes] = source
    if source == "-":
        name, opened = "standard input", sys.stdin.buffer
    elif isinstance(source, str):
        name, waits = source, False
        if "://" in source:
            options["protocol_whitelist"] = _LIVE_PROTOCOLS
        elif Path(source).is_fifo():
            opened, waits = str(Path(source).absolute()), True
            options["protocol_whitelist"] = "file"
        elif (before := source.partition(":"))[1] and before[0] in _LIVE_DEMUXERS:
            form, _, opened = before
        else:
            raise MediaNotFoundError(
                f"there is no file at {source}; give a path, a URL, `-` for standard input, or a "
                "device as FORMAT:NAME, such as v4l2:/dev/video0"
            )
    try:
        return av.open(opened, format=form, container_options=options), name, waits
    except (av.FFmpegError, OSError, ValueError) as error:
        raise MediaUnreadableError(
            f"cannot read {name}: {error}; check that it can be played elsewhere"
        ) from error


def _require_file(path: Path) -> None:
    if path.is_dir():
        inside = next((p for p in sorted(path.iterdir()) if p.is_file()), path / "clip.mp4")
        raise MediaUnreadableError(f"{path} is a folder; give the files in it, such as {inside}")
    if not path.exists():
        raise MediaNotFoundError(f"there is no file at {path}; check the path and its spelling")
    if not path.is_file():
        raise MediaUnreadableError(f"{path} is not a regular file; save it to one first")
    if not os.access(path, os.R_OK):
        raise MediaUnreadableError(f"{path} may not be read; ask for permission to read it")
    if path.stat().st_size == 0:
        raise MediaUnreadableError(f"{path} is empty (0 bytes); copy or download it again")


def _reason(path: Path, head: bytes) -> str:
    """Explain why a file that is there cannot be opened, and what to do."""
    if head[4:8] == b"ftyp":
        with path.open("rb") as file:
            kinds = {box.kind for box in iter_boxes(file, 0, path.stat().st_size)}
        if b"moov" not in kinds:
            return (
                "its index (the moov box) is missing, so it was cut off while being recorded or "
                "copied; copy it again in full, or have it repaired from another clip of that "
                "camera"
            )
    return (
        "it is in no known video or audio format, or its beginning is damaged (playlists and "
        "still pictures are not read either); copy it again, or convert it to mp4"
    )


def _is_text(head: bytes) -> bool:
    # A cut may fall inside a character, and UTF-8 needs at most three more bytes for one.
    for cut in range(4):
        try:
            return "\0" not in head[: len(head) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
    return False
