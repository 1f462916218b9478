"""Explicit correlation learning: another system, on the same features and heads.

Audio and what is seen attend to each other along the whole clip; how alike they then are in each
snippet, as a cosine, is learned explicitly, beside the classification of both together.

Taken from the paper's abstract and its published code: attention across modalities both ways, then
of both together to themselves, each as a transformer layer whose residual and keys are the one
side and whose queries the other; the similarity ``s = (1 + cos) / 2``, learned by binary
cross-entropy. Theirs is a *distillation*: the target of ``s`` is how alike the distributions of a
frozen recogniser of speech and one of lips are. No such weights ship here, so the target is the
ground truth: 1 for a real snippet, 0 for a fake one. Their contrastive loss pulls ``s`` to the
teachers in real clips and away from them in fake ones; with these targets it would teach the same
again, and is left out. Ours too: the features, with a Bi-GRU a modality in front instead of their
convolutions; that the heads read ``s`` beside the joint rows; and that a clip's score is the
highest of its snippets, not the mean.

Source:
    Yu et al., "Explicit Correlation Learning for Generalizable Cross-Modal Deepfake Detection",
    arXiv 2404.19171, and github.com/ljj898/CMDFD-Dataset-and-Deepfake-Detection; layers as in Tao
    et al., "Is someone speaking?", MM 2021 (TalkNet).
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, scaled_dot_product_attention

from mmmsba_plugin.config import ModelConfig
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.model.encoder import start_like_keras
from mmmsba_plugin.model.sides import Side, Sides, side_of

#: Heads of attention, and width of the hidden layer relative to the input, as in TalkNet.
NUM_HEADS = 8
_EXPANSION = 4


class CrossLayer(nn.Module):
    """Transformer layer in which one sequence is queried by another.

    Args:
        units: Width of both.
        dropout: Dropout on what attention and the hidden layer add.
    """

    def __init__(self, units: int, dropout: float) -> None:
        super().__init__()
        self.queries = nn.Linear(units, units)
        self.keys_values = nn.Linear(units, 2 * units)
        self.project = nn.Linear(units, units)
        self.norm = nn.LayerNorm(units)
        self.expand = nn.Linear(units, _EXPANSION * units)
        self.contract = nn.Linear(_EXPANSION * units, units)
        self.norm_hidden = nn.LayerNorm(units)
        self.dropout = nn.Dropout(dropout)
        for layer in self.children():
            # Norms start as the identity.
            if isinstance(layer, nn.Linear):
                start_like_keras(layer)

    def forward(self, source: Side, queries: Side) -> Side:
        """Return the source with what the queries find in it, and what the hidden layer adds."""
        keys, values = self.keys_values(source.rows).chunk(2, dim=-1)
        by_head, keys, values = (
            rows.unflatten(-1, (NUM_HEADS, -1)).transpose(1, 2)
            for rows in (self.queries(queries.rows), keys, values)
        )
        # A clip in which nothing counts still needs a key; what it gives is left out below.
        allowed = source.mask | ~source.mask.any(dim=-1, keepdim=True)
        attended = scaled_dot_product_attention(
            by_head, keys, values, attn_mask=allowed[:, None, None, :]
        )
        attended = self.project(attended.transpose(1, 2).flatten(start_dim=2))
        rows = self.norm(source.rows + self.dropout(attended))
        hidden = self.contract(self.dropout(self.expand(rows).relu()))
        return side_of(self.norm_hidden(rows + self.dropout(hidden)), source.mask)


class Correlation(nn.Module):
    """Rows of both sides together, and how alike the sides are.

    Args:
        modalities: Those that the network reads.
        config: Widths and dropout.

    Raises:
        ConfigError: A side has no modality, or the heads of attention cannot share the width.
    """

    def __init__(self, modalities: Sequence[str], config: ModelConfig) -> None:
        super().__init__()
        units, dropout = config.dense_units, config.dropout_dense
        if units % NUM_HEADS:
            raise ConfigError(
                f"cross_modal 'correlation' needs dense_units that {NUM_HEADS} divides, got {units}"
            )
        self.sides = Sides(modalities, config)
        self.audio = CrossLayer(units, dropout)
        self.visual = CrossLayer(units, dropout)
        self.joint = CrossLayer(2 * units, dropout)
        self.width = 2 * units + 1

    def forward(self, streams: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> Tensor:
        """Return the vectors that the heads read, shape ``(batch, snippet, 2 * dense_units + 1)``.

        The last value is the similarity of both sides, in [0, 1]; 0.5 where one is missing.

        Args:
            streams: For each modality, shape ``(batch, snippet, stream_units)``.
            masks: Which snippets count, shape ``(batch, snippet)``.
        """
        audio, visual = self.sides(streams, masks)
        audio, visual = self.audio(audio, visual), self.visual(visual, audio)
        both = Side(torch.cat([audio.rows, visual.rows], dim=-1), audio.mask | visual.mask)
        similarity = (1 + cosine_similarity(audio.rows, visual.rows, dim=-1)) / 2
        return torch.cat([self.joint(both, both).rows, similarity.unsqueeze(-1)], dim=-1)
