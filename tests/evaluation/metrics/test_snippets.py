"""Snippets: one label and one score for each cell of a clip's grid."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.evaluation.metrics.detection import Ranking
from mmmsba_plugin.evaluation.metrics.snippets import Snippets, snippets_of, together
from mmmsba_plugin.schema import Curves
from mmmsba_plugin.segment import Segment


class TestSnippets:
    def curves(self, *scores, start_s=0.0, **by_modality) -> Curves:
        return Curves(start_s=start_s, stride_s=0.2, score=scores, by_modality=by_modality)

    def test_a_snippet_is_fake_if_any_fake_time_lies_in_its_cell(self):
        snippets = snippets_of(self.curves(0.1, 0.2, 0.3, 0.4, 0.5), [Segment(0.39, 0.6)])
        assert snippets.fake.tolist() == [False, True, True, False, False]
        assert snippets.scores.tolist() == [0.1, 0.2, 0.3, 0.4, 0.5]

    def test_snippets_that_were_not_evaluated_are_left_out(self):
        snippets = snippets_of(self.curves(None, 0.2, None), [Segment(0.0, 0.4)])
        assert (snippets.scores.tolist(), snippets.fake.tolist()) == ([0.2], [True])

    def test_cells_are_those_of_a_grid_that_starts_later(self):
        snippets = snippets_of(self.curves(0.1, 0.2, 0.3, start_s=0.4), [Segment(0.5, 0.7)])
        assert snippets.fake.tolist() == [True, True, False]

    @pytest.mark.parametrize("truth", [Segment(0.0, 0.4), Segment(2.0, 3.0)])
    def test_truth_outside_of_the_evaluated_snippets_does_not_count(self, truth):
        assert not snippets_of(self.curves(0.1, 0.2, start_s=0.4), [truth]).fake.any()

    def test_a_clip_that_is_fake_throughout_has_fake_snippets_throughout(self):
        from mmmsba_plugin.record import WHOLE_CLIP

        assert snippets_of(self.curves(0.1, 0.2), [WHOLE_CLIP]).fake.all()

    def test_a_clip_without_snippets_has_none(self):
        assert len(snippets_of(self.curves(), [Segment(0.0, 1.0)])) == 0

    @given(
        st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=4),
        st.integers(0, 12),
        st.integers(1, 30),
    )
    def test_a_cell_is_fake_exactly_if_it_overlaps_a_fake_segment(self, spans, first, num):
        # Edges on a lattice of a quarter cell, so that touching without sharing is common.
        truth = [Segment(a * 0.05, (a + n) * 0.05) for a, n in spans]
        snippets = snippets_of(self.curves(*[0.5] * num, start_s=first * 0.2), truth)
        for cell, fake in enumerate(snippets.fake.tolist()):
            low = 4 * (first + cell)
            assert fake == any(a < low + 4 and a + n > low for a, n in spans)

    def test_the_metrics_of_clips_apply_to_snippets_of_many(self):
        right = snippets_of(self.curves(0.1, 0.9), [Segment(0.2, 0.4)])
        wrong = snippets_of(self.curves(0.9, 0.1), [Segment(0.2, 0.4)])
        assert Ranking.of(right.scores, right.fake).auc == 1.0
        both = together([right, wrong])
        assert repr(both) == "Snippets(4, 2 forged)"
        assert Ranking.of(both.scores, both.fake).auc == 0.5

    def test_no_clips_have_no_snippets(self):
        none = together([])
        assert isinstance(none, Snippets)
        assert math.isnan(Ranking.of(none.scores, none.fake).auc)
