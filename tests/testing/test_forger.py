"""The contract of forgers, kept by every one that is installed, and what it refuses."""

import numpy as np
import pytest

from mmmsba_plugin.config import Config
from mmmsba_plugin.forge.visual import repaint
from mmmsba_plugin.hookspecs import Forger
from mmmsba_plugin.testing import ForgerContract

from ..forge.visual.enhancer_weights import write_weights
from .every_entry import EveryEntry, registered


class TestEveryForger(EveryEntry, ForgerContract):
    @pytest.fixture(autouse=True, params=registered("forgers"))
    def _each(self, request):
        self._current: Forger = request.param

    @pytest.fixture(autouse=True)
    def _enhancer(self, monkeypatch, tmp_path):
        """Give the forger that repaints weights, which no dependency of this project ships."""
        path = write_weights(tmp_path / "enhancer.bin", scale=0.05)
        monkeypatch.setattr(repaint, "find_weights", lambda: path)


class Louder:
    """A forger that doubles the level."""

    needs_donor = False

    def __init__(self, config):
        pass

    def forge_audio(self, job, rng):
        return 2 * job.span


class Idle(Louder):
    """A forger that leaves the segment as it is."""

    def forge_audio(self, job, rng):
        return job.span.copy()


class Restless(Louder):
    """A forger that ignores the seed."""

    def forge_audio(self, job, rng):
        return job.span + np.random.default_rng().random(job.span.size).astype(np.float32)


def contract_of(build, modality="audio"):
    class Contract(ForgerContract):
        entry = Forger(name="odd", modality=modality, summary="Words.", config=Config, build=build)

    return Contract()


def test_a_forger_that_keeps_the_contract_passes():
    contract = contract_of(Louder)
    contract.test_it_alters_the_modality_of_its_entry()
    contract.test_it_returns_arrays_that_fit_into_the_clip()
    contract.test_it_alters_the_segment()
    contract.test_the_same_seed_gives_the_same_manipulation()


def test_a_forger_that_alters_nothing_fails():
    with pytest.raises(AssertionError, match="false ground truth"):
        contract_of(Idle).test_it_alters_the_segment()


def test_a_forger_that_ignores_its_seed_fails():
    with pytest.raises(AssertionError):
        contract_of(Restless).test_the_same_seed_gives_the_same_manipulation()


def test_a_forger_of_the_wrong_modality_fails():
    with pytest.raises(AssertionError, match="visual is for a FrameForger"):
        contract_of(Louder, "visual").test_it_alters_the_modality_of_its_entry()
