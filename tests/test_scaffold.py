"""Distributions that `mmmsba plugin new` writes work: installed, listed, and kept to a contract."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.hookspecs import API_VERSION
from mmmsba_plugin.scaffold import PluginKind, write_plugin

KINDS = get_args(PluginKind)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A folder with one plug-in of each kind installed, their sources beside it."""
    folder = tmp_path_factory.mktemp("plugins")
    for kind in KINDS:
        write_plugin(f"my-{kind}", kind, folder / "sources")
    sources = [str(path) for path in sorted((folder / "sources").iterdir())]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    pip += ["--no-index", "--disable-pip-version-check", "--target", str(folder / "site"), *sources]
    result = subprocess.run(pip, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return folder / "site"


def run(site: Path, *command: str) -> str:
    paths = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    result = subprocess.run(
        [sys.executable, *command],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_a_plugin_of_each_kind_is_listed_once_it_is_installed(site):
    listing = json.loads(run(site, "-m", "mmmsba_plugin", "plugins", "--json"))
    theirs = {
        entry["distribution"]: entry
        for entry in listing["entries"]
        if entry["distribution"].startswith("my-")
    }
    assert theirs.keys() == {f"my-{kind}" for kind in KINDS}
    assert {entry["state"] for entry in theirs.values()} == {"ok"}
    assert {entry["needs_api"] for entry in theirs.values()} == {API_VERSION}


def test_each_keeps_its_contract_by_the_tests_that_were_written(site):
    tests = [str(site.parent / "sources" / f"my-{kind}" / "tests") for kind in KINDS]
    options = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib", "-rs"]
    output = run(site, "-m", "pytest", *options, *tests)
    assert "failed" not in output
    listed = run(site, "-m", "pytest", "--collect-only", *options, *tests)
    for name in ("Detector", "FrontEnd", "DatasetReader", "Writer", "Forger", "Head"):
        assert f"Test{name}My{name}::" in listed


def test_the_options_of_a_project_around_it_are_not_those_of_its_tests(site, tmp_path):
    options = '[tool.pytest.ini_options]\naddopts = "--not-there"\n'
    (tmp_path / "pyproject.toml").write_text(options, encoding="utf-8")
    tests = shutil.copytree(site.parent / "sources" / "my-writer", tmp_path / "my-writer") / "tests"
    assert "TestWriter" in run(site, "-m", "pytest", "--collect-only", "-q", str(tests))


def test_each_passes_the_type_checker(site, tmp_path):
    pyproject = Path(__file__).parents[1] / "pyproject.toml"
    config = ["--config-file", str(pyproject), "--cache-dir", str(tmp_path)]
    packages = [str(site / f"my_{kind.replace('-', '_')}") for kind in KINDS]
    run(site, "-m", "mypy", "--strict", *config, *packages)


@pytest.mark.parametrize("name", ["My-Plugin", "1st", "a b", "../up", ""])
def test_a_name_that_cannot_be_a_package_is_refused(name, tmp_path):
    with pytest.raises(ConfigError, match="a plug-in cannot be called"):
        write_plugin(name, "writer", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["numpy", "json", "mmmsba-plugin", "class"])
def test_a_name_that_would_hide_a_module_is_refused(name, tmp_path):
    with pytest.raises(ConfigError, match="a word of Python, or as a module that is installed"):
        write_plugin(name, "writer", tmp_path)


def test_nothing_is_written_over(tmp_path):
    write_plugin("mine", "writer", tmp_path)
    with pytest.raises(ConfigError, match="is there already"):
        write_plugin("mine", "forger", tmp_path)


def test_an_unknown_kind_lists_those_that_there_are(tmp_path):
    with pytest.raises(ConfigError, match="kinds: detector, front-end"):
        write_plugin("mine", "panel", tmp_path)
