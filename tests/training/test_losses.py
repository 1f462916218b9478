"""Losses against published constants, slow obvious versions, and the paper's normaliser."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy, sigmoid
from torch.testing import assert_close

from mmmsba_plugin.config import LossConfig
from mmmsba_plugin.training.losses import diou_loss, focal_loss, total_loss

lengths = st.floats(0.01, 100.0)


def logits_of(z):
    return torch.stack([torch.zeros_like(z), z], dim=-1)


@pytest.mark.parametrize(("label", "golden"), [(1, 0.0250983), (0, 0.2114428)])
def test_focal_loss_gives_the_golden_values(label, golden):
    found = focal_loss(torch.tensor([0.0, 0.3]), torch.tensor(label), alpha=0.25, gamma=2.0)
    # The golden values are printed with seven decimals.
    assert float(found) == pytest.approx(golden, abs=1e-7)


def test_the_softmax_form_equals_the_sigmoid_form():
    z = torch.linspace(-8, 8, 33, dtype=torch.float64)
    for label in (0, 1):
        p = sigmoid(z) if label else 1 - sigmoid(z)
        weight = 0.25 if label else 0.75
        expected = -weight * (1 - p) ** 2 * p.log()
        labels = torch.full((33,), label)
        found = focal_loss(logits_of(z), labels, alpha=0.25, gamma=2.0)
        assert_close(found, expected)


def test_without_focus_it_is_half_the_cross_entropy():
    logits = torch.randn(20, 2, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(20) % 2
    expected = cross_entropy(logits, labels, reduction="none") / 2
    assert_close(focal_loss(logits, labels, alpha=0.5, gamma=0.0), expected)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_a_snippet_that_is_surely_right_has_no_loss_and_a_finite_gradient(gamma):
    logits = torch.tensor([[-200.0, 200.0]], requires_grad=True)
    loss = focal_loss(logits, torch.tensor([1]), alpha=0.25, gamma=gamma)
    loss.sum().backward()
    assert float(loss.detach()) == pytest.approx(0.0, abs=1e-12)
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize(
    ("predicted", "target", "golden"),
    [((1, 2), (2, 2), 0.265625), ((0, 0), (1, 1), 1.0)],
)
def test_distance_iou_gives_the_golden_values(predicted, target, golden):
    found = diou_loss(torch.tensor(predicted).float(), torch.tensor(target).float())
    assert float(found) == pytest.approx(golden, abs=1e-7)


@given(lengths, lengths, lengths, lengths)
def test_distance_iou_is_what_its_definition_says_of_segments(a, b, c, d):
    # Segments [-a, b) and [-c, d): both hold the common centre 0.
    shared = min(b, d) - max(-a, -c)
    union = (a + b) + (c + d) - shared
    enclosing = max(b, d) - min(-a, -c)
    apart = (b - a) / 2 - (d - c) / 2
    expected = 1 - shared / union + (apart / enclosing) ** 2
    pair = torch.tensor([[a, b], [c, d]], dtype=torch.float64)
    assert float(diou_loss(pair[0], pair[1])) == pytest.approx(expected, abs=1e-9)


@given(lengths, lengths, st.floats(0.01, 100.0))
def test_distance_iou_is_nothing_for_a_perfect_answer_in_any_unit(a, b, unit):
    segment = torch.tensor([a, b], dtype=torch.float64)
    other = segment + torch.tensor([1.0, 0.0])
    assert float(diou_loss(segment, segment)) == pytest.approx(0.0, abs=1e-12)
    assert_close(diou_loss(segment, other), diou_loss(segment * unit, other * unit))


def test_distance_iou_of_no_length_at_all_is_finite():
    nothing = torch.zeros(2, requires_grad=True)
    loss = diou_loss(nothing, torch.zeros(2))
    loss.backward()
    assert float(loss.detach()) == 1.0
    assert torch.isfinite(nothing.grad).all()


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(5)
    labels = torch.tensor([[0, 1, 1, 1, 0], [0, 0, 0, 0, 0]])
    return {
        "logits": torch.randn(2, 5, 2, generator=generator),
        "distances": torch.rand(2, 5, 2, generator=generator),
        "labels": labels,
        "target_distances": torch.rand(2, 5, 2, generator=generator) + 0.5,
        # The first fake snippet is merely grazed by its segment.
        "regress": torch.tensor([[False, False, True, True, False], [False] * 5]),
    }


def test_the_total_is_equation_8(batch):
    config = LossConfig(regression_weight=0.5)
    losses = total_loss(**batch, config=config)
    focal = focal_loss(batch["logits"], batch["labels"], alpha=0.25, gamma=2.0).sum()
    diou = sum(diou_loss(batch["distances"][0, i], batch["target_distances"][0, i]) for i in (2, 3))
    assert_close(losses.classification, focal / 3)
    assert_close(losses.regression, diou / 3)
    assert_close(losses.total, focal / 3 + 0.5 * diou / 3)


def test_only_snippets_inside_a_segment_learn_their_distances(batch):
    batch["distances"].requires_grad_()
    total_loss(**batch).total.backward()
    learned = batch["distances"].grad.abs().sum(dim=-1) > 0
    assert torch.equal(learned, batch["regress"])


def test_a_real_snippet_never_learns_distances(batch):
    batch["distances"].requires_grad_()
    batch["regress"] = torch.ones(2, 5, dtype=torch.bool)
    total_loss(**batch).total.backward()
    learned = batch["distances"].grad.abs().sum(dim=-1) > 0
    assert torch.equal(learned, batch["labels"] == 1)


def test_a_batch_without_fakes_is_divided_by_one(batch):
    real = {k: v[1:] for k, v in batch.items()}
    losses = total_loss(**real)
    focal = focal_loss(real["logits"], real["labels"], alpha=0.25, gamma=2.0).sum()
    assert_close(losses.total, focal)
    assert float(losses.regression) == 0.0


def test_padding_takes_no_part_in_the_loss(batch):
    mask = torch.tensor([[True, True, True, False, False], [True, True, False, False, False]])
    shorter = total_loss(**batch, mask=mask)
    batch["logits"][~mask] = torch.nan
    batch["distances"][~mask] = torch.nan
    batch["labels"][~mask] = -1
    batch["regress"][~mask] = True
    for name, value in shorter._asdict().items():
        assert torch.equal(value, getattr(total_loss(**batch, mask=mask), name)), name


def test_padding_sends_back_no_gradient(batch):
    batch["logits"].requires_grad_()
    mask = torch.arange(5)[None].expand(2, 5) < 3
    total_loss(**batch, mask=mask).total.backward()
    assert torch.all(batch["logits"].grad[:, 3:] == 0)
    assert torch.all(batch["logits"].grad[:, :3] != 0)


def test_without_a_boundary_head_there_is_only_classification(batch):
    losses = total_loss(**(batch | {"distances": None}))
    assert torch.equal(losses.total, losses.classification)
    assert float(losses.regression) == 0.0


def test_a_better_answer_has_a_smaller_loss(batch):
    perfect = logits_of(torch.where(batch["labels"] == 1, 9.0, -9.0))
    better = batch | {"logits": perfect, "distances": batch["target_distances"]}
    found, best = total_loss(**batch), total_loss(**better)
    assert best.classification < found.classification
    assert best.regression < 1e-6 < found.regression
