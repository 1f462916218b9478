"""The wheel that users install."""

import shutil
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

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
