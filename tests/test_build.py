"""The wheel that users install, and what it needs."""

import shutil
import tomllib
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "mmmsba_plugin", "fiftyone_ops")


def copy_sources(folder):
    """Copy what a wheel is built from, so that every file is younger than it was."""
    folder.mkdir()
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            ignore = shutil.ignore_patterns("__pycache__", "panel")
            shutil.copytree(source, folder / name, ignore=ignore, copy_function=shutil.copyfile)
        else:
            shutil.copyfile(source, folder / name)
    return folder


def build_wheel(root, folder):
    (wheel,) = WheelBuilder(str(root)).build(directory=str(folder), versions=["standard"])
    return Path(wheel)


def test_two_builds_of_the_same_sources_are_the_same_to_the_byte(tmp_path):
    first = build_wheel(copy_sources(tmp_path / "first"), tmp_path / "first-wheel")
    second = build_wheel(copy_sources(tmp_path / "second"), tmp_path / "second-wheel")
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()


def versions_of(lines, operator):
    """Return the version of each requirement's only clause."""
    requirements = [Requirement(line) for line in lines]
    versions = {}
    for requirement in requirements:
        (clause,) = requirement.specifier
        assert clause.operator == operator
        versions[requirement.name] = Version(clause.version)
    return versions


def test_the_lowest_versions_that_are_tested_are_those_that_are_declared():
    lines = (ROOT / "tests" / "lowest.txt").read_text(encoding="utf-8").splitlines()
    tested = versions_of([line for line in lines if not line.startswith("#")], "==")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = versions_of(project["dependencies"], ">=")
    assert tested.pop("torch") > declared.pop("torch")  # older ones are too big to test with
    assert tested == declared
