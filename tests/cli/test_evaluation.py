"""Parts of ``mmmsba evaluate``: predictions, ground truth, and where metrics are written."""

import json
from pathlib import Path

import pytest
from rich.console import Console
from typer import BadParameter

from mmmsba_plugin.cli._evaluation import (
    GroundTruthOptions,
    published_tables,
    read_system,
    require_published,
    write_json,
)
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.evaluation.evaluate import Evaluation, SideBySide
from mmmsba_plugin.evaluation.metrics.bootstrap import Interval
from mmmsba_plugin.evaluation.truth_file import read_ground_truth

TRUTH = [{"file": "a.mp4", "fake_segments": [[1, 2]]}, {"file": "b.mp4", "fake_segments": []}]
COMPARISON = SideBySide((Evaluation("ours", "official", {"auc": Interval(0.9, 0.8, 1.0)}),))


@pytest.fixture
def truth(tmp_path) -> Path:
    path = tmp_path / "metadata.json"
    path.write_text(json.dumps(TRUTH))
    return path


@pytest.fixture
def to() -> Console:
    return Console(record=True, width=400)


def write_predictions(path: Path, **spans) -> Path:
    path.write_text(json.dumps({f"{name}.mp4": rows for name, rows in spans.items()}))
    return path


class TestGroundTruthOptions:
    @pytest.mark.parametrize("data", [(None, None), (Path("truth.json"), "dataset")])
    def test_one_of_a_file_and_a_dataset_is_given(self, data):
        with pytest.raises(BadParameter, match="one of --truth FILE and --data DIR"):
            GroundTruthOptions(*data, None, listens=False)

    def test_a_file_has_ground_truth_and_no_clips(self, truth):
        options = GroundTruthOptions(truth, None, None, listens=True)
        assert options.ground_truth().fake.tolist() == [True, False]
        assert (options.dataset, options.silence_s, options.has_dataset) == ("", {}, False)
        with pytest.raises(BadParameter, match="give PREDICTIONS with --truth"):
            options.clips(need_media=True)

    def test_a_dataset_names_its_reader_and_how_long_clips_are_silent(self, talking_head_dataset):
        options = GroundTruthOptions(None, str(talking_head_dataset), "dev", listens=True)
        keys = [record.key for record in options.clips(need_media=True)]
        assert options.dataset == "lav-df"
        assert list(options.silence_s) == keys
        assert all(silence_s is not None for silence_s in options.silence_s.values())

    def test_the_silence_of_a_clip_that_cannot_be_read_is_unknown(self, tmp_path):
        for name in ("real", "fake"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "a.mp4").write_text("no film")
        options = GroundTruthOptions(None, str(tmp_path), None, listens=True)
        assert len(options.ground_truth().keys) == 2
        assert options.silence_s == {"fake/a.mp4": None, "real/a.mp4": None}


class TestReadSystem:
    def test_a_form_before_the_path_is_no_part_of_it(self, truth, tmp_path, to):
        path = write_predictions(tmp_path / "frames.json", a=[[0.9, 25, 50]], b=[])
        ground_truth = read_ground_truth(truth)
        predictions = read_system(f"lav-df={path}", ground_truth, None, to)
        assert predictions.proposals.spans.tolist() == [[1.0, 2.0]]
        assert to.export_text() == ""

    def test_a_file_whose_name_looks_like_a_form_is_a_file(self, truth, tmp_path, to, monkeypatch):
        monkeypatch.chdir(tmp_path)
        write_predictions(Path("lav-df=x.json"), a=[[0.9, 1, 2]], b=[])
        predictions = read_system("lav-df=x.json", read_ground_truth(truth), 0.25, to)
        assert predictions.proposals.spans.tolist() == [[1.0, 2.0]]
        assert predictions.threshold == 0.25

    def test_what_does_not_match_is_counted(self, truth, tmp_path, to):
        path = write_predictions(tmp_path / "partly.json", a=[[0.9, 1, 2]], z=[[0.5, 0, 1]])
        read_system(str(path), read_ground_truth(truth), None, to)
        output = to.export_text()
        assert "1 predictions are of no clip of the dataset" in output
        assert "1 clips have no prediction" in output

    def test_scores_that_are_no_probabilities_still_rank_segments(self, truth, tmp_path, to):
        path = write_predictions(tmp_path / "logits.json", a=[[9, 1, 2]], b=[[-3, 0, 1]])
        assert read_system(str(path), read_ground_truth(truth), None, to).proposals is not None
        assert "only localization is measured" in to.export_text()

    def test_an_empty_path_is_a_wrong_command_line(self, truth, to):
        with pytest.raises(BadParameter, match="a path to predictions is empty"):
            read_system("", read_ground_truth(truth), None, to)


class TestPublished:
    def test_a_dataset_must_be_named_or_given(self, truth):
        of_file = GroundTruthOptions(truth, None, None, listens=False)
        require_published(["lav-df"], of_file)
        require_published([""], GroundTruthOptions(None, "dataset", None, listens=False))
        with pytest.raises(BadParameter, match="published:lav-df"):
            require_published([""], of_file)
        with pytest.raises(ConfigError, match="are known of 'nowhere'"):
            require_published(["nowhere"], of_file)

    def test_of_ones_own_clips_nothing_is_published(self, truth):
        options = GroundTruthOptions(truth, None, None, listens=False)
        options.dataset = "folder"
        tables = published_tables(COMPARISON, ["", "lav-df"], options)
        assert tables["detection on folder"] == tables["localization on folder"] == []
        assert "ours" in [row.system for row in tables["detection on lav-df"]]


def test_metrics_go_to_a_file_or_to_stdout(tmp_path, capsys):
    path = tmp_path / "figures.json"
    write_json(COMPARISON, {}, path)
    write_json(COMPARISON, {}, Path("-"))
    assert path.read_text() == capsys.readouterr().out
    assert "published" not in json.loads(path.read_text())
