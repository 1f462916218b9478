"""The plugin is where FiftyOne looks, once it was installed, and nowhere once it was removed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import fiftyone as fo
import pytest
from typer.testing import CliRunner

from fiftyone_ops import install
from mmmsba_plugin.cli import app

RUN = CliRunner()


@pytest.fixture
def plugins(tmp_path, monkeypatch) -> Path:
    """An empty plugins directory of FiftyOne, not made yet."""
    monkeypatch.setattr(fo.config, "plugins_dir", str(tmp_path / "plugins"))
    return tmp_path / "plugins"


def operators_found_in(plugins: Path) -> str:
    """List the operators that a fresh FiftyOne loads from a folder of plugins."""
    code = "import fiftyone.operators as foo; print([o.uri for o in foo.list_operators()])"
    environment = {**os.environ, "FIFTYONE_PLUGINS_DIR": str(plugins)}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return result.stdout


def test_installed_fiftyone_finds_it_and_uninstalled_no_more(plugins):
    result = RUN.invoke(app, ["fiftyone", "install"])
    assert f"installed: {plugins / install.NAME} leads to {install.HERE}" in result.stdout
    assert "@mmmsba/fiftyone_ops/detect_forgeries" in operators_found_in(plugins)
    result = RUN.invoke(app, ["fiftyone", "uninstall"])
    assert "uninstalled" in result.stdout
    assert "@mmmsba" not in operators_found_in(plugins)


def test_a_plain_copy_of_the_folder_works_as_well(plugins):
    shutil.copytree(install.HERE, plugins / "copied")
    assert "@mmmsba/fiftyone_ops/detect_forgeries" in operators_found_in(plugins)


def test_another_copy_that_the_app_may_load_instead_is_named(plugins):
    shutil.copytree(install.HERE, plugins / "aaa_old", ignore=shutil.ignore_patterns("panel"))
    (plugins / "theirs").mkdir()
    (plugins / "theirs" / "fiftyone.yml").write_text("name: '@them/theirs'\n")
    result = RUN.invoke(app, ["fiftyone", "install"])
    assert install.rivals() == [plugins / "aaa_old"]
    assert "holds another copy, which the App may load instead" in " ".join(result.stdout.split())
    shutil.rmtree(plugins / "aaa_old")
    assert install.rivals() == []


def test_twice_is_once(plugins):
    first = install.install()
    again = install.install()
    assert first.place == again.place
    assert again.message.startswith("already installed")
    assert install.uninstall().message.startswith("uninstalled")
    assert install.uninstall().message.startswith("not installed")


def test_a_link_that_leads_elsewhere_is_replaced(plugins, tmp_path):
    place = plugins / install.NAME
    place.parent.mkdir(parents=True)
    place.symlink_to(tmp_path / "gone", target_is_directory=True)
    assert install.install().place.resolve() == install.HERE


def test_a_directory_that_holds_the_folder_itself_needs_nothing(monkeypatch):
    monkeypatch.setattr(fo.config, "plugins_dir", str(install.HERE.parent))
    assert install.install().message.startswith("already installed")


def test_a_folder_of_ones_own_is_left_alone(plugins):
    place = plugins / install.NAME
    place.mkdir(parents=True)
    result = RUN.invoke(app, ["fiftyone", "install"])
    assert result.exit_code == 4
    assert "is a folder of its own and not a link of ours; move it away" in result.stderr
    assert RUN.invoke(app, ["fiftyone", "uninstall"]).exit_code == 4
    assert place.is_dir()


def test_the_path_is_that_of_the_folder_with_the_manifest():
    result = RUN.invoke(app, ["fiftyone", "path"])
    assert (Path(result.stdout.strip()) / "fiftyone.yml").is_file()
