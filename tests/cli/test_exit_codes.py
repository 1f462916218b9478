"""The same mistake has the same exit code in every command."""

import pytest
from typer.testing import CliRunner

from mmmsba_plugin.cli import _exit_codes, app

#: Commands that open a dataset, up to the argument that names it.
OPENING = {
    "train": ["train", "-o", "out", "--data"],
    "finetune": ["finetune", "-o", "out", "--data"],
    "evaluate": ["evaluate", "--data"],
    "check": ["datasets", "check"],
    "reproduce": ["reproduce", "-o", "out", "--data"],
}


@pytest.fixture
def exit_code(tmp_path, monkeypatch):
    """Runs a command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, list(arguments)).exit_code


@pytest.mark.parametrize("command", OPENING.values(), ids=OPENING)
@pytest.mark.parametrize(
    "dataset",
    ["lav-df=gone", ".", "no-such-reader=.", "lav-df[fold]=.", "lav-df=folder:."],
    ids=["no folder", "unknown layout", "unknown reader", "wrong brackets", "reader behind"],
)
def test_a_dataset_that_cannot_be_opened_stops_every_command(exit_code, command, dataset):
    assert exit_code(*command, dataset) == _exit_codes.STOPPED


@pytest.mark.parametrize("command", [["train", "-o", "out"], ["reproduce"]], ids=lambda c: c[0])
@pytest.mark.parametrize("text", [None, "no JSON", "[]"], ids=["missing", "broken", "no object"])
def test_a_file_of_settings_that_cannot_be_used_stops_every_command(
    exit_code, tmp_path, command, text
):
    if text is not None:
        (tmp_path / "settings.json").write_text(text)
    assert exit_code(*command, "--data", ".", "--config", "settings.json") == _exit_codes.STOPPED


@pytest.mark.parametrize(
    "command",
    [["train", "-o", "out"], ["finetune", "-o", "out"], ["evaluate"], ["reproduce"]],
    ids=lambda command: command[0],
)
def test_a_command_without_clips_is_a_wrong_command_line(exit_code, command):
    assert exit_code(*command) == _exit_codes.USAGE
