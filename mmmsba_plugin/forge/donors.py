"""Finds other clips that lend their sound or their faces to a forgery.

They are of the same split, so that nobody who is heard in training is heard in testing, and
of other people where there are any.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import FeatureError, MmmsbaError
from mmmsba_plugin.forge.face_trace import Trace, fetch
from mmmsba_plugin.forge.source_clip import TraceStore, sound_of
from mmmsba_plugin.forge.sources import Source
from mmmsba_plugin.forge.visual.mouth_swap import ANCHORS
from mmmsba_plugin.forger import Shot, Sound

#: Clips tried before a loan is given up.
_TRIED = 8
#: Moments of a clip compared by how the head is held.
_MOMENTS = 32


@dataclass(frozen=True, slots=True)
class Lenders:
    """The clips that may lend to one clip.

    Attributes:
        mine: The clip that borrows.
        sources: All clips of the corpus.
        traces: Where the face is in each.
        sample_rate_hz: Of the sound that is lent.
    """

    mine: Source
    sources: Sequence[Source]
    traces: TraceStore
    sample_rate_hz: int

    def sound(self, size: int, rng: np.random.Generator) -> Sound:
        """Return the sound of another clip, of at least ``size`` samples.

        Raises:
            FeatureError: No other clip of the split has as much.
        """
        for source in self._asked(rng, with_sound=True):
            try:
                sound = sound_of(source, self.sample_rate_hz)
            except MmmsbaError:
                # Named as skipped when its own turn comes; as a lender it just stands aside.
                continue
            if sound.size >= size:
                return sound
        raise FeatureError(
            "no other clip of the split lends as much sound; give more or longer clips"
        )

    def faces(self, like: NDArray[np.float32], rng: np.random.Generator) -> list[Shot]:
        """Return as many pictures of another clip, in a row, with the head held alike.

        Args:
            like: The face mesh of the pictures that borrow, in the pixels of the aligned
                face, shape ``(picture, 468, 2)``.
            rng: Draws the clips and moments that are compared.

        Raises:
            FeatureError: No other clip of the split shows a face for as long.
        """
        for source in self._asked(rng, with_sound=False):
            try:
                face = self.traces.of(source)
                moment = _held_alike(face, like, rng)
                pictures = fetch(self.traces.reel_of(source), {*moment})
            except MmmsbaError:
                continue
            if moment and len(pictures) == len(moment):
                return [face.shot(i, pictures[i]) for i in moment]
        raise FeatureError(
            "no other clip of the split lends a face for as long; give more or longer clips"
        )

    def _asked(self, rng: np.random.Generator, *, with_sound: bool) -> Iterator[Source]:
        mine = self.mine.candidate
        others = [
            s
            for s in self.sources
            if s.name != self.mine.name
            and s.candidate.split == mine.split
            and (s.media.audio is not None or not with_sound)
        ]
        for stranger in (True, False):
            group = [s for s in others if (s.candidate.identity != mine.identity) is stranger]
            for index in rng.permutation(len(group))[:_TRIED]:
                yield group[index]


def _held_alike(face: Trace, like: NDArray[np.float32], rng: np.random.Generator) -> range:
    """Return the moment of a clip at which the head is held most like that; empty if none."""
    size = len(like)
    first = np.arange(max(0, face.num_pictures - size + 1))
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
