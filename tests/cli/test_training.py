"""Shared parts of the commands that train."""

import io

import pytest
from rich.console import Console
from typer import BadParameter

from mmmsba_plugin.cli._training import counting, needs_training, open_records, read_settings
from mmmsba_plugin.errors import ConfigError, MissingExtraError

from ..layouts_csv import label_folders


def test_records_of_all_datasets_follow_one_another(tmp_path):
    roots = [label_folders(tmp_path / name, f"real/{name}.mp4") for name in ("one", "two")]
    records, name = open_records([str(root) for root in roots], [])
    assert [record.key for record in records] == ["real/one.mp4", "real/two.mp4"]
    assert name == "one, two"


def test_without_any_dataset_the_command_line_is_wrong():
    with pytest.raises(BadParameter, match="give clips to learn from: --data DIR"):
        open_records([], [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read as JSON"),
        ("{", "cannot be read as JSON"),
        ("[]", "must hold a JSON object of settings"),
        ('{"trian": {}}', "Allowed keys: preset"),
    ],
)
def test_a_file_that_holds_no_settings_is_named(tmp_path, text, message):
    path = tmp_path / "settings.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_settings(path)


def test_settings_are_returned_as_they_stand(tmp_path):
    path = tmp_path / "settings.json"
    path.write_text('{"preset": "reference"}')
    assert read_settings(path) == {"preset": "reference"}


def test_a_missing_module_names_the_extra():
    with pytest.raises(MissingExtraError, match="training needs lightning"), needs_training():
        raise ModuleNotFoundError(name="lightning")


@pytest.mark.parametrize(("is_terminal", "output"), [(True, "reading clips: 2"), (False, "")])
def test_clips_are_counted_where_somebody_watches(is_terminal, output):
    stream = io.StringIO()
    count = counting(Console(file=stream, force_terminal=is_terminal, highlight=False))
    count("a.mp4")
    count("b.mp4")
    assert output in stream.getvalue()
    assert bool(stream.getvalue()) == is_terminal
