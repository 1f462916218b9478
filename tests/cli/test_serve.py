"""The command ``serve``; what it serves is tested in ``tests/adapters``."""

import sys

import pytest

from mmmsba_plugin.cli import _exit_codes


@pytest.fixture
def served(monkeypatch) -> list:
    """Calls of Uvicorn."""
    calls = []
    monkeypatch.setattr("uvicorn.run", lambda app, **settings: calls.append((app, settings)))
    return calls


def test_it_listens_to_this_machine_alone(run, checkpoint, served):
    result = run("serve", "--checkpoint", checkpoint)
    assert result.exit_code == _exit_codes.OK
    ((app, settings),) = served
    assert (settings["host"], settings["port"]) == ("127.0.0.1", 8000)
    assert app.user_middleware[0].kwargs["allowed_hosts"] == ["127.0.0.1", "localhost"]
    assert result.stderr == ""


def test_another_address_comes_with_a_warning(run, checkpoint, served):
    result = run("serve", "--checkpoint", checkpoint, "--host", "0.0.0.0")  # noqa: S104 - the point
    assert "0.0.0.0 can be reached from other machines, and nobody is asked" in result.stderr
    assert served[0][0].user_middleware[0].kwargs["allowed_hosts"] == ["*"]


def test_it_does_not_begin_without_weights(run, tmp_path, served):
    result = run("serve", "--checkpoint", tmp_path)
    assert result.exit_code == _exit_codes.STOPPED
    assert served == []


def test_a_missing_extra_is_named(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    result = run("serve")
    assert result.exit_code == _exit_codes.STOPPED
    assert "pip install 'mmmsba-plugin[serve]'" in result.stderr


def test_it_is_a_backend_of_labelstudio_with_a_folder_of_media(run, checkpoint, served, tmp_path):
    for options in ((), ("--label-studio", tmp_path)):
        run("serve", "--checkpoint", checkpoint, *options)
    paths = [set(app.openapi()["paths"]) for app, _ in served]
    assert paths[1] - paths[0] == {"/setup", "/predict"}


def test_a_folder_of_media_that_is_not_there_is_an_error(run, checkpoint, served, tmp_path):
    result = run("serve", "--checkpoint", checkpoint, "--label-studio", tmp_path / "gone")
    assert result.exit_code == _exit_codes.STOPPED
    assert "gone; give the one that holds the media" in result.stderr
    assert served == []
