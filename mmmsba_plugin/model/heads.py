"""Heads: a class for each snippet, and the distances to the boundaries of a fake segment.

The paper's text and code put the heads directly on the fused vector; the extra dense layer
that its figure 2 draws is in neither.
"""

from torch import Tensor, nn

from mmmsba_plugin.model.encoder import start_like_keras

#: Columns of the logits.
REAL, FAKE = 0, 1


class ClassificationHead(nn.Linear):
    """Two logits a snippet; column :data:`FAKE` speaks for forged.

    Args:
        width: Width of the fused vector.
    """

    def __init__(self, width: int) -> None:
        super().__init__(width, 2)
        start_like_keras(self)


class RegressionHead(nn.Linear):
    """Distances from the middle of a snippet's cell to both ends of its fake segment.

    In cells, so that one head serves every stride; never negative, as in the paper. The
    bias starts at one cell: a ReLU that starts below zero everywhere never learns.

    Args:
        width: Width of the fused vector.
    """

    def __init__(self, width: int) -> None:
        super().__init__(width, 2)
        start_like_keras(self)
        nn.init.ones_(self.bias)

    def forward(self, fused: Tensor) -> Tensor:
        """Return the distances to start and end, shape ``(batch, snippet, 2)``, in cells."""
        return super().forward(fused).relu()
