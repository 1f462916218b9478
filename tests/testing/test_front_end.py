"""The contract of front-ends, kept by every one that is installed."""

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mmmsba_plugin.testing import FrontEndContract

from ..transcripts import put_srt
from .every_entry import EveryEntry, registered

if TYPE_CHECKING:
    from mmmsba_plugin.hookspecs import (
        FrontEnd,
    )


class TestEveryFrontEnd(EveryEntry, FrontEndContract):
    @pytest.fixture(autouse=True, params=registered("front_ends"))
    def _each(self, request, tmp_path):
        self._current: FrontEnd = request.param
        if self.entry.name == "precomputed":
            rows = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
            np.save(tmp_path / "sample.npy", rows)
            self.settings = {"folder": str(tmp_path), "hop_s": 0.1}
        if self.entry.name == "words":
            put_srt(tmp_path / "sample.srt", (0.5, 1.5, "what was said"))
            self.settings = {"folder": str(tmp_path)}
