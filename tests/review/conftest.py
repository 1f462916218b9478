"""Reports in a folder, to be reviewed."""

import runpy
from pathlib import Path

import pytest

from mmmsba_plugin.report.writers import write_json
from mmmsba_plugin.schema import FakeSegment, Problem, Report

REPORT = runpy.run_path(str(Path(__file__).parents[1] / "golden" / "make_report.py"))["report"]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let these tests reach this machine, and nothing else."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.allow_hosts(["127.0.0.1"]))


@pytest.fixture
def write_report(tmp_path):
    """Function that writes a report of a clip of some bytes, both into one folder."""

    def write(name="a", *, content=b"0123456789", **changes) -> Path:
        clip = tmp_path / f"{name}.mp4"
        clip.write_bytes(content)
        media = REPORT.media.model_copy(update={"path": str(clip), "size_bytes": len(content)})
        path = tmp_path / f"{name}.mmmsba.json"
        with path.open("w") as stream:
            write_json(REPORT.model_copy(update={"media": media, **changes}), stream)
        return path

    return write


@pytest.fixture
def unevaluated() -> Report:
    """A report without a score."""
    problem = Problem(kind="NothingToJudge", message="no face")
    changes = {"status": "abstained", "score": None, "segments": (), "problem": problem}
    return REPORT.model_copy(update=changes)


@pytest.fixture
def segments() -> tuple[FakeSegment, ...]:
    """Both segments of the reports: of video, and of audio."""
    return REPORT.segments
