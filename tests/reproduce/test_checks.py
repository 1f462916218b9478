"""The next checks of the paper name the training runs that they need."""

import shutil

import pytest

from mmmsba_plugin.cli import _exit_codes
from mmmsba_plugin.config import FitConfig
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.reproduce.checks import CHECKS, HALF_NOTE, POLICY_NOTE, table
from mmmsba_plugin.reproduce.missing import COMPLETE
from mmmsba_plugin.reproduce.plan import MMMS_BA, Training

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


@pytest.fixture(scope="module")
def measured(everything, datasets, invoke_reproduce, tmp_path_factory):
    """The folder with the checks, beside the runs of the paper's tables."""
    out = tmp_path_factory.mktemp("checks") / "out"
    shutil.copytree(everything[0], out)
    result = invoke_reproduce(*CHECKS, out=out, data={"x": datasets["fakeavceleb"]})
    assert result.exit_code == _exit_codes.OK, result.output
    return out


@pytest.mark.story
class TestMeasured:
    @pytest.mark.parametrize("name", CHECKS)
    def test_every_row_is_measured_and_compared(self, measured, name):
        rows = read(measured, name)["rows"]
        assert [row["status"] for row in rows] == ["measured"] * len(rows)
        differences = [[cell["difference"] for cell in row["cells"]] for row in rows]
        assert differences[0] == [None] * len(differences[0])
        for row, difference in zip(rows[1:], differences[1:], strict=True):
            assert None not in difference
            baseline = next(r for r in CHECKS[name].rows if r.method == row["method"]).baseline
            (of_baseline,) = [r for r in rows if r["method"] == baseline.method]
            auc, baseline_auc = row["cells"][0]["mean"], of_baseline["cells"][0]["mean"]
            assert row["cells"][0]["difference"]["value"] == pytest.approx(auc - baseline_auc)

    def test_only_networks_that_the_papers_tables_lack_are_trained(self, measured, everything):
        before, after = (
            {run.name for run in (out / "runs").iterdir()} for out in (everything[0], measured)
        )
        new = sorted(name.split("_")[2] for name in after - before)
        # Hidden in training, and five components left out.
        assert new == ["audio", *["face+lips+audio"] * 6]

    def test_the_page_states_the_policy_and_shows_no_empty_line_of_the_paper(self, measured):
        page = (measured / "missing.md").read_text()
        assert POLICY_NOTE in page
        assert HALF_NOTE in page
        assert "reported" not in page
        assert "difference: clip by clip from MMMS-BA, over all seeds" in page
