"""Contract of front-ends."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import get_args
from unittest import SkipTest

import numpy as np
from pydantic import TypeAdapter

from mmmsba_plugin.hookspecs import FrontEnd, Input
from mmmsba_plugin.schema import Modality
from mmmsba_plugin.structures import AudioBlock, FaceCrop, FeatureRows, Frame
from mmmsba_plugin.testing import samples
from mmmsba_plugin.testing.entry import ConfiguredContract, require_cost
from mmmsba_plugin.timebase import Grid

Observation = AudioBlock | FaceCrop | Frame


class FrontEndContract(ConfiguredContract[FrontEnd]):
    """Contract of a front-end.

    Example:
        >>> class TestLoudness(FrontEndContract):    # doctest: +SKIP
        ...     entry = LOUDNESS
    """

    #: Where rows are asked for, and how much of the sample clip is asked for.
    grid = Grid(stride_s=0.2)
    duration_s = 4.0

    def observations(self, duration_s: float, *, block_s: float = 0.25) -> list[Observation]:
        """Make up what the front-end's ``inputs`` name, for so many seconds, in time order."""
        makers: dict[Input, Callable[[], Sequence[Observation]]] = {
            "audio": lambda: samples.audio(duration_s, block_s=block_s),
            "frames": lambda: samples.frames(duration_s),
            "faces": lambda: samples.faces(duration_s),
        }
        lists = [make() for kind, make in makers.items() if kind in self.entry.inputs]
        # Sorting is stable: audio, frame, face, as a clip is walked.
        return sorted(
            chain.from_iterable(lists),
            key=lambda item: item.start_s if isinstance(item, AudioBlock) else item.pts_s,
        )

    def rows(self, observations: Iterable[Observation]) -> FeatureRows:
        """Compute the rows of a sample clip of ``duration_s`` with a new extractor."""
        extractor = self.entry.build(self.read_config())
        extractor.start(samples.media(self.duration_s), self.grid)
        known_dim = extractor.dim
        for observation in observations:
            extractor.add(observation)
        rows = extractor.finish(self.num_snippets)
        assert known_dim in {0, rows.dim}, f"dim said {known_dim}, rows have {rows.dim}"
        return rows

    @property
    def num_snippets(self) -> int:
        """Number of rows that are requested."""
        return self.grid.num_snippets(self.duration_s)

    def test_its_modality_is_a_word_or_any(self) -> None:
        if self.entry.modality is None:
            return
        TypeAdapter(Modality).validate_python(self.entry.modality)

    def test_its_inputs_are_something_there_is(self) -> None:
        assert self.entry.inputs <= set(get_args(Input))

    def test_it_returns_one_row_a_snippet(self) -> None:
        rows = self.rows(self.observations(self.duration_s))
        assert rows.values.shape == (self.num_snippets, rows.dim)
        assert rows.dim > 0
        assert rows.values.dtype == np.float32, f"rows are float32, got {rows.values.dtype}"
        assert np.isfinite(rows.values).all()

    def test_it_sees_what_is_there(self) -> None:
        assert self.rows(self.observations(self.duration_s)).present.all()

    def test_rows_are_absent_where_nothing_is_observed(self) -> None:
        self._needs_observations()
        half_s = self.duration_s / 2
        rows = self.rows(self.observations(half_s))
        # A snippet's length of grace: an observation may reach into the next cell.
        after = self.grid.index_at(half_s + self.grid.stride_s)
        assert rows.present[: self.grid.index_at(half_s) - 1].all()
        assert not rows.present[after:].any(), "nothing was observed there"
        assert not rows.values[~rows.present].any(), "rows that are not present hold zeros"

    def test_a_clip_without_its_modality_has_no_rows_present(self) -> None:
        self._needs_observations()
        rows = self.rows([])
        assert len(rows) == self.num_snippets
        assert not rows.present.any()

    def test_the_same_clip_gives_the_same_rows(self) -> None:
        first, second = (self.rows(self.observations(self.duration_s)) for _ in range(2))
        np.testing.assert_array_equal(first.values, second.values)
        np.testing.assert_array_equal(first.present, second.present)

    def test_black_and_silence_give_numbers(self) -> None:
        self._needs_observations()
        blank = [samples.blank(item) for item in self.observations(self.duration_s)]
        assert np.isfinite(self.rows(blank).values).all()

    def test_two_clips_at_once_do_not_disturb_each_other(self) -> None:
        self._needs_observations()
        observations = self.observations(self.duration_s)
        expected = self.rows(observations)
        with ThreadPoolExecutor(2) as pool:
            for rows in pool.map(self.rows, [observations, observations]):
                np.testing.assert_array_equal(rows.values, expected.values)

    def test_it_costs_what_it_says(self) -> None:
        observations = self.observations(self.duration_s)
        require_cost(self.entry, lambda: self.rows(observations), self.duration_s)

    def test_how_audio_is_cut_into_blocks_does_not_matter(self) -> None:
        if "audio" not in self.entry.inputs:
            raise SkipTest("it needs no audio")
        short, long = (
            self.rows(self.observations(self.duration_s, block_s=block_s))
            for block_s in (0.07, 1.3)
        )
        # Sums of float32 depend on their order; nothing else may differ.
        np.testing.assert_allclose(short.values, long.values, rtol=1e-3, atol=1e-4)

    def _needs_observations(self) -> None:
        if not self.entry.inputs:
            raise SkipTest("it needs nothing of a clip")
