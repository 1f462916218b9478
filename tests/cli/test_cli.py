"""The command line as a whole: its output, its streams and its exit codes."""

import re
from importlib.metadata import version

import pytest

from mmmsba_plugin import plugins
from mmmsba_plugin.cli import _exit_codes

pytestmark = pytest.mark.usefixtures("wide")


class TestApp:
    def test_help_documents_every_exit_code(self, run):
        help_text = " ".join(run("--help").stdout.split())
        for code in (
            _exit_codes.OK,
            _exit_codes.USAGE,
            _exit_codes.NOT_EVALUATED,
            _exit_codes.STOPPED,
        ):
            assert re.search(rf"\b{code} (every|the command|at least|the run)", help_text)

    def test_version_is_that_of_the_distribution(self, run):
        assert run("--version").stdout == f"mmmsba {version('mmmsba-plugin')}\n"

    def test_a_wrong_command_line_is_usage(self, run):
        assert run("no-such-command").exit_code == _exit_codes.USAGE
        assert run("plugins", "--no-such-option").exit_code == _exit_codes.USAGE

    def test_an_error_of_ours_is_one_line_on_stderr(self, run, tmp_path):
        # Brackets in a name must come out as they are, not as colours.
        path = tmp_path / "[red]none[/red].py"
        result = run("--plugin", path, "plugins")
        assert result.exit_code == _exit_codes.STOPPED
        assert result.stdout == ""
        assert result.stderr == (
            f"error: there is no plug-in file {path}; give the path of a .py file\n"
        )

    def test_any_other_error_keeps_its_traceback(self, run, monkeypatch):
        def crash(kind):
            raise ZeroDivisionError("a bug")

        monkeypatch.setattr(plugins, "entries", crash)
        result = run("plugins")
        assert isinstance(result.exception, ZeroDivisionError)
