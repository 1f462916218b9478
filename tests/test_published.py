"""Published results: each has a source, and what cannot be right says so."""

import math
from itertools import pairwise

import pytest

from mmmsba_plugin.evaluation.published import LEGEND, SIGNS, Row, beside, published
from mmmsba_plugin.reproduce import tables

CORPORA = ("lav-df", "av-deepfake1m", "av-deepfake1m-plusplus", "fakeavceleb", "tvil")
RESULTS = [one for corpus in CORPORA for one in published(corpus)]
MEASURES = {
    *("auc", "partial_auc", "eer", "detection_ap", "accuracy"),
    *("true_positive_rate", "false_positive_rate"),
    *(f"ap@{tiou}" for tiou in ("0.5", "0.75", "0.9", "0.95")),
    *(f"ar@{count}" for count in (5, 10, 20, 30, 50, 100)),
    *("mean_ap", "mean_ar", "challenge_score"),
}
#: What differs by no more than this may agree before it was rounded.
ROUNDING = 0.001


def the(corpus, task, method, trained_on=None):
    """Return the one result that is described."""
    (one,) = [
        one
        for one in published(corpus, task)
        if one.method == method and (trained_on is None or one.trained_on == trained_on)
    ]
    return one


def doubted(measure):
    """Return the results whose figure is marked as one that cannot be right."""
    return [one for one in RESULTS if one.mark_of(measure) == "contradicts itself"]


@pytest.mark.parametrize("one", RESULTS, ids=lambda one: f"{one.corpus}: {one.method}")
def test_a_result_is_whole(one):
    assert one.source
    assert one.split
    assert one.method
    assert one.mark in {"reported", "third-party"}
    assert one.task in {"localization", "detection"}
    assert one.values
    assert one.values.keys() <= MEASURES
    assert one.doubts.keys() <= one.values.keys()
    assert all(0.0 <= value <= 1.0 for value in one.values.values())
    assert all(one.doubts.values())
    assert one.year is None or 2015 < one.year < 2030


@pytest.mark.parametrize("corpus", CORPORA)
def test_a_system_is_listed_once_a_corpus_task_split_training_set_and_source(corpus):
    told = [(r.task, r.method, r.split, r.trained_on, r.source) for r in published(corpus)]
    assert len(set(told)) == len(told)


def test_recall_never_falls_with_the_number_of_proposals_but_where_it_is_marked():
    for one in RESULTS:
        counts = sorted(int(name[3:]) for name in one.values if name.startswith("ar@"))
        for fewer, more in pairwise(f"ar@{count}" for count in counts):
            if one.values[fewer] > one.values[more]:
                assert one.mark_of(fewer) == one.mark_of(more) == "contradicts itself"


def test_precision_never_rises_with_the_overlap_that_is_asked_for():
    for one in RESULTS:
        tious = sorted(float(name[3:]) for name in one.values if name.startswith("ap@"))
        values = [one.values[f"ap@{tiou:g}"] for tiou in tious]
        assert values == sorted(values, reverse=True)


def rates(one):
    names = ("accuracy", "eer", "true_positive_rate", "false_positive_rate")
    return [one.values[name] for name in names]


WITH_RATES = [one for one in RESULTS if "false_positive_rate" in one.values]


def test_the_papers_rows_of_rates_are_all_there():
    assert len(WITH_RATES) == 15


def test_accuracy_outside_what_its_rates_allow_is_marked_in_twelve_rows():
    for one in WITH_RATES:
        accuracy, _, found, flagged = rates(one)
        outside = not (
            min(found, 1 - flagged) - ROUNDING <= accuracy <= max(found, 1 - flagged) + ROUNDING
        )
        said = any("another threshold" in reason for reason in one.doubts.get("accuracy", ()))
        assert said == outside
    marked = [
        one for one in doubted("accuracy") if "another threshold" in one.doubts["accuracy"][0]
    ]
    assert len(marked) == 12


def test_an_equal_error_rate_that_no_curve_reaches_is_marked_in_eight_rows():
    num_marked = 0
    for one in WITH_RATES:
        _, eer, found, flagged = rates(one)
        # A ROC curve never falls: right of (eer, 1 - eer) it lies above, left of it below.
        under = flagged >= eer and found < 1 - eer - ROUNDING
        over = flagged <= eer and found > 1 - eer + ROUNDING
        said = any("ROC" in reason for reason in one.doubts.get("eer", ()))
        assert said == (under or over)
        num_marked += said
    assert num_marked == 8


def test_falling_recall_of_the_paper_is_marked():
    lav_df = the("lav-df", "localization", "MMMS-BA")
    assert lav_df.mark_of("ar@20") == lav_df.mark_of("ar@50") == "contradicts itself"
    assert lav_df.mark_of("ar@100") == lav_df.mark_of("ap@0.5") == "reported"
    tvil = the("tvil", "localization", "MMMS-BA")
    assert tvil.mark_of("ar@10") == tvil.mark_of("ar@20") == "contradicts itself"


def test_all_of_the_row_that_was_read_from_right_to_left_is_marked():
    row = the("tvil", "localization", "BA-TFD+")
    assert all(row.mark_of(measure) == "contradicts itself" for measure in row.values)


def test_the_cell_that_is_another_methods_is_marked_and_the_right_one_is_there():
    copied = the("av-deepfake1m", "localization", "UMMAFormer, as in MMMS-BA's table")
    assert copied.mark_of("ar@50") == "contradicts itself"
    right = the("av-deepfake1m", "localization", "UMMAFormer")
    other = the("av-deepfake1m", "localization", "BA-TFD+")
    assert copied.values["ar@50"] == other.values["ar@50"] == 0.4886
    assert right.values["ar@50"] == 0.4407
    assert right.mark_of("ar@50") == "reported"


def test_the_row_that_repeats_another_tables_is_marked():
    row = the("fakeavceleb", "detection", "MMMS-BA (V+L+A)")
    uni = the("fakeavceleb", "detection", "MMUS-SA")
    bi = the("fakeavceleb", "detection", "MMMS-BA, table 6")
    assert row.values == uni.values
    differ = {name for name in row.values if row.values[name] != bi.values[name]}
    assert differ == {"partial_auc", "eer", "true_positive_rate"}
    assert all(any("MMUS-SA" in reason for reason in row.doubts[name]) for name in differ)


def test_the_accuracy_that_the_text_gives_otherwise_is_marked():
    row = the("av-deepfake1m", "detection", "MMMS-BA", trained_on="fakeavceleb")
    assert row.values["accuracy"] == 0.821
    assert "the paper's text gives .893" in row.doubts["accuracy"][0]


def test_what_the_paper_leaves_out_is_there():
    best = the("lav-df", "localization", "UMMAFormer")
    row = the("lav-df", "localization", "MMMS-BA")
    assert all(best.values[m] > row.values[m] for m in ("ap@0.5", "ap@0.75", "ar@10"))
    assert any("leaves out UMMAFormer" in note for note in row.notes)
    tvil = the("tvil", "localization", "UMMAFormer")
    paper = the("tvil", "localization", "MMMS-BA")
    assert all(tvil.values[m] > paper.values[m] for m in ("ap@0.75", "ap@0.95", "ar@20"))
    assert any("prints its AP@0.75 as the best" in note for note in paper.notes)


def test_protocols_that_differ_are_told():
    for corpus in ("lav-df", "tvil"):
        assert any("on average" in n for n in the(corpus, "localization", "UMMAFormer").notes)
        assert any("not known" in n for n in the(corpus, "localization", "MMMS-BA").notes)
    on_val = the("av-deepfake1m", "localization", "MMMS-BA")
    assert on_val.split == "val"
    assert any("validation split" in note for note in on_val.notes)
    assert all(one.split == "not stated" for one in published("fakeavceleb"))
    assert all(one.notes for one in published("fakeavceleb"))


def test_what_others_wrote_down_is_marked():
    for corpus, method in (("lav-df", "IaMSB"), ("av-deepfake1m", "DiMoDif"), ("tvil", "IaMSB")):
        assert the(corpus, "localization", method).mark_of("ap@0.5") == "third-party"
    assert the("lav-df", "localization", "AuViRe").mark == "reported"


def test_each_mark_has_a_sign_of_its_own_and_a_meaning():
    assert SIGNS.keys() == LEGEND.keys()
    assert len(set(SIGNS.values())) == len(SIGNS) == 3


def test_of_a_corpus_that_nobody_knows_nothing_is_published():
    assert published("my clips") == []
    assert beside({"ap@0.5": 0.9}, "my clips") == []


def test_ours_stands_among_the_others_by_rank():
    rows = beside({"ap@0.5": 0.97, "ap@0.6": 0.9, "ar@100": 0.9}, "lav-df", system="ours")
    assert list(rows[0].cells) == ["ap@0.5", "ar@100"]
    values = [row.cells["ap@0.5"].value for row in rows]
    assert values == sorted(values, reverse=True)
    (ours,) = [row for row in rows if row.result is None]
    assert (ours.system, ours.cells["ap@0.5"].value, ours.cells["ap@0.5"].mark) == (
        "ours", 0.97, None,
    )  # fmt: skip


def test_what_is_not_reported_is_no_number_and_ranks_last():
    rows = beside({"ap@0.5": 0.97, "ap@0.75": 0.9}, "av-deepfake1m")
    assert math.isnan(rows[-1].cells["ap@0.5"].value)
    assert rows[-1].cells["ap@0.5"].mark is None
    assert not math.isnan(rows[-1].cells["ap@0.75"].value)


def test_cells_that_cannot_be_right_carry_their_reason():
    (row,) = [row for row in beside({"ar@20": 0.5}, "lav-df") if row.system == "MMMS-BA"]
    assert row.cells["ar@20"].mark == "contradicts itself"
    assert row.cells["ar@20"].reasons[0].startswith("average recall cannot fall")


def test_detection_is_shown_among_detection():
    rows = beside({"auc": 0.9, "eer": 0.1}, "lav-df", task="detection")
    assert {row.system for row in rows} == {"AuViRe", "DiMoDif", "MMMS-BA", "measured here"}
    assert all(isinstance(row, Row) for row in rows)


def test_figures_that_nobody_else_reports_are_set_beside_nothing():
    assert beside({"brier": 0.1}, "lav-df") == []
    assert beside({}, "lav-df") == []


@pytest.mark.parametrize("number", [2, 3, 4, 5, 6, 7])
def test_the_papers_tables_are_the_same_here_as_where_they_are_reproduced(number):
    rows = getattr(tables, f"TABLE_{number}")
    assert rows
    for row in rows:
        values = {name: cell.value for name, cell in row.cells.items()}
        doubted = {name for name, cell in row.cells.items() if cell.marks}
        assert any(
            values.items() <= one.values.items() and doubted <= one.doubts.keys()
            for one in published(row.test)
        ), (row.test, row.method)
