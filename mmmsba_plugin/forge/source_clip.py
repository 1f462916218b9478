"""Read a real clip, its frames, audio and face trace, before any of it is forged.

The frames of a short clip are decoded once; those of a long one are read anew for each
variant, since a minute of them would fill gigabytes. The face trace is computed once and
kept on disk, because the clip's own variants ask for it, and those of others that use its
face as a donor.
"""

import shutil
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from mmmsba_plugin.config import TracksConfig
from mmmsba_plugin.forge.audio.crossfade import compute_fade_weights
from mmmsba_plugin.forge.augment.cutaway import Cutaway, find_cutaway
from mmmsba_plugin.forge.face_trace import FaceTrace, trace_face
from mmmsba_plugin.forge.sources import Source
from mmmsba_plugin.forger import Audio
from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.encode import fps_of, write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.schema import Media
from mmmsba_plugin.structures import Frame
from mmmsba_plugin.timebase import s_to_samples

#: An editor's fade over a cut.
_FADE_S = 0.01
#: The face is never away for longer than this share of a clip.
_MAX_AWAY_SHARE = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class SourceClip:
    """A real clip that forgers work on.

    Attributes:
        cache: The frames of its file.
        face: The main person's face in each frame.
        audio: All of it, from the clip's zero; empty if there is none, shape ``(sample,)``.
        fps_hz: Frames per second.
        sample_rate_hz: Sample rate of the audio, in Hz.
        cuts: Frames that were cut away, one cut after the other: indices of what each had left.
        cutaway: The frames in which the face is not shown, once a file is written.
    """

    cache: "FrameCache"
    face: FaceTrace
    audio: Audio
    fps_hz: Fraction
    sample_rate_hz: int
    cuts: tuple[range, ...] = ()
    cutaway: Cutaway | None = None

    @property
    def duration_s(self) -> float:
        """The end of the last frame, in seconds."""
        return float(self.face.edges_s[-1])

    def frames(self) -> Iterator[Frame]:
        """Yield the frames, each at its time."""
        remaining = np.arange(self.face.num_frames + sum(map(len, self.cuts)))
        for cut in self.cuts:
            remaining = np.delete(remaining, cut)
        indices, position = set(remaining.tolist()), 0
        for index, frame in enumerate(self.cache):
            # A file may hold a frame more than when it was tracked, if it is damaged.
            if index in indices:
                yield Frame(float(self.face.edges_s[position]), frame.rgb)
                position += 1

    def without(self, cut: range) -> "SourceClip":
        """Cut some frames away, and the audio of their time with them.

        A clean cut, as any editor makes: both streams lose the same time, and the audio is
        faded from one side to the other.

        Args:
            cut: Indices of the frames; some must remain before and behind them.
        """
        face, segment = self.face, self.face.segment(cut.start, cut.stop)
        remaining = np.delete(np.arange(face.num_frames), cut)
        later = np.arange(face.num_frames + 1) >= cut.stop
        track = face.track.copy()
        # A segment across the joint would be moved by one face's motion onto another's.
        behind = track[cut.stop :]
        behind[behind >= 0] += int(track.max(initial=0)) + 1
        ends = (s_to_samples(t, self.sample_rate_hz) for t in (segment.start_s, segment.end_s))
        return replace(
            self,
            face=FaceTrace(
                np.delete(face.edges_s - np.where(later, segment.duration_s, 0.0), cut),
                track[remaining],
                face.points[remaining],
                face.to_face[remaining],
            ),
            audio=cut_audio(self.audio, *ends, fade=s_to_samples(_FADE_S, self.sample_rate_hz)),
            cuts=(*self.cuts, cut),
        )

    def without_face(self, place: float, length_s: float) -> "SourceClip":
        """Cut away from the face; forgers find none there. Where it fills the frame, it stays.

        Args:
            place: Share of the rest of the clip that lies before it, in [0, 1].
            length_s: Length, in seconds; no more than a fifth of the clip.
        """
        length_s = min(length_s, _MAX_AWAY_SHARE * self.duration_s)
        start_s = place * (self.duration_s - length_s)
        frames = range(*(self.face.nearest_edge(t) for t in (start_s, start_s + length_s)))
        height, width = next(iter(self.cache)).rgb.shape[:2]
        cutaway = find_cutaway(self.face, frames, (width, height))
        if cutaway is None:
            return self
        track = self.face.track.copy()
        track[frames.start : frames.stop] = -1
        return replace(self, face=replace(self.face, track=track), cutaway=cutaway)


class FrameCache:
    """The frames of a file, which stay in memory after the first pass if they are few.

    Iterate over it, as often as needed.

    Args:
        media: The file.
        max_short_side_px: Frames are scaled down to this short side, in px.
        max_bytes: Size of the cache; of more frames none are cached, and each pass reads
            the file.
    """

    def __init__(self, media: Media, *, max_short_side_px: int, max_bytes: int = 0) -> None:
        self._reader = FrameReader(media, max_short_side_px=max_short_side_px)
        self._max_bytes = max_bytes
        self._frames: list[Frame] | None = None

    def __iter__(self) -> Iterator[Frame]:
        if self._frames is not None:
            yield from self._frames
            return
        frames: list[Frame] = []
        free_bytes = self._max_bytes
        for frame in self._reader:
            free_bytes -= frame.rgb.nbytes
            if free_bytes >= 0:
                frames.append(frame)
            else:
                frames.clear()
            yield frame
        if free_bytes >= 0:
            self._frames = frames


def cut_audio(audio: Audio, start: int, end: int, *, fade: int) -> Audio:
    """Cut the samples from ``start`` to before ``end`` out of audio.

    The end of the audio before the cut is faded out and the last of the cut samples are faded
    in, so that the joint has neither a click nor a step.

    Args:
        audio: Shape ``(sample,)``.
        start: First sample that is cut out.
        end: First sample behind the cut.
        fade: Samples of the fade before the joint.
    """
    before, behind = audio[:start], audio[end:]
    size = min(fade, before.size, end - start, audio[start:end].size)
    if not size:
        return np.concatenate([before, behind])
    new, old = (ramp[:size] for ramp in compute_fade_weights(2 * size, size))
    mixed = old * before[-size:] + new * audio[end - size : end]
    return np.concatenate([before[:-size], mixed.astype(np.float32), behind])


def read_source_audio(source: Source, sample_rate_hz: int) -> Audio:
    """Read the audio of a clip from its zero, shape ``(sample,)``; empty if it has none."""
    if source.media.audio is None:
        return np.zeros(0, dtype=np.float32)
    return read_audio(source.media, sample_rate_hz=sample_rate_hz).samples


@dataclass(frozen=True, slots=True)
class FaceTraceStore:
    """A folder of face traces, which tracks each clip once.

    Attributes:
        folder: Where the traces are.
        config: Settings of the face tracker.
        max_short_side_px: Frames are scaled down to this short side, in px.
    """

    folder: Path
    config: TracksConfig
    max_short_side_px: int

    def load(self, source: Source, cache: FrameCache | None = None) -> FaceTrace:
        """Load the face trace of a clip, or compute and save it.

        Args:
            source: The clip.
            cache: Its frames, if they are at hand.
        """
        path = self.folder / f"{source.name}-{source.media.size_bytes}.npz"
        try:
            with path.open("rb") as file, np.load(file) as arrays:
                return FaceTrace(**arrays)
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
            # Nobody has asked before, or a run was stopped while it wrote.
            frames = cache or self.frames_of(source)
        face = trace_face(frames, fps_hz=float(fps_of(source.media)), config=self.config)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Two processes may make the same one at the same time; the bytes are the same.
        np.savez(path, **{f.name: getattr(face, f.name) for f in fields(face)})
        return face

    def frames_of(self, source: Source, *, max_bytes: int = 0) -> FrameCache:
        """Return the frames of a clip; see :class:`FrameCache`."""
        short_side_px = self.max_short_side_px
        return FrameCache(source.media, max_short_side_px=short_side_px, max_bytes=max_bytes)

    def delete(self) -> None:
        """Delete all traces; a dataset that is complete has no use for them."""
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def encode_and_decode(
    path: Path,
    frames: Iterable[Frame],
    audio: Audio,
    *,
    fps_hz: Fraction,
    sample_rate_hz: int,
    max_short_side_px: int,
    crf: int,
    audio_bit_rate: int,
) -> Iterator[tuple["FrameCache", Audio]]:
    """Encode streams, and give what a decoder makes of them, with as many audio samples.

    Args:
        path: File that is written, and removed afterwards.
        frames: The frames.
        audio: Shape ``(sample,)``; empty if there is none.
        fps_hz: Frames per second.
        sample_rate_hz: Sample rate of the audio, in Hz.
        max_short_side_px: Frames are scaled down to this short side, in px.
        crf: Constant rate factor of the frames.
        audio_bit_rate: Bits a second of the audio.
    """
    try:
        write_clip(
            path,
            frames,
            fps_hz=fps_hz,
            audio=audio if audio.size else None,
            sample_rate_hz=sample_rate_hz,
            crf=crf,
            audio_bit_rate=audio_bit_rate,
        )
        media = probe(path, with_hash=False)
        if audio.size:
            decoded = read_audio(media, sample_rate_hz=sample_rate_hz).samples[: audio.size]
            audio = np.pad(decoded, (0, audio.size - decoded.size))
        yield FrameCache(media, max_short_side_px=max_short_side_px), audio
    finally:
        path.unlink(missing_ok=True)


class FrameCounter:
    """A counter of the frames that pass through it, with the time of the last one."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._frames, self.count, self.last_s = frames, 0, 0.0

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._frames:
            self.count, self.last_s = self.count + 1, frame.pts_s
            yield frame
