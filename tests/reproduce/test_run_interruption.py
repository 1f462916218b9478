"""A reproduction that was interrupted goes on where it stopped."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mmmsba_plugin.reproduce.plan import TABLES

from .small_run import TINY, only_table_4, read

_KILLED = """
import json, os, signal, sys
from pathlib import Path
from mmmsba_plugin.config import FitConfig
from mmmsba_plugin.reproduce.datasets import open_datasets
from mmmsba_plugin.reproduce.plan import TABLES
from mmmsba_plugin.reproduce.networks import Networks, Settings
from mmmsba_plugin.reproduce.run import Reproduction

out, place, tiny = sys.argv[1:]
settings = Settings(fit=FitConfig.read(json.loads(tiny)), seeds=(0,), num_resamples=0)
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
datasets = open_datasets([place])
Reproduction(Networks(datasets, settings, Path(out), on_clip=die)).table(TABLES["table4"])
"""


@pytest.mark.story
class TestInterruption:
    @pytest.fixture
    def trained(self, everything, tmp_path) -> Path:
        """A folder whose networks are trained, and nothing evaluated."""
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

        stopped = only_table_4(trained, datasets, feature_cache, on_clip=stop_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            stopped.table(TABLES["table4"])
        (predictions,) = trained.glob("answers/*/*.jsonl")
        with predictions.open("a") as stream:
            stream.write('{"key": "cut off in the mid')
        resumed = only_table_4(trained, datasets, feature_cache, on_clip=count)
        table = resumed.table(TABLES["table4"])
        assert len(clips) == len(set(clips)) == len(predictions.read_text().splitlines())
        whole = read(everything[0], "table4")["rows"][-1]["cells"][0]["ours"][0]["value"]
        assert table.rows[-1].cells[0].ours[0].value == whole

    def test_a_process_that_is_killed_loses_no_clip_that_it_evaluated(
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
        only_table_4(
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
                only_table_4(tmp_path, datasets, feature_cache).table(TABLES["table4"])
        table = only_table_4(tmp_path, datasets, feature_cache).table(TABLES["table4"])
        assert table.rows[-1].status == "measured"
        assert len(list((tmp_path / "runs").iterdir())) == 1
