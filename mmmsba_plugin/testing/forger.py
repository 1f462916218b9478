"""What a forger must satisfy."""

from typing import Any

import numpy as np

from mmmsba_plugin.forger import AudioForger, FrameForger
from mmmsba_plugin.hookspecs import Forger
from mmmsba_plugin.testing import samples
from mmmsba_plugin.testing.entry import ConfiguredContract


class ForgerContract(ConfiguredContract[Forger]):
    """What a forger must satisfy."""

    def forge(self, seed: int = 0) -> list[Any]:
        """Return what becomes of a sample stretch, as a list of arrays."""
        forger, rng = self.entry.build(self.read_config()), np.random.default_rng(seed)
        if isinstance(forger, AudioForger):
            return [forger.forge_audio(samples.audio_job(), rng)]
        return forger.forge_frames(samples.frame_job(), rng)

    def test_it_alters_what_it_says(self) -> None:
        forger = self.entry.build(self.read_config())
        wanted = AudioForger if self.entry.modality == "audio" else FrameForger
        assert isinstance(forger, wanted), f"{self.entry.modality} is for a {wanted.__name__}"
        assert isinstance(forger.needs_donor, bool)

    def test_it_returns_what_can_be_put_back(self) -> None:
        for fake, original in zip(self.forge(), self._originals(), strict=False):
            assert fake.dtype == original.dtype
            assert fake.shape[1:] == original.shape[1:]
            assert fake.size > 0
            assert np.isfinite(fake).all()

    def test_it_alters_the_stretch(self) -> None:
        fake = self.forge()
        assert fake, "a stretch never becomes nothing"
        for new, old in zip(fake, self._originals(), strict=False):
            assert not np.array_equal(new, old), "an unaltered stretch would be a false truth"

    def test_the_same_seed_gives_the_same_forgery(self) -> None:
        for first, second in zip(self.forge(seed=7), self.forge(seed=7), strict=True):
            np.testing.assert_array_equal(first, second)

    def _originals(self) -> list[Any]:
        if self.entry.modality == "audio":
            return [samples.audio_job().stretch]
        return [shot.rgb for shot in samples.frame_job().shots]
