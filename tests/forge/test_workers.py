"""Work in several processes."""

import os

import pytest

from mmmsba_plugin.errors import (
    WorkerError,
)
from mmmsba_plugin.forge.audio.splice import SpliceAudio
from mmmsba_plugin.forge.visual.mouth_swap import MouthSwap
from mmmsba_plugin.forge.workers import is_portable, map_unordered


def test_a_process_that_dies_ends_the_run_with_advice():
    with pytest.raises(WorkerError, match="run again with fewer"):
        list(map_unordered(os._exit, [1, 1], workers=2))


def test_work_is_done_in_this_process_where_no_other_could_do_it():
    assert is_portable(MouthSwap(), SpliceAudio())

    class Local:
        pass

    assert not is_portable(Local())
    Local.__module__ = "_video_forensics_mine"
    assert not is_portable(Local())
