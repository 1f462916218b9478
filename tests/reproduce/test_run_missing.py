"""Tables with datasets, truth or extras missing: every row that remains is filled in."""

import json
import math
import shutil
from dataclasses import replace

import pytest

from mmmsba_plugin.cli import _exit_codes
from mmmsba_plugin.datasets.load import DatasetSource
from mmmsba_plugin.evaluation.evaluate import Evaluation
from mmmsba_plugin.evaluation.metrics.bootstrap import Interval
from mmmsba_plugin.evaluation.tables import Predictions
from mmmsba_plugin.record import WHOLE_CLIP
from mmmsba_plugin.reproduce import tables
from mmmsba_plugin.reproduce.networks import Measured, Networks, Settings
from mmmsba_plugin.reproduce.plan import TABLES
from mmmsba_plugin.reproduce.result import Run
from mmmsba_plugin.reproduce.run import Reproduction

from ..layouts import put_json
from .clips_of import record
from .small_run import read


def evaluation_without_values(table):
    """Return the evaluation of a row in a test that is not about its metrics."""
    nothing = dict.fromkeys(table.metrics, Interval(math.nan, math.nan, math.nan))
    run = Run(0, "run", 1, 1, 0, None, 1, 1)
    evaluation = Evaluation("ours", "official", nothing)
    return Measured(evaluation, run, (), Predictions("ours", {}))


@pytest.mark.story
class TestMissing:
    def test_rows_without_data_say_so_and_the_paper_is_shown(
        self, invoke_reproduce, datasets, tmp_path
    ):
        result = invoke_reproduce("table2", out=tmp_path, data={"lav-df": datasets["lav-df"]})
        assert result.exit_code == _exit_codes.OK, result.output
        row = read(tmp_path, "table2")["rows"][1]
        assert row["status"] == "no data"
        assert row["notes"] == ["no data given: FakeAVCeleb and AV-Deepfake1M"]
        assert row["cells"][0]["reported"] == 0.909
        assert row["silence"] is None
        assert "reported (ours: no data)" in (tmp_path / "table2.md").read_text()
        assert "silent at first" not in result.stdout

    def test_a_remark_about_a_dataset_is_not_made_about_its_stand_in(
        self, feature_cache, tmp_path, monkeypatch
    ):
        row = next(row for row in TABLES["table2"].rows if row.test == "tvil")
        table = replace(TABLES["table2"], rows=(row,))
        monkeypatch.setattr(Networks, "evaluate", lambda *_, **__: evaluation_without_values(table))
        monkeypatch.setattr(Networks, "leading_silence", lambda *_: None)
        for reader, is_noted in {"tvil": True, "lav-df": False}.items():
            readers = {"fakeavceleb": "fakeavceleb", "tvil": reader}
            sources = {
                name: DatasetSource(name, who_reads, tmp_path)
                for name, who_reads in readers.items()
            }
            reproduction = Reproduction(
                Networks(sources, Settings(), tmp_path, cache=feature_cache)
            )
            (measured_row,) = reproduction.table(table).rows
            assert (measured_row.status, tables.VISUAL_ONLY in measured_row.notes) == (
                "measured",
                is_noted,
            )
        (measured_row,) = (
            Reproduction(Networks({}, Settings(), tmp_path, cache=feature_cache)).table(table).rows
        )
        assert (measured_row.status, tables.VISUAL_ONLY in measured_row.notes) == ("no data", True)

    def test_a_dataset_that_cannot_be_used_costs_only_its_own_rows(
        self, invoke_reproduce, datasets, talking_head_dataset, everything, tmp_path
    ):
        shutil.copytree(everything[0] / "runs", tmp_path / "out" / "runs")
        real = tmp_path / "genuine"
        shutil.copytree(talking_head_dataset, real)
        entries = json.loads((real / "metadata.json").read_text())
        put_json(real / "metadata.json", [e for e in entries if not e["n_fakes"]])
        data = {"fakeavceleb": f"fakeavceleb:lav-df={real}", "lav-df": datasets["lav-df"]}
        result = invoke_reproduce("table4", out=tmp_path / "out", data=data)
        assert result.exit_code == _exit_codes.NOT_EVALUATED
        row = read(tmp_path / "out", "table4")["rows"][-1]
        assert row["status"] == "failed"
        assert "could not be done: there must be real and fake clips" in row["notes"][-1]

    def test_localization_is_not_measured_without_annotated_segments(
        self, feature_cache, tmp_path, monkeypatch
    ):
        whole = replace(record("a", "test"), truth=(WHOLE_CLIP,))
        monkeypatch.setattr(DatasetSource, "records", lambda _: iter([record("b"), whole]))
        dataset = DatasetSource("av-deepfake1m", "folder", tmp_path)
        measured = Reproduction(
            Networks({dataset.name: dataset}, Settings(), tmp_path, cache=feature_cache)
        )
        row = measured.table(TABLES["table5"]).rows[0]
        assert row.status == "failed"
        assert "does not say where its clips are fake" in row.notes[-1]
