"""Chunks of a long clip, whose features are computed one after the other.

Rows are stated relative to the rest of their clip, so an extractor holds all that it was given.
For a recording of hours that is too much. A clip longer than ``FeaturesConfig.chunk_s`` is
therefore cut into chunks, each of which is taken for a clip of its own; memory then does not
grow with the duration.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat

from mmmsba_plugin.timebase import Grid

#: How much a chunk sees beyond each of its ends, in seconds. It is computed twice: of chunks of two
#: minutes a twentieth, with five seconds a twelfth, for scores hardly nearer to the whole clip's.
CONTEXT_S = 3.0


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of a clip whose features are computed at once.

    Attributes:
        whole: The cells of the whole clip.
        start: First cell that it sees.
        stop: First cell behind those that it sees.
        keep_start: First cell that it has the rows of; those before belong to the chunk before.
        keep_stop: First cell behind those that it has the rows of.
    """

    whole: Grid
    start: int
    stop: int
    keep_start: int
    keep_stop: int

    @property
    def start_s(self) -> float:
        """Start of what it sees, in seconds."""
        return self.whole.cell(self.start)[0]

    @property
    def stop_s(self) -> float:
        """End of what it sees, in seconds."""
        return self.whole.cell(self.stop)[0]

    def grid_from(self, start_s: float) -> Grid:
        """Return the cells that it sees, from a start of a cell on, in seconds."""
        return Grid(max(self.start_s, start_s), self.whole.stride_s)


def num_chunks(duration_s: float | None, *, chunk_s: float) -> int:
    """Count the chunks of a clip.

    Example:
        >>> num_chunks(600.0, chunk_s=180.0)
        4
    """
    return max(1, int(-(-(duration_s or 0.0) // chunk_s)))


def plan_chunks(duration_s: float | None, *, stride_s: float, chunk_s: float) -> Iterator[Chunk]:
    """Plan chunks of equal length, so that none is too short to be compared with itself.

    What a header states may be wrong: there is no last chunk, and who runs out of clip stops.

    Args:
        duration_s: Duration of the clip as stated, in seconds; None if it is not known.
        stride_s: Length of a cell, in seconds.
        chunk_s: Longest chunk, in seconds, without what it sees beyond its ends.

    Example:
        >>> plan = plan_chunks(400.0, stride_s=1.0, chunk_s=240.0)
        >>> [(c.start, c.keep_start, c.keep_stop, c.stop) for c, _ in zip(plan, range(2))]
        [(0, 0, 200, 203), (197, 200, 403, 406)]
    """
    whole, count = Grid(stride_s=stride_s), num_chunks(duration_s, chunk_s=chunk_s)
    size, context = max(1, whole.num_snippets(chunk_s)), whole.num_snippets(CONTEXT_S)
    length = size if count == 1 else whole.num_snippets((duration_s or 0.0) / count)
    # Streams end a little later than they state, which is worth no chunk of its own.
    lengths = chain(repeat(length, count - 1), [length + context], repeat(size))
    return _tile(lengths, whole, context)


def plan_live_chunks(*, stride_s: float, chunk_s: float) -> Iterator[Chunk]:
    """Plan chunks of one length for what has no known end.

    Args:
        stride_s: Length of a cell, in seconds.
        chunk_s: Length of a chunk, in seconds, without what it sees beyond its ends.
    """
    whole = Grid(stride_s=stride_s)
    return _tile(repeat(whole.num_snippets(chunk_s)), whole, whole.num_snippets(CONTEXT_S))


def _tile(lengths: Iterable[int], whole: Grid, context: int) -> Iterator[Chunk]:
    keep_start = 0
    for length in lengths:
        keep_stop = keep_start + length
        yield Chunk(
            whole,
            start=max(0, keep_start - context),
            stop=keep_stop + context,
            keep_start=keep_start,
            keep_stop=keep_stop,
        )
        keep_start = keep_stop
