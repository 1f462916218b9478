"""Find other clips whose audio or faces serve as donor material of a forgery.

They are of the same split, so that no voice of the training set is heard in the test set,
and of other identities where there are any.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import MmmsbaError
from mmmsba_plugin.forge.face_trace import FaceTrace, fetch_frames
from mmmsba_plugin.forge.source_clip import FaceTraceStore, read_source_audio
from mmmsba_plugin.forge.sources import Source
from mmmsba_plugin.forge.visual.mouth_swap import ANCHORS
from mmmsba_plugin.forger import Audio, FaceFrame

#: Clips of each kind of identity that are tried before the search is given up.
_MAX_CLIPS = 8
#: Moments of a clip compared by head pose.
_MAX_MOMENTS = 32


@dataclass(frozen=True, slots=True)
class Donors:
    """The clips that may serve as donors of one clip.

    Attributes:
        target: The clip that is forged.
        sources: All clips of the dataset.
        traces: The face traces of all clips.
        sample_rate_hz: Sample rate of the donor audio, in Hz.
    """

    target: Source
    sources: Sequence[Source]
    traces: FaceTraceStore
    sample_rate_hz: int

    def find_audio(self, size: int, rng: np.random.Generator) -> Audio | None:
        """Find the audio of another clip, of at least ``size`` samples.

        Args:
            size: The number of samples that are needed.
            rng: Draws the order in which clips are tried.

        Returns:
            The whole audio, shape ``(sample,)``; None if no other clip of the split has as much.
        """
        for source in self._candidates(rng, with_audio=True):
            try:
                audio = read_source_audio(source, self.sample_rate_hz)
            except MmmsbaError:
                # Reported as skipped when its own turn comes; it just cannot be a donor.
                continue
            if audio.size >= size:
                return audio
        return None

    def find_faces(self, pose: NDArray[np.float32], rng: np.random.Generator) -> list[FaceFrame]:
        """Find as many consecutive frames of another clip, in the same head pose.

        Args:
            pose: The face mesh of the frames that are forged, in pixels of the aligned
                face, shape ``(frame, 468, 2)``.
            rng: Draws the clips and moments that are compared.

        Returns:
            As many frames; none if no other clip of the split shows a face for as long.
        """
        for source in self._candidates(rng, with_audio=False):
            try:
                face = self.traces.load(source)
                moment = find_pose(face, pose, rng)
                frames = fetch_frames(self.traces.frames_of(source), {*moment})
            except MmmsbaError:
                continue
            if moment and len(frames) == len(moment):
                return [face.face_frame(i, frames[i]) for i in moment]
        return []

    def _candidates(self, rng: np.random.Generator, *, with_audio: bool) -> Iterator[Source]:
        target = self.target.candidate
        others = [
            s
            for s in self.sources
            if s.name != self.target.name
            and s.candidate.fake is None
            and s.candidate.split == target.split
            and (s.media.audio is not None or not with_audio)
        ]
        for other_identity in (True, False):
            group = [
                s for s in others if (s.candidate.identity != target.identity) is other_identity
            ]
            for index in rng.permutation(len(group))[:_MAX_CLIPS]:
                yield group[index]


def find_pose(face: FaceTrace, pose: NDArray[np.float32], rng: np.random.Generator) -> range:
    """Find the moment of a clip whose head pose is nearest.

    Args:
        face: The face mesh in each frame of the clip.
        pose: The face mesh of the frames that are forged, shape ``(frame, 468, 2)``.
        rng: Draws the moments that are compared.

    Returns:
        Indices of as many frames; none where no face is seen for as long.
    """
    size = len(pose)
    first = np.arange(max(0, face.num_frames - size + 1))
    whole = first[face.runs_end[first] >= first + size]
    if not whole.size:
        return range(0)
    starts = rng.choice(whole, size=min(_MAX_MOMENTS, whole.size), replace=False)
    anchors = list(ANCHORS)
    distances = [
        np.linalg.norm(face.points[s : s + size, anchors] - pose[:, anchors], axis=-1).mean()
        for s in starts
    ]
    best = int(starts[int(np.argmin(distances))])
    return range(best, best + size)
