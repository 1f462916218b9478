"""Holds a real clip as it is before anything in it is fake.

The frames of a short clip are decoded once; those of a long one are read anew for each
variant, since a minute of them would fill gigabytes. Where the face is in each of them is
found out once and kept on disk, because the clip's own variants ask for it, and those of
others that borrow a face.
"""

import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from mmmsba_plugin.config import TracksConfig
from mmmsba_plugin.forge.audio.splice import fades
from mmmsba_plugin.forge.face_trace import Trace, trace
from mmmsba_plugin.forge.sources import Source
from mmmsba_plugin.forger import Audio
from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.encode import fps_of
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.schema import Media
from mmmsba_plugin.structures import Frame
from mmmsba_plugin.timebase import s_to_samples

#: An editor's fade over a cut.
_FADE_S = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Footage:
    """A clip that forgers work on.

    Attributes:
        reel: The frames of its file.
        face: Where the main person's face is in each frame.
        audio: All of it, from the clip's zero; empty if there is none.
        fps_hz: Frames a second.
        sample_rate_hz: Of the audio.
        left_out: Indices of frames in the file that were cut away.
    """

    reel: "Reel"
    face: Trace
    audio: Audio
    fps_hz: Fraction
    sample_rate_hz: int
    left_out: range = range(0)

    @property
    def duration_s(self) -> float:
        """When the last frame ends, in seconds."""
        return float(self.face.edges_s[-1])

    def frames(self) -> Iterator[Frame]:
        """Yield its frames, each at its time."""
        kept = 0
        for index, frame in enumerate(self.reel):
            # A file may hold a frame more than when it was followed, if it is damaged.
            if index not in self.left_out and kept < self.face.num_frames:
                yield Frame(float(self.face.edges_s[kept]), frame.rgb)
                kept += 1

    def without(self, cut: range) -> "Footage":
        """Return it with some frames cut away, and the audio of their time with them.

        A clean cut, as any editor makes: both streams lose the same time, and the audio is
        faded from one side to the other.

        Args:
            cut: Indices of the frames; some must remain before and behind them.
        """
        span = self.face.span(cut.start, cut.stop)
        ends = (s_to_samples(t, self.sample_rate_hz) for t in (span.start_s, span.end_s))
        return replace(
            self,
            face=_without(self.face, cut),
            audio=joined(self.audio, *ends, fade=s_to_samples(_FADE_S, self.sample_rate_hz)),
            left_out=cut,
        )


class Reel:
    """The frames of a file, which are kept in memory after the first pass if they are few.

    Iterate over it, as often as needed.

    Args:
        media: The file.
        max_short_side_px: To which frames are scaled down.
        max_bytes: What may be kept; of more frames none are, and each pass reads the file.
    """

    def __init__(self, media: Media, *, max_short_side_px: int, max_bytes: int = 0) -> None:
        self._reader = FrameReader(media, max_short_side_px=max_short_side_px)
        self._max_bytes = max_bytes
        self._kept: list[Frame] | None = None

    def __iter__(self) -> Iterator[Frame]:
        if self._kept is not None:
            yield from self._kept
            return
        passed: list[Frame] = []
        room = self._max_bytes
        for frame in self._reader:
            room -= frame.rgb.nbytes
            if room >= 0:
                passed.append(frame)
            else:
                passed.clear()
            yield frame
        if room >= 0:
            self._kept = passed


def joined(audio: Audio, start: int, end: int, *, fade: int) -> Audio:
    """Return a audio without its samples from ``start`` to before ``end``.

    What lies before the cut is faded out and what is cut away last is faded in, so that the
    joint has neither a click nor a step.
    """
    before, behind = audio[:start], audio[end:]
    size = min(fade, before.size, end - start, audio[start:end].size)
    if not size:
        return np.concatenate([before, behind])
    new, old = (ramp[:size] for ramp in fades(2 * size, size))
    mixed = old * before[-size:] + new * audio[end - size : end]
    return np.concatenate([before[:-size], mixed.astype(np.float32), behind])


def audio_of(source: Source, sample_rate_hz: int) -> Audio:
    """Return the audio of a clip from its zero; empty if it has none."""
    if source.media.audio is None:
        return np.zeros(0, dtype=np.float32)
    return read_audio(source.media, sample_rate_hz=sample_rate_hz).samples


@dataclass(frozen=True, slots=True)
class TraceStore:
    """Follows the face through each clip once, whoever asks first.

    Attributes:
        folder: Where traces are kept.
        config: How the face is followed.
        max_short_side_px: To which frames are scaled down.
    """

    folder: Path
    config: TracksConfig
    max_short_side_px: int

    def of(self, source: Source, reel: Reel | None = None) -> Trace:
        """Return where the main person's face is in each frame of a clip.

        Args:
            source: The clip.
            reel: Its frames, if they are at hand.
        """
        path = self.folder / f"{source.name}-{source.media.size_bytes}.npz"
        try:
            with path.open("rb") as file, np.load(file) as kept:
                return Trace(**kept)
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
            # Nobody has asked before, or a run was stopped while it wrote.
            return self._made(source, reel or self.reel_of(source), path)

    def reel_of(self, source: Source, *, max_bytes: int = 0) -> Reel:
        """Return the frames of a clip; see :class:`Reel`."""
        return Reel(source.media, max_short_side_px=self.max_short_side_px, max_bytes=max_bytes)

    def _made(self, source: Source, reel: Reel, path: Path) -> Trace:
        made = trace(reel, fps_hz=float(fps_of(source.media)), config=self.config)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Two processes may make the same one at the same time; the bytes are the same.
        np.savez(path, **{f.name: getattr(made, f.name) for f in fields(made)})
        return made

    def forget(self) -> None:
        """Delete all traces; a dataset that is complete has no use for them."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _without(face: Trace, cut: range) -> Trace:
    kept = np.delete(np.arange(face.num_frames), cut)
    lost_s = face.edges_s[cut.stop] - face.edges_s[cut.start]
    later = np.where(np.arange(face.num_frames + 1) >= cut.stop, lost_s, 0.0)
    edges_s = np.delete(face.edges_s - later, cut)
    track = face.track.copy()
    # A stretch across the joint would be moved by one face's motion onto another's.
    behind = track[cut.stop :]
    behind[behind >= 0] += int(track.max(initial=0)) + 1
    return Trace(edges_s, track[kept], face.points[kept], face.to_face[kept])
