"""Frames of an evaluation: several systems in one figure, told apart without colour too.

Figures are made without ``pyplot``, so nothing is left open, no window can appear, and the
settings of whoever calls are neither heeded nor changed.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import cycle
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mmmsba_plugin.errors import MissingExtraError
from mmmsba_plugin.evaluation.metrics.calibration import Reliability, reliability
from mmmsba_plugin.evaluation.metrics.detection import Ranking
from mmmsba_plugin.evaluation.metrics.localization import TIOUS, Mode, match
from mmmsba_plugin.evaluation.tables import GroundTruth, Predictions
from mmmsba_plugin.files import ensure_dir
from mmmsba_plugin.report.text import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Okabe and Ito's colours, which people who are colour-blind tell apart; the yellow is left
#: out, being too light for a line on white.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
#: Of other lengths than the colours, so that a dozen systems still differ.
_DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))
_MARKERS = ("o", "s", "^", "D", "v")

_CHANCE: Mapping[str, Any] = {"color": "#888888", "linewidth": 1.0, "linestyle": ":"}
_STYLE: Mapping[str, Any] = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.w_pad": 0.1,
    "font.size": 10.0,
    "grid.color": "#e4e4e4",
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "savefig.dpi": 150.0,
}
#: The part of a ROC curve that a person can use: beyond, a tenth of all real clips is flagged.
_FEW_FALSE_ALARMS = 0.1
_LONGEST_NAME = 48
_LEGEND_LINE_IN = 0.21


@dataclass(frozen=True, slots=True)
class SystemCurves:
    """Curves of one system; a figure leaves out systems that have none for it.

    Attributes:
        name: What the legend calls it.
        ranking: Ranking of the clips; it has curves if both classes are in it.
        reliability: Reliability diagram of the same clips.
        ap_by_tiou: Average precision of localization by the tIoU it was measured at.
    """

    name: str
    ranking: Ranking | None = None
    reliability: Reliability | None = None
    ap_by_tiou: Mapping[float, float] = field(default_factory=dict)


def draw(curves: Sequence[SystemCurves], folder: Path) -> list[Path]:
    """Draw what there is to draw, and return the frames.

    These are ``roc.png``, ``precision_recall.png``, ``ap_by_tiou.png`` and
    ``reliability.png``, each only where a system has a line in it.

    Args:
        curves: One a system, in the order of the legend.
        folder: Where the frames go; it is made if it is not there.

    Raises:
        MissingExtraError: Matplotlib is not installed.
        OutputError: The folder cannot be made or written to.
    """
    if find_spec("matplotlib") is None:
        raise MissingExtraError(
            "plots need matplotlib; install it with: pip install 'mmmsba-plugin[report]'"
        )
    from matplotlib import style
    from matplotlib.figure import Figure

    ensure_dir(folder)
    paths = []
    with style.context(dict(_STYLE), after_reset=True):
        styles = map(_Style, cycle(_COLOURS), cycle(_DASHES), cycle(_MARKERS))
        systems = list(zip(curves, styles, strict=False))
        for name, (size_in, has_line, draw_one) in _PLOTS.items():
            visible = [(curve, style) for curve, style in systems if has_line(curve)]
            if not visible:
                continue
            frame = Figure(figsize=size_in)
            draw_one(frame, visible)
            # Without the version of Matplotlib, the same curves give the same bytes.
            frame.savefig(folder / f"{name}.png", metadata={"Software": None})
            paths.append(folder / f"{name}.png")
    return paths


@dataclass(frozen=True, slots=True)
class _Style:
    color: str
    linestyle: Any
    marker: str

    @property
    def line(self) -> Mapping[str, Any]:
        return {"color": self.color, "linestyle": self.linestyle}

    @property
    def marked(self) -> Mapping[str, Any]:
        return {**self.line, "marker": self.marker, "markersize": 5}


_Systems = Sequence[tuple[SystemCurves, _Style]]


def _draw_roc(frame: "Figure", systems: _Systems) -> None:
    whole, start = frame.subplots(1, 2)
    for axes in (whole, start):
        for system, style in systems:
            if system.ranking is not None:
                x, y = system.ranking.false_positive_rates, system.ranking.true_positive_rates
                axes.plot(x, y, **style.line, label=_label(system.name), clip_on=axes is start)
        axes.plot([0, 1], [0, 1], **_CHANCE, label="chance")
        axes.set_xlabel("false-positive rate (share of real clips flagged)")
        axes.set(xlim=(0, 1), ylim=(0, 1), box_aspect=1)
    start.set_xlim(0, _FEW_FALSE_ALARMS)
    whole.set_ylabel("true-positive rate (share of fake clips flagged)")
    whole.set_title("all thresholds", fontsize="medium")
    start.set_title("few false alarms", fontsize="medium")
    _legend(frame, whole)


def _draw_precision_recall(frame: "Figure", systems: _Systems) -> None:
    axes = frame.subplots()
    chance = lowest = 1.0
    for system, style in systems:
        if (ranking := system.ranking) is not None:
            # A precision holds for all recalls from the one before on, as average precision
            # sums it up.
            x = ranking.true_positive_rates
            y = np.concatenate([ranking.precisions[:1], ranking.precisions])
            axes.step(x, y, where="pre", **style.line, label=_label(system.name), clip_on=False)
            # Where all is flagged, precision is the share of clips that are fake.
            chance, lowest = y[-1], min(lowest, y.min())
    axes.plot([0, 1], [chance, chance], **_CHANCE, label="chance")
    axes.set_xlabel("recall (share of fake clips flagged)")
    axes.set_ylabel("precision (share of flagged clips that are fake)")
    # Most datasets are fake for the most part, and their curves lie at the top.
    axes.set(xlim=(0, 1), ylim=(max(0.0, np.floor(10 * lowest - 0.5) / 10), 1), box_aspect=1)
    _legend(frame, axes)


def _draw_ap_by_tiou(frame: "Figure", systems: _Systems) -> None:
    axes = frame.subplots()
    for system, style in systems:
        tious = sorted(system.ap_by_tiou)
        values = [system.ap_by_tiou[tiou] for tiou in tious]
        axes.plot(tious, values, **style.marked, label=_label(system.name), clip_on=False)
    axes.set_xlabel("tIoU from which a segment counts as found (overlap ÷ union)")
    axes.set_ylabel("average precision")
    axes.set_ylim(0, 1)
    axes.set_xticks(sorted({tiou for system, _ in systems for tiou in system.ap_by_tiou}))
    _legend(frame, axes)


def _draw_reliability(frame: "Figure", systems: _Systems) -> None:
    top, bottom = frame.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    for system, style in systems:
        diagram = system.reliability
        if diagram is not None:
            filled = diagram.counts > 0
            x, y = diagram.mean_scores[filled], diagram.shares_fake[filled]
            top.plot(x, y, **style.marked, label=_label(system.name), clip_on=False)
            bottom.stairs(diagram.counts, diagram.edges, **style.line, baseline=None, clip_on=False)
    top.plot([0, 1], [0, 1], **_CHANCE, label="scores that are probabilities")
    top.set(xlim=(0, 1), ylim=(0, 1), ylabel="share of clips that are fake")
    bottom.set(xlabel="score, P(fake)", ylabel="clips in bin")
    bottom.set_ylim(bottom=0)
    _legend(frame, top)


_Draws = Callable[["Figure", _Systems], None]


def _both_classes(curves: SystemCurves) -> bool:
    return curves.ranking is not None and curves.ranking.both_classes


#: By name: size in inches without the legend, whether a system has a line in it, and the drawing.
_PLOTS: Mapping[str, tuple[tuple[float, float], Callable[[SystemCurves], object], _Draws]] = {
    "roc": ((9.0, 4.7), _both_classes, _draw_roc),
    "precision_recall": ((5.6, 5.6), _both_classes, _draw_precision_recall),
    "ap_by_tiou": ((6.4, 4.4), attrgetter("ap_by_tiou"), _draw_ap_by_tiou),
    "reliability": ((5.6, 7.0), attrgetter("reliability"), _draw_reliability),
}


def _legend(frame: "Figure", axes: "Axes") -> None:
    """Put the legend below, where it hides no line however many systems there are."""
    handles, labels = axes.get_legend_handles_labels()
    # So many signs fit into an inch, and a line takes the room of eight.
    fit = int(frame.get_figwidth() * 11 / (max(map(len, labels)) + 8))
    columns = min(max(1, fit), len(labels))
    lines = -(-len(labels) // columns)
    frame.set_figheight(frame.get_figheight() + _LEGEND_LINE_IN * lines)
    frame.legend(handles, labels, loc="outside lower center", ncols=columns)


def _label(name: str) -> str:
    """Return a name as a legend can show it, whatever a file was called."""
    from matplotlib.font_manager import findfont, get_font

    glyphs = get_font(findfont("DejaVu Sans")).get_charmap()
    text = visible(name)
    text = text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"
    characters = (c if ord(c) in glyphs else c.encode("unicode_escape").decode() for c in text)
    # A dollar would begin a formula, and a leading underscore would keep it out of the legend.
    text_shown = "".join(characters).replace("$", r"\$")
    return f" {text_shown}" if text_shown.startswith("_") else text_shown


def curves_of(
    predictions: Predictions, ground_truth: GroundTruth, *, mode: Mode = "official"
) -> SystemCurves:
    """Return a system's lines: those of detection, and AP by tIoU from 0.5 to 0.95.

    Lines that need both classes are left out where only one was evaluated, and AP is where no
    fake segment is known.

    Args:
        predictions: What the system said, by the keys of ``ground_truth``.
        ground_truth: What is true.
        mode: How localization is measured.
    """
    scores = ground_truth.column(predictions.scores)
    has_score = ~np.isnan(scores)
    scores, fake = scores[has_score], ground_truth.fake[has_score]
    ranking = Ranking.of(scores, fake)
    ap_by_tiou = {}
    if predictions.proposals is not None:
        matched = match(predictions.proposals, ground_truth.spans, tious=TIOUS, mode=mode)
        counts = None if ground_truth.located.all() else ground_truth.located.astype(np.int64)
        ap_by_tiou = {tiou: matched.average_precision(tiou, counts) for tiou in TIOUS}
    return SystemCurves(
        name=predictions.name,
        ranking=ranking,
        reliability=reliability(scores, fake) if ranking.both_classes else None,
        ap_by_tiou={tiou: ap for tiou, ap in ap_by_tiou.items() if not math.isnan(ap)},
    )
