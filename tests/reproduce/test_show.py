"""A table is shown as a page, as CSV, as JSON and in the terminal."""

import csv
import io
import json
import math
import re
from collections import Counter
from dataclasses import replace

import pytest
from rich.console import Console

from mmmsba_plugin.config import FeaturesConfig
from mmmsba_plugin.evaluation.metrics.bootstrap import Interval
from mmmsba_plugin.reproduce import show, tables
from mmmsba_plugin.reproduce.result import Cell, MeasuredRow, MeasuredTable, Silence
from mmmsba_plugin.reproduce.tables import Reported

SETUP = {
    "stride_s": 0.08,
    "front_ends": {m: c.name for m, c in FeaturesConfig().front_ends.items()},
    "preset": "paper",
    "seeds": [0, 1],
    "num_resamples": 20,
    "measured": "clips",
}


def one_row_table(*cells, **row):
    measured_row = MeasuredRow("MMMS-BA", "LAV-DF", "TVIL | x", "measured", cells, **row)
    metrics = tuple(cell.measure for cell in cells)
    return MeasuredTable("table9", "A table", metrics, 3, (measured_row,), SETUP, ("all of it",))


class TestShow:
    def test_one_seed_shows_its_interval_and_more_their_mean_and_range(self):
        first = Cell("auc", (Interval(0.9, 0.85, 0.95),))
        second = Cell("eer", (Interval(0.1, 0.05, 0.2), Interval(0.2, 0.1, 0.3)))
        page = show.as_markdown(one_row_table(first, second))
        assert "| 0.900<br>(0.850 to 0.950) |" in page
        assert "| 0.150 ± 0.071<br>seeds (0.100 to 0.200)<br>first 0.100 (0.050 to 0.200) |" in page

    def test_values_that_are_not_defined_are_a_dash_and_null(self):
        cell = Cell("auc", (Interval(math.nan, math.nan, math.nan),))
        table = one_row_table(cell)
        assert "| ours | - |" in show.as_markdown(table)
        (row,) = json.loads(show.as_json(table))["rows"]
        assert row["cells"][0]["ours"] == [{"value": None, "low": None, "high": None}]
        assert row["cells"][0]["mean"] is None
        (line,) = csv.DictReader(show.as_csv(table).splitlines())
        assert line["value"] == ""

    def test_a_difference_shows_its_sign_and_its_interval(self):
        cell = Cell("auc", (Interval(0.9, 0.85, 0.95),), None, Interval(-0.02, -0.05, 0.01))
        table = one_row_table(cell)
        page = show.as_markdown(table)
        assert "0.900<br>(0.850 to 0.950)<br>difference -0.020 (-0.050 to +0.010) |" in page
        (row,) = json.loads(show.as_json(table))["rows"]
        assert row["cells"][0]["difference"] == {"value": -0.02, "low": -0.05, "high": 0.01}
        (line,) = csv.DictReader(show.as_csv(table).splitlines())
        columns = ("difference", "difference_low", "difference_high")
        assert [line[name] for name in columns] == ["-0.02", "-0.05", "0.01"]

    def test_a_row_that_the_paper_lacks_has_one_line(self):
        table = one_row_table(Cell("auc", (Interval(0.9, 0.85, 0.95),)))
        assert "reported" not in show.as_markdown(table)
        absent = replace(table, rows=(replace(table.rows[0], status="no data"),))
        assert "| ours: no data | - |" in show.as_markdown(absent)

    def test_marks_are_numbered_as_they_come_and_explained_once(self):
        cells = [
            Cell("auc", reported=Reported(0.9, ("first", "second"))),
            Cell("eer", reported=Reported(0.1, ("second",))),
            Cell("accuracy"),
        ]
        table = one_row_table(*cells, notes=("of the row",))
        page = show.as_markdown(table)
        assert "| 0.900 ✗1,2 | 0.100 ✗2 | - |" in page
        assert show.footnotes(table) == [
            "✗1 first",
            "✗2 second",
            "of the row (MMMS-BA, LAV-DF to TVIL | x)",
            "all of it",
        ]

    def test_leading_silence_is_shown_once_a_dataset_and_in_every_file(self):
        table = one_row_table(Cell("auc"), silence=Silence(Interval(0.625, 0.5, math.nan), 7))
        twice = replace(table, rows=table.rows * 2)
        sentence = "on TVIL | x, looking only at how long clips are silent at first would reach AUC"
        assert show.footnotes(twice) == [f"{sentence} 0.625; clips with audio: 7", "all of it"]
        (row,) = json.loads(show.as_json(table))["rows"]
        assert row["silence"] == {
            "auc": {"value": 0.625, "low": 0.5, "high": None},
            "num_clips": 7,
        }
        (line,) = csv.DictReader(show.as_csv(table).splitlines())
        assert line["leading_silence_auc"] == "0.625"
        with_ends = one_row_table(Cell("auc"), silence=Silence(Interval(0.625, 0.5, 0.75), 7))
        assert show.footnotes(with_ends)[0].startswith(f"{sentence} 0.625 (0.500 to 0.750); clips")

    @pytest.mark.parametrize("columns", [20, 80, 400])
    def test_no_figure_and_no_name_is_cut_however_narrow_the_terminal(self, columns):
        value = Interval(0.6049, 0.5488, 0.6531)
        seeds = (value, Interval(0.5126, 0.4321, 0.6789))
        first, *others = tables.DETECTION
        cells = [
            Cell(first, (value,), Reported(0.9774)),
            *(Cell(measure, seeds, Reported(0.9774)) for measure in others),
        ]
        name = "stand-in for FakeAVCeleb (lav-df: 影 clips-of-2024)"
        table = one_row_table(*cells)
        table = replace(table, rows=(replace(table.rows[0], trained_on=name, stand_in=True),))
        out = io.StringIO()
        Console(file=out, width=columns, soft_wrap=True).print(show.as_rich(table))
        output = out.getvalue()
        assert "…" not in output
        # The value and its ends in each cell; where there are two seeds, their range and mean.
        assert Counter(re.findall(r"\d\.\d+", output)) == {
            "0.605": 6 + 5, "0.549": 6, "0.653": 6, "0.977": 6, "0.513": 5, "0.559": 5, "0.065": 5,
        }  # fmt: skip
        assert all(word in output for word in (*name.split(), *map(show.heading, tables.DETECTION)))

    def test_a_bar_in_a_name_does_not_break_the_page(self):
        page = show.as_markdown(one_row_table(Cell("auc")))
        assert "TVIL \\| x" in page

    def test_files_are_whole_or_not_there(self, tmp_path):
        paths = show.write(one_row_table(Cell("auc")), tmp_path / "new")
        names = ["table9.json", "table9.csv", "table9.md"]
        assert [path.name for path in paths] == names
        assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(names)
