"""Losses of snippets against published constants and slow obvious versions."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy, sigmoid
from torch.testing import assert_close

from mmmsba_plugin.model.losses import asymmetric_loss, diou_loss, focal_loss, giou_loss


def giou_of(predicted, target):
    """Compute generalised IoU from two segments, as its paper writes it."""
    (a, b), (c, d) = predicted, target
    intersection = max(0.0, min(b, d) - max(a, c))
    union = (b - a) + (d - c) - intersection
    enclosing = max(b, d) - min(a, c)
    return intersection / union - (enclosing - union) / enclosing


lengths = st.floats(0.01, 100.0)


def logits_of(z):
    return torch.stack([torch.zeros_like(z), z], dim=-1)


@pytest.mark.parametrize(("label", "golden"), [(1, 0.0250983), (0, 0.2114428)])
def test_focal_loss_gives_the_golden_values(label, golden):
    loss = focal_loss(torch.tensor([0.0, 0.3]), torch.tensor(label), alpha=0.25, gamma=2.0)
    # The golden values are printed with seven decimals.
    assert float(loss) == pytest.approx(golden, abs=1e-7)


def test_the_softmax_form_equals_the_sigmoid_form():
    z = torch.linspace(-8, 8, 33, dtype=torch.float64)
    for label in (0, 1):
        p = sigmoid(z) if label else 1 - sigmoid(z)
        weight = 0.25 if label else 0.75
        expected = -weight * (1 - p) ** 2 * p.log()
        labels = torch.full((33,), label)
        loss = focal_loss(logits_of(z), labels, alpha=0.25, gamma=2.0)
        assert_close(loss, expected)


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
    loss = diou_loss(torch.tensor(predicted).float(), torch.tensor(target).float())
    assert float(loss) == pytest.approx(golden, abs=1e-7)


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
def test_distance_iou_is_zero_for_a_perfect_prediction_in_any_unit(a, b, unit):
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


@given(lengths, lengths, lengths, lengths)
def test_generalised_iou_about_a_common_centre_is_that_of_its_paper(a, b, c, d):
    loss = giou_loss(
        torch.tensor([a, b], dtype=torch.float64), torch.tensor([c, d], dtype=torch.float64)
    )
    assert float(loss) == pytest.approx(1 - giou_of((-a, b), (-c, d)), abs=1e-9)


def test_segments_without_length_have_a_generalised_iou_loss_and_a_gradient():
    nothing = torch.zeros(2, requires_grad=True)
    loss = giou_loss(nothing, torch.ones(2))
    loss.backward()
    assert loss.item() == 1.0
    assert nothing.grad.isfinite().all()


@pytest.mark.parametrize("gamma", [0.0, 2.0, 4.0])
def test_the_asymmetric_loss_is_that_of_its_equations(gamma):
    z = torch.linspace(-6, 6, 25, dtype=torch.float64)
    p = sigmoid(z)
    shifted = (p - 0.05).clamp(min=0)
    fake, real = torch.ones(25, dtype=torch.int64), torch.zeros(25, dtype=torch.int64)
    assert_close(asymmetric_loss(logits_of(z), fake, gamma=gamma), -p.log())
    expected = -(shifted**gamma) * (1 - shifted).log()
    assert_close(asymmetric_loss(logits_of(z), real, gamma=gamma), expected)


def test_a_real_snippet_below_the_margin_costs_and_teaches_nothing():
    logits = logits_of(torch.tensor([-3.0])).requires_grad_()
    loss = asymmetric_loss(logits, torch.tensor([0]), gamma=0.5)
    loss.sum().backward()
    assert (loss.item(), logits.grad.tolist()) == (0.0, [[0.0, 0.0]])
