"""``mmmsba reproduce``: what cannot be asked for is refused at once."""

import pytest
from typer.testing import CliRunner

from mmmsba_plugin.cli import _exit_codes, app


class TestCommand:
    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (["table1"], "there is no 'table1'; choose from table2"),
            (
                ["--seeds", "0,one"],
                "--seeds must be whole numbers with commas between, got '0,one'",
            ),
            (["--data", "mine=."], "'mine=.' names no dataset"),
            (["--config", "gone.json"], "gone.json cannot be read as JSON"),
        ],
    )
    def test_what_cannot_be_asked_for_is_refused_at_once(self, arguments, reason, tmp_path):
        result = CliRunner().invoke(app, ["reproduce", *arguments, "-o", str(tmp_path / "out")])
        assert result.exit_code == _exit_codes.STOPPED
        assert reason in result.stderr
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize("names", [["table2"], []])
    def test_without_data_the_names_are_listed_and_nothing_is_written(self, names, tmp_path):
        result = CliRunner().invoke(app, ["reproduce", *names, "-o", str(tmp_path / "out")])
        assert result.exit_code == _exit_codes.USAGE
        message = " ".join(result.stderr.replace("│", " ").split())
        assert "--data" in message
        assert "say where a dataset lies, such as lav-df=DIR; there are fakeavceleb, av-" in message
        assert "av-deepfake1m, lav-df, tvil, and tables use those that are given" in message
        assert not (tmp_path / "out").exists()

    def test_settings_that_are_no_object_are_refused(self, tmp_path):
        (tmp_path / "list.json").write_text("[]")
        result = CliRunner().invoke(app, ["reproduce", "--config", str(tmp_path / "list.json")])
        assert result.exit_code == _exit_codes.STOPPED
        assert "must hold a JSON object of settings" in result.stderr
