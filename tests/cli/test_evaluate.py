"""``mmmsba evaluate``, typed."""

import json
import shutil
from unittest import mock

import pytest
from typer.testing import CliRunner

from mmmsba_plugin import plugins
from mmmsba_plugin.cli import _exit_codes, app
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.model.checkpoint import read_config

#: The worked example that the official evaluator was run on; see the test of figures below.
TRUTH = [
    {"file": "a.mp4", "fake_segments": [[1, 2], [4, 5]]},
    {"file": "b.mp4", "fake_segments": [[0.5, 1.5]]},
    {"file": "c.mp4", "fake_segments": []},
]
PREDICTIONS = {
    "a.mp4": [[0.95, 1, 2.1], [0.8, 4.2, 5], [0.3, 1, 2]],
    "b.mp4": [[0.9, 0.5, 0.9], [0.6, 0.5, 1.6]],
    "c.mp4": [[0.7, 2, 3], [0.1, 0, 1]],
}


#: A detector that has nothing but the protocol, and swallows any option.
STUBBORN_FILE = """
from mmmsba_plugin.hookspecs import DetectorEntry, hookimpl

class Stubborn:
    info = {"name": "stubborn"}

    def detect(self, media, **options):
        raise AssertionError("it must not be run")

@hookimpl
def forensics_detectors():
    summary = "Heeds no option."
    yield DetectorEntry(
        name="stubborn", summary=summary, modalities=("audio",), load=lambda path: Stubborn()
    )
"""


@pytest.fixture
def run(monkeypatch, tmp_path):
    monkeypatch.setenv("MMMSBA_CACHE", str(tmp_path / "cache"))
    plugins.forget()

    def typed(*words):
        return CliRunner().invoke(app, ["evaluate", *map(str, words)])

    yield typed
    plugins.forget()


@pytest.fixture
def stubborn(run, tmp_path):
    path = tmp_path / "stubborn.py"
    path.write_text(STUBBORN_FILE)
    del run  # forgets plug-ins first
    plugins.load_file(path)
    yield
    plugins.forget()


@pytest.fixture
def predictions(tmp_path):
    path = tmp_path / "prediction.json"
    path.write_text(json.dumps(PREDICTIONS))
    return path


@pytest.fixture
def truth(tmp_path):
    path = tmp_path / "metadata.json"
    path.write_text(json.dumps(TRUTH))
    return path


class TestPredictions:
    """Figures of any system, from its predictions and a file of truth."""

    def test_the_official_figures_of_the_worked_example_are_printed(self, run, predictions, truth):
        result = run(predictions, "--truth", truth, "--json", "-", "--proposals", "50,5,2,1")
        assert result.exit_code == _exit_codes.OK, result.stderr
        metrics = json.loads(result.stdout)
        # What avdeepfake1m 0.0.4 printed for these clips.
        assert metrics["ap"] == {
            "0.5": 0.4222222566604614,
            "0.75": 0.4222222566604614,
            "0.9": 0.13333334028720856,
            "0.95": 0.055555559694767,
        }
        assert metrics["ar"] == {
            "50": 0.8666666150093079,
            "5": 0.8666666150093079,
            "2": 0.8333333134651184,
            "1": 0.29999998211860657,
        }
        assert metrics["intervals"] == {}

    def test_the_right_form_can_be_asked_for(self, run, predictions, truth):
        result = run(predictions, "--truth", truth, "--json", "-", "--mode", "voc", "--tiou", "0.5")
        assert json.loads(result.stdout)["ap"] == {"0.5": pytest.approx((1 + 2 / 3 + 3 / 5) / 3)}

    def test_the_table_tells_the_same_with_intervals(self, run, predictions, truth):
        result = run(predictions, "--truth", truth, "--resamples", 50)
        assert result.exit_code == _exit_codes.OK, result.stderr
        assert "1 real and 2 fake clips were evaluated" in result.stdout
        [row] = [line for line in result.stdout.splitlines() if "ap@0.9 " in line]
        assert row.split()[1] == "0.133"
        assert "to" in row

    def test_figures_tables_plots_and_proposals_are_written(
        self, run, predictions, truth, tmp_path
    ):
        out = tmp_path / "new" / "out"
        result = run(predictions, "--truth", truth, "-o", out, "--resamples", 5)
        assert result.exit_code == _exit_codes.OK, result.stderr
        assert {path.name for path in out.iterdir()} == {
            *("figures.json", "figures.csv", "proposals.npz", "roc.png"),
            *("precision_recall.png", "ap_by_tiou.png", "reliability.png"),
            *("prediction.json", "prediction.txt"),
        }
        again = run(out / "proposals.npz", "--truth", truth, "--json", "-")
        assert (
            json.loads(again.stdout)["ap"] == json.loads((out / "figures.json").read_text())["ap"]
        )

    def test_without_matplotlib_all_but_the_plots_is_written(
        self, run, predictions, truth, tmp_path, caplog
    ):
        with mock.patch("mmmsba_plugin.evaluation.plots.find_spec", return_value=None):
            result = run(predictions, "--truth", truth, "-o", tmp_path / "out", "--resamples", 5)
        assert result.exit_code == _exit_codes.OK, result.stderr
        assert "no plots: plots need matplotlib; install it with: pip" in caplog.text
        assert {path.suffix for path in (tmp_path / "out").iterdir()} == {
            *(".json", ".csv", ".npz", ".txt"),
        }

    def test_systems_are_set_side_by_side_with_paired_differences(
        self, run, predictions, truth, tmp_path
    ):
        worse = tmp_path / "worse.json"
        worse.write_text(json.dumps(PREDICTIONS | {"a.mp4": [[0.2, 8, 9]]}))
        result = run(predictions, "--truth", truth, "--beside", worse, "--json", "-")
        metrics = json.loads(result.stdout)
        [other] = metrics["beside"]
        gain = metrics["gains"]["worse"]["values"]["ap@0.5"]
        assert gain == pytest.approx(metrics["ap"]["0.5"] - other["ap"]["0.5"])
        assert "less worse, on the same draws of clips" in result.stderr

    def test_published_results_stand_beside(self, run, predictions, truth):
        result = run(
            predictions, "--truth", truth, "--beside", "published:lav-df", "--resamples", 0
        )
        assert result.exit_code == _exit_codes.OK, result.stderr
        assert "UMMAFormer" in result.stdout
        assert "ActionFormer" in result.stdout
        assert "ActionFormer" in result.stdout

    def test_a_file_of_truth_does_not_say_which_published_results_are_meant(
        self, run, predictions, truth
    ):
        result = run(predictions, "--truth", truth, "--beside", "published", "--resamples", 0)
        assert result.exit_code == _exit_codes.USAGE
        assert "say of which dataset, such as published:lav-df" in result.stderr.replace("│", " ")

    def test_each_system_can_have_a_form_of_its_own(self, run, predictions, truth, tmp_path):
        frames = tmp_path / "frames.json"
        frames.write_text(
            json.dumps({k: [[s, 25 * a, 25 * b] for s, a, b in v] for k, v in PREDICTIONS.items()})
        )
        result = run(predictions, "--truth", truth, "--beside", f"lav-df={frames}", "--json", "-")
        metrics = json.loads(result.stdout)
        assert metrics["beside"][0]["ap"] == metrics["ap"]
        assert metrics["ap"]["0.5"] == 0.4222222566604614

    def test_systems_of_one_name_are_distinguished(self, run, predictions, truth):
        result = run(
            predictions, predictions, "--truth", truth, "--beside", predictions, "--json", "-"
        )
        assert len(json.loads(result.stdout)["gains"]) == 2

    def test_a_threshold_can_be_stated(self, run, predictions, truth):
        command = (predictions, "--truth", truth, "--json", "-")
        detection = json.loads(run(*command, "--threshold", 0.65).stdout)["detection"]
        assert (detection["true_positive_rate"], detection["false_positive_rate"]) == (1.0, 1.0)
        detection = json.loads(run(*command, "--threshold", 0.92).stdout)["detection"]
        assert (detection["true_positive_rate"], detection["false_positive_rate"]) == (0.5, 0.0)

    @pytest.mark.parametrize(
        "option",
        [("--checkpoint", "x"), ("--trim-silence",), ("--fpr", "0.05"), ("--detector", "x")],
    )
    def test_what_would_do_nothing_is_refused(self, run, predictions, truth, option):
        result = run(predictions, "--truth", truth, *option)
        assert result.exit_code == _exit_codes.USAGE
        assert f"{option[0]} is for evaluating a detector" in " ".join(result.stderr.split())

    def test_scores_that_are_no_probabilities_rank_segments_all_the_same(
        self, run, truth, tmp_path
    ):
        logits = tmp_path / "logits.json"
        logits.write_text(
            json.dumps({k: [[10 * s, a, b] for s, a, b in v] for k, v in PREDICTIONS.items()})
        )
        result = run(logits, "--truth", truth, "--json", "-")
        metrics = json.loads(result.stdout)
        assert metrics["ap"]["0.5"] == 0.4222222566604614
        assert metrics["detection"]["auc"] is None
        assert "only localization is measured" in result.stderr

    def test_clips_without_predictions_and_predictions_without_clips_are_counted(
        self, run, truth, tmp_path
    ):
        partly = tmp_path / "partly.json"
        partly.write_text(json.dumps({"a.mp4": PREDICTIONS["a.mp4"], "z.mp4": [[0.5, 0, 1]]}))
        result = run(partly, "--truth", truth, "--json", "-")
        assert result.exit_code == _exit_codes.NOT_EVALUATED
        assert json.loads(result.stdout)["unjudged"] == ["b.mp4", "c.mp4"]
        assert "1 predictions are of no clip of the dataset" in result.stderr
        assert "2 clips have no prediction: nothing was found in them" in result.stderr

    @pytest.mark.parametrize(
        ("words", "reason"),
        [
            ((), "give the truth by one of --truth FILE and --data DIR"),
            (("--truth", "x", "--data", "y"), "give the truth by one of --truth FILE"),
            (("--truth", "x", "--mode", "best"), "best is none of official, voc"),
            (("--truth", "x", "--tiou", "half"), "half is no list such as 0.5,0.75"),
        ],
    )
    def test_a_wrong_command_line_says_what_to_type(self, run, predictions, words, reason):
        result = run(predictions, *words)
        assert result.exit_code == _exit_codes.USAGE
        assert reason in " ".join(result.stderr.replace("│", " ").split())

    def test_a_file_cannot_be_the_folder_of_outputs(self, run, predictions, truth):
        result = run(predictions, "--truth", truth, "-o", truth)
        assert result.exit_code == _exit_codes.STOPPED
        assert "is a file; -o names a folder, --json a file" in result.stderr

    def test_published_results_are_in_the_json_too(self, run, predictions, truth):
        command = (predictions, "--truth", truth, "--beside", "published:lav-df", "--json", "-")
        published = json.loads(run(*command).stdout)["published"]
        assert set(published) == {"localization on lav-df", "detection on lav-df"}
        assert "UMMAFormer" in [row["system"] for row in published["localization on lav-df"]]

    def test_a_dataset_of_which_nothing_is_published_is_refused_at_once(
        self, run, predictions, truth
    ):
        result = run(predictions, "--truth", truth, "--beside", "published:nowhere")
        assert result.exit_code == _exit_codes.STOPPED
        assert "no published results are known of 'nowhere'; choose from" in result.stderr
        assert not result.stdout


class TestDataset:
    """Metrics of a detector that is run on the clips of a dataset."""

    def test_a_checkpoint_is_measured_with_what_its_clips_give_away(
        self, run, talking_head_dataset, checkpoint, tmp_path
    ):
        out = tmp_path / "figures.json"
        result = run(
            "--data", f"lav-df={talking_head_dataset}", "--checkpoint", checkpoint,
            "--split", "dev", "--json", out, "--resamples", 5,
        )  # fmt: skip
        assert result.exit_code == _exit_codes.OK, result.stderr
        metrics = json.loads(out.read_text())
        records = list(read_lavdf(talking_head_dataset, split="dev"))
        assert metrics["num_real"] + metrics["num_fake"] == len(records)
        assert metrics["system"] == checkpoint.name
        assert {"snippet_auc", "audio_auc"} <= metrics["detection"].keys()
        assert "leading_silence_auc" in metrics
        # One identity is no sample of identities.
        assert metrics["intervals"] == {}
        assert f"{metrics['detection']['auc']:.3f}" in result.stdout
        assert "no intervals: they need clips of two people or more" in result.stdout
        assert "looking only at how long clips are silent at first" in result.stdout

    def test_leading_silence_can_be_left_out_and_not_be_listened_for(
        self, run, talking_head_dataset, checkpoint
    ):
        result = run(
            "--data", talking_head_dataset, "--checkpoint", checkpoint, "--split", "dev",
            "--trim-silence", "--no-leaks", "--resamples", 0,
        )  # fmt: skip
        assert result.exit_code == _exit_codes.OK, result.stderr
        assert "silent at first" not in result.stdout

    @pytest.mark.parametrize(
        ("option", "message"), [(("--fpr", 0.05), "no thresholds"), (("--trim-silence",), "heeds")]
    )
    @pytest.mark.usefixtures("stubborn")
    def test_what_a_detector_cannot_do_is_refused_and_not_measured_otherwise(
        self, run, talking_head_dataset, option, message
    ):
        result = run("--data", talking_head_dataset, "--detector", "stubborn", *option)
        assert result.exit_code == _exit_codes.USAGE
        assert message in result.stderr

    def test_reports_of_a_batch_are_measured_as_predictions(
        self, run, talking_head_dataset, checkpoint, tmp_path
    ):
        clips = [record.media for record in read_lavdf(talking_head_dataset, split="dev")]
        detect = ["detect", *clips, "--checkpoint", checkpoint, "-o", tmp_path / "reports"]
        assert (
            CliRunner().invoke(app, [*map(str, detect), "--format", "json"]).exit_code
            == _exit_codes.OK
        )
        truth = ("--data", talking_head_dataset, "--split", "dev", "--resamples", 0)
        by_detector = run("--checkpoint", checkpoint, *truth, "--json", tmp_path / "a.json")
        by_reports = run(tmp_path / "reports", *truth, "--json", tmp_path / "b.json")
        assert (by_detector.exit_code, by_reports.exit_code) == (_exit_codes.OK, _exit_codes.OK), (
            by_reports.stderr
        )
        here, there = (json.loads((tmp_path / f"{x}.json").read_text()) for x in "ab")
        assert (here["ap"], here["ar"]) == (there["ap"], there["ar"])
        assert here["detection"]["auc"] == there["detection"]["auc"]

    def test_a_readers_own_dataset_is_meant_where_none_is_named(
        self, run, predictions, talking_head_dataset, tmp_path
    ):
        key = next(iter(read_lavdf(talking_head_dataset, split="dev"))).key
        predictions.write_text(json.dumps({key: [[0.9, 0, 1]]}))
        options = ("--data", talking_head_dataset, "--split", "dev", "--resamples", 0)
        result = run(predictions, *options, "--beside", "published")
        assert "localization on lav-df, %" in result.stdout
        assert "they compare only if --data is that dataset itself" in result.stdout

    def test_a_split_that_is_not_there_is_answered_with_those_there_are(
        self, run, talking_head_dataset, checkpoint
    ):
        result = run("--data", talking_head_dataset, "--checkpoint", checkpoint, "--split", "tset")
        assert result.exit_code == _exit_codes.STOPPED
        assert "has no split 'tset'; it has: dev" in result.stderr

    def test_clips_that_could_not_be_evaluated_are_named(
        self, run, talking_head_dataset, checkpoint, tmp_path
    ):
        dataset = shutil.copytree(talking_head_dataset, tmp_path / "dataset")
        broken = next(iter(read_lavdf(dataset, split="dev"))).media
        broken.write_text("no film")
        result = run(
            "--data", dataset, "--checkpoint", checkpoint, "--split", "dev", "--resamples", 2
        )
        assert result.exit_code == _exit_codes.NOT_EVALUATED
        assert f"not evaluated: {broken}: cannot read {broken}: it holds text" in result.stdout

    def test_a_file_of_truth_has_no_clips_to_evaluate(self, run, truth, checkpoint):
        result = run("--truth", truth, "--checkpoint", checkpoint)
        assert result.exit_code == _exit_codes.USAGE
        message = " ".join(result.stderr.replace("│", " ").split())
        assert "give PREDICTIONS with --truth, or clips to evaluate with --data" in message

    def test_what_is_measured_is_what_the_checkpoint_says_it_is(
        self, run, talking_head_dataset, checkpoint
    ):
        assert read_config(checkpoint).score_threshold.value
        result = run(
            "--data", talking_head_dataset, "--checkpoint", checkpoint, "--split", "dev",
            "--resamples", 0, "--json", "-",
        )  # fmt: skip
        assert json.loads(result.stdout)["detection"]["accuracy"] is not None
