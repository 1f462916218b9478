"""Cues of a file that are not its content: sizes, rates, loudness and the encoder's traces."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.container import AvFrame, open_media
from mmmsba_plugin.media.packets import decode_packet, first_stream, read_packets
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.silence import leading_silence_s
from mmmsba_plugin.schema import Media
from mmmsba_plugin.timebase import s_to_samples

_RATE_HZ = 16_000
_BLOCK_S = 0.1
#: What is softer than this against the mean is a pause, as in measuring loudness after
#: ITU-R BS.1770.
_GATE_DB = 10.0
_FLOOR_DB = -100.0


def cues_of(path: Path) -> dict[str, float]:
    """Compute the cues of a file that are not its content; absent ones are left out.

    Sizes and rates, the kinds and sizes of the encoder's packets, and how loud it is. None
    of it is about what is seen or said.
    """
    media = probe(path, with_hash=False)
    duration_s, size_bytes = media.duration_s or np.nan, media.size_bytes or np.nan
    return {
        "size_bytes": size_bytes,
        "duration_s": duration_s,
        "bytes_per_s": size_bytes / duration_s,
        **(
            {
                "fps_hz": video.fps_hz or np.nan,
                "width_px": float(video.width_px),
                "height_px": float(video.height_px),
            }
            if (video := media.video)
            else {}
        ),
        **_packet_cues(media),
        **_audio_cues(media),
    }


def _packet_cues(media: Media) -> dict[str, float]:
    sizes: dict[str, list[int]] = {"video": [], "audio": []}
    by_kind: dict[str, list[int]] = {"I": [], "P": [], "B": []}
    with open_media(media.path) as container:
        streams = {name: first_stream(container, name) for name in ("video", "audio")}
        video, size_at = streams["video"], {}
        for packet in (p for p in read_packets(container) if p is not None):
            for name, stream in streams.items():
                if stream is not None and packet.stream_index == stream.index and packet.size:
                    sizes[name].append(packet.size)
            if video is not None and packet.stream_index == video.index:
                size_at[packet.pts] = packet.size
                _sort_by_kind(decode_packet(video, packet), size_at, by_kind)
        if video is not None:
            _sort_by_kind(decode_packet(video, None), size_at, by_kind)
    num = max(1, sum(map(len, by_kind.values())))
    cues = {f"share_of_{kind}": len(packets) / num for kind, packets in by_kind.items()}
    for name, packets in (sizes | by_kind).items():
        cues |= {f"{name}_{what}": value for what, value in _moments(packets).items()}
    return cues


def _sort_by_kind(
    frames: Sequence[AvFrame] | None, size_at: Mapping[int, int], by_kind: dict[str, list[int]]
) -> None:
    """Put the size of each frame's packet among those of its kind: I, P or B."""
    from av.video.frame import PictureType

    for frame in frames or ():
        kind = PictureType(frame.pict_type).name
        if kind in by_kind and frame.pts in size_at:
            by_kind[kind].append(size_at[frame.pts])


def _moments(sizes: Sequence[int]) -> dict[str, float]:
    """Return mean, spread, lopsidedness and least of sizes, on a logarithmic scale."""
    if not sizes:
        return {}
    logs = np.log2(np.asarray(sizes, dtype=np.float64))
    away = logs - logs.mean()
    spread = float(away.std())
    skew = float(np.mean(away**3)) / spread**3 if spread > 0 else 0.0
    return {"mean": float(logs.mean()), "spread": spread, "skew": skew, "least": float(logs.min())}


def _audio_cues(media: Media) -> dict[str, float]:
    if media.audio is None:
        return {}
    audio = read_audio(media, sample_rate_hz=_RATE_HZ).samples.astype(np.float64)
    block = s_to_samples(_BLOCK_S, _RATE_HZ)
    blocks = audio[: audio.size - audio.size % block].reshape(-1, block)
    if not blocks.size:
        return {}
    powers = np.mean(blocks**2, axis=1)
    loud = powers >= powers.mean() * 10 ** (-_GATE_DB / 10)
    return {
        "loudness_db": _db(powers.mean()),
        "gated_loudness_db": _db(powers[loud].mean()),
        "softest_db": _db(np.percentile(powers, 5)),
        "peak_db": _db(np.abs(audio).max() ** 2),
        "leading_silence_s": leading_silence_s(media) or 0.0,
        "silent_s": float(np.mean(np.abs(audio) < 10 ** (_FLOOR_DB / 20))),
    }


def _db(power: float) -> float:
    return max(_FLOOR_DB, 10 * float(np.log10(max(power, 1e-30))))
