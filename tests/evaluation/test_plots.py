"""Plots show the metrics legibly, and change nothing else."""

import sys

import numpy as np
import pytest

from mmmsba_plugin.errors import MissingExtraError
from mmmsba_plugin.evaluation import plots
from mmmsba_plugin.evaluation.metrics.calibration import reliability
from mmmsba_plugin.evaluation.metrics.detection import Ranking
from mmmsba_plugin.evaluation.plots import SystemCurves, draw

SCORES = np.array([0.1, 0.2, 0.35, 0.4, 0.7, 0.8, 0.8, 0.95])
FAKE = np.array([False, False, True, False, True, True, False, True])
ALL = ["roc.png", "precision_recall.png", "ap_by_tiou.png", "reliability.png"]


def curves_of(name="ours", scores=SCORES):
    return SystemCurves(
        name=name,
        ranking=Ranking.of(scores, FAKE),
        reliability=reliability(scores, FAKE, bins=5),
        ap_by_tiou={0.95: 0.1, 0.5: 0.9, 0.75: 0.6},
    )


@pytest.fixture
def draw_figures(monkeypatch, tmp_path):
    """Draw curves, and return the figures by the names of their files."""
    from matplotlib.figure import Figure

    figure_by_name = {}
    save = Figure.savefig

    def savefig(self, path, **settings):
        figure_by_name[path.stem] = self
        save(self, path, **settings)

    monkeypatch.setattr(Figure, "savefig", savefig)

    def drawing(*curves):
        draw(curves, tmp_path)
        return figure_by_name

    return drawing


def lines(axes):
    return {line.get_label(): np.asarray(line.get_data()) for line in axes.lines}


def legend(figure):
    assert len(figure.legends) == 1
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_four_plots_are_drawn(tmp_path):
    from matplotlib.image import imread

    paths = draw([curves_of()], tmp_path / "new" / "folder")
    assert [path.name for path in paths] == ALL
    for path in paths:
        height_px, width_px, _ = imread(path).shape
        assert min(height_px, width_px) > 600


def test_only_what_somebody_has_is_drawn(tmp_path):
    assert draw([], tmp_path) == []
    assert draw([SystemCurves("nothing")], tmp_path) == []
    paths = draw([SystemCurves("a", ap_by_tiou={0.5: 0.9}), SystemCurves("b")], tmp_path)
    assert [path.name for path in paths] == ["ap_by_tiou.png"]


def test_a_system_without_a_line_is_not_in_the_legend(draw_figures):
    figure_by_name = draw_figures(
        curves_of("whole"), SystemCurves("segments", ap_by_tiou={0.5: 0.4})
    )
    assert legend(figure_by_name["ap_by_tiou"]) == ["whole", "segments"]
    assert legend(figure_by_name["roc"]) == ["whole", "chance"]


def test_roc_is_drawn_whole_and_where_false_alarms_are_few(draw_figures):
    whole, start = draw_figures(curves_of())["roc"].axes
    ranking = Ranking.of(SCORES, FAKE)
    for axes in (whole, start):
        curve = lines(axes)["ours"]
        assert curve.tolist() == [
            ranking.false_positive_rates.tolist(),
            ranking.true_positive_rates.tolist(),
        ]
    assert whole.get_xlim() == (0, 1)
    assert start.get_xlim() == (0, 0.1)


def test_precision_and_recall_are_steps_whose_area_is_average_precision(draw_figures):
    from sklearn.metrics import average_precision_score

    (axes,) = draw_figures(curves_of())["precision_recall"].axes
    x, y = lines(axes)["ours"]
    area = float((np.diff(x) * y[1:]).sum())
    assert area == pytest.approx(average_precision_score(FAKE, SCORES))
    (line,) = [line for line in axes.lines if line.get_label() == "ours"]
    assert line.get_drawstyle() == "steps-pre"
    assert lines(axes)["chance"][1].tolist() == [0.5, 0.5]


def test_all_of_a_precision_curve_is_in_sight(draw_figures):
    (axes,) = draw_figures(curves_of(), curves_of("worse", 1 - SCORES))["precision_recall"].axes
    low, high = axes.get_ylim()
    assert all(low <= y.min() and y.max() <= high for _, y in lines(axes).values())


def test_average_precision_is_drawn_in_the_order_of_overlap(draw_figures):
    (axes,) = draw_figures(curves_of())["ap_by_tiou"].axes
    assert lines(axes)["ours"].tolist() == [[0.5, 0.75, 0.95], [0.9, 0.6, 0.1]]
    assert axes.get_xticks().tolist() == [0.5, 0.75, 0.95]


def test_reliability_leaves_out_empty_bins_and_shows_how_many_clips_there_are(draw_figures):
    scores = np.where(SCORES > 0.5, 0.9, 0.1)
    figure = draw_figures(curves_of("ours", scores))["reliability"]
    top, bottom = figure.axes
    assert lines(top)["ours"].tolist() == [pytest.approx([0.1, 0.9]), [0.25, 0.75]]
    (steps,) = bottom.patches
    assert steps.get_data().values.tolist() == [4, 0, 0, 0, 4]
    assert "scores that are probabilities" in legend(figure)


def test_every_axis_says_what_it_counts(draw_figures):
    for figure in draw_figures(curves_of()).values():
        assert figure.axes[-1].get_xlabel()
        assert figure.axes[0].get_ylabel()


def test_a_dozen_systems_differ_in_colour_and_marker(draw_figures):
    figure_by_name = draw_figures(*(curves_of(f"system {number}") for number in range(12)))
    (axes,) = figure_by_name["ap_by_tiou"].axes
    looks = {(line.get_color(), line.get_marker()) for line in axes.lines}
    assert len(looks) == 12


def test_the_legend_never_takes_room_from_the_plot(draw_figures):
    few = draw_figures(curves_of())["roc"]
    width_in, height_in = few.axes[0].get_window_extent().size / few.dpi
    many = draw_figures(*(curves_of(f"quite a long name {number}") for number in range(12)))["roc"]
    assert many.axes[0].get_window_extent().size / many.dpi == pytest.approx(
        (width_in, height_in), rel=0.1
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("_hidden", " _hidden"),
        ("a$b$c", r"a\$b\$c"),
        ("日本", r"\u65e5\u672c"),
        ("a\nb", r"a\nb"),
        ("Müller", "Müller"),
        ("x" * 60, "x" * 47 + "…"),
    ],
)
def test_a_legend_shows_names_as_they_are(draw_figures, name, expected):
    assert legend(draw_figures(curves_of(name))["ap_by_tiou"]) == [expected]


def test_settings_of_the_caller_are_neither_heeded_nor_changed(tmp_path):
    import matplotlib as mpl

    default_paths = draw([curves_of()], tmp_path / "plain")
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        before = dict(mpl.rcParams)
        own_paths = draw([curves_of()], tmp_path / "own")
        assert dict(mpl.rcParams) == before
    for path, own_path in zip(default_paths, own_paths, strict=True):
        assert path.read_bytes() == own_path.read_bytes()


def test_no_window_and_no_figure_is_left_open(tmp_path):
    import matplotlib.pyplot as plt

    draw([curves_of()], tmp_path)
    assert plt.get_fignums() == []


@pytest.mark.parametrize(("scores", "fake"), [([], []), ([0.2], [True]), ([0.2], [False])])
def test_a_system_without_clips_of_both_classes_has_no_curve(tmp_path, scores, fake):
    assert draw([SystemCurves("none", ranking=Ranking.of(scores, fake))], tmp_path) == []


def test_without_matplotlib_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"need matplotlib; .*mmmsba-plugin\[report\]"):
        draw([curves_of()], tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_the_module_is_there_without_matplotlib():
    assert not hasattr(plots, "matplotlib")
