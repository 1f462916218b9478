"""The table of a batch: a row a clip, as CSV and as Parquet."""

import csv
import os
import runpy
import sys
from pathlib import Path

import pytest

from mmmsba_plugin.errors import ConfigError, MissingExtraError
from mmmsba_plugin.report import summary
from mmmsba_plugin.report.build import failed, unread
from mmmsba_plugin.report.summary import (
    COLUMNS,
    require_summary,
    summary_row,
    write_summary,
)

REPORT = runpy.run_path(str(Path(__file__).parents[1] / "golden" / "make_report.py"))["report"]()

FAILED = failed(unread("=gone.mp4"), ValueError("no film"), provenance=REPORT.provenance)

ROWS = [
    summary_row(REPORT, Path("out/clip")),
    summary_row(FAILED, Path("out/gone"), copy_of=Path("a.mp4")),
]


def test_a_row_tells_the_verdict_and_where_the_report_is():
    fine, failing = ROWS
    assert (fine["status"], fine["score"], fine["fake"]) == ("ok", REPORT.score, REPORT.fake)
    assert fine["segments"] == len(REPORT.segments)
    assert fine["report"] == str(Path("out/clip"))
    assert (failing["status"], failing["score"], failing["fake"]) == ("error", None, None)
    assert failing["problem"].startswith("ValueError: judging =gone.mp4 failed")
    assert failing["copy_of"] == "a.mp4"


def test_a_spreadsheet_reads_it_and_runs_nothing_in_it(tmp_path):
    write_summary(ROWS, tmp_path / "summary.csv")
    with (tmp_path / "summary.csv").open(encoding="utf-8", newline="") as file:
        fine, failing = csv.DictReader(file)
    assert list(fine) == list(COLUMNS)
    assert float(fine["score"]) == REPORT.score
    assert fine["fake"] == str(REPORT.fake).lower()
    assert failing["media"] == "'=gone.mp4"
    assert failing["score"] == ""


def test_parquet_keeps_types(tmp_path):
    from pyarrow import parquet

    write_summary(ROWS, tmp_path / "summary.parquet")
    table = parquet.read_table(tmp_path / "summary.parquet")
    assert table.column_names == list(COLUMNS)
    assert table.to_pylist() == ROWS
    assert [path.name for path in tmp_path.iterdir()] == ["summary.parquet"]


@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems take UTF-8 alone")
@pytest.mark.parametrize("name", ["s.csv", "s.parquet"])
def test_a_name_that_is_no_unicode_can_be_written(tmp_path, name):
    strange = REPORT.model_copy(update={"media": unread(os.fsdecode(b"\xff.mp4"))})
    write_summary([summary_row(strange, Path(os.fsdecode(b"\xff")))], tmp_path / name)
    assert rb"\udcff.mp4" in (tmp_path / name).read_bytes()


def test_a_name_of_no_format_is_refused():
    with pytest.raises(ConfigError, match=r"end its name in \.csv or \.parquet"):
        require_summary(Path("table.xlsx"))
    require_summary(Path("table.csv"))


def test_without_pyarrow_parquet_names_the_extra(monkeypatch):
    monkeypatch.setattr(summary, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'mmmsba-plugin\[tables\]'"):
        require_summary(Path("table.parquet"))
