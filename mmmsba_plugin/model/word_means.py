"""Classification of words instead of snippets: another system, in the style of WAFL.

A manipulation of speech replaces words, so a word is what is scored: rows are realigned to what
tells fakes, averaged over each word, and classified by a linear layer. All snippets of a word get
one score, and segments begin and end where words do; nothing is regressed.

Stated in the abstract, which is all that was read: words as the units; representations of frozen
encoders, realigned by a module (FFR); linear classifiers; and a loss (ACA) that suppresses the
many easy real words and weighs fake ones. Taken from there: all four. Ours: the features, which
are those that every network here is told; the form of the realignment, a norm and a hidden layer
of the same width, added; means over a word; the form of the loss, that of
:func:`mmmsba_plugin.model.losses.asymmetric_loss`; that a pause between words is scored too; and
that a word's truth is that of its snippets, each for itself.

Words come with the modality ``text``: of the front-end ``words`` by the transcript, of
``pseudo-words`` between the minima of the level. Where neither tells, each snippet is a word.

Source:
    Wang et al., "Word-Anchored Temporal Forgery Localization", arXiv 2603.06220.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from mmmsba_plugin.features.words import BEGINS, SPOKEN
from mmmsba_plugin.model.encoder import start_like_keras

#: The modality whose rows tell where words begin.
TEXT = "text"


class WordMeans(nn.Module):
    """Realigns rows, and averages them over each word.

    Args:
        width: Width of the rows.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.hidden = nn.Linear(width, width)
        self.realign = nn.Linear(width, width)
        for layer in (self.hidden, self.realign):
            start_like_keras(layer)

    def forward(self, rows: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        """Return the mean of its word for each snippet, of the shape of ``rows``.

        Args:
            rows: Shape ``(batch, snippet, width)``.
            text: Rows of the modality ``text``, shape ``(batch, snippet, feature)``.
            mask: Which snippets count, shape ``(batch, snippet)``; others are in no mean.
        """
        rows = rows + self.realign(gelu(self.hidden(self.norm(rows))))
        return means(rows.masked_fill(~mask.unsqueeze(-1), 0.0), word_indices(text), mask)


def word_indices(text: Tensor) -> Tensor:
    """Number the words of a clip, pauses too, shape ``(batch, snippet)``.

    A word begins where the front-end says so, and where speech turns into a pause or back. A
    snippet of which nothing is told is one by itself.

    Args:
        text: Rows of the modality ``text``, shape ``(batch, snippet, feature)``.

    Example:
        >>> spoken_and_begins = [[0.0, 0], [0, 0], [1, 1], [1, 0], [1, 1], [0, 0]]
        >>> rows = torch.tensor([[*row, 1.0] for row in spoken_and_begins])
        >>> word_indices(rows.unsqueeze(0)).tolist()
        [[0, 0, 1, 1, 2, 3]]
    """
    spoken = text[..., SPOKEN] > 0
    turns = spoken[:, 1:] != spoken[:, :-1]
    turns = torch.cat([torch.zeros_like(spoken[:, :1]), turns], dim=1)
    is_untold = ~(text != 0).any(dim=-1)
    begins = turns | (text[..., BEGINS] > 0) | is_untold
    # The clip's first word has number 0, whether it is said to begin or not.
    return begins.long().cumsum(dim=1) - begins[:, :1].long()


def means(rows: Tensor, indices: Tensor, mask: Tensor) -> Tensor:
    """Average rows that share an index.

    Args:
        rows: Zeros where they do not count, shape ``(batch, snippet, width)``.
        indices: Below the number of snippets, shape ``(batch, snippet)``.
        mask: Which snippets count, shape ``(batch, snippet)``.

    Returns:
        For each snippet the mean of its word, of the shape of ``rows``.
    """
    counted = torch.cat([rows, mask.unsqueeze(-1).to(rows.dtype)], dim=-1)
    places = indices.unsqueeze(-1).expand_as(counted)
    sums = torch.zeros_like(counted).scatter_add(1, places, counted).gather(1, places)
    return sums[..., :-1] / sums[..., -1:].clamp(min=1)
