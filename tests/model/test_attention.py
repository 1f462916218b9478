"""The paper's equations, against numbers worked out by the authors' own functions."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from mmmsba_plugin.model.attention import (
    attend,
    attention_map,
    attention_maps,
    bi_modal,
    fuse,
    fused_blocks,
    fused_width,
    ordered,
    pairs,
    self_attention,
    uni_sequence,
)

FACE = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
LIPS = torch.tensor([[0.5, -0.5], [1.0, 0.25], [0.0, 2.0]])
AUDIO = torch.tensor([[0.2, 0.4], [-0.6, 0.8], [1.0, 0.0]])

# The golden numbers are printed with six decimals.
PRINTED = {"atol": 1e-6, "rtol": 0.0}

BI_MODAL = {
    "face, lips": (
        FACE,
        LIPS,
        [
            [0.660078, 0, 0.406838, -0.246760],
            [0, 1.594447, 0.828629, 0.159302],
            [0.335904, 1.275376, 0, 1.873242],
        ],
    ),
    "audio, face": (
        AUDIO,
        FACE,
        [
            [0.134213, 0.292277, 0.586672, 0],
            [-0.265814, 0.690121, 0, 0.503917],
            [0.844638, 0, 0.407835, 0.296083],
        ],
    ),
    "lips, audio": (
        LIPS,
        AUDIO,
        [
            [0.251093, -0.124454, 0.080455, 0.387134],
            [0.545760, 0.056780, -0.090061, 1.284373],
            [0, 1.186672, 0.660078, 0],
        ],
    ),
}


@pytest.fixture
def streams():
    generator = torch.Generator().manual_seed(3)
    return {name: torch.randn(2, 7, 5, generator=generator) for name in ("face", "audio", "lips")}


@pytest.fixture
def masks():
    # A row of padding at the end, a modality that comes and goes, and one that is never there.
    present = torch.ones(2, 7, dtype=torch.bool)
    return {
        "face": present & (torch.arange(7) < 5),
        "audio": present & (torch.arange(7) % 2 == 0),
        "lips": present & torch.tensor([[True], [False]]),
    }


@pytest.mark.parametrize("names", BI_MODAL)
def test_bi_modal_attention_gives_the_authors_numbers(names):
    x, y, golden = BI_MODAL[names]
    assert_close(bi_modal(x, y), torch.tensor(golden), **PRINTED)


def test_the_softmax_runs_over_the_attended_modality():
    golden = torch.tensor(
        [
            [0.307196, 0.506480, 0.186324],
            [0.065362, 0.138371, 0.796268],
            [0.084179, 0.293815, 0.622006],
        ]
    )
    assert_close(attention_map(FACE, LIPS), golden, **PRINTED)


def test_self_attention_gives_the_golden_numbers():
    golden = torch.tensor([[0.844638, 0], [0, 0.844638], [0.788058, 0.788058]])
    assert_close(self_attention(FACE), golden, **PRINTED)


def test_uni_sequence_attention_gives_the_golden_numbers():
    golden = torch.tensor(
        [
            [0.677639, 0, 0.114594, 0.004319, 0.315787, 0.055021],
            [0, 0.773898, 0.102667, 0.650891, 0.513910, 0.131173],
            [0.577681, 1.266956, 0.844638, 0, 0, 3.701874],
        ]
    )
    assert_close(uni_sequence([FACE, AUDIO, LIPS]), golden, **PRINTED)


def test_a_masked_key_gets_no_weight():
    mask = torch.tensor([True, True, False])
    golden = torch.tensor([[0.811230, -0.033156], [0.839589, 0.009384], [0.888650, 0.082975]])
    assert_close(attend(FACE, LIPS, key_mask=mask), golden, **PRINTED)
    assert torch.all(attention_map(FACE, LIPS, key_mask=mask)[:, 2] == 0)
    assert_close(attend(FACE, LIPS, key_mask=mask), attend(FACE, LIPS[:2]))


def test_without_any_key_the_output_and_its_gradient_are_zeros():
    x, y = FACE.clone().requires_grad_(), LIPS.clone().requires_grad_()
    nobody = torch.zeros(3, dtype=torch.bool)
    answer = bi_modal(x, y, x_mask=nobody, y_mask=nobody)
    answer.sum().backward()
    assert torch.all(answer == 0)
    assert torch.all(attention_map(x, y, key_mask=nobody) == 0)
    assert torch.all(x.grad == 0)
    assert torch.all(y.grad == 0)


def test_attending_oneself_is_self_attention():
    assert torch.equal(bi_modal(FACE, FACE)[:, :2], self_attention(FACE))


@pytest.mark.parametrize("attention", ["mmms-ba", "mmus-sa", "ms-sa", "none"])
def test_permuting_snippets_permutes_what_is_fused(streams, masks, attention):
    order = torch.randperm(7, generator=torch.Generator().manual_seed(0))
    moved = fuse(
        {k: v[:, order] for k, v in streams.items()},
        attention=attention,
        masks={k: v[:, order] for k, v in masks.items()},
    )
    stayed = fuse(streams, attention=attention, masks=masks)
    # Sums run in another order, so float32 may differ in its last digits.
    assert_close(moved, stayed[:, order], atol=1e-5, rtol=1e-5)


def test_uni_sequence_attention_at_a_snippet_depends_on_that_snippet_alone(streams):
    before = uni_sequence(list(streams.values()))
    streams["audio"][:, 3] += 1.0
    after = uni_sequence(list(streams.values()))
    changed = (before != after).any(dim=-1).any(dim=0)
    assert changed.tolist() == [False, False, False, True, False, False, False]


@pytest.mark.parametrize("masked", [False, True])
def test_the_maps_are_the_weights_that_are_used(streams, masks, masked):
    key_mask = masks["lips"] if masked else None
    weights = attention_map(streams["face"], streams["lips"], key_mask=key_mask)
    used = attend(streams["face"], streams["lips"], key_mask=key_mask)
    # One is fused and the other explicit: the same sums in another order.
    assert_close(weights @ streams["lips"], used, atol=1e-5, rtol=1e-5)


def test_maps_of_bi_modal_attention_sum_to_one_or_to_nothing(streams, masks):
    maps = attention_maps(streams, attention="mmms-ba", masks=masks)
    assert set(maps) == {
        *("face_from_lips", "lips_from_face", "audio_from_face"),
        *("face_from_audio", "lips_from_audio", "audio_from_lips"),
    }
    for name, weights in maps.items():
        counts = masks[name.split("_from_")[1]].any(dim=-1)
        expected = counts.float().unsqueeze(-1).expand(2, 7)
        assert_close(weights.sum(dim=-1), expected, atol=1e-6, rtol=0.0)


def test_maps_of_self_attention_are_named_by_one_modality(streams):
    maps = attention_maps(streams, attention="ms-sa")
    assert list(maps) == ["face_from_face", "audio_from_audio", "lips_from_lips"]


def test_maps_of_uni_sequence_attention_weigh_modalities_at_each_snippet(streams, masks):
    maps = attention_maps(streams, attention="mmus-sa", masks=masks)
    total = sum(maps[f"face_from_{name}"] for name in streams)
    anything = torch.stack(list(masks.values())).any(dim=0)
    assert_close(total, anything.float(), atol=1e-6, rtol=0.0)
    assert torch.all(maps["face_from_audio"][~masks["audio"]] == 0)


def test_no_attention_has_no_maps(streams):
    assert attention_maps(streams, attention="none") == {}
    assert torch.equal(fuse(streams, attention="none"), torch.cat([*streams.values()], dim=-1))


def test_blocks_come_in_the_authors_order(streams):
    face, audio, lips = streams.values()
    expected = [bi_modal(face, lips), bi_modal(audio, face), bi_modal(lips, audio)]
    fused = fuse(streams, attention="mmms-ba")
    assert torch.equal(fused, torch.cat([*expected, face, audio, lips], dim=-1))


def test_streams_are_ordered_and_paired_as_the_authors_do():
    assert pairs(["lips", "audio", "face"]) == [
        ("face", "lips"),
        ("audio", "face"),
        ("lips", "audio"),
    ]
    # The parent's words: audio is one of ours and comes first, the others follow as given.
    assert pairs(["video", "audio", "text"]) == [
        ("audio", "text"),
        ("video", "audio"),
        ("text", "video"),
    ]


def test_a_fourth_modality_appends_its_blocks(streams):
    text = torch.randn(2, 7, 5)
    three, four = (fuse(s, attention="mmms-ba") for s in (streams, {**streams, "text": text}))
    num_blocks = 6 * 5
    assert torch.equal(four[..., :num_blocks], three[..., :num_blocks])
    assert torch.equal(four[..., 2 * num_blocks : -5], three[..., num_blocks:])


@given(st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=4))
def test_further_modalities_move_no_pair(modalities):
    fewer, more = pairs(modalities[:-1]), pairs(modalities)
    assert more[: len(fewer)] == fewer


@pytest.mark.parametrize("attention", ["mmms-ba", "mmus-sa", "ms-sa", "none"])
def test_blocks_are_named_as_they_are_fused(attention, streams):
    names = fused_blocks(streams, attention)
    fused = fuse(streams, attention=attention)
    assert len(set(names)) == len(names) == fused.shape[-1] // 5
    for name, block in zip(names, fused.split(5, dim=-1), strict=True):
        query, _, key = name.partition("_from_")
        if key in streams:
            assert torch.equal(block, attend(streams[query], streams[key]) * streams[query])


@given(st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1))
def test_every_pair_comes_exactly_once(modalities):
    unordered = [frozenset(pair) for pair in pairs(modalities)]
    assert len(unordered) == len(set(unordered)) == len(modalities) * (len(modalities) - 1) // 2
    assert all(len(pair) == 2 for pair in unordered)


@pytest.mark.parametrize("attention", ["mmms-ba", "mmus-sa", "ms-sa", "none"])
@pytest.mark.parametrize("num_streams", [1, 2, 3, 4])
def test_the_width_is_that_of_what_is_fused(attention, num_streams):
    streams = {name: torch.zeros(1, 2, 5) for name in "abcd"[:num_streams]}
    fused = fuse(streams, attention=attention)
    assert fused.shape[-1] == fused_width(num_streams, 5, attention)


def test_unknown_modalities_follow_in_the_order_given():
    assert ordered(["zebra", "lips", "ant", "face"]) == ("face", "lips", "zebra", "ant")


@pytest.mark.parametrize("masked", [False, True])
def test_memory_grows_with_the_length_and_not_with_its_square(masked):
    num_snippets = 2000
    queries, keys = torch.randn(2, 1, num_snippets, 4)
    key_mask = torch.arange(num_snippets)[None] % 3 > 0 if masked else None
    with torch.profiler.profile(profile_memory=True) as profile, torch.inference_mode():
        attend(queries, keys, key_mask=key_mask)
    allocated_bytes = sum(max(event.cpu_memory_usage, 0) for event in profile.events())
    assert 0 < allocated_bytes < num_snippets**2


def test_without_the_gate_the_output_is_what_attention_finds():
    x_view, y_view = attend(FACE, LIPS), attend(LIPS, FACE)
    assert_close(bi_modal(FACE, LIPS, is_gated=False), torch.cat([x_view, y_view], dim=-1))
    assert_close(self_attention(FACE, is_gated=False), attend(FACE, FACE))
    rows = torch.stack([FACE, LIPS], dim=-2)
    assert_close(uni_sequence([FACE, LIPS], is_gated=False), attend(rows, rows).flatten(-2))


@pytest.mark.parametrize("attention", ["mmms-ba", "mmus-sa", "ms-sa"])
def test_the_gate_multiplies_each_block_by_the_modality_that_asks(streams, masks, attention):
    gated, bare = (
        fuse(streams, attention=attention, masks=masks, is_gated=is_gated, residual=False)
        for is_gated in (True, False)
    )
    names = fused_blocks(streams, attention, residual=False)
    asking = torch.cat([streams[name.split("_from_")[0]] for name in names], dim=-1)
    assert_close(gated, bare * asking)


@pytest.mark.parametrize("attention", ["mmms-ba", "mmus-sa", "ms-sa"])
def test_the_residual_is_the_streams_behind_the_attended_blocks(streams, attention):
    whole = fuse(streams, attention=attention)
    attended = fuse(streams, attention=attention, residual=False)
    assert_close(whole, torch.cat([attended, *streams.values()], dim=-1))
    assert attended.shape[-1] == fused_width(3, 5, attention, residual=False)
    blocks = fused_blocks(streams, attention, residual=False)
    assert blocks == fused_blocks(streams, attention)[:-3]
    assert len(blocks) * 5 == attended.shape[-1]
