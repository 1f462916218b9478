"""What a front-end must satisfy."""

from collections.abc import Iterable
from unittest import SkipTest

import numpy as np
from pydantic import TypeAdapter

from mmmsba_plugin.hookspecs import FrontEnd
from mmmsba_plugin.schema import Modality
from mmmsba_plugin.structures import AudioBlock, FaceCrop, FeatureRows
from mmmsba_plugin.testing import samples
from mmmsba_plugin.testing.entry import ConfiguredContract
from mmmsba_plugin.timebase import Grid


class FrontEndContract(ConfiguredContract[FrontEnd]):
    """What a front-end must satisfy.

    Example:
        >>> class TestLoudness(FrontEndContract):    # doctest: +SKIP
        ...     entry = LOUDNESS
    """

    #: Where rows are asked for, and how much of the sample clip is asked for.
    grid = Grid(stride_s=0.2)
    duration_s = 4.0

    def observations(self, duration_s: float) -> list[AudioBlock] | list[FaceCrop]:
        """Return made-up audio or faces, as the front-end reads, for so many seconds."""
        if self.entry.reads == "audio":
            return samples.audio(duration_s)
        return samples.faces(duration_s) if self.entry.reads == "faces" else []

    def rows(self, observations: Iterable[AudioBlock | FaceCrop]) -> FeatureRows:
        """Return what a new extractor makes of a sample clip of ``duration_s``."""
        extractor = self.entry.build(self.read_config())
        extractor.start(samples.media(self.duration_s), self.grid)
        known_dim = extractor.dim
        for observation in observations:
            extractor.add(observation)
        found = extractor.finish(self.num_snippets)
        assert known_dim in {0, found.dim}, f"dim said {known_dim}, rows have {found.dim}"
        return found

    @property
    def num_snippets(self) -> int:
        """How many rows are asked for."""
        return self.grid.num_snippets(self.duration_s)

    def test_its_modality_is_a_word(self) -> None:
        TypeAdapter(Modality).validate_python(self.entry.modality)

    def test_it_reads_something_there_is(self) -> None:
        assert self.entry.reads in {"audio", "faces", "nothing"}

    def test_it_returns_one_row_a_snippet(self) -> None:
        found = self.rows(self.observations(self.duration_s))
        assert found.values.shape == (self.num_snippets, found.dim)
        assert found.dim > 0
        assert found.values.dtype == np.float32, f"rows are float32, got {found.values.dtype}"
        assert np.isfinite(found.values).all()

    def test_it_sees_what_is_there(self) -> None:
        assert self.rows(self.observations(self.duration_s)).present.all()

    def test_rows_are_absent_where_nothing_is_observed(self) -> None:
        self._needs_observations()
        half_s = self.duration_s / 2
        found = self.rows(self.observations(half_s))
        # A snippet's length of grace: an observation may reach into the next cell.
        after = self.grid.index_at(half_s + self.grid.duration_s)
        assert found.present[: self.grid.index_at(half_s) - 1].all()
        assert not found.present[after:].any(), "nothing was observed there"
        assert not found.values[~found.present].any(), "rows that are not present hold zeros"

    def test_a_clip_without_its_modality_has_no_rows_present(self) -> None:
        self._needs_observations()
        found = self.rows([])
        assert len(found) == self.num_snippets
        assert not found.present.any()

    def test_the_same_clip_gives_the_same_rows(self) -> None:
        first, second = (self.rows(self.observations(self.duration_s)) for _ in range(2))
        np.testing.assert_array_equal(first.values, second.values)
        np.testing.assert_array_equal(first.present, second.present)

    def test_how_audio_is_cut_into_blocks_does_not_matter(self) -> None:
        if self.entry.reads != "audio":
            raise SkipTest("it does not read audio")
        short, long = (self.rows(samples.audio(self.duration_s, block_s=s)) for s in (0.07, 1.3))
        # Sums of float32 depend on their order; nothing else may differ.
        np.testing.assert_allclose(short.values, long.values, rtol=1e-3, atol=1e-4)

    def _needs_observations(self) -> None:
        if self.entry.reads == "nothing":
            raise SkipTest("it reads neither audio nor faces")
