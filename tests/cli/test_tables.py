"""Evaluations as tables in the terminal."""

import math

import pytest
from rich.console import Console

from mmmsba_plugin.cli import _tables
from mmmsba_plugin.evaluation.evaluate import Evaluation, Group, SideBySide
from mmmsba_plugin.evaluation.metrics.bootstrap import Interval
from mmmsba_plugin.evaluation.published import TASKS, beside

AUC = Interval(0.9, 0.8, 0.95)
NOTHING = Interval(math.nan, math.nan, math.nan)
ALONE = Interval(0.5, math.nan, math.nan)


@pytest.fixture
def to() -> Console:
    return Console(record=True, width=400)


def lines(to: Console) -> list[str]:
    return [" ".join(line.split()) for line in to.export_text().splitlines()]


def evaluation(**parts) -> Evaluation:
    metrics = {"auc": AUC, "eer": NOTHING, "ap@0.5": ALONE}
    return Evaluation("ours", "official", metrics, num_real=3, num_fake=4, **parts)


def test_metrics_are_rows_and_those_that_are_not_defined_are_left_out(to):
    _tables.show(SideBySide((evaluation(),)), to)
    assert lines(to) == [
        "3 real and 4 fake clips were evaluated",
        "localization as in official mode; brackets hold 95 % intervals",
        "measure ours",
        "auc 0.900 (0.800 to 0.950)",
        "ap@0.5 0.500",
    ]


def test_what_another_system_lacks_is_a_dash(to):
    other = Evaluation("theirs", "official", {"ar@10": ALONE})
    _tables.show(SideBySide((evaluation(), other)), to)
    output = lines(to)
    assert "ap@0.5 0.500 -" in output
    assert "ar@10 - 0.500" in output


def test_without_intervals_it_says_what_they_need(to):
    _tables.show(SideBySide((Evaluation("ours", "official", {"auc": ALONE}),)), to)
    assert any("clips of two people or more" in line for line in lines(to))


def test_differences_that_are_more_than_chance_are_marked(to):
    gains = {"auc": Interval(0.2, 0.1, 0.3), "eer": Interval(-0.1, -0.2, 0.1), "ap@0.5": ALONE}
    other = Evaluation("theirs", "official", {})
    _tables.show(SideBySide((evaluation(), other), {"theirs": gains}), to)
    output = lines(to)
    assert "ours less theirs, on the same draws of clips:" in output
    assert "auc +0.200 (+0.100 to +0.300) told apart" in output
    assert "eer -0.100 (-0.200 to +0.100)" in output
    assert "ap@0.5 +0.500" in output


def test_groups_and_the_silence_and_what_was_not_evaluated_stand_below(to):
    first = evaluation(
        groups={"kind: [splice]": Group(2, {"auc": AUC})},
        not_evaluated=[f"{number}.mp4" for number in range(22)],
    )
    _tables.show(SideBySide((first,), silence_auc=ALONE), to)
    output = lines(to)
    assert "kind: [splice] 2 0.900 (0.800 to 0.950)" in output
    assert "looking only at how long clips are silent at first would reach AUC 0.500" in output
    assert [line for line in output if line.startswith("not evaluated")] == [
        *(f"not evaluated: {number}.mp4" for number in range(20)),
        "not evaluated: 2 more clips",
    ]


@pytest.mark.parametrize("task", TASKS)
def test_published_results_have_a_row_a_system_with_footnotes(to, task):
    rows = beside({"auc": 0.5, "ap@0.5": 0.5}, "lav-df", task=task, system="ours")
    _tables.show_published({"lav-df": rows, "nothing": []}, to)
    output = lines(to)
    assert output[0].startswith("lav-df, %")
    assert any(line.startswith("ours ") for line in output)
    assert output[-1] == "no published results of nothing"
