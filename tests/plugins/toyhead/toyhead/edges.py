"""A head that tells whether a fake segment begins or ends in a snippet."""

import numpy as np
from torch.nn.functional import binary_cross_entropy_with_logits

from mmmsba_plugin.model.heads import Head


class EdgeHead(Head):
    num_outputs = 1

    @classmethod
    def targets(cls, truth, grid, num_snippets, *, is_bounded, min_overlap=0.0):
        is_edge = np.zeros((num_snippets, 1), dtype=np.float32)
        edges_s = np.array([(segment.start_s, segment.end_s) for segment in truth])
        cells = grid.indices_at(edges_s.ravel())
        is_edge[cells[(cells >= 0) & (cells < num_snippets)]] = is_bounded
        return {"is_edge": is_edge}

    @classmethod
    def loss(cls, output, target, mask, config):
        is_edge = target["is_edge"][mask]
        return binary_cross_entropy_with_logits(output[mask], is_edge, reduction="sum")
