"""``mmmsba watch``: detect in a live source while it passes by."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

import typer

from mmmsba_plugin.cli import _detectors

if TYPE_CHECKING:
    from rich.text import Text

    from mmmsba_plugin.schema import FakeSegment, StreamUpdate

#: Columns of the timeline of an update.
_COLUMNS = 60
_LEVELS = "▁▂▃▄▅▆▇█"


def watch(
    source: Annotated[
        str,
        typer.Argument(
            help="Path, URL, `-` for standard input, or device as FORMAT:NAME, such as "
            "v4l2:/dev/video0."
        ),
    ],
    *,
    checkpoint: _detectors.Checkpoint = None,
    fpr: _detectors.FalsePositiveRate = None,
    chunk_s: Annotated[
        float, typer.Option(min=2.0, help="Time between two updates, in seconds.")
    ] = 15.0,
    buffer_s: Annotated[
        float,
        typer.Option(
            min=5.0,
            help="How much of a live source is kept while detection is behind, in seconds; beyond "
            "it a stretch is dropped, and named.",
        ),
    ] = 30.0,
    json_lines: Annotated[
        bool, typer.Option("--json", help="Print each update as a line of JSON.")
    ] = False,
) -> None:
    """Detect in a live source while it passes by, with a timeline of what becomes known.

    What is final is printed once, three seconds and the computing time after its chunk has
    passed; what is provisional stands below it until it becomes final. Ctrl-C ends it.
    """
    from mmmsba_plugin.cli import _console
    from mmmsba_plugin.detector import MmmsbaDetector

    detector = MmmsbaDetector.from_pretrained(checkpoint)
    if fpr is not None:
        detector = detector.at_false_positive_rate(fpr)
    updates = detector.stream(source, chunk_s=chunk_s, buffer_s=buffer_s)
    if json_lines:
        for update in updates:
            typer.echo(update.model_dump_json())
        return
    console = _console.console()
    warnings: set[str] = set()
    with console.status("waiting for the first chunk") as status:
        for update in updates:
            console.print(_timeline(update))
            _console.print_segments(update.segments, console)
            for lost in update.dropped:
                console.print(f"  dropped {_span(lost.start_s, lost.end_s)}: detection is behind")
            for warning in update.warnings:
                # Most hold for many chunks.
                if warning not in warnings:
                    console.print(f"  {warning}", markup=False)
            warnings.update(update.warnings)
            status.update(_provisional(update.provisional))


def _timeline(update: "StreamUpdate") -> "Text":
    """Return the final probabilities of an update as a row of blocks."""
    from rich.text import Text

    num_final = round((update.final_s - update.start_s) / update.curves.stride_s)
    scores = update.curves.score[:num_final]
    row = Text(f"{_span(update.start_s, update.final_s)}  ")
    num_columns = min(_COLUMNS, len(scores))
    edges = [column * len(scores) // max(1, num_columns) for column in range(num_columns + 1)]
    for start, stop in pairwise(edges):
        present = [score for score in scores[start:stop] if score is not None]
        row.append(*_block(present, update.threshold))
    score = "not evaluated" if update.score is None else f"highest so far {update.score:.3f}"
    return row.append(f"  {score}")


def _block(scores: Sequence[float], threshold: float) -> tuple[str, str]:
    """Return the block of the highest of some probabilities, and its style."""
    if not scores:
        return " ", ""
    highest = max(scores)
    level = _LEVELS[min(int(highest * len(_LEVELS)), len(_LEVELS) - 1)]
    return level, "red" if highest >= threshold else "green"


def _provisional(segments: "Sequence[FakeSegment]") -> str:
    if not segments:
        return "nothing is suspected in what came since"
    spans = ", ".join(_span(segment.start_s, segment.end_s) for segment in segments)
    return f"suspected, and not final yet: {spans}"


def _span(start_s: float, end_s: float) -> str:
    from mmmsba_plugin.timebase import clock

    return f"{clock(start_s)} to {clock(end_s)}"
