"""The paper's tables, from the training runs they need to the page they end up on."""

import csv
import json
import math
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mmmsba_plugin import plugins
from mmmsba_plugin.cli import _exit_codes, app
from mmmsba_plugin.config import FitConfig
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.datasets.load import DatasetSource
from mmmsba_plugin.detector import MmmsbaDetector
from mmmsba_plugin.errors import MissingExtraError
from mmmsba_plugin.evaluation.evaluate import Evaluation
from mmmsba_plugin.evaluation.metrics.bootstrap import Interval
from mmmsba_plugin.record import WHOLE_CLIP
from mmmsba_plugin.reproduce import tables
from mmmsba_plugin.reproduce.datasets import (
    open_datasets,
)
from mmmsba_plugin.reproduce.plan import TABLES
from mmmsba_plugin.reproduce.result import Run
from mmmsba_plugin.reproduce.run import Reproduction, Settings

from ..layouts import av1m, put_json, tvil_entry
from .clips_of import record

TINY = {
    "network": {"gru_units": 4, "dense_units": 4},
    "train": {"max_epochs": 1, "batch_size": 8},
}


IDENTITIES = [f"id{number:05d}" for number in range(8)]


@pytest.fixture(scope="module")
def datasets(talking_head_dataset, tmp_path_factory) -> dict[str, str]:
    """All four datasets in small: one is itself, two are filled with drawn faces, one stands in."""
    folder = tmp_path_factory.mktemp("corpora")
    records = list(read_lavdf(talking_head_dataset))
    real = [r.media for r in records if not r.fake]
    fake = [r.media for r in records if r.fake]
    mine = _without_test_split(talking_head_dataset, folder / "mine")
    return {
        "fakeavceleb": f"fakeavceleb:lav-df={mine}",
        "av-deepfake1m": f"av-deepfake1m={_av_deepfake1m(folder / 'av1m', real, fake)}",
        "lav-df": f"lav-df={talking_head_dataset}",
        "tvil": f"tvil={_tvil(folder / 'tvil', real, fake)}",
    }


def _without_test_split(dataset: Path, folder: Path) -> Path:
    """The same clips, with those of ``dev`` to learn from and those of ``test`` as ``dev``."""
    shutil.copytree(dataset, folder)
    entries = json.loads((folder / "metadata.json").read_text())
    splits = {"train": "train", "dev": "train", "test": "dev"}
    put_json(folder / "metadata.json", [e | {"split": splits[e["split"]]} for e in entries])
    return folder


def _av_deepfake1m(folder: Path, real: list[Path], fake: list[Path]) -> Path:
    av1m(folder, identities=IDENTITIES)
    for index, clip in enumerate(sorted(folder.glob("*/id*/**/*.mp4"))):
        clips = real if clip.name == "real.mp4" else fake
        shutil.copyfile(clips[index % len(clips)], clip)
    return folder


def _tvil(folder: Path, real: list[Path], fake: list[Path]) -> Path:
    entries = {}
    for index, split in enumerate(["train", "valid", "test"] * 2):
        clip = fake[index] if index > 2 else real[index]
        periods = [[0.48, 0.86]] if index > 2 else []
        name = f"{index:08x}.mp4"
        entries[name[:-4]] = tvil_entry(
            file=name, split=split, duration=2.5, fake_periods=periods, n_fakes=len(periods)
        )
        folder.mkdir(exist_ok=True)
        shutil.copyfile(clip, folder / name)
    put_json(folder / "annotations" / "metadata.json", entries)
    return folder


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("settings") / "tiny.json"
    path.write_text(json.dumps(TINY))
    return path


@pytest.fixture
def run(monkeypatch, feature_cache, tiny):
    """Runs ``mmmsba reproduce`` with networks that are trained in no time."""
    monkeypatch.setenv("MMMSBA_CACHE", str(feature_cache.folder.parent))
    plugins.forget()

    def invoke(*arguments, out, data=()):
        options = [word for spec in dict(data).values() for word in ("--data", spec)]
        command = [
            "reproduce",
            *arguments,
            *options,
            "-o",
            out,
            "--config",
            tiny,
            "--resamples",
            20,
        ]
        return CliRunner().invoke(app, [str(word) for word in [*command, "--workers", 1]])

    yield invoke
    plugins.forget()


@pytest.fixture(scope="module")
def everything(datasets, tiny, feature_cache, tmp_path_factory):
    """All tables, measured in one run: its folder, and what the command said."""
    out = tmp_path_factory.mktemp("reproduced") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMMSBA_CACHE", str(feature_cache.folder.parent))
        plugins.forget()
        options = [word for spec in datasets.values() for word in ("--data", spec)]
        command = [
            "reproduce",
            *options,
            "-o",
            str(out),
            "--config",
            str(tiny),
            "--resamples",
            "20",
        ]
        result = CliRunner().invoke(app, [*command, "--workers", "2"])
        plugins.forget()
    assert result.exit_code == _exit_codes.OK, result.output
    return out, result.stdout


def read(out, name):
    return json.loads((out / f"{name}.json").read_text())


@pytest.mark.story
class TestEverything:
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

    def test_how_ours_was_made_is_told(self, everything):
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

    def test_asked_again_nothing_is_trained_nor_judged(
        self, everything, datasets, run, monkeypatch
    ):
        out, _ = everything
        before = {path: path.read_bytes() for path in out.glob("table*")}

        def never(*_, **__):
            raise AssertionError("this was done before")

        monkeypatch.setattr("mmmsba_plugin.training.fit.fit", never)
        monkeypatch.setattr(MmmsbaDetector, "detect", never)
        monkeypatch.setattr("mmmsba_plugin.evaluation.run.leading_silence_s", never)
        result = run(out=out, data=datasets)
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
        other = Reproduction(sources, settings, tmp_path, cache=feature_cache)
        row = other.table(TABLES["table4"]).rows[-1]
        assert not {run.run for run in row.runs} & run_of
        assert [run.seed for run in row.runs] == [0, 1]
        assert "limited to 6 clips of each split" in row.notes
        assert row.runs[0].num_train <= 6
        cell = row.cells[0]
        assert cell.span[0] <= cell.mean <= cell.span[1]


def _only_table_4(out: Path, datasets, cache, **more) -> Reproduction:
    sources = open_datasets([datasets["fakeavceleb"]])
    settings = Settings(fit=FitConfig.read(TINY), num_resamples=0)
    return Reproduction(sources, settings, out, cache=cache, **more)


@pytest.mark.story
class TestInterruption:
    @pytest.fixture
    def trained(self, everything, tmp_path) -> Path:
        """A folder whose networks are trained, and nothing judged."""
        out, _ = everything
        shutil.copytree(out / "runs", tmp_path / "out" / "runs")
        return tmp_path / "out"

    def test_an_evaluation_that_was_stopped_goes_on_at_the_next_clip(
        self, trained, datasets, feature_cache, everything
    ):
        clips = []

        def count(what, clip):
            if what == "evaluated":
                clips.append(clip)

        def stop_at_the_second(what, clip):
            count(what, clip)
            if len(clips) == 2:
                raise KeyboardInterrupt

        stopped = _only_table_4(trained, datasets, feature_cache, on_clip=stop_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            stopped.table(TABLES["table4"])
        (predictions,) = trained.glob("answers/*/*.jsonl")
        with predictions.open("a") as stream:
            stream.write('{"key": "cut off in the mid')
        resumed = _only_table_4(trained, datasets, feature_cache, on_clip=count)
        table = resumed.table(TABLES["table4"])
        assert len(clips) == len(set(clips)) == len(predictions.read_text().splitlines())
        whole = read(everything[0], "table4")["rows"][-1]["cells"][0]["ours"][0]["value"]
        assert table.rows[-1].cells[0].ours[0].value == whole

    def test_a_process_that_is_killed_loses_no_clip_that_it_judged(
        self, trained, datasets, feature_cache
    ):
        killed = subprocess.run(
            [
                sys.executable,
                "-c",
                _KILLED,
                str(trained),
                datasets["fakeavceleb"],
                json.dumps(TINY),
            ],
            env={**os.environ, "MMMSBA_CACHE": str(feature_cache.folder.parent)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        (predictions,) = trained.glob("answers/*/*.jsonl")
        before = predictions.read_text().splitlines()
        assert len(before) == 1
        calls = []
        _only_table_4(
            trained, datasets, feature_cache, on_clip=lambda *arguments: calls.append(arguments)
        ).table(TABLES["table4"])
        clips = [clip for what, clip in calls if what == "evaluated"]
        after = predictions.read_text().splitlines()
        assert after[:1] == before
        assert len(clips) == len(after) - 1
        assert json.loads(before[0])["key"] not in clips

    def test_training_that_was_stopped_leaves_a_run_that_is_not_taken_for_finished(
        self, datasets, feature_cache, tmp_path, monkeypatch
    ):
        def stop(*_, **__):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr("mmmsba_plugin.training.fit.choose_operating_point", stop)
            with pytest.raises(KeyboardInterrupt):
                _only_table_4(tmp_path, datasets, feature_cache).table(TABLES["table4"])
        table = _only_table_4(tmp_path, datasets, feature_cache).table(TABLES["table4"])
        assert table.rows[-1].status == "measured"
        assert len(list((tmp_path / "runs").iterdir())) == 1


_KILLED = """
import json, os, signal, sys
from pathlib import Path
from mmmsba_plugin.config import FitConfig
from mmmsba_plugin.reproduce.datasets import open_datasets
from mmmsba_plugin.reproduce.plan import TABLES
from mmmsba_plugin.reproduce.run import Reproduction, Settings

out, place, tiny = sys.argv[1:]
settings = Settings(fit=FitConfig.read(json.loads(tiny)), num_resamples=0)
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
datasets = open_datasets([place])
Reproduction(datasets, settings, Path(out), on_clip=die).table(TABLES["table4"])
"""


@pytest.mark.story
class TestWhatIsMissing:
    def test_rows_without_data_say_so_and_the_paper_is_shown(self, run, datasets, tmp_path):
        result = run("table2", out=tmp_path, data={"lav-df": datasets["lav-df"]})
        assert result.exit_code == _exit_codes.OK, result.output
        row = read(tmp_path, "table2")["rows"][1]
        assert row["status"] == "no data"
        assert row["notes"] == ["no data given: FakeAVCeleb and AV-Deepfake1M"]
        assert row["cells"][0]["reported"] == 0.909
        assert row["silence"] is None
        assert "reported (ours: no data)" in (tmp_path / "table2.md").read_text()
        assert "silent at first" not in result.stdout

    def test_what_is_known_of_a_dataset_is_not_said_of_its_stand_in(
        self, feature_cache, tmp_path, monkeypatch
    ):
        row = next(row for row in TABLES["table2"].rows if row.test == "tvil")
        table = replace(TABLES["table2"], rows=(row,))
        monkeypatch.setattr(Reproduction, "evaluate", lambda *_, **__: measured_as_nothing(table))
        monkeypatch.setattr(Reproduction, "leading_silence", lambda *_: None)
        for reader, is_noted in {"tvil": True, "lav-df": False}.items():
            readers = {"fakeavceleb": "fakeavceleb", "tvil": reader}
            sources = {
                name: DatasetSource(name, who_reads, tmp_path)
                for name, who_reads in readers.items()
            }
            reproduction = Reproduction(sources, Settings(), tmp_path, cache=feature_cache)
            (measured_row,) = reproduction.table(table).rows
            assert (measured_row.status, tables.VISUAL_ONLY in measured_row.notes) == (
                "measured",
                is_noted,
            )
        (measured_row,) = (
            Reproduction({}, Settings(), tmp_path, cache=feature_cache).table(table).rows
        )
        assert (measured_row.status, tables.VISUAL_ONLY in measured_row.notes) == ("no data", True)

    def test_a_dataset_that_cannot_be_used_costs_only_its_own_rows(
        self, run, datasets, talking_head_dataset, everything, tmp_path
    ):
        shutil.copytree(everything[0] / "runs", tmp_path / "out" / "runs")
        real = tmp_path / "genuine"
        shutil.copytree(talking_head_dataset, real)
        entries = json.loads((real / "metadata.json").read_text())
        put_json(real / "metadata.json", [e for e in entries if not e["n_fakes"]])
        data = {"fakeavceleb": f"fakeavceleb:lav-df={real}", "lav-df": datasets["lav-df"]}
        result = run("table4", out=tmp_path / "out", data=data)
        assert result.exit_code == _exit_codes.NOT_EVALUATED
        row = read(tmp_path / "out", "table4")["rows"][-1]
        assert row["status"] == "failed"
        assert "could not be done: there must be real and fake clips" in row["notes"][-1]

    def test_localization_is_not_measured_where_nobody_says_where(
        self, feature_cache, tmp_path, monkeypatch
    ):
        whole = replace(record("a", "test"), truth=(WHOLE_CLIP,))
        monkeypatch.setattr(DatasetSource, "records", lambda _: iter([record("b"), whole]))
        dataset = DatasetSource("av-deepfake1m", "folder", tmp_path)
        measured = Reproduction({dataset.name: dataset}, Settings(), tmp_path, cache=feature_cache)
        row = measured.table(TABLES["table5"]).rows[0]
        assert row.status == "failed"
        assert "does not say where its clips are fake" in row.notes[-1]

    def test_without_what_training_needs_the_extra_is_named(
        self, datasets, feature_cache, tmp_path, monkeypatch
    ):
        monkeypatch.setitem(sys.modules, "mmmsba_plugin.training.fit", None)
        with pytest.raises(MissingExtraError, match=r"pip install 'mmmsba-plugin"):
            _only_table_4(tmp_path, datasets, feature_cache).table(TABLES["table4"])

    def test_where_no_clip_can_be_heard_nothing_is_told(self, feature_cache, tmp_path, monkeypatch):
        clips = [record("a", "test"), record("b", "test", fake=True)]
        monkeypatch.setattr(DatasetSource, "records", lambda _: iter(clips))
        dataset = DatasetSource("lav-df", "lav-df", tmp_path)
        reproduction = Reproduction({"lav-df": dataset}, Settings(), tmp_path, cache=feature_cache)
        assert reproduction.leading_silence("lav-df") is None


def measured_as_nothing(table):
    """What the figures of a row are, where a test is not about them."""
    nothing = dict.fromkeys(table.metrics, Interval(math.nan, math.nan, math.nan))
    run = Run(0, "run", 1, 1, 0, None, 1, 1)
    return Evaluation("ours", "official", nothing), run, ()
