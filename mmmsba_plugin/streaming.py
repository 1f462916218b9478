"""Detect in a live source while it passes by.

Scores become final once enough of what follows was seen; until then they are provisional. So
does a segment, once it has closed before the moment up to which scores are final.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from mmmsba_plugin.features.combine import ChunkFeatures
from mmmsba_plugin.localization.binarize import localize
from mmmsba_plugin.localization.calibrate import apply
from mmmsba_plugin.report import build
from mmmsba_plugin.schema import FakeSegment, OptOut, StreamUpdate, TimeSpan
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.timebase import Grid

if TYPE_CHECKING:
    from mmmsba_plugin.media.arrays import DecodedSource
    from mmmsba_plugin.media.container import LiveSource
    from mmmsba_plugin.media.live import LiveReader
    from mmmsba_plugin.model.checkpoint import CheckpointConfig
    from mmmsba_plugin.model.ensemble import Network
    from mmmsba_plugin.model.inference import Prediction


@contextmanager
def open_source(
    source: "LiveSource | DecodedSource", *, buffer_s: float
) -> "Iterator[LiveReader | DecodedSource]":
    """Open a live source, and close it after the block.

    Args:
        source: As for :meth:`mmmsba_plugin.detector.MmmsbaDetector.stream`.
        buffer_s: How much of a source that does not wait is kept while detection is behind, in
            seconds.

    Raises:
        MediaNotFoundError: There is no file at the path.
        MediaUnreadableError: The source cannot be opened.
    """
    from mmmsba_plugin.media.arrays import DecodedSource
    from mmmsba_plugin.media.live import LiveReader

    reader = source if isinstance(source, DecodedSource) else LiveReader(source, buffer_s=buffer_s)
    try:
        yield reader
    finally:
        reader.close()


def stream_updates(
    chunks: Iterable[ChunkFeatures],
    network: "Network",
    config: "CheckpointConfig",
    *,
    dropped: Callable[[], Iterable[Segment]] = tuple,
) -> Iterator[StreamUpdate]:
    """Yield what is known of a live source after each chunk of it.

    Args:
        chunks: The features of its chunks, as they come.
        network: The network.
        config: Thresholds and calibration of its checkpoint.
        dropped: Called for what was lost so far.
    """
    from mmmsba_plugin.model.inference import predict

    unsettled = _Unsettled(config)
    for chunk in chunks:
        if chunk.features.num_snippets:
            prediction = predict(network, chunk.features, config.localization)
            yield unsettled.add(chunk, prediction, dropped())


class _Unsettled:
    """Predictions from where an open segment may have begun."""

    def __init__(self, config: "CheckpointConfig") -> None:
        self._config, self._whole = config, Grid(stride_s=config.features.stride_s)
        self._before: list[tuple[Prediction, slice]] = []
        # Cells: where those predictions start, and up to where all are final.
        self._start = self._final = 0
        self._highest = -np.inf

    def add(
        self, chunk: ChunkFeatures, prediction: "Prediction", dropped: Iterable[Segment]
    ) -> StreamUpdate:
        """Take in the prediction of a chunk, which follows the one before."""
        from mmmsba_plugin.model.inference import join_predictions

        own, end_s = chunk.own, chunk.features.end_s
        is_last = own.stop == chunk.features.num_snippets
        joined = join_predictions(
            [*self._before, (prediction, own), (prediction, slice(own.stop, None))]
        )
        new, self._final = self._final, self._final + own.stop - own.start
        start_s, final_s = self._time_s(new), end_s if is_last else self._time_s(self._final)
        segments = self._localize(joined, end_s)
        open_from = self._open_from(joined)
        settled_s = np.inf if is_last else self._time_s(open_from)
        provisional = [segment for segment in segments if segment.end_s > settled_s]
        scores, calibration = prediction.scores[own], self._config.calibration
        self._highest = max([self._highest, *scores[~np.isnan(scores)]])
        since = slice(new - self._start, None)
        update = StreamUpdate(
            start_s=start_s,
            final_s=final_s,
            end_s=end_s,
            is_last=is_last,
            score=float(apply(calibration, self._highest)) if self._highest >= 0 else None,
            threshold=float(apply(calibration, self._config.score_threshold.value)),
            segments=tuple(s for s in segments if s not in provisional),
            provisional=tuple(provisional),
            curves=build.curves(
                Grid(start_s, self._whole.stride_s),
                joined.scores[since],
                {m: s[since] for m, s in joined.by_modality.items()},
                calibration=calibration,
            ),
            opt_outs={m: tuple(_since(o, start_s)) for m, o in chunk.features.opt_outs.items()},
            dropped=tuple(
                TimeSpan(start_s=s.start_s, end_s=s.end_s) for s in dropped if s.end_s > start_s
            ),
            warnings=(*chunk.features.warnings, *filter(None, [self._config.caution])),
        )
        self._before = [(joined, slice(open_from - self._start, self._final - self._start))]
        self._start = open_from
        return update

    def _time_s(self, cell: int) -> float:
        return self._whole.cell(cell)[0]

    def _open_from(self, joined: "Prediction") -> int:
        """Find the first cell behind the last final one at which no segment goes on."""
        scores = np.nan_to_num(joined.scores[: self._final - self._start], nan=0.0)
        closed = np.flatnonzero(scores < self._config.localization.offset)
        return self._start + (int(closed[-1]) + 1 if closed.size else 0)

    def _localize(self, joined: "Prediction", end_s: float) -> tuple[FakeSegment, ...]:
        config = self._config.localization
        grid = Grid(self._time_s(self._start), self._whole.stride_s)
        scores = np.nan_to_num(joined.scores, nan=0.0)
        segments = localize(scores, joined.distances, grid, end_s=end_s, config=config)
        onsets = {m: config.modality_thresholds.get(m, config.onset) for m in joined.by_modality}
        calibration = self._config.calibration
        return build.fake_segments(
            segments, grid, joined.by_modality, onsets=onsets, calibration=calibration
        )


def _since(opt_outs: Iterable[OptOut], start_s: float) -> Iterator[OptOut]:
    for opt_out in opt_outs:
        if opt_out.end_s > start_s:
            yield opt_out.model_copy(update={"start_s": max(opt_out.start_s, start_s)})
