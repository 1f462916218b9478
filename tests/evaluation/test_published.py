"""Published results: each has a source, and what cannot be right says so."""

import json
import math
from itertools import pairwise

import pytest

from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.evaluation.published import (
    Cell,
    Row,
    beside,
    challenge_score,
    footnotes,
    plain_rows,
    published,
    reasons,
    sign,
)
from mmmsba_plugin.reproduce import tables
from mmmsba_plugin.reproduce.datasets import TITLES

DATASETS = ("lav-df", "av-deepfake1m", "av-deepfake1m-plusplus", "fakeavceleb", "tvil")
RESULTS = [result for dataset in DATASETS for result in published(dataset)]
METRICS = {
    *("auc", "partial_auc", "eer", "detection_ap", "accuracy"),
    *("true_positive_rate", "false_positive_rate"),
    *(f"ap@{tiou}" for tiou in ("0.5", "0.75", "0.9", "0.95")),
    *(f"ar@{count}" for count in (5, 10, 20, 30, 50, 100)),
    "challenge_score",
}
#: What differs by no more than this may agree before it was rounded.
ROUNDING = 0.001


def the(dataset, task, method, trained_on=None):
    """Return the one result that is described."""
    (result,) = [
        result
        for result in published(dataset, task)
        if result.method == method and (trained_on is None or result.trained_on == trained_on)
    ]
    return result


def doubted(measure):
    """Return the results whose value is marked as contradicting itself."""
    return [result for result in RESULTS if result.mark_of(measure) == "contradicts itself"]


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: f"{result.dataset}: {result.method}")
def test_a_result_is_whole(result):
    assert result.source
    assert result.split
    assert result.method
    assert result.mark in {"reported", "third-party"}
    assert result.task in {"localization", "detection"}
    assert result.values
    assert result.values.keys() <= METRICS
    assert result.doubts.keys() <= result.values.keys()
    assert all(0.0 <= value <= 1.0 for value in result.values.values())
    assert all(result.doubts.values())
    assert result.year is None or 2015 < result.year < 2030


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_system_is_listed_once_a_dataset_task_split_training_set_and_source(dataset):
    rows = [(r.task, r.method, r.split, r.trained_on, r.source) for r in published(dataset)]
    assert len(set(rows)) == len(rows)


def test_recall_never_falls_with_the_number_of_proposals_but_where_it_is_marked():
    for result in RESULTS:
        counts = sorted(int(name[3:]) for name in result.values if name.startswith("ar@"))
        for fewer, more in pairwise(f"ar@{count}" for count in counts):
            if result.values[fewer] > result.values[more]:
                assert result.mark_of(fewer) == result.mark_of(more) == "contradicts itself"


def test_precision_never_rises_with_the_overlap_that_is_asked_for():
    for result in RESULTS:
        tious = sorted(float(name[3:]) for name in result.values if name.startswith("ap@"))
        values = [result.values[f"ap@{tiou:g}"] for tiou in tious]
        assert values == sorted(values, reverse=True)


def rates(result):
    names = ("accuracy", "eer", "true_positive_rate", "false_positive_rate")
    return [result.values[name] for name in names]


WITH_RATES = [result for result in RESULTS if "false_positive_rate" in result.values]


def test_the_papers_rows_of_rates_are_all_there():
    assert len(WITH_RATES) == 15


def test_accuracy_outside_what_its_rates_allow_is_marked_in_twelve_rows():
    for result in WITH_RATES:
        accuracy, _, tpr, fpr = rates(result)
        outside = not (min(tpr, 1 - fpr) - ROUNDING <= accuracy <= max(tpr, 1 - fpr) + ROUNDING)
        is_marked = any(
            "another threshold" in reason for reason in result.doubts.get("accuracy", ())
        )
        assert is_marked == outside
    marked = [
        result
        for result in doubted("accuracy")
        if "another threshold" in result.doubts["accuracy"][0]
    ]
    assert len(marked) == 12


def test_an_equal_error_rate_that_no_curve_reaches_is_marked_in_eight_rows():
    num_marked = 0
    for result in WITH_RATES:
        _, eer, tpr, fpr = rates(result)
        # A ROC curve never falls: right of (eer, 1 - eer) it lies above, left of it below.
        under = fpr >= eer and tpr < 1 - eer - ROUNDING
        over = fpr <= eer and tpr > 1 - eer + ROUNDING
        is_marked = any("ROC" in reason for reason in result.doubts.get("eer", ()))
        assert is_marked == (under or over)
        num_marked += is_marked
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
    assert any("leaves out UMMAFormer" in remark for remark in row.notes)
    tvil = the("tvil", "localization", "UMMAFormer")
    paper = the("tvil", "localization", "MMMS-BA")
    assert all(tvil.values[m] > paper.values[m] for m in ("ap@0.75", "ap@0.95", "ar@20"))
    assert any("prints its AP@0.75 as the best" in remark for remark in paper.notes)


def test_protocols_that_differ_are_told():
    for dataset in ("lav-df", "tvil"):
        assert any("on average" in n for n in the(dataset, "localization", "UMMAFormer").notes)
        assert any("not known" in n for n in the(dataset, "localization", "MMMS-BA").notes)
    on_val = the("av-deepfake1m", "localization", "MMMS-BA")
    assert on_val.split == "val"
    assert any("validation split" in remark for remark in on_val.notes)
    assert all(result.split == "not stated" for result in published("fakeavceleb"))
    assert all(result.notes for result in published("fakeavceleb"))


def test_what_others_wrote_down_is_marked():
    for dataset, method in (("lav-df", "IaMSB"), ("av-deepfake1m", "DiMoDif"), ("tvil", "IaMSB")):
        assert the(dataset, "localization", method).mark_of("ap@0.5") == "third-party"
    assert the("lav-df", "localization", "AuViRe").mark == "reported"


@pytest.mark.parametrize("dataset", ["my clips", "", "folder"])
def test_a_dataset_of_which_nothing_is_known_is_answered_with_those_that_are(dataset):
    message = f"no published results are known of '{dataset}'; choose from {', '.join(DATASETS)}"
    with pytest.raises(ConfigError, match=message.replace("+", "[+]")):
        published(dataset)
    with pytest.raises(ConfigError, match=message):
        beside({"ap@0.5": 0.9}, dataset)


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
    rows = beside({"ar@20": 0.5}, "lav-df")
    (row,) = [row for row in rows if row.system == "MMMS-BA"]
    assert row.cells["ar@20"].mark == "contradicts itself"
    (why,) = row.cells["ar@20"].reasons
    assert why.startswith("average recall cannot fall")
    assert reasons(rows) == {why: 1}
    assert sign(row.cells["ar@20"], reasons(rows)) == "[1]"
    assert f"[1] {why}" in footnotes(rows)


def test_detection_is_shown_among_detection():
    rows = beside({"auc": 0.9, "eer": 0.1}, "lav-df", task="detection")
    assert {row.system for row in rows} == {
        *("AuViRe", "DiMoDif", "measured here"),
        *("MMMS-BA (trained on FakeAVCeleb)", "MMMS-BA (trained on AV-Deepfake1M)"),
    }
    assert all(isinstance(row, Row) for row in rows)


def test_figures_that_nobody_else_reports_are_set_beside_nothing():
    assert beside({"brier": 0.1}, "lav-df") == []
    assert beside({}, "lav-df") == []


#: Everything that a default evaluation measures.
MEASURED = {
    **dict.fromkeys([f"ap@{tiou}" for tiou in ("0.5", "0.75", "0.9", "0.95")], 0.5),
    **dict.fromkeys([f"ar@{num}" for num in (100, 50, 30, 20, 10, 5)], 0.25),
    **dict.fromkeys(["auc", "partial_auc", "eer", "accuracy"], 0.5),
}
TASKS = ("localization", "detection")
EVERY_TABLE = [
    (dataset, task) for dataset in DATASETS for task in TASKS if published(dataset, task)
]


def test_every_result_can_be_shown():
    results = [row.result for c, t in EVERY_TABLE for row in beside(MEASURED, c, task=t)]
    assert sorted(id(result) for result in results if result) == sorted(
        id(result) for result in RESULTS
    )


@pytest.mark.parametrize(("dataset", "task"), EVERY_TABLE)
def test_no_two_rows_of_a_table_are_called_alike(dataset, task):
    systems = [row.system for row in beside(MEASURED, dataset, task=task)]
    assert len(set(systems)) == len(systems)


def test_rows_of_one_method_are_told_apart_by_as_little_as_that_takes():
    systems = {row.system for row in beside(MEASURED, "av-deepfake1m")}
    assert {"AuViRe (trained on AV-Deepfake1M)", "AuViRe (trained on LAV-DF)"} <= systems
    assert {"UMMAFormer", "MMMS-BA"} <= systems
    systems = {row.system for row in beside(MEASURED, "av-deepfake1m-plusplus")}
    assert {"Pindrop (split testA)", "Pindrop (split testB)"} <= systems


def test_a_dataset_is_titled_as_where_the_tables_are_reproduced():
    for dataset, title in TITLES.items():
        trained = [result for result in RESULTS if result.trained_on == dataset]
        rows = [Row("x", {}, result) for result in trained]
        assert all(f"trained on {title}: x" in footnotes([row])[-1] for row in rows)


@pytest.mark.parametrize(("dataset", "task"), EVERY_TABLE)
def test_footnotes_tell_every_sign_note_split_training_set_and_source(dataset, task):
    rows = beside(MEASURED, dataset, task=task)
    lines = footnotes(rows)
    assert lines[0].startswith("as reported, on splits and by evaluators that differ")
    assert len(set(lines)) == len(lines)
    text = "\n".join(lines)
    for result in filter(None, (row.result for row in rows)):
        assert all(remark in text for remark in result.notes)
        assert result.source in text
        assert result.split in text
    signs = {sign(c, reasons(rows)) for row in rows for c in row.cells.values()}
    for mark in ("*", *(f"[{number}]" for number in reasons(rows).values())):
        assert any(mark in cell_sign for cell_sign in signs) == any(
            line.startswith(mark) for line in lines
        )


def test_a_note_is_told_once_of_all_rows_that_it_is_of():
    lines = footnotes(beside({"ap@0.5": 0.5}, "lav-df"))
    (line,) = [line for line in lines if "that of voc mode" in line]
    assert line.endswith("(UMMAFormer; UMMAFormer (frame))")
    assert footnotes([Row("alone", {"auc": Cell(0.5)})]) == []


def test_rows_become_plain_values():
    rows = beside({"ar@20": 0.5, "ap@0.95": math.nan}, "lav-df", system="ours")
    by_system = {
        row["system"]: row for row in json.loads(json.dumps(plain_rows(rows), allow_nan=False))
    }
    assert by_system["ours"] == {
        "system": "ours",
        "values": {"ar@20": 0.5, "ap@0.95": None},
        "doubts": {},
        "published": None,
    }
    theirs = by_system["MMMS-BA"]
    assert theirs["values"] == {"ar@20": 0.9593, "ap@0.95": 0.3902}
    assert theirs["doubts"].keys() == {"ar@20"}
    assert theirs["published"]["split"] == "test"
    assert theirs["published"]["trained_on"] is None
    assert any("no independent reproduction" in remark for remark in theirs["published"]["notes"])


def test_the_challenge_score_is_computed_where_others_state_one():
    # One eighth of 4 times 0.5, and one tenth of 5 times 0.25.
    assert challenge_score(MEASURED) == 0.375
    for dataset in ("av-deepfake1m", "av-deepfake1m-plusplus"):
        rows = {row.system: row for row in beside(MEASURED, dataset)}
        assert rows["measured here"].cells["challenge_score"].value == 0.375
    assert "challenge_score" not in beside(MEASURED, "lav-df")[0].cells


def test_the_challenge_score_of_others_follows_from_their_figures():
    rows = {row.system: row for row in beside(MEASURED, "av-deepfake1m")}
    cells = {name: cell.value for name, cell in rows["AuViRe (trained on LAV-DF)"].cells.items()}
    halves = (0.147 + 0.0637 + 0.0057 + 0.0005) / 8, sum((0.2933, 0.2663, 0.2458, 0.2131, 0.1817))
    assert cells["challenge_score"] == pytest.approx(halves[0] + halves[1] / 10)
    assert math.isnan(rows["BA-TFD+"].cells["challenge_score"].value)


@pytest.mark.parametrize("missing", ["ap@0.9", "ar@30"])
def test_without_one_of_its_figures_there_is_no_challenge_score(missing):
    metrics = {name: value for name, value in MEASURED.items() if name != missing}
    assert math.isnan(challenge_score(metrics))
    assert beside({"ap@0.5": 0.9}, "av-deepfake1m-plusplus") == []


@pytest.mark.parametrize("number", [2, 3, 4, 5, 6, 7])
def test_the_papers_tables_are_the_same_here_as_where_they_are_reproduced(number):
    rows = getattr(tables, f"TABLE_{number}")
    assert rows
    for row in rows:
        values = {name: cell.value for name, cell in row.cells.items()}
        doubted = {name for name, cell in row.cells.items() if cell.marks}
        assert any(
            values.items() <= result.values.items() and doubted <= result.doubts.keys()
            for result in published(row.test)
        ), (row.test, row.method)
