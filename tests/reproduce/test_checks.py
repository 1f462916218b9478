"""The next checks of the paper name the training runs that they need."""

import shutil
from itertools import product

import pytest

from mmmsba_plugin.cli import _exit_codes
from mmmsba_plugin.config import FitConfig
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.reproduce.checks import CHECKS, table
from mmmsba_plugin.reproduce.datasets import TITLES
from mmmsba_plugin.reproduce.missing import COMPLETE
from mmmsba_plugin.reproduce.networks import Networks, Settings
from mmmsba_plugin.reproduce.plan import MMMS_BA, TABLES, Training
from mmmsba_plugin.reproduce.run import Reproduction

from .small_run import TINY, read


def settings_of(row):
    return row.training.settings(FitConfig(), 0)


class TestEachCheck:
    @pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
    def test_rows_are_compared_on_the_same_test_clips(self, check):
        compared = [row for row in check.rows if row.baseline]
        assert compared
        for row in compared:
            assert row.baseline in check.rows
            assert row.test == row.baseline.test

    @pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
    def test_every_row_has_settings_that_can_be_read(self, check):
        for row in check.rows:
            shared = FitConfig.read(TINY)
            assert row.training.settings(shared, 3).train.seed == 3

    def test_a_table_that_is_not_there_is_answered_with_those_there_are(self):
        with pytest.raises(ConfigError, match=r"'table8'; choose from table2, .*, missing"):
            table("table8")


class TestMissing:
    ROWS = CHECKS["missing"].rows

    def test_complete_clips_are_scored_by_the_network_of_the_papers_tables(self):
        paper = Training("fakeavceleb", MMMS_BA).settings(FitConfig(), 0)
        (row,) = [row for row in self.ROWS if row.baseline is None]
        assert settings_of(row) == paper

    def test_audio_faces_and_half_of_both_are_missing_for_both_trainings(self):
        tests = {}
        for row in self.ROWS:
            tests.setdefault(row.training.method.name, []).append(row.missing)
        paper, hidden, *_ = tests.values()
        assert paper == hidden
        assert paper[0] == COMPLETE
        assert [m.groups for m in paper[1:3]] == [(("audio",),), (("face", "lips"),)]
        assert paper[3].share == 0.5

    def test_what_training_is_worth_is_told_under_the_same_test(self):
        for row in self.ROWS:
            if row.baseline and row.training != row.baseline.training:
                assert row.missing == row.baseline.missing

    def test_a_network_trained_without_a_modality_is_told_nothing_of_it(self):
        deaf, blind = (settings_of(row).features.front_ends for row in self.ROWS[-2:])
        assert (set(deaf), set(blind)) == ({"face", "lips"}, {"audio"})


class TestComponents:
    ROWS = CHECKS["components"].rows

    def test_each_component_of_the_network_is_left_out_once(self):
        whole, *others = [settings_of(row).members({"face": 1, "audio": 1})[0] for row in self.ROWS]
        changed = [
            {name for name in type(whole).model_fields if getattr(whole, name) != getattr(m, name)}
            for m in others
        ]
        assert changed == [{"recurrent"}, {"dense"}, {"attention"}, {"gate"}, {"residual"}]

    def test_all_are_compared_with_the_network_of_the_papers_tables(self):
        whole, *others = self.ROWS
        assert whole.training == Training("fakeavceleb", MMMS_BA)
        assert all(row.baseline == whole for row in others)


class TestSystems:
    def test_another_system_is_its_preset_on_the_same_features(self):
        ours, _, *others, _ = map(settings_of, CHECKS["systems"].rows)
        presets = ("fpn-transformer", "correlation", "dimodif")
        for other, preset in zip(others, presets, strict=True):
            assert other.features == ours.features
            (network,) = other.members({"face": 1, "audio": 1})
            assert (network,) == FitConfig(preset=preset).members({"face": 1, "audio": 1})

    def test_wafl_is_its_preset_and_brings_its_words_and_its_loss(self):
        preset, wafl = FitConfig.read({"preset": "wafl"}), settings_of(CHECKS["systems"].rows[-1])
        assert (wafl.features, wafl.train.loss) == (preset.features, preset.train.loss)
        assert wafl.members({"text": 9}) == preset.members({"text": 9})

    def test_wafl_takes_words_of_transcripts_where_all_rows_have_them(self):
        front_ends = {"audio": {"name": "log-mel"}, "text": {"name": "words"}}
        faces = {"face": {"name": "face-texture"}, "lips": {"name": "lips-texture"}}
        shared = FitConfig.read({"features": {"front_ends": {**faces, **front_ends}}})
        ours, *_, wafl = (row.training.settings(shared, 0) for row in CHECKS["systems"].rows)
        assert "text" not in ours.features.front_ends
        assert wafl.features == shared.features


class TestCross:
    ROWS = CHECKS["cross"].rows

    def test_each_dataset_is_tested_by_the_network_of_each(self):
        pairs = [(row.training.dataset, row.test) for row in self.ROWS]
        assert sorted(pairs) == sorted(product(TITLES, TITLES))

    def test_the_gap_is_counted_from_the_network_of_the_dataset_that_is_tested(self):
        for row in self.ROWS:
            own = row.training.dataset == row.test
            assert (row.baseline is None) == own
            if row.baseline:
                assert row.baseline.training == Training(row.test, MMMS_BA)

    def test_the_runs_are_those_of_the_papers_tables(self):
        planned = {row.training for table in TABLES.values() for row in table.rows}
        assert {row.training for row in self.ROWS} <= planned

    def test_rows_of_datasets_that_were_not_given_say_so(self, tmp_path, feature_cache):
        nothing = Reproduction(Networks({}, Settings(), tmp_path, cache=feature_cache))
        rows = nothing.table(CHECKS["cross"]).rows
        assert {row.status for row in rows} == {"no data"}
        assert rows[1].notes[-1] == "no data given: AV-Deepfake1M and FakeAVCeleb"


#: By the modalities that they are told, the runs that each check needs beside the paper's tables.
NEW_RUNS = {
    "missing": ["audio", "face+lips+audio"],
    "components": ["face+lips+audio"] * 5,
    "systems": ["face+audio", *["face+lips+audio"] * 3, "face+lips+audio+text"],
    "cross": [],
}


@pytest.mark.story
@pytest.mark.parametrize("name", CHECKS)
def test_every_row_is_measured_and_compared(name, everything, datasets, invoke_reproduce, tmp_path):
    shutil.copytree(everything[0] / "runs", tmp_path / "runs")
    before = {run.name for run in (tmp_path / "runs").iterdir()}
    result = invoke_reproduce(name, out=tmp_path, data=datasets)
    assert result.exit_code == _exit_codes.OK, result.output
    new = {run.name for run in (tmp_path / "runs").iterdir()} - before
    assert sorted(run.split("_")[2] for run in new) == NEW_RUNS[name]
    planned, rows = CHECKS[name].rows, read(tmp_path, name)["rows"]
    assert [row["status"] for row in rows] == ["measured"] * len(planned)
    aucs = [row["cells"][0] for row in rows]
    for plan, auc in zip(planned, aucs, strict=True):
        if plan.baseline is None:
            assert auc["difference"] is None
        else:
            gain = auc["mean"] - aucs[planned.index(plan.baseline)]["mean"]
            assert auc["difference"]["value"] == pytest.approx(gain)
    page = (tmp_path / f"{name}.md").read_text()
    assert all(sentence in page for sentence in CHECKS[name].notes)
    assert "reported" not in page
    assert "difference: clip by clip from MMMS-BA trained on stand-in for FakeAVCeleb" in page
