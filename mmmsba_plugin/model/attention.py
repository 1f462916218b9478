"""Attention between modalities: the paper's equations, and nothing to learn in them.

There is no scaling, no projection and no head. Every function works on tensors whose last
two axes are ``(snippet, feature)``; a mask is True where a snippet counts and has the shape
``(..., snippet)``. A snippet that does not count has zero weight as a key. Where no key
counts at all, the answer is zeros: there was nothing to attend to.

Source:
    Katamneni & Rattani, IJCB 2024, section 3.2, equations 2-7, and 9-16 of the supplement.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from mmmsba_plugin.config import Attention

#: The order in which the authors' code names its streams; others follow as they were given.
STREAM_ORDER = ("face", "audio", "lips")

Streams = Mapping[str, Tensor]

#: Face, audio and lips, or the three that the parent method has in their places.
_NUM_AUTHORS_STREAMS = 3

#: Batch, head, snippet and feature.
_NUM_FUSED_AXES = 4

#: A dot product whose softmax is 0, and still a number that float32 can add to.
_KEPT_OUT = -1e30


def ordered(modalities: Iterable[str]) -> tuple[str, ...]:
    """Return modalities in the order that streams have everywhere.

    Example:
        >>> ordered(["text", "lips", "audio", "face"])
        ('face', 'audio', 'lips', 'text')
    """
    names = tuple(modalities)
    ordered_names = tuple(name for name in STREAM_ORDER if name in names)
    return ordered_names + tuple(name for name in names if name not in STREAM_ORDER)


def pairs(modalities: Iterable[str]) -> list[tuple[str, str]]:
    """Return every unordered pair of modalities once, those of further modalities last.

    Three give the authors' order. Each further one is paired with all before it, behind their
    pairs, so that blocks of attention are appended and none moves.

    Example:
        >>> pairs(["face", "audio", "lips"])
        [('face', 'lips'), ('audio', 'face'), ('lips', 'audio')]
        >>> pairs(["face", "audio", "lips", "text"])[3:]
        [('text', 'face'), ('text', 'audio'), ('text', 'lips')]
    """
    streams = ordered(modalities)
    first = streams[:_NUM_AUTHORS_STREAMS]
    # Around the circle, which of two streams would come to the same pair twice.
    around = len(first) if len(first) == _NUM_AUTHORS_STREAMS else len(first) - 1
    further = [
        (name, earlier)
        for index, name in enumerate(streams[len(first) :], start=len(first))
        for earlier in streams[:index]
    ]
    return [*((first[i], first[i - 1]) for i in range(around)), *further]


def attend(queries: Tensor, keys: Tensor, *, key_mask: Tensor | None = None) -> Tensor:
    """Return for each query the sum of all keys, weighted by softmax of the dot product.

    Args:
        queries: Shape ``(..., query, feature)``.
        keys: Shape ``(..., key, feature)``; they are the values too.
        key_mask: Which keys count, shape ``(..., key)``; all if not given.

    Returns:
        Shape ``(..., query, feature)`` (equations 3-5).
    """
    if key_mask is None:
        return _weighted_sum(queries, keys, None)
    allowed, any_allowed = _allowed(key_mask)
    return _weighted_sum(queries, keys, allowed) * any_allowed


def attention_map(queries: Tensor, keys: Tensor, *, key_mask: Tensor | None = None) -> Tensor:
    """Return the weights that :func:`attend` uses, shape ``(..., query, key)``.

    Each row sums to 1, or to 0 where no key counts. They cost memory with the square of the
    number of snippets, so they are computed only for who wants to see them.
    """
    logits = queries @ keys.mT
    if key_mask is None:
        return logits.softmax(dim=-1)
    allowed, any_allowed = _allowed(key_mask)
    return logits.masked_fill(~allowed, -torch.inf).softmax(dim=-1) * any_allowed


def self_attention(stream: Tensor, *, mask: Tensor | None = None, is_gated: bool = True) -> Tensor:
    """Return one modality attended by itself and gated (MS-SA, equations 13-16).

    Args:
        stream: Shape ``(..., snippet, feature)``.
        mask: Which snippets count, shape ``(..., snippet)``.
        is_gated: Whether to multiply by the stream; the paper does.

    Returns:
        The shape of ``stream``.
    """
    attended = attend(stream, stream, key_mask=mask)
    return attended * stream if is_gated else attended


def bi_modal(
    x: Tensor,
    y: Tensor,
    *,
    x_mask: Tensor | None = None,
    y_mask: Tensor | None = None,
    is_gated: bool = True,
) -> Tensor:
    """Return two modalities attending each other, BA(X, Y) (MMMS-BA, equations 2-7).

    Each snippet of one modality looks at all snippets of the other, and what it finds is
    gated by the looking modality itself.

    Args:
        x: Shape ``(..., snippet, feature)``.
        y: The same shape.
        x_mask: Which snippets of ``x`` count as keys, shape ``(..., snippet)``.
        y_mask: The same for ``y``.
        is_gated: Whether to multiply by the looking modality; the paper does.

    Returns:
        X's view of Y beside Y's view of X, shape ``(..., snippet, 2 * feature)``.
    """
    x_view = attend(x, y, key_mask=y_mask)
    y_view = attend(y, x, key_mask=x_mask)
    views = [x_view * x, y_view * y] if is_gated else [x_view, y_view]
    return torch.cat(views, dim=-1)


def uni_sequence(
    streams: Sequence[Tensor],
    *,
    masks: Sequence[Tensor] | None = None,
    is_gated: bool = True,
) -> Tensor:
    """Return the modalities of each snippet attending each other (MMUS-SA, equations 9-12).

    No information crosses snippets.

    Args:
        streams: One tensor a modality, each of shape ``(..., snippet, feature)``.
        masks: Which snippets count, one for each stream, shape ``(..., snippet)``.
        is_gated: Whether to multiply by the modalities; the paper does.

    Returns:
        The gated modalities side by side, shape ``(..., snippet, modality * feature)``.
    """
    rows = torch.stack(list(streams), dim=-2)
    mask = None if masks is None else torch.stack(list(masks), dim=-1)
    return self_attention(rows, mask=mask, is_gated=is_gated).flatten(start_dim=-2)


def fuse(
    streams: Streams,
    *,
    attention: Attention,
    masks: Mapping[str, Tensor] | None = None,
    is_gated: bool = True,
    residual: bool = True,
) -> Tensor:
    """Concatenate the attended blocks, then the streams themselves, for the heads.

    The paper's "residual" is this concatenation of the streams, not an addition.

    Args:
        streams: One tensor a modality in the order of :func:`ordered`, each of shape
            ``(..., snippet, feature)``.
        attention: How the blocks are made; ``none`` makes no blocks.
        masks: Which snippets of each stream count as keys, shape ``(..., snippet)``.
        is_gated: Whether what attention finds is multiplied by the stream that asks.
        residual: Whether the streams follow the blocks.

    Returns:
        Shape ``(..., snippet, fused)``; see :func:`fused_width`.
    """
    mask_of = masks or {}
    match attention:
        case "mmms-ba":
            blocks = [
                bi_modal(
                    streams[x],
                    streams[y],
                    x_mask=mask_of.get(x),
                    y_mask=mask_of.get(y),
                    is_gated=is_gated,
                )
                for x, y in pairs(streams)
            ]
        case "ms-sa":
            blocks = [
                self_attention(stream, mask=mask_of.get(name), is_gated=is_gated)
                for name, stream in streams.items()
            ]
        case "mmus-sa":
            mask_rows = None if masks is None else [masks[name] for name in streams]
            blocks = [uni_sequence(list(streams.values()), masks=mask_rows, is_gated=is_gated)]
        case "none":
            blocks = []
    return torch.cat([*blocks, *(streams.values() if residual else ())], dim=-1)


def fused_width(
    num_streams: int, units: int, attention: Attention, *, residual: bool = True
) -> int:
    """Return the width of what :func:`fuse` returns.

    Example:
        >>> [fused_width(n, 100, "mmms-ba") for n in (2, 3, 4)]
        [400, 900, 1600]
    """
    num_blocks = {
        "mmms-ba": num_streams * (num_streams - 1),
        "mmus-sa": num_streams,
        "ms-sa": num_streams,
        "none": 0,
    }[attention]
    return (num_blocks + num_streams * residual) * units


def fused_blocks(
    modalities: Iterable[str], attention: Attention, *, residual: bool = True
) -> list[str]:
    """Return the name of each block of what :func:`fuse` returns, in order.

    Each block is as wide as a stream.

    Example:
        >>> fused_blocks(["face", "audio"], "mmms-ba")
        ['face_from_audio', 'audio_from_face', 'face', 'audio']
    """
    streams = ordered(modalities)
    match attention:
        case "mmms-ba":
            blocks = [f"{q}_from_{k}" for x, y in pairs(streams) for q, k in ((x, y), (y, x))]
        case "ms-sa":
            blocks = [f"{name}_from_{name}" for name in streams]
        case "mmus-sa":
            blocks = [f"{name}_from_all" for name in streams]
        case "none":
            blocks = []
    return [*blocks, *(streams if residual else ())]


def attention_maps(
    streams: Streams, *, attention: Attention, masks: Mapping[str, Tensor] | None = None
) -> dict[str, Tensor]:
    """Return the weights that :func:`fuse` uses, by name.

    Returns:
        ``face_from_lips`` holds how face, asking, weighs lips: shape ``(..., query snippet,
        key snippet)``. For ``mmus-sa``, where modalities attend within one snippet, it is
        one weight a snippet, shape ``(..., snippet)``. Empty for ``none``.
    """
    mask_of = masks or {}
    match attention:
        case "mmms-ba":
            name_pairs = [names for x, y in pairs(streams) for names in ((x, y), (y, x))]
        case "ms-sa":
            name_pairs = [(name, name) for name in streams]
        case "mmus-sa":
            rows = torch.stack(list(streams.values()), dim=-2)
            mask = None
            if masks is not None:
                mask = torch.stack([masks[name] for name in streams], dim=-1)
            weights = attention_map(rows, rows, key_mask=mask)
            return {
                f"{x}_from_{y}": weights[..., i, j]
                for (i, x), (j, y) in product(enumerate(streams), repeat=2)
            }
        case "none":
            name_pairs = []
    return {
        f"{x}_from_{y}": attention_map(streams[x], streams[y], key_mask=mask_of.get(y))
        for x, y in name_pairs
    }


def _weighted_sum(queries: Tensor, keys: Tensor, allowed: Tensor | None) -> Tensor:
    """Return the attended keys, by the kernel whose memory grows with the length alone.

    PyTorch has it for tensors of four axes, the second being the heads of attention. Given
    fewer axes, it makes the whole matrix of weights.
    """
    if torch.onnx.is_in_onnx_export():
        return _weighted_sum_in_products(queries, keys, allowed)
    if queries.ndim >= _NUM_FUSED_AXES:
        return scaled_dot_product_attention(queries, keys, keys, attn_mask=allowed, scale=1.0)
    one_head = None if allowed is None else allowed.unsqueeze(-3)
    return _weighted_sum(queries.unsqueeze(-3), keys.unsqueeze(-3), one_head).squeeze(-3)


def _weighted_sum_in_products(queries: Tensor, keys: Tensor, allowed: Tensor | None) -> Tensor:
    """Return the same for ONNX, which has no such kernel.

    Whether a key counts is one feature more of the dot product, which costs nothing; a mask
    over the whole matrix of weights took longer than both products.
    """
    values = keys
    if allowed is not None:
        let_in = torch.where(allowed, 0.0, _KEPT_OUT).transpose(-2, -1)
        queries = torch.cat([queries, torch.ones_like(queries[..., :1])], dim=-1)
        keys = torch.cat([keys, let_in], dim=-1)
    return (queries @ keys.transpose(-2, -1)).softmax(dim=-1) @ values


def _allowed(key_mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mask as ``(..., 1, key)``, and whether any key counts as ``(..., 1, 1)``.

    Softmax over nothing is NaN, and NaN survives multiplication by zero, also in gradients.
    So where no key counts, all are let in, and the caller wipes the result out.
    """
    any_allowed = key_mask.any(dim=-1, keepdim=True).unsqueeze(-2)
    return key_mask.unsqueeze(-2) | ~any_allowed, any_allowed
