"""Contract of heads."""

from typing import TYPE_CHECKING, Any, Final

from mmmsba_plugin.config import LossConfig
from mmmsba_plugin.hookspecs import HeadEntry
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.testing.entry import EntryContract
from mmmsba_plugin.timebase import Grid

if TYPE_CHECKING:
    from torch import Tensor

    from mmmsba_plugin.model.heads import BaseHead

_WIDTH: Final = 6
_NUM_SNIPPETS: Final = 20
#: Fake segments: of a real clip, a fake segment, one that ends behind the clip.
_SEGMENTS: Final = ((), (Segment(0.35, 1.0),), (Segment(0.0, 9.0),))


class HeadContract(EntryContract[HeadEntry]):
    """Contract of heads.

    Example:
        >>> class TestEdges(HeadContract):    # doctest: +SKIP
        ...     entry = EDGES
    """

    grid = Grid(stride_s=0.1)

    @property
    def head_class(self) -> "type[BaseHead]":
        """Return the class of the head."""
        loaded: type[BaseHead] = self.entry.load()
        return loaded

    def head(self) -> "BaseHead":
        """Return a head on rows of six values."""
        import torch

        torch.manual_seed(0)
        return self.head_class(_WIDTH)

    def output(self) -> "Tensor":
        """Compute the output for two clips of random rows."""
        import torch

        output: Tensor = self.head()(torch.randn(2, _NUM_SNIPPETS, _WIDTH))
        return output

    def targets(self, truth: tuple[Segment, ...], *, is_bounded: bool = True) -> dict[str, Any]:
        """Make the targets of a clip."""
        make = self.head_class.targets
        return make(truth, self.grid, _NUM_SNIPPETS, is_bounded=is_bounded, min_overlap=0.5)

    def loss(self, output: "Tensor", mask: "Tensor") -> "Tensor":
        """Compute the loss of two clips, of which one is fake in a segment."""
        import torch

        both = [self.targets(truth) for truth in _SEGMENTS[:2]]
        stacked = {k: torch.stack([torch.from_numpy(t[k]) for t in both]) for k in both[0]}
        return self.head_class.loss(output, stacked, mask, LossConfig())

    def test_its_output_has_a_row_for_each_snippet(self) -> None:
        assert self.output().shape == (2, _NUM_SNIPPETS, self.head_class.num_outputs)

    def test_its_targets_have_a_row_for_each_snippet(self) -> None:
        for truth in _SEGMENTS:
            for is_bounded in (True, False):
                targets = self.targets(truth, is_bounded=is_bounded)
                lengths = {name: len(target) for name, target in targets.items()}
                assert set(lengths.values()) == {_NUM_SNIPPETS}, lengths

    def test_its_loss_teaches_it(self) -> None:
        import torch

        head = self.head()
        output = head(torch.randn(2, _NUM_SNIPPETS, _WIDTH))
        loss = self.loss(output, torch.ones(2, _NUM_SNIPPETS, dtype=torch.bool))
        assert loss.shape == (), f"a loss is one number, got shape {tuple(loss.shape)}"
        assert loss.isfinite()
        gradients = torch.autograd.grad(loss, list(head.parameters()))
        assert any(gradient.any() for gradient in gradients), "no weight of it learns"

    def test_padding_is_not_learned_from(self) -> None:
        import torch

        mask = torch.arange(_NUM_SNIPPETS).expand(2, -1) < _NUM_SNIPPETS - 5
        output = self.output()
        garbage = output.masked_fill(~mask.unsqueeze(-1), torch.nan)
        assert torch.equal(self.loss(output, mask), self.loss(garbage, mask)), (
            "the loss depends on what stands in padding; select by the mask"
        )

    def test_its_loss_weighs_something(self) -> None:
        assert self.head_class.loss_weight(LossConfig()) > 0
