"""Two clips of a talking head, and jobs on them."""

import pytest

from mmmsba_plugin.forge.talking_head.clips import make_talking_clip
from mmmsba_plugin.forger import FrameJob

from .faces import FPS_HZ, followed


@pytest.fixture(scope="session")
def clip(talking_clip):
    """A talking portrait, frame by frame."""
    return followed(talking_clip)


@pytest.fixture(scope="session")
def other_clip(tmp_path_factory):
    """Another: seen from the other side, in another light and size."""
    path = tmp_path_factory.mktemp("other") / "other.mp4"
    return followed(make_talking_clip(path, seconds=1.5, seed=4, size_px=224).path)


@pytest.fixture(scope="session")
def job(clip, other_clip):
    """Return jobs by their start and number of frames."""

    def draw(start=5, count=6):
        donors = clip[start + 25 : start + 25 + count]
        other_donors = other_clip[start % 8 : start % 8 + count]
        return FrameJob(tuple(clip[start : start + count]), FPS_HZ, donors, other_donors)

    return draw
