"""Writes a report in the formats that other programs read.

Each ``write_…`` takes a report and a text stream, and is offered as a
:class:`mmmsba_plugin.hookspecs.Writer`. Words from outside, above all a file's name, are
disarmed for each format: a spreadsheet runs a cell that begins with ``=``, and a player ends a
cue at an arrow.
"""

import csv
import html
from typing import IO, Protocol

from mmmsba_plugin.report.text import ALTERED, percent, verdict, visible
from mmmsba_plugin.schema import Report
from mmmsba_plugin.timebase import Grid, vtt_clock

CSV_COLUMNS = (
    "media", "status", "score", "forged", "start_s", "end_s", "segment_score", "modality", "track",
    "problem",
)  # fmt: skip

#: First characters that make a spreadsheet take a cell for a formula. OWASP, "CSV Injection";
#: the last four are the same signs at full width.
_FORMULA_STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")

#: A clock of milliseconds, rounded half to even, can show 1 ms of length as none.
_SHORTEST_CUE_S = 0.002

Cell = str | float | int


def write_json(report: Report, stream: IO[str]) -> None:
    """Write the whole report but its curves, which are long and go to a file of their own.

    Nor is attention in it, which is for the page alone.
    """
    stream.write(report.model_dump_json(indent=2, exclude={"curves", "attention"}) + "\n")


def write_html(report: Report, stream: IO[str]) -> None:
    """Write one page with time line and frames; the media file is read for these."""
    from mmmsba_plugin.report.html import render

    stream.write(render(report))


def write_curves(report: Report, stream: IO[str]) -> None:
    """Write one row a snippet: its cell, the score by all modalities, and by each alone.

    A score that could not be given is an empty field. A report without curves yields the
    header alone.
    """
    rows = csv.writer(stream, lineterminator="\n")
    curves = report.curves
    if curves is None:
        rows.writerow(("start_s", "end_s", "score"))
        return
    grid = Grid(start_s=curves.start_s, stride_s=curves.stride_s)
    rows.writerow(("start_s", "end_s", "score", *curves.by_modality))
    scores = zip(curves.score, *curves.by_modality.values(), strict=True)
    for index, row in enumerate(scores):
        rows.writerow((*(round(edge_s, 6) for edge_s in grid.cell(index)), *row))


def write_csv(report: Report, stream: IO[str]) -> None:
    """Write one row a segment; a clip without any still gets a row.

    Words are in quotes, since a spreadsheet may split fields at other signs than commas, and
    one that a spreadsheet would run has an apostrophe before it.
    """
    rows = csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    rows.writerow(CSV_COLUMNS)
    fake = None if report.fake is None else str(report.fake).lower()
    problem = f"{report.problem.kind}: {report.problem.message}" if report.problem else None
    for s in report.segments or (None,):
        where = (s.start_s, s.end_s, s.score, s.modality, s.track) if s else (None,) * 5
        row = (report.media.path, report.status, report.score, fake, *where, problem)
        rows.writerow([cell(value) for value in row])


def cell(value: Cell | None) -> Cell:
    """Return a value as a cell that no spreadsheet runs: a formula gets an apostrophe before it."""
    if not isinstance(value, str):
        return "" if value is None else value
    return f"'{visible(value)}" if value.startswith(_FORMULA_STARTS) else visible(value)


def write_vtt(report: Report, stream: IO[str]) -> None:
    """Write one cue a segment, for any player that shows subtitles.

    Source:
        W3C WebVTT, sections 4.1 and 4.2.2: text knows the escapes of HTML, and neither a
        note nor a cue may hold an arrow or an empty line.
    """
    stream.write("WEBVTT\n\n")
    score = "" if report.score is None else f": score {report.score:.3f}"
    notes = [
        f"Fake segments of {report.media.path}",
        verdict(report) + score,
        *([f"{report.problem.kind}: {report.problem.message}"] if report.problem else []),
        "An indication by a statistical model, not evidence for a court",
    ]
    for line in notes:
        stream.write(f"NOTE {html.escape(visible(line), quote=False)}\n\n")
    for number, segment in enumerate(report.segments, start=1):
        start_s, end_s = cue_span(segment)
        stream.write(f"{number}\n{vtt_clock(start_s)} --> {vtt_clock(end_s)}\n")
        altered = f" ({ALTERED[segment.modality]})" if segment.modality else ""
        stream.write(f"Fake{altered}: {percent(segment.score)}\n\n")


class _Span(Protocol):
    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...


def cue_span(span: _Span) -> tuple[float, float]:
    """Return start and end as players can show them: not before zero, nor the same moment.

    Example:
        >>> from mmmsba_plugin.segment import Segment
        >>> cue_span(Segment(-0.5, 1.0)), cue_span(Segment(1.0, 1.0001))
        ((0.0, 1.0), (1.0, 1.002))
    """
    start_s = max(0.0, span.start_s)
    return start_s, max(span.end_s, start_s + _SHORTEST_CUE_S)
