"""Lays a report out along time: what is drawn where, before anything is drawn.

Across, places are percents of the clip, so that the drawing fits any screen while its words
keep their size. Down, they are pixels. Curves have a box of their own, ``CURVE_BOX``, that is
stretched to their lane.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from mmmsba_plugin.report.text import ALTERED
from mmmsba_plugin.schema import Curves, Report, TimeSpan
from mmmsba_plugin.timebase import Grid, clock

#: Width and height of the box that a curve is drawn in; higher scores are nearer to 0.
CURVE_BOX = (1000, 100)

#: A screen shows no more points than this, and a page of an hour must stay small.
_MAX_POINTS = 1000

_HEADING_PX = 20
_BAR_PX = 26
_ALL_PX = 96
_ONE_PX = 60
_NO_CURVE_PX = 20
_GAP_PX = 14
_AXIS_PX = 22

_MAX_TICKS = 6
#: Marks of the axis where the drawing is zoomed.
_MAX_FINE_TICKS = 40
_TICK_STEPS_S = (
    0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30,
    60, 120, 300, 600, 1200, 1800, 3600, 7200,
)  # fmt: skip
_LONG_S = 120

#: Words inside a band need this much of the width to be read on a telephone, in percent.
_ROOM_FOR_WORDS = 30
_ROOM_FOR_NUMBER = 3


@dataclass(frozen=True, slots=True)
class Band:
    """A segment of time as a part of the width.

    Attributes:
        left: Where it begins, in percent.
        width: How wide it is, in percent.
        says: What it is, in words; for those who point at it or listen.
        start_s: Where it begins, in seconds.
        end_s: Where it ends, in seconds.
        label: What is written on it; empty where there is no room.
    """

    left: float
    width: float
    says: str
    start_s: float
    end_s: float
    label: str = ""

    @property
    def middle(self) -> float:
        """Middle, in percent."""
        return self.left + self.width / 2


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the time axis.

    Attributes:
        left: Where it is, in percent.
        label: The time.
        anchor: Which end of the label is at the mark, as SVG's ``text-anchor`` names it.
        scale: ``coarse``, or ``fine`` for marks that are shown where the drawing is zoomed.
    """

    left: float
    label: str
    anchor: str
    scale: Literal["coarse", "fine"] = "coarse"


@dataclass(frozen=True, slots=True)
class Lane:
    """One row of the drawing.

    Attributes:
        name: What it shows.
        note: A few words behind the name.
        top_px: Where its heading begins.
        height_px: How high its plot is, below the heading.
        path: The curve, as SVG's path data in ``CURVE_BOX``; empty if there is none.
        hidden: Segments that could not be evaluated.
    """

    name: str
    caption: str
    top_px: int
    height_px: int
    path: str = ""
    hidden: tuple[Band, ...] = ()

    @property
    def plot_px(self) -> int:
        """Top of its plot, in px."""
        return self.top_px + _HEADING_PX

    @property
    def bottom_px(self) -> int:
        """Bottom of its plot, in px."""
        return self.plot_px + self.height_px


@dataclass(frozen=True, slots=True)
class Timeline:
    """The whole drawing.

    Attributes:
        ticks: Marks of the time axis.
        fine_ticks: Those instead of them where the drawing is zoomed.
        unit: What the axis counts.
        fake: The reported segments.
        bar: The lane that they lie in.
        lanes: The lanes of curves, all modalities together first.
        threshold: Height of the threshold within a lane, 0 at the top, 1 at the bottom; None
            if there is none.
        snippets_a_point: How many snippets one point of a curve stands for; it shows the
            highest of them.
        description: All of it in words.
    """

    ticks: tuple[Tick, ...]
    fine_ticks: tuple[Tick, ...]
    unit: str
    fake: tuple[Band, ...]
    bar: Lane
    lanes: tuple[Lane, ...]
    threshold: float | None
    snippets_a_point: int
    description: str

    @property
    def all_ticks(self) -> tuple[Tick, ...]:
        """Marks of either scale."""
        return self.ticks + self.fine_ticks

    @property
    def axis_px(self) -> int:
        """Top of the time axis, in px."""
        return (self.lanes or (self.bar,))[-1].bottom_px

    @property
    def height_px(self) -> int:
        """Height of the drawing, in px."""
        return self.axis_px + _AXIS_PX


def timeline(report: Report) -> Timeline | None:
    """Return the drawing of a report, or None where nothing is known along time."""
    end_s = known_end_s(report)
    if end_s <= 0:
        return None
    fake = tuple(
        _band(s, end_s, says=f"{number}: {ALTERED[s.modality]}, score {s.score:.3f}", label=number)
        for number, s in enumerate(report.segments, start=1)
    )
    bar = Lane("Fake segments", str(len(fake) or "none"), top_px=0, height_px=_BAR_PX)
    lanes = tuple(_lanes(report, end_s, top_px=bar.bottom_px + _GAP_PX))
    description = [
        f"Time line from 0:00.00 to {clock(end_s)}",
        *([f"fake segment {band.says}" for band in fake] or ["no fake segment"]),
        *(f"{lane.name} not evaluated: {band.says}" for lane in lanes for band in lane.hidden),
    ]
    return Timeline(
        ticks=tuple(_ticks(end_s, _MAX_TICKS, "coarse")),
        fine_ticks=tuple(_ticks(end_s, _MAX_FINE_TICKS, "fine")),
        unit="seconds" if end_s < _LONG_S else "minutes : seconds",
        fake=fake,
        bar=bar,
        lanes=lanes,
        threshold=1.0 - report.threshold.value if report.threshold else None,
        snippets_a_point=_snippets_a_point(report.curves),
        description="; ".join(description),
    )


def known_end_s(report: Report) -> float:
    """Return the end of known time, in seconds."""
    ends_s = [report.duration_s, *(s.end_s for s in report.segments)]
    if curves := report.curves:
        ends_s.append(Grid(curves.start_s, curves.stride_s).cell(len(curves.score))[0])
    return ends_s[0] or max(ends_s)


def _lanes(report: Report, end_s: float, *, top_px: int) -> Iterator[Lane]:
    curves = report.curves
    if curves is not None:
        together = _path(curves, curves.score, end_s)
        yield Lane("All together", "", top_px=top_px, height_px=_ALL_PX, path=together)
        top_px += _HEADING_PX + _ALL_PX + _GAP_PX
    for name, modality_report in report.modalities.items():
        path = _path(curves, curves.by_modality.get(name, ()), end_s) if curves else ""
        score = modality_report.score
        caption = "absent" if score is None else f"by itself {score:.3f}"
        # Most opt-outs are too narrow to be written on, so their reasons stand in the heading.
        if reasons := ", ".join(dict.fromkeys(o.reason for o in modality_report.opt_outs)):
            caption += f"; not evaluated: {reasons}"
        lane = Lane(
            name.replace("_", " ").capitalize(),
            caption,
            top_px=top_px,
            height_px=_ONE_PX if path else _NO_CURVE_PX,
            path=path,
            hidden=tuple(
                _band(o, end_s, says=o.reason, label=o.reason) for o in modality_report.opt_outs
            ),
        )
        yield lane
        top_px = lane.bottom_px + _GAP_PX


def _band(span: TimeSpan, end_s: float, *, says: str, label: str | int) -> Band:
    left, right = (
        round(100 * min(max(0.0, s / end_s), 1.0), 3) for s in (span.start_s, span.end_s)
    )
    min_percent = _ROOM_FOR_NUMBER if isinstance(label, int) else _ROOM_FOR_WORDS
    return Band(
        left=left,
        width=round(right - left, 3),
        says=f"{says}, {clock(span.start_s)} to {clock(span.end_s)}",
        start_s=span.start_s,
        end_s=span.end_s,
        label=str(label) if right - left >= min_percent else "",
    )


def _path(curves: Curves, scores: Sequence[float | None], end_s: float) -> str:
    """Return a curve as steps, one a cell; it is broken where there is no score."""
    width, height = CURVE_BOX
    num_cells = _snippets_a_point(curves)
    grid = Grid(curves.start_s, curves.stride_s)
    steps: list[str] = []
    drawing = False
    for first in range(0, len(scores), num_cells):
        values = [score for score in scores[first : first + num_cells] if score is not None]
        if not values:
            drawing = False
            continue
        last = min(first + num_cells, len(scores))
        left, right = (_across(grid.cell(i)[0], end_s, width) for i in (first, last))
        down = f"{height * (1 - max(values)):.1f}"
        steps.append(f"V{down}H{right}" if drawing else f"M{left} {down}H{right}")
        drawing = True
    return "".join(steps)


def _across(time_s: float, end_s: float, width: float) -> str:
    return f"{width * min(max(0.0, time_s / end_s), 1.0):.1f}"


def _snippets_a_point(curves: Curves | None) -> int:
    return max(1, math.ceil(len(curves.score) / _MAX_POINTS)) if curves else 1


def _ticks(end_s: float, max_ticks: int, scale: Literal["coarse", "fine"]) -> Iterator[Tick]:
    fitting = (step_s for step_s in _TICK_STEPS_S if end_s / step_s <= max_ticks)
    step_s = next(fitting, end_s)
    for number in range(math.floor(end_s / step_s) + 1):
        left = round(100 * number * step_s / end_s, 3)
        time_s = round(number * step_s, 3)
        label = f"{time_s:g}" if end_s < _LONG_S else clock(time_s).partition(".")[0]
        # A label at either edge of the drawing would be cut in half.
        anchor = "start" if number == 0 else "end" if left > 97 else "middle"  # noqa: PLR2004
        yield Tick(left, label, anchor, scale)
