"""Networks that a reproduction needs, trained and measured once."""

import sys

import pytest

from mmmsba_plugin.datasets.load import DatasetSource
from mmmsba_plugin.errors import MissingExtraError
from mmmsba_plugin.reproduce.networks import Networks, Settings
from mmmsba_plugin.reproduce.plan import TABLES

from .clips_of import record
from .small_run import only_table_4

pytestmark = pytest.mark.story


def test_a_missing_extra_of_training_is_named(datasets, feature_cache, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mmmsba_plugin.training.fit", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'mmmsba-plugin"):
        only_table_4(tmp_path, datasets, feature_cache).table(TABLES["table4"])


def test_without_any_audible_clip_there_is_no_leading_silence(feature_cache, tmp_path, monkeypatch):
    clips = [record("a", "test"), record("b", "test", fake=True)]
    monkeypatch.setattr(DatasetSource, "records", lambda _: iter(clips))
    dataset = DatasetSource("lav-df", "lav-df", tmp_path)
    networks = Networks({"lav-df": dataset}, Settings(), tmp_path, cache=feature_cache)
    assert networks.leading_silence("lav-df") is None
