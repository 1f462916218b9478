"""The contract of heads, kept by every one that is installed, and what it catches."""

import pytest
import torch

from mmmsba_plugin.hookspecs import HeadEntry
from mmmsba_plugin.model.heads import ClassificationHead
from mmmsba_plugin.testing import HeadContract

from .every_entry import EveryEntry, registered


class TestEveryHead(EveryEntry, HeadContract):
    @pytest.fixture(autouse=True, params=registered("heads"))
    def _each(self, request):
        self._current: HeadEntry = request.param


class Short(ClassificationHead):
    """Makes too few targets."""

    @classmethod
    def targets(cls, truth, grid, num_snippets, **options):
        return super().targets(truth, grid, num_snippets - 1, **options)


class Deaf(ClassificationHead):
    """Learns nothing."""

    @classmethod
    def loss(cls, output, target, mask, config):
        return super().loss(output, target, mask, config) * 0


class Greedy(ClassificationHead):
    """Learns from padding."""

    @classmethod
    def loss(cls, output, target, mask, config):
        return super().loss(output, target, torch.ones_like(mask), config)


class TestContracts:
    """A contract must catch what it is there for."""

    @pytest.mark.parametrize(
        ("head", "claim", "message"),
        [
            (Short, "test_its_targets_have_a_row_for_each_snippet", "19"),
            (Deaf, "test_its_loss_teaches_it", "no weight of it learns"),
            (Greedy, "test_padding_is_not_learned_from", "select by the mask"),
        ],
    )
    def test_a_faulty_head_fails(self, head, claim, message):
        class Contract(HeadContract):
            entry = HeadEntry(name="faulty", summary="A toy.", load=lambda: head)

        with pytest.raises(AssertionError, match=message):
            getattr(Contract(), claim)()
