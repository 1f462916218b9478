"""Finds other clips that lend their audio or their faces to a forgery.

They are of the same split, so that nobody who is heard in training is heard in testing, and
of other people where there are any.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import FeatureError, MmmsbaError
from mmmsba_plugin.forge.face_trace import FaceTrace, fetch_frames
from mmmsba_plugin.forge.source_clip import FaceTraceStore, read_source_audio
from mmmsba_plugin.forge.sources import Source
from mmmsba_plugin.forge.visual.mouth_swap import ANCHORS
from mmmsba_plugin.forger import Audio, FaceFrame

#: Clips tried before a loan is given up.
_TRIED = 8
#: Moments of a clip compared by how the head is held.
_MOMENTS = 32


@dataclass(frozen=True, slots=True)
class Donors:
    """The clips that may lend to one clip.

    Attributes:
        mine: The clip that borrows.
        sources: All clips of the dataset.
        traces: Where the face is in each.
        sample_rate_hz: Of the audio that is lent.
    """

    mine: Source
    sources: Sequence[Source]
    traces: FaceTraceStore
    sample_rate_hz: int

    def audio(self, size: int, rng: np.random.Generator) -> Audio:
        """Return the audio of another clip, of at least ``size`` samples.

        Raises:
            FeatureError: No other clip of the split has as much.
        """
        for source in self._asked(rng, with_audio=True):
            try:
                audio = read_source_audio(source, self.sample_rate_hz)
            except MmmsbaError:
                # Named as skipped when its own turn comes; as a lender it just stands aside.
                continue
            if audio.size >= size:
                return audio
        raise FeatureError(
            "no other clip of the split lends as much audio; give more or longer clips"
        )

    def faces(self, like: NDArray[np.float32], rng: np.random.Generator) -> list[FaceFrame]:
        """Return as many frames of another clip, in a row, with the head held alike.

        Args:
            like: The face mesh of the frames that borrow, in the pixels of the aligned
                face, shape ``(frame, 468, 2)``.
            rng: Draws the clips and moments that are compared.

        Raises:
            FeatureError: No other clip of the split shows a face for as long.
        """
        for source in self._asked(rng, with_audio=False):
            try:
                face = self.traces.load(source)
                moment = _held_alike(face, like, rng)
                frames = fetch_frames(self.traces.frames_of(source), {*moment})
            except MmmsbaError:
                continue
            if moment and len(frames) == len(moment):
                return [face.face_frame(i, frames[i]) for i in moment]
        raise FeatureError(
            "no other clip of the split lends a face for as long; give more or longer clips"
        )

    def _asked(self, rng: np.random.Generator, *, with_audio: bool) -> Iterator[Source]:
        mine = self.mine.candidate
        others = [
            s
            for s in self.sources
            if s.name != self.mine.name
            and s.candidate.split == mine.split
            and (s.media.audio is not None or not with_audio)
        ]
        for stranger in (True, False):
            group = [s for s in others if (s.candidate.identity != mine.identity) is stranger]
            for index in rng.permutation(len(group))[:_TRIED]:
                yield group[index]


def _held_alike(face: FaceTrace, like: NDArray[np.float32], rng: np.random.Generator) -> range:
    """Return the moment of a clip at which the head is held most like that; empty if none."""
    size = len(like)
    first = np.arange(max(0, face.num_frames - size + 1))
    whole = first[face.runs_end[first] >= first + size]
    if not whole.size:
        return range(0)
    drawn = rng.choice(whole, size=min(_MOMENTS, whole.size), replace=False)
    anchors = list(ANCHORS)
    apart = [
        np.linalg.norm(face.points[d : d + size, anchors] - like[:, anchors], axis=-1).mean()
        for d in drawn
    ]
    best = int(drawn[int(np.argmin(apart))])
    return range(best, best + size)
