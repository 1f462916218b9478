"""Rows of the visual front-ends."""

from dataclasses import replace

import numpy as np
import pytest

from mmmsba_plugin.config import FeaturesConfig
from mmmsba_plugin.features import texture
from mmmsba_plugin.features.front_ends import bind_front_ends
from mmmsba_plugin.schema import Media
from mmmsba_plugin.structures import FeatureRows
from mmmsba_plugin.testing import samples
from mmmsba_plugin.timebase import Grid

CLIP = Media(path="clip.mp4")


class TestVisual:
    def test_bands_of_a_difference_are_differences_of_bands(self):
        before, now = np.random.default_rng(0).uniform(0, 255, (2, 64, 96)).astype(np.float32)
        fine, _, coarse = texture.bands(now - before)
        changes = texture.change(texture.bands(now), texture.bands(before))
        # float32 holds 255 to 1.5e-5, and a filter adds a few of these.
        assert np.array(changes) == pytest.approx(np.array([fine, coarse]), abs=1e-4)

    def describe(self, name: str, faces) -> FeatureRows:
        config = FeaturesConfig().only(["face", "lips"])
        extractor = bind_front_ends(config)[name].build()
        extractor.start(CLIP, Grid(stride_s=0.04))
        for face in faces:
            extractor.add(face)
        return extractor.finish(len(list(faces)))

    @pytest.mark.parametrize("name", ["face", "lips"])
    def test_a_cut_in_the_clip_is_not_taken_for_movement(self, name):
        faces = list(samples.faces(0.16))[:4]
        joined = [*faces[:2], *(replace(f, track=1) for f in faces[2:])]
        unbroken, broken = self.describe(name, faces), self.describe(name, joined)
        # The other half is relative to the clip's median, which the cut moves.
        described = unbroken.dim // 2
        assert (unbroken.values[1, :described] == broken.values[1, :described]).all()
        assert not np.allclose(unbroken.values[2, :described], broken.values[2, :described])


@pytest.fixture(scope="module")
def face():
    """The astronaut's."""
    from skimage import data

    from mmmsba_plugin.structures import Frame
    from mmmsba_plugin.tracks.link import follow_main_face

    [observation] = follow_main_face([Frame(0.0, data.astronaut())])
    return observation.face
