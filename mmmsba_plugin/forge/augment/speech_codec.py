"""Pass audio through a speech codec and back, as a telephone or a meeting does.

Such codecs synthesize the voice from a few parameters, much as a vocoder does. Real and fake
clips go through them alike, so that a detector does not take a telephone for a synthesizer.
"""

from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from mmmsba_plugin.forger import Audio
from mmmsba_plugin.timebase import s_to_samples, samples_to_s

if TYPE_CHECKING:
    from av import AudioFrame, Packet
    from numpy.typing import NDArray

SpeechCodecName = Literal["g722", "g723_1", "opus"]

#: Silence behind the audio, or what a codec holds back would be cut from its end, in seconds.
_PADDING_S = 0.08
_INT16 = 32_767


class _Codec(NamedTuple):
    """A codec by FFmpeg's name: its sample rate, samples in a packet, and samples of delay.

    Delays were measured by correlation with noise; of a hum, a period of the voice may be taken
    for a delay. That of Opus stands in its header, and its decoder heeds it.
    """

    name: str
    rate_hz: int
    packet_samples: int
    delay_samples: int


#: Wideband telephony, narrowband telephony by algebraic code excitation, and calls over the net.
_CODECS: dict[SpeechCodecName, _Codec] = {
    "g722": _Codec("g722", 16_000, 320, 22),
    "g723_1": _Codec("g723_1", 8_000, 240, 60),
    "opus": _Codec("libopus", 16_000, 320, 0),
}


def code_speech(
    audio: Audio, codec: SpeechCodecName, *, bit_rate: int | None, sample_rate_hz: int
) -> Audio:
    """Encode and decode audio; as many samples at the same times.

    Args:
        audio: Shape ``(sample,)``; an empty one stays empty.
        codec: ``g722`` (64 kbit/s, up to 7 kHz), ``g723_1`` (6.3 kbit/s, up to 3.4 kHz) or
            ``opus``.
        bit_rate: Bits a second of Opus; the others have but one.
        sample_rate_hz: Sample rate of ``audio``, in Hz.
    """
    if not audio.size:
        return audio
    used = _CODECS[codec]
    pcm = _resample(audio, sample_rate_hz, used.rate_hz)
    pcm = np.pad(pcm, (0, s_to_samples(_PADDING_S, used.rate_hz)))
    decoded, rate_hz = _round_trip(pcm, used, bit_rate if codec == "opus" else None)
    coded = _resample(decoded, rate_hz, sample_rate_hz)
    delay = s_to_samples(samples_to_s(used.delay_samples, used.rate_hz), sample_rate_hz)
    aligned = coded[delay : delay + audio.size]
    return np.pad(aligned, (0, audio.size - aligned.size))


def _round_trip(pcm: Audio, codec: _Codec, bit_rate: int | None) -> tuple[Audio, int]:
    """Encode and decode audio; return it with the decoder's sample rate in Hz."""
    import av

    time_base = Fraction(1, codec.rate_hz)
    encoder = av.CodecContext.create(codec.name, "w")
    encoder.sample_rate, encoder.layout, encoder.format = codec.rate_hz, "mono", "s16"
    encoder.time_base = time_base
    if codec.name == "libopus":
        encoder.bit_rate, encoder.options = bit_rate, {"application": "voip"}
    elif codec.name == "g723_1":
        encoder.bit_rate = 6_300
    encoder.open()
    decoder = av.CodecContext.create(codec.name, "r")
    decoder.sample_rate, decoder.layout = codec.rate_hz, "mono"
    if encoder.extradata:
        decoder.extradata = encoder.extradata
    frames: list[AudioFrame] = []

    def decode(packets: Iterable["Packet"]) -> None:
        for packet in packets:
            frames.extend(decoder.decode(packet))

    whole = np.pad(pcm, (0, -pcm.size % codec.packet_samples))
    for start in range(0, whole.size, codec.packet_samples):
        frame = _to_frame(whole[start : start + codec.packet_samples], codec.rate_hz)
        frame.pts, frame.time_base = start, time_base
        decode(encoder.encode(frame))
    decode(encoder.encode(None))
    frames.extend(decoder.decode(None))
    return _to_samples(frames), frames[0].sample_rate


def _resample(audio: Audio, from_hz: int, to_hz: int) -> Audio:
    import av

    if from_hz == to_hz:
        return audio
    resampler = av.AudioResampler(format="s16", layout="mono", rate=to_hz)
    return _to_samples([*resampler.resample(_to_frame(audio, from_hz)), *resampler.resample(None)])


def _to_frame(audio: Audio, rate_hz: int) -> "AudioFrame":
    import av

    pcm = np.rint(np.clip(audio, -1, 1) * _INT16).astype(np.int16)[None]
    frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
    frame.sample_rate = rate_hz
    return frame


def _to_samples(frames: "Iterable[AudioFrame]") -> Audio:
    arrays: list[NDArray[np.float32]] = []
    for frame in frames:
        array = frame.to_ndarray().ravel()
        scale = _INT16 if array.dtype == np.int16 else 1
        arrays.append(array.astype(np.float32) / scale)
    return np.concatenate([np.zeros(0, dtype=np.float32), *arrays])
