"""``mmmsba doctor`` tells whether FiftyOne finds the plugin, and whether its database answers."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from fiftyone_ops import checks, install
from mmmsba_plugin.cli.doctor import Check


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A home without FiftyOne's settings, and no settings of the environment either."""
    for name in [name for name in os.environ if name.startswith("FIFTYONE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".fiftyone").mkdir()
    return tmp_path


def put_settings(home: Path, name: str, **values) -> None:
    (home / ".fiftyone" / name).write_text(json.dumps(values))


def put_copy(directory: Path, *, version: str | None = None) -> Path:
    """Copy the plugin into a directory, of another version if asked for."""
    folder = directory / "copied"
    shutil.copytree(install.HERE, folder, ignore=shutil.ignore_patterns("panel", "dist"))
    if version:
        manifest = folder / "fiftyone.yml"
        own = checks.versions.plugin_version()
        manifest.write_text(manifest.read_text().replace(own, version))
    return folder


@pytest.mark.parametrize("where", ["default", "file", "datasets", "environment"])
def test_fiftyone_itself_looks_for_plugins_in_the_same_directory(home, monkeypatch, where):
    if where == "file":
        put_settings(home, "config.json", plugins_dir=str(home / "mine"))
    elif where == "datasets":
        put_settings(home, "config.json", default_dataset_dir=str(home / "data"))
    elif where == "environment":
        monkeypatch.setenv("FIFTYONE_PLUGINS_DIR", str(home / "theirs"))
    code = "import fiftyone as fo; print(fo.config.plugins_dir)"
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "FIFTYONE_DISABLE_SERVICES": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert checks.plugins_dir() == Path(result.stdout.strip())


@pytest.mark.usefixtures("home")
def test_a_plugin_that_is_not_there_is_installed_with_one_command(tmp_path):
    (check,) = checks.check_plugin(tmp_path / "plugins")
    assert (check.name, check.state) == ("FiftyOne plugin", "optional")
    assert check.detail.endswith("run `mmmsba fiftyone install`")


@pytest.mark.usefixtures("home")
def test_a_plugin_that_is_linked_is_found_and_its_version_told(tmp_path):
    place = tmp_path / install.NAME
    place.parent.mkdir()
    place.symlink_to(install.HERE, target_is_directory=True)
    version = checks.versions.plugin_version()
    assert [*checks.check_plugin(tmp_path)] == [
        Check("FiftyOne plugin", "ok", f"{version}, found in {tmp_path}")
    ]


@pytest.mark.usefixtures("home")
def test_a_copy_is_well_until_the_package_is_upgraded(tmp_path):
    folder = put_copy(tmp_path)
    assert [check.state for check in checks.check_plugin(tmp_path)] == ["ok"]
    shutil.rmtree(folder)
    put_copy(tmp_path, version="0.0.1")
    (check,) = checks.check_plugin(tmp_path)
    assert check.state == "optional"
    assert "copied holds another copy, of version 0.0.1, where this is " in check.detail


def test_a_plugin_that_is_disabled_says_how_to_enable_it(home, tmp_path):
    put_settings(home, "app_config.json", plugins={install.NAME: {"enabled": False}})
    (check,) = checks.check_plugin(tmp_path)
    assert check.detail == (
        f"it is disabled; enable it with: fiftyone plugins enable {install.NAME}"
    )


def test_a_database_that_runs_is_told_with_its_version():
    # That of these tests, as the environment names it.
    check = checks.check_database()
    assert (check.name, check.state) == ("FiftyOne database", "ok")
    assert check.detail.startswith("MongoDB ")


@pytest.mark.usefixtures("home")
def test_a_database_that_does_not_run_is_told_and_none_is_started(monkeypatch):
    monkeypatch.setenv("FIFTYONE_DATABASE_URI", "mongodb://127.0.0.1:9")
    check = checks.check_database()
    assert check.state == "optional"
    assert check.detail.startswith("it cannot be reached: 127.0.0.1:9: ")


@pytest.mark.usefixtures("home")
def test_without_an_address_fiftyone_is_asked_for_the_database_that_it_starts():
    check = checks.check_database()
    brought = Path(checks.find_spec("fiftyone").origin).parent / "db" / "bin" / "mongod"
    assert (check.state == "ok") == brought.is_file()


def test_doctor_finds_these_checks_by_their_entry_point():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    value = project["entry-points"]["mmmsba.checks"]["fiftyone"]
    assert EntryPoint("fiftyone", value, "mmmsba.checks").load() is checks.checks
    assert {check.name for check in checks.checks()} == {"FiftyOne plugin", "FiftyOne database"}


def test_the_checks_do_not_import_fiftyone():
    code = "import sys; from fiftyone_ops import checks; [*checks.checks()]; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "fiftyone" not in result.stdout.split()
