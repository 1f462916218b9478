"""Choose the encoders of each container, and their options.

The same settings give the same bytes: no thread, no date and no random identifier.
"""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from mmmsba_plugin.errors import ConfigError

#: Units of ``global_quality`` in one step of a quantiser: FF_QP2LAMBDA of libavutil/avutil.h.
_QP_TO_LAMBDA = 118

#: Rate factors in one step of a quantiser, so that crf 23 gives the usual quantiser of 5.
_CRF_TO_QP = 5

#: Encoders older than H.264: they write a frame rate into the stream instead of stamps,
#: and take a quantiser from 1 to 31 instead of a rate factor.
_OLD_CODECS = frozenset({"mpeg4", "mpeg1video", "mpeg2video"})


@dataclass(frozen=True, slots=True)
class Container:
    """Encoders and options of a container format.

    Attributes:
        muxer: Its name in libavformat.
        video_codec: Default encoder of frames.
        audio_codec: Default encoder of audio.
        steady: Whether its frames can only lie on a grid of constant rate.
        skips_priming: Whether it can tell a player to skip what an encoder puts in front.
    """

    muxer: str
    video_codec: str = "libx264"
    audio_codec: str = "aac"
    steady: bool = False
    skips_priming: bool = True


CONTAINERS = {
    ".mp4": Container("mp4"),
    ".mov": Container("mov"),
    ".mkv": Container("matroska"),
    ".webm": Container("webm", "libvpx-vp9", "libopus"),
    ".avi": Container("avi", "mpeg4", "libmp3lame", steady=True, skips_priming=False),
    ".mpg": Container("mpeg", "mpeg1video", "mp2", steady=True, skips_priming=False),
}


def container_for(path: Path) -> Container:
    """Return the container that a file name asks for.

    Raises:
        ConfigError: Its suffix is none of those we write.
    """
    try:
        return CONTAINERS[path.suffix.lower()]
    except KeyError:
        allowed = ", ".join(CONTAINERS)
        raise ConfigError(
            f"cannot tell a container from the name {path.name!r}; end it in one of {allowed}"
        ) from None


def is_steady(container: Container, video_codec: str) -> bool:
    """Return whether frames can only lie on a grid of constant rate."""
    return container.steady or video_codec in _OLD_CODECS


def video_options(container: Container, video_codec: str, crf: int) -> dict[str, str]:
    """Return the options of a video encoder.

    Args:
        container: Where the frames go.
        video_codec: Name of the encoder.
        crf: Constant rate factor, 0 to 51; less is better.
    """
    if video_codec in _OLD_CODECS:
        quantiser = max(1, round(crf / _CRF_TO_QP))
        return {"flags": "+bitexact+qscale", "global_quality": str(quantiser * _QP_TO_LAMBDA)}
    options = {"flags": "+bitexact", "crf": str(crf)}
    if video_codec == "libx264":
        # Without the first, a frame rate of 90,000 Hz, our clock's, is written into the
        # stream beside the stamps, and some readers believe it. Without the second, the
        # encoder's rate control rounds by what lies in memory next to it, and the same
        # frames gave up to nineteen different files in 25 runs; it costs 2 % of the time.
        options |= {"preset": "veryfast", "x264-params": "force-cfr=1:cpu-independent=1"}
    if video_codec.startswith("libvpx"):
        options |= {"deadline": "realtime", "cpu-used": "8"}
    if container.steady:
        # Such containers store one stamp a frame, which cannot say that a later frame is
        # needed before an earlier one.
        options["bf"] = "0"
    return options


def stored_rate_hz(audio_codec: str, sample_rate_hz: int) -> int:
    """Return the sample rate at which audio is stored: the given one, or the next better."""
    import av

    rates_hz = sorted(av.Codec(audio_codec, "w").audio_rates or [sample_rate_hz])
    enough: int = next((r for r in rates_hz if r >= sample_rate_hz), rates_hz[-1])
    return enough


def priming_samples(audio_codec: str, sample_rate_hz: int) -> tuple[int, int]:
    """Count the samples that an encoder puts in front, and that fill a packet.

    Asked of the encoder itself, which places its first packet that far before zero.
    """
    import av
    import numpy as np

    encoder = av.CodecContext.create(audio_codec, "w")
    encoder.sample_rate, encoder.layout = sample_rate_hz, "mono"
    encoder.format = av.Codec(audio_codec, "w").audio_formats[0]
    encoder.time_base = Fraction(1, sample_rate_hz)
    encoder.open()
    silence = np.zeros((1, max(1, encoder.frame_size)), dtype=np.float32)
    frame = av.AudioFrame.from_ndarray(silence, format="flt", layout="mono")
    frame.sample_rate, frame.pts = sample_rate_hz, 0
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    first_pts: int = packets[0].pts or 0
    return -first_pts, silence.size
