"""The paper's tables, from the training runs they need to the page they end up on."""

import csv

import pytest

from mmmsba_plugin.cli import _exit_codes
from mmmsba_plugin.config import FitConfig
from mmmsba_plugin.detector import MmmsbaDetector
from mmmsba_plugin.reproduce import tables
from mmmsba_plugin.reproduce.datasets import (
    open_datasets,
)
from mmmsba_plugin.reproduce.networks import Networks, Settings
from mmmsba_plugin.reproduce.plan import TABLES
from mmmsba_plugin.reproduce.run import Reproduction

from .small_run import IDENTITIES, TINY, read


@pytest.mark.story
class TestAllTables:
    def test_every_row_that_is_ours_is_measured(self, everything):
        out, _ = everything
        for name, table in TABLES.items():
            document = read(out, name)
            status = ["measured" if row.training else "reported" for row in table.rows]
            assert [row["status"] for row in document["rows"]] == status
            for row in document["rows"]:
                assert [cell["measure"] for cell in row["cells"]] == list(table.metrics)
                ours = [len(cell["ours"]) for cell in row["cells"]]
                assert set(ours) == {int(row["status"] == "measured")}

    def test_no_run_is_done_twice(self, everything):
        out, output = everything
        assert len(list((out / "runs").iterdir())) == 12
        assert output.count("training ") == 12

    def test_a_stand_in_is_never_shown_as_the_dataset_itself(self, everything):
        out, _ = everything
        for row in read(out, "table2")["rows"]:
            assert row["stand_in"]
            assert row["trained_on"] == "stand-in for FakeAVCeleb (lav-df: mine)"
        table3 = {row["tested_on"]: row["stand_in"] for row in read(out, "table3")["rows"]}
        assert table3 == {
            "AV-Deepfake1M": False,
            "stand-in for FakeAVCeleb (lav-df: mine)": True,
            "LAV-DF": False,
            "TVIL": False,
        }
        assert "ours, stand-in" in (out / "table2.md").read_text()

    def test_what_leading_silence_alone_would_score_stands_by_every_table(self, everything):
        out, output = everything
        for name, table in TABLES.items():
            rows = [row for row in read(out, name)["rows"] if row["status"] == "measured"]
            assert rows
            silence_of = {row["tested_on"]: row["silence"] for row in rows}
            for row in rows:
                run, alone = row["runs"][0], row["silence"]
                assert 0.5 <= alone["auc"]["value"] <= 1.0
                assert alone["num_clips"] == run["num_real"] + run["num_fake"]
                assert alone == silence_of[row["tested_on"]]
            page = (out / f"{name}.md").read_text()
            for dataset, alone in silence_of.items():
                figure = f"{alone['auc']['value']:.{table.digits}f}"
                sentence = "looking only at how long clips are silent at first would reach AUC"
                assert f"on {dataset}, {sentence} {figure}" in page
                assert f"on {dataset}, {sentence} {figure}" in output
        assert {path.name.rpartition("-")[0] for path in (out / "silence").iterdir()} == {
            *("stand-in-fakeavceleb", "av-deepfake1m", "lav-df", "tvil")
        }

    def test_what_is_reported_stands_beside_ours_with_its_marks(self, everything):
        out, _ = everything
        first = read(out, "table2")["rows"][0]
        cells = {cell["measure"]: cell for cell in first["cells"]}
        assert cells["accuracy"]["reported"] == 0.979
        assert cells["accuracy"]["contradicts"] == [tables.ACCURACY_OUTSIDE]
        assert cells["balanced_accuracy"]["reported"] is None
        assert 0.0 <= cells["auc"]["ours"][0]["value"] <= 1.0
        page = (out / "table2.md").read_text()
        assert "0.979 ✗2" in page
        assert f"✗2 {tables.ACCURACY_OUTSIDE}" in page

    def test_the_making_of_ours_is_documented(self, everything):
        out, _ = everything
        row = read(out, "table3")["rows"][0]
        run = row["runs"][0]
        # Four clips of each person; of the eight, some stop the training.
        assert run["num_train"] + run["num_validation"] == 4 * len(IDENTITIES)
        assert (run["num_real"], run["num_fake"], run["not_evaluated"]) == (1, 3, {})
        assert 0.0 <= run["threshold"] <= 1.0
        assert any("official validation split" in text for text in row["notes"])
        assert any("4 of the 57340 test clips" in text for text in row["notes"])
        page = (out / "table3.md").read_text()
        assert "snippets of 0.08 s" in page
        assert "20 draws by identity" in page

    def test_clips_of_a_dataset_without_test_split_are_held_out_twice(self, everything):
        out, _ = everything
        row = read(out, "table2")["rows"][0]
        assert "tested on split 'dev', as there is no test split with truth" in row["notes"]

    def test_localization_is_measured_for_both_methods_by_both_readings(self, everything):
        out, _ = everything
        rows = [row for row in read(out, "table5")["rows"] if row["status"] == "measured"]
        assert {(r["method"], r["trained_on"], r["tested_on"]) for r in rows} == {
            (method, trained, tested)
            for method in ("MMMS-BA", "Enc-Dec")
            for trained, tested in (
                *(("AV-Deepfake1M", test) for test in ("AV-Deepfake1M", "LAV-DF", "TVIL")),
                *(("LAV-DF", "LAV-DF"), ("TVIL", "TVIL")),
            )
        }
        values = [cell["ours"][0]["value"] for row in rows for cell in row["cells"]]
        assert all(0.0 <= value <= 1.0 for value in values)

    def test_the_csv_has_a_line_for_each_cell(self, everything):
        out, _ = everything
        lines = list(csv.DictReader((out / "table6.csv").read_text().splitlines()))
        assert len(lines) == len(TABLES["table6"].rows) * len(TABLES["table6"].metrics)
        assert {line["stand_in"] for line in lines} == {"stand-in"}
        assert lines[0]["reported"] == "0.989"

    def test_the_terminal_shows_tables_notes_and_files(self, everything):
        out, output = everything
        assert "table5: Localization" in output
        assert tables.MISSING_ROW in output
        assert f"wrote {out / 'table7.md'}" in output

    def test_a_second_run_trains_and_evaluates_nothing(
        self, everything, datasets, invoke_reproduce, monkeypatch
    ):
        out, _ = everything
        before = {path: path.read_bytes() for path in out.glob("table*")}

        def never(*_, **__):
            raise AssertionError("this was done before")

        monkeypatch.setattr("mmmsba_plugin.training.fit.fit", never)
        monkeypatch.setattr(MmmsbaDetector, "detect", never)
        monkeypatch.setattr("mmmsba_plugin.evaluation.run.leading_silence_s", never)
        result = invoke_reproduce(out=out, data=datasets)
        assert result.exit_code == _exit_codes.OK, result.output
        assert {path: path.read_bytes() for path in out.glob("table*")} == before

    def test_other_settings_are_another_run_beside_the_first(
        self, everything, datasets, feature_cache, tmp_path
    ):
        out, _ = everything
        run_of = {row["runs"][0]["run"] for row in read(out, "table4")["rows"] if row["runs"]}
        settings = Settings(
            fit=FitConfig.read({**TINY, "network": {"gru_units": 5, "dense_units": 4}}),
            seeds=(0, 1),
            limit=6,
            num_resamples=0,
        )
        sources = open_datasets([datasets["fakeavceleb"]])
        other = Reproduction(Networks(sources, settings, tmp_path, cache=feature_cache))
        row = other.table(TABLES["table4"]).rows[-1]
        assert not {run.run for run in row.runs} & run_of
        assert [run.seed for run in row.runs] == [0, 1]
        assert "limited to 6 clips of each split" in row.notes
        assert row.runs[0].num_train <= 6
        cell = row.cells[0]
        assert cell.span[0] <= cell.mean <= cell.span[1]
