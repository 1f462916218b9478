"""The manifest: runs that resume, and datasets that are not mixed."""

import json

import pytest

from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.datasets.reader import refuse
from mmmsba_plugin.errors import (
    DatasetError,
)
from mmmsba_plugin.forge.dataset import forge_dataset

from .clips import MOUTH, OPTIONS, dataset_files, described


def test_an_interrupted_run_can_be_used_goes_on_and_ends_with_the_same_dataset(
    real, fake, tmp_path
):
    def interrupt(count, total, name):
        assert total == 5
        if count == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        forge_dataset(real, tmp_path, **OPTIONS, on_progress=interrupt)
    half = list(read_lavdf(tmp_path, on_error=refuse))
    assert len(half) == 10
    summary = forge_dataset(real, tmp_path, **OPTIONS)
    assert summary.num_resumed == 2
    assert summary.num_fake == fake[1].num_fake
    assert summary.written_s == pytest.approx(0.6 * fake[1].written_s, rel=0.05)
    assert dataset_files(tmp_path) == dataset_files(fake[0])


def test_a_clip_that_was_lost_is_made_again(real, tmp_path):
    options = {"per_clip": 1, "seed": 0, "forgers": [MOUTH], "split": "dev"}
    first = forge_dataset(real, tmp_path, **options)
    before = dataset_files(tmp_path)
    next(tmp_path.rglob("*_1.mp4")).unlink()
    again = forge_dataset(real, tmp_path, **options)
    assert (first.num_real, again.num_resumed) == (1, 0)
    assert dataset_files(tmp_path) == before


def test_two_datasets_are_not_mixed(real, tmp_path):
    options = {"forgers": [MOUTH], "split": "dev"}
    forge_dataset(real, tmp_path, per_clip=1, seed=0, **options)
    with pytest.raises(DatasetError, match=r"forged with other settings \(per_clip, seed\)"):
        forge_dataset(real, tmp_path, per_clip=2, seed=1, **options)


def test_a_manifest_of_an_older_version_is_refused(real, tmp_path):
    path = tmp_path / ".progress" / "settings.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"per_clip": 1, "genuine_per_clip": 1, "seed": 0}))
    with pytest.raises(DatasetError, match="has the form of version 1"):
        forge_dataset(real, tmp_path, per_clip=1, seed=0, forgers=[MOUTH])


def test_somebody_else_s_dataset_is_not_overwritten(real, tmp_path):
    described(tmp_path)
    with pytest.raises(DatasetError, match=r"already holds a metadata\.json of unknown making"):
        forge_dataset(real, tmp_path, per_clip=1, seed=0, forgers=[MOUTH])
