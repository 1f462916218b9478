"""A small but real detector: loudness that changes more suddenly than speech does."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.hookspecs import API_VERSION, DetectorInfo
from mmmsba_plugin.schema import (
    FakeSegment,
    Media,
    Problem,
    Provenance,
    Report,
    Status,
    Threshold,
)
from mmmsba_plugin.timebase import Grid

_RATE_HZ = 16_000
_CELLS = Grid(stride_s=0.05)
_SAMPLES_A_CELL = 800
_FLOOR = 1e-4
#: A change of 30 dB from one 50 ms cell to the next counts as an even bet.
_EVEN_DB = 30.0
_SOFTNESS_DB = 5.0
_EVEN = 0.5


class LoudnessJumps:
    """Scores the largest change of loudness, and suspects what lies between two of them."""

    @property
    def info(self) -> DetectorInfo:
        """Name, summary, modalities and provenance."""
        summary = "Suspects sudden changes of loudness; a toy that a slammed door deceives."
        return {
            "name": _NAME,
            "summary": summary,
            "modalities": ["audio"],
            "detector": _PROVENANCE.detector,
            "package_version": _PROVENANCE.package_version,
            "api_version": _PROVENANCE.api_version,
            "formula_version": _PROVENANCE.formula_version,
        }

    def detect(self, media: str | Path, **options: Any) -> Report:
        """Evaluate one clip by its audio."""
        import av

        try:
            samples = _read(media)
        except (OSError, av.error.FFmpegError) as error:
            return _not_evaluated(
                "error", media, type(error).__name__, f"cannot read {media}: {error}"
            )
        jumps_db = _jumps_db(samples)
        if not jumps_db.size:
            return _not_evaluated("abstained", media, "NoAudio", f"no audio to evaluate in {media}")
        scores = 1 / (1 + np.exp((_EVEN_DB - jumps_db) / _SOFTNESS_DB))
        return Report(
            status="ok",
            media=Media(path=str(media), duration_s=samples.size / _RATE_HZ),
            score=float(scores.max()),
            threshold=Threshold(value=_EVEN),
            segments=tuple(_segments(scores)),
            provenance=_PROVENANCE,
        )

    def detect_many(self, media: Iterable[str | Path], **options: Any) -> Iterator[Report]:
        """Evaluate clips one after the other."""
        for path in media:
            yield self.detect(path, **options)

    def predict(self, media: str | Path) -> float:
        """Return P(fake) of one clip."""
        report = self.detect(media)
        if report.score is None:
            raise ValueError(report.problem.message if report.problem else str(media))
        return report.score


def _read(media: str | Path) -> NDArray[np.float32]:
    import av

    with av.open(str(media)) as container:
        if not container.streams.audio:
            return np.zeros(0, dtype=np.float32)
        resampler = av.AudioResampler("flt", "mono", _RATE_HZ)
        frames = (out for frame in container.decode(audio=0) for out in resampler.resample(frame))
        blocks = [frame.to_ndarray()[0] for frame in frames]
    return np.concatenate([np.zeros(0, dtype=np.float32), *blocks])


def _jumps_db(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Compute the change of level from each cell to the next, in dB."""
    num_cells = samples.size // _SAMPLES_A_CELL
    cells = samples[: num_cells * _SAMPLES_A_CELL].reshape(num_cells, _SAMPLES_A_CELL)
    levels_db = 20 * np.log10(np.sqrt(np.mean(cells.astype(np.float64) ** 2, axis=1)) + _FLOOR)
    jumps_db: NDArray[np.float64] = np.abs(np.diff(levels_db))
    return jumps_db


def _segments(scores: NDArray[np.float64]) -> Iterator[FakeSegment]:
    """Yield the segment between the first two jumps, between the next two, and so on."""
    edges = [int(index) + 1 for index in np.flatnonzero(scores >= _EVEN)]
    for first, last in list(pairwise(edges))[::2]:
        score = float(min(scores[first - 1], scores[last - 1]))
        start_s, end_s = _CELLS.cell(first)[0], _CELLS.cell(last)[0]
        yield FakeSegment(start_s=start_s, end_s=end_s, score=score, modality="audio")


def _not_evaluated(status: Status, media: str | Path, kind: str, message: str) -> Report:
    return Report(
        status=status,
        media=Media(path=str(media)),
        problem=Problem(kind=kind, message=message),
        provenance=_PROVENANCE,
    )


_NAME = "toy-jumps"
_PROVENANCE = Provenance(
    package_version="0.3.1", api_version=API_VERSION, formula_version=1, detector=_NAME
)
