"""The command ``watch``."""

import pytest

from mmmsba_plugin.cli import _exit_codes
from mmmsba_plugin.schema import StreamUpdate

pytestmark = pytest.mark.usefixtures("cached_features")


def test_each_chunk_gets_a_line_with_its_time_and_the_highest_score(run, checkpoint, talking_clip):
    result = run("watch", talking_clip, "--checkpoint", checkpoint, "--chunk-s", 2)
    assert result.exit_code == _exit_codes.OK
    assert "0:00.00 to 0:02.00" in result.stdout
    assert "highest so far 0." in result.stdout


def test_what_holds_for_many_chunks_is_said_once(run, checkpoint, pair_clip):
    result = run("watch", pair_clip, "--checkpoint", checkpoint, "--chunk-s", 2)
    assert result.stdout.count("faces in view; only the main one was judged") == 1


def test_updates_can_be_lines_of_json(run, checkpoint, talking_clip):
    result = run("watch", talking_clip, "--checkpoint", checkpoint, "--chunk-s", 2, "--json")
    updates = [StreamUpdate.model_validate_json(line) for line in result.stdout.splitlines()]
    assert [update.is_last for update in updates] == [False, True]


def test_a_source_that_is_not_there_is_one_clear_error(run, checkpoint):
    result = run("watch", "gone.mkv", "--checkpoint", checkpoint)
    assert result.exit_code == _exit_codes.STOPPED
    assert "there is no file at gone.mkv; give a path, a URL" in result.stderr
