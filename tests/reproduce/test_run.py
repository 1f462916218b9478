"""The paper's tables, from the training runs they need to the page they end up on."""

import csv
import io
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

from mmmsba_plugin import plugins
from mmmsba_plugin.cli import _exit_codes, app
from mmmsba_plugin.config import FeaturesConfig, FitConfig
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.datasets.load import DatasetSource
from mmmsba_plugin.detector import MmmsbaDetector
from mmmsba_plugin.errors import ConfigError, DatasetError, MissingExtraError
from mmmsba_plugin.evaluation.evaluate import Evaluation
from mmmsba_plugin.evaluation.metrics.bootstrap import Interval
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.record import WHOLE_CLIP, Record
from mmmsba_plugin.reproduce import clip_reports, journal, plan, show, silence, tables
from mmmsba_plugin.reproduce.datasets import (
    TrainingSet,
    clips_to_learn,
    clips_to_test,
    digest_of,
    draw_records,
    is_stand_in,
    open_datasets,
    title,
)
from mmmsba_plugin.reproduce.plan import TABLES, Method, Training
from mmmsba_plugin.reproduce.result import Cell, MeasuredRow, MeasuredTable, Run, Silence
from mmmsba_plugin.reproduce.run import Reproduction, Settings
from mmmsba_plugin.reproduce.tables import Reported
from mmmsba_plugin.segment import Segment

from ..clips import numbered_frames
from ..layouts import av1m, lavdf, put_json, tvil_entry

TINY = {
    "network": {"gru_units": 4, "dense_units": 4},
    "train": {"max_epochs": 1, "batch_size": 8},
}
RATE_HZ = 16_000
IDENTITIES = [f"id{number:05d}" for number in range(8)]


def column(rows, measure):
    return [row.cells[measure].value if measure in row.cells else None for row in rows]


class TestReportedValues:
    """Transcribed a second time, by column where the package has rows."""

    @pytest.mark.parametrize(
        ("rows", "columns"),
        [
            (
                tables.TABLE_2,
                {
                    "auc": [0.989, 0.909, 0.958, 0.942],
                    "partial_auc": [0.977, 0.884, 0.938, 0.920],
                    "eer": [0.029, 0.178, 0.078, 0.126],
                    "accuracy": [0.979, 0.821, 0.932, 0.947],
                    "true_positive_rate": [0.965, 0.893, 0.912, 0.927],
                    "false_positive_rate": [0.039, 0.249, 0.081, 0.093],
                },
            ),
            (
                tables.TABLE_3,
                {
                    "auc": [0.979, 0.955, 0.968, 0.932],
                    "partial_auc": [0.962, 0.935, 0.952, 0.912],
                    "eer": [0.051, 0.088, 0.068, 0.118],
                    "accuracy": [0.968, 0.947, 0.956, 0.913],
                    "true_positive_rate": [0.954, 0.938, 0.941, 0.890],
                    "false_positive_rate": [0.062, 0.108, 0.074, 0.145],
                },
            ),
            (
                tables.TABLE_4,
                {
                    "auc": [
                        *(0.973, 0.968, 0.946, 0.942, 0.978, 0.965),
                        *(0.954, 0.929, 0.944, 0.925, 0.989),
                    ],
                    "accuracy": [
                        *(0.962, None, 0.850, 0.945, 0.965, 0.948),
                        *(0.960, None, None, None, 0.979),
                    ],
                },
            ),
            (
                tables.TABLE_6,
                {
                    "auc": [0.989, 0.977, 0.989],
                    "partial_auc": [0.978, 0.956, 0.977],
                    "eer": [0.033, 0.045, 0.029],
                    "accuracy": [0.979, 0.965, 0.979],
                    "true_positive_rate": [0.963, 0.943, 0.965],
                    "false_positive_rate": [0.039, 0.051, 0.039],
                },
            ),
            (
                tables.TABLE_7,
                {
                    "auc": [0.955, 0.814, 0.924, 0.989],
                    "partial_auc": [0.941, 0.798, 0.907, 0.978],
                    "eer": [0.074, 0.263, 0.175, 0.033],
                    "accuracy": [0.939, 0.736, 0.823, 0.979],
                    "true_positive_rate": [0.922, 0.818, 0.931, 0.963],
                    "false_positive_rate": [0.095, 0.345, 0.282, 0.039],
                },
            ),
        ],
        ids=["table2", "table3", "table4", "table6", "table7"],
    )
    def test_detection_is_as_the_paper_has_it(self, rows, columns):
        assert {measure: column(rows, measure) for measure in columns} == columns

    @pytest.mark.parametrize(
        ("measure", "percent"),
        [
            (
                "ap@0.5",
                [
                    *(6.23, 36.08, 44.42, 51.64, 62.75),
                    *(12.96, 85.23, 96.30, 97.56),
                    *(23.08, 86.27, 76.90, 88.68, 96.87),
                ],
            ),
            (
                "ap@0.75",
                [
                    *(0.08, 12.01, 13.64, 28.07, 35.87),
                    *(0.97, 59.05, 84.96, 95.25),
                    *(8.45, 83.03, 38.50, 84.70, 81.33),
                ],
            ),
            (
                "ap@0.95",
                [
                    *(0.00, 0.16, 0.03, 1.58, 18.37),
                    *(0.00, 0.93, 4.44, 39.02),
                    *(5.32, 28.17, 0.25, 62.43, 28.43),
                ],
            ),
            (
                "ar@10",
                [
                    *(11.45, 26.60, 34.67, 42.09, 54.28),
                    *(18.79, 76.93, 78.75, 89.42),
                    *(17.16, 84.82, 66.90, 87.09, 88.61),
                ],
            ),
            (
                "ar@20",
                [
                    *(15.79, 27.00, 40.37, 43.45, 55.94),
                    *(21.67, 77.19, 79.40, 95.93),
                    *(23.47, 85.77, 64.08, 88.21, 87.83),
                ],
            ),
            (
                "ar@50",
                [
                    *(23.75, 27.11, 48.86, 48.86, 57.49),
                    *(30.54, 77.23, 80.48, 93.45),
                    *(43.98, 88.10, 60.77, 90.43, 90.47),
                ],
            ),
            (
                "ar@100",
                [
                    *(31.71, None, None, None, 59.66),
                    *(38.12, 77.23, 81.62, 94.05),
                    *(45.18, 88.49, 58.42, 91.16, 92.91),
                ],
            ),
        ],
    )
    def test_localization_is_as_the_paper_has_it(self, measure, percent):
        shares = [None if value is None else pytest.approx(value / 100) for value in percent]
        assert column(tables.TABLE_5, measure) == shares

    def test_the_paper_s_own_averages_come_out(self):
        # Its text: within a dataset .984 and .973, across datasets .944 and .919.
        within = [tables.TABLE_2[0], tables.TABLE_3[0]]
        across = [*tables.TABLE_2[1:], *tables.TABLE_3[1:]]
        for rows, auc, accuracy in ((within, 0.984, 0.973), (across, 0.944, 0.919)):
            for measure, said in (("auc", auc), ("accuracy", accuracy)):
                values = column(rows, measure)
                assert sum(values) / len(values) == pytest.approx(said, abs=6e-4)


class TestMarks:
    DETECTION = (*tables.TABLE_2, *tables.TABLE_3, *tables.TABLE_6, *tables.TABLE_7)

    def marked(self, rows, measure, reason):
        return [
            (row.test, row.method)
            for row in rows
            if measure in row.cells and reason in row.cells[measure].marks
        ]

    def test_accuracy_lies_outside_both_rates_in_twelve_of_fifteen_rows(self):
        assert len(self.DETECTION) == 15
        assert len(self.marked(self.DETECTION, "accuracy", tables.ACCURACY_OUTSIDE)) == 12

    def test_no_roc_curve_fits_eight_of_fifteen_rows(self):
        assert len(self.marked(self.DETECTION, "eer", tables.EER_UNREACHABLE)) == 8

    def test_rows_that_agree_with_themselves_have_no_mark(self):
        learned_elsewhere = [row for row in tables.TABLE_7 if row.method == "L+A"]
        assert not any(cell.marks for row in learned_elsewhere for cell in row.cells.values())

    def test_recall_that_falls_is_marked_on_both_sides_of_the_fall(self):
        falls = {
            measure: self.marked(tables.TABLE_5, measure, tables.RECALL_FALLS)
            for measure in ("ar@10", "ar@20", "ar@50", "ar@100")
        }
        lavdf, tvil, reversed_row = ("lav-df", "MMMS-BA"), ("tvil", "MMMS-BA"), ("tvil", "BA-TFD+")
        assert falls == {
            "ar@10": [reversed_row, tvil],
            "ar@20": [lavdf, reversed_row, tvil],
            "ar@50": [lavdf, reversed_row],
            "ar@100": [reversed_row],
        }

    @pytest.mark.parametrize(
        ("rows", "reason", "measure", "where"),
        [
            (tables.TABLE_2, tables.TEXT_DISAGREES, "accuracy", ("av-deepfake1m", "MMMS-BA")),
            (tables.TABLE_5, tables.REVERSED, "ap@0.5", ("tvil", "BA-TFD+")),
            (tables.TABLE_5, tables.COPIED_CELL, "ar@50", ("av-deepfake1m", "UMMAFormer")),
            (tables.TABLE_7, tables.NOT_THIS_TABLES, "eer", ("fakeavceleb", "V+L+A")),
        ],
    )
    def test_what_a_reader_saw_is_marked_where_it_is(self, rows, reason, measure, where):
        assert self.marked(rows, measure, reason) == [where]

    def test_table_7_repeats_a_row_of_table_6_that_is_not_its_own(self):
        last = [cell.value for cell in tables.TABLE_7[3].cells.values()]
        of_table_6 = {
            row.method: [cell.value for cell in row.cells.values()] for row in tables.TABLE_6
        }
        assert last == of_table_6["MMUS-SA"] != of_table_6["MMMS-BA"]

    def test_a_doubtful_row_of_table_5_says_why(self):
        noted = {(row.test, row.method): row.notes for row in tables.TABLE_5}
        assert noted["av-deepfake1m", "MMMS-BA"] == ()
        assert noted["av-deepfake1m", "BA-TFD+"] == (tables.OTHER_TEST,)
        assert noted["lav-df", "MMMS-BA"] == noted["tvil", "Enc-Dec"] == (tables.TRAINED_ON_WHAT,)
        assert noted["lav-df", "BA-TFD+"] == (tables.IN_DOMAIN,)


class TestPlan:
    def trainings(self, *names):
        rows = [row for name in names or TABLES for row in TABLES[name].rows]
        return {row.training for row in rows if row.training}

    def test_the_run_of_table_2_serves_tables_4_6_and_7(self):
        (run,) = self.trainings("table2")
        assert self.trainings("table4") == {run}
        assert run in self.trainings("table6") & self.trainings("table7")

    def test_all_tables_need_twelve_runs_a_seed(self):
        # Six on FakeAVCeleb (three attentions, three pairs of modalities), and two, MMMS-BA and
        # Enc-Dec, on each of the three datasets that localization is measured on.
        assert len(self.trainings()) == 12

    def test_localization_is_planned_by_both_readings_of_what_it_was_trained_on(self):
        ours = [row for row in TABLES["table5"].rows if row.training]
        planned = {(row.method, row.training.dataset, row.test) for row in ours}
        on_1m = {("av-deepfake1m", test) for test in ("av-deepfake1m", "lav-df", "tvil")}
        own = {("lav-df", "lav-df"), ("tvil", "tvil")}
        assert planned == {(m, *c) for m in ("MMMS-BA", "Enc-Dec") for c in on_1m | own}
        assert len(ours) == len(planned)
        labelled = [row for row in ours if plan.SAME_DATASET in row.notes]
        assert {(row.training.dataset, row.test) for row in labelled} == own

    def test_fakeavceleb_has_no_figures_of_localization(self):
        assert all(row.test != "fakeavceleb" for row in TABLES["table5"].rows)

    def test_each_of_our_rows_on_tvil_says_that_it_is_visual_only(self):
        on_tvil = [row for t in TABLES.values() for row in t.rows if row.test == "tvil"]
        assert {row.of_dataset for row in on_tvil if row.training} == {(tables.VISUAL_ONLY,)}
        others = [row for t in TABLES.values() for row in t.rows if row.test != "tvil"]
        assert {row.of_dataset for row in others} == {()}

    def test_a_method_is_put_over_the_settings_that_all_share(self):
        shared = FitConfig.read({"network": {"gru_units": 7, "attention": "none"}})
        told = Training("tvil", Method("MS-SA", attention="ms-sa", modalities=("face", "audio")))
        settings = told.settings(shared, 5)
        assert settings.network == {"gru_units": 7, "attention": "ms-sa"}
        assert (settings.preset, settings.train.seed) == ("paper", 5)
        assert set(settings.features.front_ends) == {"face", "audio"}

    def test_enc_dec_is_its_own_preset_and_keeps_only_the_sizes(self):
        shared = FitConfig.read({"network": {"gru_units": 7, "attention": "ms-sa"}})
        settings = Training("tvil", plan.ENC_DEC).settings(shared, 0)
        assert (settings.preset, settings.network) == ("enc-dec", {"gru_units": 7})
        (model,) = settings.members({"face": 2, "audio": 2})
        assert (model.attention, model.joint_layers, model.heads) == ("none", 2, ("classify",))

    def test_the_settings_of_all_cannot_be_those_of_enc_dec(self):
        with pytest.raises(ConfigError, match=r"choose enc-dec themselves .*; leave it out"):
            Training("tvil", plan.MMMS_BA).settings(FitConfig(preset="enc-dec"), 0)

    def test_a_table_that_is_not_there_is_answered_with_those_there_are(self):
        with pytest.raises(ConfigError, match="there is no 'table8'; choose from table2, table3"):
            plan.table("table8")


def record(name, split="train", *, fake=False, identity=None, **more):
    truth = (Segment(0.0, 1.0),) if fake else ()
    media = Path("/corpus") / name
    return Record(media, truth=truth, split=split, identity=identity, key=name, **more)


class TestData:
    def test_a_dataset_is_named_with_its_folder(self, tmp_path):
        dataset = open_datasets([f"lav-df={tmp_path}"])["lav-df"]
        assert (dataset.reader, dataset.root, is_stand_in(dataset)) == ("lav-df", tmp_path, False)
        assert title(dataset) == "LAV-DF"

    def test_another_reader_makes_it_a_stand_in_that_says_so(self, tmp_path):
        dataset = open_datasets([f"fakeavceleb:lav-df={tmp_path}"])["fakeavceleb"]
        assert is_stand_in(dataset)
        assert title(dataset) == f"stand-in for FakeAVCeleb (lav-df: {tmp_path.name})"

    def test_its_own_reader_may_be_named(self, tmp_path):
        assert not is_stand_in(open_datasets([f"tvil:tvil={tmp_path}"])["tvil"])

    def test_what_no_reader_is_named_for_is_recognised(self, tmp_path):
        (dataset,) = open_datasets([str(lavdf(tmp_path))]).values()
        assert (dataset.name, dataset.reader) == ("lav-df", "lav-df")

    def test_the_papers_protocol_is_used_unless_another_is_named(self, tmp_path):
        for spec, protocol in {
            "fakeavceleb": "70-10-20",
            "fakeavceleb[protocol=five-fold]": "five-fold",
        }.items():
            dataset = open_datasets([f"{spec}={tmp_path}"])["fakeavceleb"]
            assert dataset.settings["protocol"] == protocol

    def test_the_former_place_of_the_reader_is_answered_with_the_new_one(self, tmp_path):
        with pytest.raises(ConfigError, match=f"here fakeavceleb:lav-df={tmp_path}$"):
            open_datasets([f"fakeavceleb=lav-df:{tmp_path}"])

    def test_a_colon_in_a_path_is_no_reader(self, tmp_path):
        folder = tmp_path / "a:b"
        folder.mkdir()
        assert open_datasets([f"tvil={tmp_path}/a:b"])["tvil"].root == folder

    @pytest.mark.parametrize(
        ("said", "reason"),
        [
            (["celebdf=."], "'celebdf=.' names no dataset; give NAME=DIR"),
            (["lav-df"], "'lav-df' names no dataset; give NAME=DIR"),
            (["lav-df=gone"], "there is no folder 'gone'; check the path"),
            (["lav-df=lavdf:."], "there is no folder 'lavdf:.'; check the path"),
            (["lav-df=.", "lav-df=."], "lav-df is given twice; give each dataset one folder"),
        ],
    )
    def test_what_names_no_dataset_is_refused(self, said, reason):
        with pytest.raises(ConfigError, match=reason):
            open_datasets(said)

    @pytest.fixture
    def dataset(self, monkeypatch, tmp_path):
        """A dataset of records that a test makes up."""

        def make(*records):
            monkeypatch.setattr(DatasetSource, "records", lambda _: iter(records))
            return DatasetSource("lav-df", "lav-df", tmp_path)

        return make

    def test_a_dataset_with_all_splits_is_taken_as_it_is(self, dataset):
        made = dataset(record("a"), record("b", "dev"), record("c", "test"), record("d", "other"))
        assert [(r.key, r.split) for r in clips_to_learn(made)] == [("a", "train"), ("b", "dev")]
        tested = clips_to_test(made)
        assert ([r.key for r in tested.records], tested.split) == (["c"], "test")

    @given(st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=30), st.integers(0, 9))
    def test_without_a_test_split_nobody_is_tested_on_who_was_validated_on(self, identities, seed):
        train = [record(f"{i}", identity=identity) for i, identity in enumerate(identities)]
        made = DatasetSource("lav-df", "lav-df", Path("/corpus"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(DatasetSource, "records", lambda _: iter([*train, record("z", "dev")]))
            learned, tested = clips_to_learn(made, seed=seed), clips_to_test(made)
        assert ([r.key for r in tested.records], tested.split) == (["z"], "dev")
        assert sorted(r.key for r in learned) == sorted(r.key for r in train)
        by_split = {s: {r.identity for r in learned if r.split == s} for s in ("train", "dev")}
        assert by_split["dev"]
        assert not by_split["train"] & by_split["dev"]

    def test_a_dataset_without_what_is_needed_says_so(self, dataset):
        with pytest.raises(DatasetError, match="LAV-DF has no training split; give another"):
            clips_to_learn(dataset(record("a", "test")))
        with pytest.raises(DatasetError, match="no clips of split test or dev; say in its meta"):
            clips_to_test(dataset(record("a")))

    @given(
        st.lists(st.booleans(), max_size=30),
        st.integers(2, 30),
        st.integers(0, 5),
    )
    def test_a_limit_draws_half_of_each_and_a_larger_one_keeps_them(self, fake, limit, more):
        records = [record(str(i), fake=one) for i, one in enumerate(fake)]
        kept = draw_records(records, limit)
        assert len(kept) == min(limit, len(records))
        assert kept == [one for one in records if one in kept]
        assert {r.name for r in kept} <= {r.name for r in draw_records(records, limit + more)}
        kinds = [sum(one.fake is kind for one in kept) for kind in (True, False)]
        there = [sum(one.fake is kind for one in records) for kind in (True, False)]
        assert all(k >= min(t, limit // 2) for k, t in zip(kinds, there, strict=True))

    def test_without_a_limit_all_are_drawn(self):
        assert draw_records([record("a"), record("b")], None) == [record("a"), record("b")]

    def test_nobody_is_tested_on_who_was_learned_from_in_the_same_dataset(self, dataset):
        made = dataset()
        learned = TrainingSet.of(made, [record("a", identity="ann")])
        assert learned.shared_with(made, [record("b", identity="bob")]) == 0
        with pytest.raises(DatasetError, match="'ann' is both learned from and tested on in LAV"):
            learned.shared_with(made, [record("b", identity="ann")])

    def test_a_identity_of_another_dataset_is_counted_and_a_clip_refused(self, dataset, tmp_path):
        learned = TrainingSet.of(dataset(), [record("a", identity="ann")])
        other = DatasetSource("tvil", "tvil", tmp_path / "other")
        assert learned.shared_with(other, [record("b", identity="ann")]) == 1
        with pytest.raises(DatasetError, match="/a is both learned from and tested on"):
            learned.shared_with(other, [record("a", identity="bob")])

    @pytest.mark.parametrize(
        "other", [record("b"), record("a", "dev"), record("a", fake=True), record("a", None)]
    )
    def test_other_clips_splits_or_ground_truth_are_another_run(self, other):
        assert digest_of([record("a")]) == digest_of([record("a", identity="ann")])
        assert digest_of([record("a")]) != digest_of([other])


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
        given = [word for spec in dict(data).values() for word in ("--data", spec)]
        said = ["reproduce", *arguments, *given, "-o", out, "--config", tiny, "--resamples", 20]
        return CliRunner().invoke(app, [str(word) for word in [*said, "--workers", 1]])

    yield invoke
    plugins.forget()


@pytest.fixture(scope="module")
def everything(datasets, tiny, feature_cache, tmp_path_factory):
    """All tables, measured in one run: its folder, and what the command said."""
    out = tmp_path_factory.mktemp("reproduced") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMMSBA_CACHE", str(feature_cache.folder.parent))
        plugins.forget()
        given = [word for spec in datasets.values() for word in ("--data", spec)]
        said = ["reproduce", *given, "-o", str(out), "--config", str(tiny), "--resamples", "20"]
        result = CliRunner().invoke(app, [*said, "--workers", "2"])
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
            found = read(out, name)
            status = ["measured" if row.training else "reported" for row in table.rows]
            assert [row["status"] for row in found["rows"]] == status
            for row in found["rows"]:
                assert [cell["measure"] for cell in row["cells"]] == list(table.metrics)
                ours = [len(cell["ours"]) for cell in row["cells"]]
                assert set(ours) == {int(row["status"] == "measured")}

    def test_no_run_is_done_twice(self, everything):
        out, said = everything
        assert len(list((out / "runs").iterdir())) == 12
        assert said.count("training ") == 12

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
        out, said = everything
        for name, table in TABLES.items():
            rows = [row for row in read(out, name)["rows"] if row["status"] == "measured"]
            assert rows
            found = {row["tested_on"]: row["silence"] for row in rows}
            for row in rows:
                run, alone = row["runs"][0], row["silence"]
                assert 0.5 <= alone["auc"]["value"] <= 1.0
                assert alone["num_clips"] == run["num_real"] + run["num_fake"]
                assert alone == found[row["tested_on"]]
            page = (out / f"{name}.md").read_text()
            for dataset, alone in found.items():
                figure = f"{alone['auc']['value']:.{table.digits}f}"
                told = "looking only at how long clips are silent at first would reach AUC"
                assert f"on {dataset}, {told} {figure}" in page
                assert f"on {dataset}, {told} {figure}" in said
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
        assert any("official validation split" in note for note in row["notes"])
        assert any("4 of the 57340 test clips" in note for note in row["notes"])
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
        out, said = everything
        assert "table5: Localization" in said
        assert tables.MISSING_ROW in said
        assert f"wrote {out / 'table7.md'}" in said

    def test_asked_again_nothing_is_trained_nor_judged(
        self, everything, datasets, run, monkeypatch
    ):
        out, _ = everything
        before = {path: path.read_bytes() for path in out.glob("table*")}

        def never(*_, **__):
            raise AssertionError("this was done before")

        monkeypatch.setattr("mmmsba_plugin.training.fit.fit", never)
        monkeypatch.setattr(MmmsbaDetector, "detect", never)
        monkeypatch.setattr(silence, "leading_silence_s", never)
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
        given = open_datasets([datasets["fakeavceleb"]])
        other = Reproduction(given, settings, tmp_path, cache=feature_cache)
        row = other.table(TABLES["table4"]).rows[-1]
        assert not {run.run for run in row.runs} & run_of
        assert [run.seed for run in row.runs] == [0, 1]
        assert "limited to 6 clips of each split" in row.notes
        assert row.runs[0].num_train <= 6
        cell = row.cells[0]
        assert cell.span[0] <= cell.mean <= cell.span[1]


def _only_table_4(out: Path, datasets, cache, **more) -> Reproduction:
    given = open_datasets([datasets["fakeavceleb"]])
    settings = Settings(fit=FitConfig.read(TINY), num_resamples=0)
    return Reproduction(given, settings, out, cache=cache, **more)


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
        judged = []

        def count(what, clip):
            if what == "judged":
                judged.append(clip)

        def stop_at_the_second(what, clip):
            count(what, clip)
            if len(judged) == 2:
                raise KeyboardInterrupt

        stopped = _only_table_4(trained, datasets, feature_cache, on_clip=stop_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            stopped.table(TABLES["table4"])
        (predictions,) = trained.glob("answers/*/*.jsonl")
        with predictions.open("a") as stream:
            stream.write('{"key": "cut off in the mid')
        resumed = _only_table_4(trained, datasets, feature_cache, on_clip=count)
        found = resumed.table(TABLES["table4"])
        assert len(judged) == len(set(judged)) == len(predictions.read_text().splitlines())
        whole = read(everything[0], "table4")["rows"][-1]["cells"][0]["ours"][0]["value"]
        assert found.rows[-1].cells[0].ours[0].value == whole

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
        told = []
        _only_table_4(
            trained, datasets, feature_cache, on_clip=lambda *one: told.append(one)
        ).table(TABLES["table4"])
        judged = [clip for what, clip in told if what == "judged"]
        after = predictions.read_text().splitlines()
        assert after[:1] == before
        assert len(judged) == len(after) - 1
        assert json.loads(before[0])["key"] not in judged

    def test_training_that_was_stopped_leaves_a_run_that_is_not_taken_for_finished(
        self, datasets, feature_cache, tmp_path, monkeypatch
    ):
        def stop(*_, **__):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr("mmmsba_plugin.training.fit.choose_operating_point", stop)
            with pytest.raises(KeyboardInterrupt):
                _only_table_4(tmp_path, datasets, feature_cache).table(TABLES["table4"])
        found = _only_table_4(tmp_path, datasets, feature_cache).table(TABLES["table4"])
        assert found.rows[-1].status == "measured"
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


class TestPredictions:
    def test_a_clip_that_could_not_be_read_is_named_and_tried_again(
        self, detector, feature_cache, talking_head_dataset, tmp_path
    ):
        good = next(read_lavdf(talking_head_dataset))
        broken = replace(good, media=tmp_path / "gone.mp4", key="gone.mp4")
        told, path = [], tmp_path / "answers.jsonl"
        for _ in range(2):
            found = clip_reports.predict_clips(
                detector, [good, broken], path, cache=feature_cache, on_clip=told.append
            )
        assert told == [good.key, "gone.mp4", "gone.mp4"]
        assert "gone.mp4" in found["gone.mp4"].problem
        predictions = clip_reports.as_predictions(found, name="ours")
        assert list(predictions.scores) == [good.key]
        assert predictions.threshold == found[good.key].threshold

    def test_what_is_kept_is_what_the_report_says(
        self, detector, feature_cache, talking_head_dataset, tmp_path
    ):
        records = list(read_lavdf(talking_head_dataset))[:3]
        path = tmp_path / "answers.jsonl"
        found = clip_reports.predict_clips(detector, records, path, cache=feature_cache, workers=2)
        for record in records:
            report, kept = detector.detect(record.media), found[record.key]
            assert kept.score == report.score
            spans, scores = kept.proposals
            said = [(p.start_s, p.end_s, p.score) for p in report.proposals]
            assert [(*s, p) for s, p in zip(spans.tolist(), scores.tolist(), strict=True)] == said

    @pytest.mark.parametrize("line", ["not json", "[]", '{"key": "a"}', '{"score": 0.5}'])
    def test_a_damaged_line_is_named(self, tmp_path, line):
        path = tmp_path / "answers.jsonl"
        path.write_text(f"{line}\n")
        with pytest.raises(DatasetError, match=r"jsonl, line 1 is damaged; remove the line"):
            clip_reports.read(path)

    def test_without_predictions_there_is_neither_score_nor_threshold(self):
        predictions = clip_reports.as_predictions({}, name="ours")
        assert predictions.scores == {}
        assert predictions.threshold is None


class TestSilence:
    @pytest.fixture
    def clips(self, tmp_path) -> list[Record]:
        """A real clip that is heard at once, a fake one that is not, and one without audio."""
        loud = np.full(RATE_HZ, 0.1, dtype=np.float32)
        late = np.where(np.arange(RATE_HZ) < RATE_HZ // 4, 0.0, loud).astype(np.float32)
        made = {"loud": (loud, False), "late": (late, True), "mute": (None, True)}
        for name, (audio, _) in made.items():
            frames = numbered_frames(5)
            write_clip(tmp_path / f"{name}.mkv", frames, fps_hz=25, audio=audio)
        return [
            replace(record(name, fake=fake), media=tmp_path / f"{name}.mkv")
            for name, (_, fake) in made.items()
        ]

    def test_the_silence_that_clips_start_with_is_kept_clip_by_clip(self, clips, tmp_path):
        gone = replace(record("gone"), media=tmp_path / "gone.mkv")
        (tmp_path / "text.mkv").write_text("no film")
        broken = replace(record("broken"), media=tmp_path / "text.mkv")
        told, path = [], tmp_path / "new" / "silence.jsonl"
        found = silence.leading_silences(
            [*clips, gone, broken], path, workers=2, on_clip=told.append
        )
        assert found == {
            "loud": pytest.approx(0.0, abs=0.02), "late": pytest.approx(0.25, abs=0.02),
            "mute": None,
        }  # fmt: skip
        assert told == ["loud", "late", "mute", "broken"]
        assert journal.read(path, lambda said: said["silence_s"]) == found

    def test_what_was_heard_is_not_listened_to_again(self, clips, tmp_path):
        path = tmp_path / "silence.jsonl"
        path.write_text('{"key": "loud", "silence_s": 3.0}\n{"key": "late", "sil')
        told = []
        found = silence.leading_silences(clips, path, on_clip=told.append)
        assert found["loud"] == 3.0
        assert told == ["late", "mute"]
        assert silence.leading_silences(clips[:2], path, on_clip=told.append).keys() == {
            "loud",
            "late",
        }
        assert told == ["late", "mute"]

    def test_a_damaged_line_is_named(self, clips, tmp_path):
        path = tmp_path / "silence.jsonl"
        path.write_text('{"key": "loud", "silence_s": "long"}\n')
        with pytest.raises(DatasetError, match="line 1 is damaged; remove the line to have its"):
            silence.leading_silences(clips, path)

    def test_where_no_clip_can_be_heard_nothing_is_told(self, feature_cache, tmp_path, monkeypatch):
        clips = [record("a", "test"), record("b", "test", fake=True)]
        monkeypatch.setattr(DatasetSource, "records", lambda _: iter(clips))
        dataset = DatasetSource("lav-df", "lav-df", tmp_path)
        made = Reproduction({"lav-df": dataset}, Settings(), tmp_path, cache=feature_cache)
        assert made._silence("lav-df") is None


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
        monkeypatch.setattr(Reproduction, "_measure", lambda *_, **__: measured_as_nothing(table))
        monkeypatch.setattr(Reproduction, "_measure_silence", lambda *_: None)
        for reader, said in {"tvil": True, "lav-df": False}.items():
            readers = {"fakeavceleb": "fakeavceleb", "tvil": reader}
            given = {
                name: DatasetSource(name, who_reads, tmp_path)
                for name, who_reads in readers.items()
            }
            made = Reproduction(given, Settings(), tmp_path, cache=feature_cache)
            (found,) = made.table(table).rows
            assert (found.status, tables.VISUAL_ONLY in found.notes) == ("measured", said)
        (found,) = Reproduction({}, Settings(), tmp_path, cache=feature_cache).table(table).rows
        assert (found.status, tables.VISUAL_ONLY in found.notes) == ("no data", True)

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
        with pytest.raises(MissingExtraError, match=r"install it with: pip install 'mmmsba-plugin"):
            _only_table_4(tmp_path, datasets, feature_cache).table(TABLES["table4"])


class TestCommand:
    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (["table1"], "there is no 'table1'; choose from table2"),
            (
                ["--seeds", "0,one"],
                "--seeds must be whole numbers with commas between, got '0,one'",
            ),
            (["--data", "mine=."], "'mine=.' names no dataset"),
            (["--config", "gone.json"], "gone.json cannot be read as JSON"),
        ],
    )
    def test_what_cannot_be_asked_for_is_refused_at_once(self, arguments, reason, tmp_path):
        result = CliRunner().invoke(app, ["reproduce", *arguments, "-o", str(tmp_path / "out")])
        assert result.exit_code == _exit_codes.STOPPED
        assert reason in result.stderr
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize("names", [["table2"], []])
    def test_without_data_the_names_are_listed_and_nothing_is_written(self, names, tmp_path):
        result = CliRunner().invoke(app, ["reproduce", *names, "-o", str(tmp_path / "out")])
        assert result.exit_code == _exit_codes.USAGE
        said = " ".join(result.stderr.replace("│", " ").split())
        assert "--data" in said
        assert "say where a dataset lies, such as lav-df=DIR; there are fakeavceleb, av-" in said
        assert "av-deepfake1m, lav-df, tvil, and tables use those that are given" in said
        assert not (tmp_path / "out").exists()

    def test_settings_that_are_no_object_are_refused(self, tmp_path):
        (tmp_path / "list.json").write_text("[]")
        result = CliRunner().invoke(app, ["reproduce", "--config", str(tmp_path / "list.json")])
        assert result.exit_code == _exit_codes.STOPPED
        assert "FitConfig" in result.stderr


SETUP = {
    "stride_s": 0.08,
    "front_ends": {m: c.name for m, c in FeaturesConfig().front_ends.items()},
    "preset": "paper",
    "seeds": [0, 1],
    "num_resamples": 20,
    "measured": "clips",
}


def measured_as_nothing(table):
    """What the figures of a row are, where a test is not about them."""
    nothing = dict.fromkeys(table.metrics, Interval(math.nan, math.nan, math.nan))
    run = Run(0, "run", 1, 1, 0, None, 1, 1)
    return Evaluation("ours", "official", nothing), run, ()


def one_row_table(*cells, **row):
    made = MeasuredRow("MMMS-BA", "LAV-DF", "TVIL | x", "measured", cells, **row)
    measures = tuple(cell.measure for cell in cells)
    return MeasuredTable("table9", "A table", measures, 3, (made,), SETUP, ("all of it",))


class TestShow:
    def test_one_seed_shows_its_interval_and_more_their_mean_and_range(self):
        one = Cell("auc", (Interval(0.9, 0.85, 0.95),))
        two = Cell("eer", (Interval(0.1, 0.05, 0.2), Interval(0.2, 0.1, 0.3)))
        page = show.as_markdown(one_row_table(one, two))
        assert "| 0.900<br>(0.850 to 0.950) |" in page
        assert "| mean 0.150<br>seeds (0.100 to 0.200)<br>first 0.100 (0.050 to 0.200) |" in page

    def test_figures_that_are_not_defined_are_a_dash_and_null(self):
        cell = Cell("auc", (Interval(math.nan, math.nan, math.nan),))
        table = one_row_table(cell)
        assert "| ours | - |" in show.as_markdown(table)
        (row,) = json.loads(show.as_json(table))["rows"]
        assert row["cells"][0]["ours"] == [{"value": None, "low": None, "high": None}]
        assert row["cells"][0]["mean"] is None
        (line,) = csv.DictReader(show.as_csv(table).splitlines())
        assert line["value"] == ""

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

    def test_leading_silence_is_told_once_a_dataset_and_in_every_file(self):
        table = one_row_table(Cell("auc"), silence=Silence(Interval(0.625, 0.5, math.nan), 7))
        twice = replace(table, rows=table.rows * 2)
        told = "on TVIL | x, looking only at how long clips are silent at first would reach AUC"
        assert show.footnotes(twice) == [f"{told} 0.625; clips with audio: 7", "all of it"]
        (row,) = json.loads(show.as_json(table))["rows"]
        assert row["silence"] == {
            "auc": {"value": 0.625, "low": 0.5, "high": None},
            "num_clips": 7,
        }
        (line,) = csv.DictReader(show.as_csv(table).splitlines())
        assert line["leading_silence_auc"] == "0.625"
        with_ends = one_row_table(Cell("auc"), silence=Silence(Interval(0.625, 0.5, 0.75), 7))
        assert show.footnotes(with_ends)[0].startswith(f"{told} 0.625 (0.500 to 0.750); clips")

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
        said = out.getvalue()
        assert "…" not in said
        # The value and its ends in each cell; where there are two seeds, their range and mean.
        assert Counter(re.findall(r"\d\.\d+", said)) == {
            "0.605": 6 + 5, "0.549": 6, "0.653": 6, "0.977": 6, "0.513": 5, "0.559": 5,
        }  # fmt: skip
        assert all(word in said for word in (*name.split(), *map(show.heading, tables.DETECTION)))

    def test_a_bar_in_a_name_does_not_break_the_page(self):
        page = show.as_markdown(one_row_table(Cell("auc")))
        assert "TVIL \\| x" in page

    def test_files_are_whole_or_not_there(self, tmp_path):
        paths = show.write(one_row_table(Cell("auc")), tmp_path / "new")
        names = ["table9.json", "table9.csv", "table9.md"]
        assert [path.name for path in paths] == names
        assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(names)
