"""``mmmsba plugin``: begin a plug-in of one's own."""

import pytest

from mmmsba_plugin.cli import _exit_codes

pytestmark = pytest.mark.usefixtures("wide")


def test_a_new_plugin_is_written_and_the_next_step_is_said(run, tmp_path):
    result = run("plugin", "new", "my-writer", "--kind", "writer", "-o", tmp_path)
    assert result.exit_code == _exit_codes.OK, result.output
    assert "pip install -e" in result.output
    assert (tmp_path / "my-writer" / "my_writer" / "__init__.py").is_file()
    again = run("plugin", "new", "my-writer", "--kind", "writer", "-o", tmp_path)
    assert again.exit_code == _exit_codes.STOPPED
    assert "is there already" in again.output


def test_a_kind_that_there_is_not_is_a_wrong_command_line(run, tmp_path):
    result = run("plugin", "new", "mine", "--kind", "panel", "-o", tmp_path)
    assert result.exit_code == _exit_codes.USAGE
