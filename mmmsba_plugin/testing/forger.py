"""Test that a plug-in's forger keeps the contract."""

from typing import Any

import numpy as np

from mmmsba_plugin.forger import AudioForger, FrameForger
from mmmsba_plugin.hookspecs import Forger
from mmmsba_plugin.testing import samples
from mmmsba_plugin.testing.entry import ConfiguredContract


class ForgerContract(ConfiguredContract[Forger]):
    """The contract of a forger."""

    def forge(self, seed: int = 0) -> list[Any]:
        """Forge a sample segment.

        Args:
            seed: Random seed of the forgery.

        Returns:
            The new samples as one array, or the new frames as an array each; those of ``both``
            one after the other.
        """
        forger, rng = self.entry.build(self.read_config()), np.random.default_rng(seed)
        fake: list[Any] = []
        if isinstance(forger, AudioForger) and self.entry.modality != "visual":
            fake.append(forger.forge_audio(samples.audio_job(), rng))
        if isinstance(forger, FrameForger) and self.entry.modality != "audio":
            fake += forger.forge_frames(samples.frame_job(), rng)
        return fake

    def test_it_alters_the_modality_of_its_entry(self) -> None:
        forger, modality = self.entry.build(self.read_config()), self.entry.modality
        for protocol, other in ((AudioForger, "visual"), (FrameForger, "audio")):
            if modality != other:
                assert isinstance(forger, protocol), f"{modality} is for a {protocol.__name__}"
                assert isinstance(forger.needs_donor, bool)

    def test_it_returns_arrays_that_fit_into_the_clip(self) -> None:
        for fake, real in zip(self.forge(), self._real(), strict=False):
            assert fake.dtype == real.dtype
            assert fake.shape[1:] == real.shape[1:]
            assert fake.size > 0
            assert np.isfinite(fake).all()

    def test_it_alters_the_segment(self) -> None:
        fake = self.forge()
        assert fake, "a segment never becomes nothing"
        for new, old in zip(fake, self._real(), strict=False):
            assert not np.array_equal(new, old), "an unaltered segment would be false ground truth"

    def test_the_same_seed_gives_the_same_manipulation(self) -> None:
        for first, second in zip(self.forge(seed=7), self.forge(seed=7), strict=True):
            np.testing.assert_array_equal(first, second)

    def _real(self) -> list[Any]:
        audio = [samples.audio_job().span] if self.entry.modality != "visual" else []
        frames = samples.frame_job().frames if self.entry.modality != "audio" else []
        return [*audio, *(frame.rgb for frame in frames)]
