"""A detector of frames and clips for it, quick to evaluate, for hosts to call."""

from pathlib import Path

import pytest

from mmmsba_plugin.adapter import AdaptedDetector, TimedScores

from ..clips import clip

#: Probability of the frames from 0.8 to 1.2 s of a fake clip, and of all others.
FAKE, REAL = 0.9, 0.1


def score(path: Path) -> dict[str, TimedScores]:
    """Score half a second at a time; a clip that is called "dark" has nothing to score."""
    if path.stem == "dark":
        return {}
    probs = [REAL, FAKE if path.stem.startswith("fake") else REAL, REAL]
    return {"face": TimedScores.of_windows(probs, length_s=0.4, hop_s=0.4)}


@pytest.fixture
def detector() -> AdaptedDetector:
    return AdaptedDetector("halves", score, ("face",))


@pytest.fixture(scope="package")
def clips(tmp_path_factory) -> Path:
    """A folder with one clip of 1.6 s that is fake, one that is real, and one in the dark."""
    folder = tmp_path_factory.mktemp("clips")
    for name in ("fake", "real", "dark"):
        clip(folder / f"{name}.mp4", duration_s=1.6)
    return folder
