"""Each table of the paper names the training runs that it needs."""

import pytest

from mmmsba_plugin.config import FitConfig
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.reproduce import plan, tables
from mmmsba_plugin.reproduce.plan import TABLES, Method, Training


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
        training = Training(
            "tvil", Method("MS-SA", attention="ms-sa", modalities=("face", "audio"))
        )
        settings = training.settings(shared, 5)
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

    def test_a_method_can_set_the_network_and_its_training(self):
        shared = FitConfig.read({"train": {"modality_dropout": 0.5, "batch_size": 3}})
        method = Method("x", network=(("gru_units", 9),), train=(("modality_dropout", 0.1),))
        settings = Training("tvil", method).settings(shared, 2)
        assert settings.network == {"attention": "mmms-ba", "gru_units": 9}
        train = settings.train
        assert (train.modality_dropout, train.batch_size, train.seed) == (0.1, 3, 2)
