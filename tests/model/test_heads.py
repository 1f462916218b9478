"""Heads: their targets, their losses, and what a new one takes."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy
from torch.testing import assert_close

from mmmsba_plugin import plugins
from mmmsba_plugin.config import LocalizationConfig, LossConfig, ModelConfig, TrainConfig
from mmmsba_plugin.errors import CheckpointError, PluginBrokenError, PluginNotFoundError
from mmmsba_plugin.hookspecs import HeadEntry, hookimpl
from mmmsba_plugin.model.checkpoint import CheckpointConfig, load_checkpoint, save_checkpoint
from mmmsba_plugin.model.ensemble import Ensemble
from mmmsba_plugin.model.heads import (
    ClassificationHead,
    Head,
    MovingAverage,
    RegressionHead,
    head_class,
    total_loss,
)
from mmmsba_plugin.model.inference import predict
from mmmsba_plugin.model.losses import diou_loss, focal_loss, giou_loss
from mmmsba_plugin.record import Record
from mmmsba_plugin.schema import Media
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.structures import ClipFeatures, FeatureRows
from mmmsba_plugin.timebase import Grid
from mmmsba_plugin.training.data import Clip, ClipDataset, collate
from mmmsba_plugin.training.module import Learner, crop_clips

GRID = Grid(stride_s=0.2)
TRUTH = [Segment(0.42, 0.48), Segment(0.7, 1.1)]


class TestTargets:
    def test_snippets_are_labelled(self):
        targets = ClassificationHead.targets(TRUTH, GRID, 6, is_bounded=True)
        assert {name: array.tolist() for name, array in targets.items()} == {
            "labels": [0, 0, 1, 1, 1, 1]
        }

    def test_a_snippet_that_is_fake_for_too_short_a_time_is_real_and_has_no_distances(self):
        settings = {"is_bounded": True, "min_overlap": 0.6}
        labels = ClassificationHead.targets(TRUTH, GRID, 6, **settings)["labels"]
        inside = RegressionHead.targets(TRUTH, GRID, 6, **settings)["inside"]
        assert labels.tolist() == inside.tolist() == [0, 0, 0, 0, 1, 0]

    @pytest.mark.parametrize("is_bounded", [True, False])
    def test_distances_are_taught_inside_segments_with_boundaries(self, is_bounded):
        targets = RegressionHead.targets(TRUTH, GRID, 6, is_bounded=is_bounded)
        inside = [False, False, False, True, True, False] if is_bounded else [False] * 6
        assert targets["inside"].tolist() == inside
        assert targets["distances"][4].tolist() == pytest.approx([1.0, 1.0])


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(5)
    outputs = {
        "classify": torch.randn(2, 5, 2, generator=generator),
        "regress": torch.rand(2, 5, 2, generator=generator),
    }
    targets = {
        "classify": {"labels": torch.tensor([[0, 1, 1, 1, 0], [0, 0, 0, 0, 0]])},
        "regress": {
            "distances": torch.rand(2, 5, 2, generator=generator) + 0.5,
            # The first fake snippet is merely grazed by its segment.
            "inside": torch.tensor([[False, False, True, True, False], [False] * 5]),
        },
    }
    return outputs, targets


def loss_of(outputs, targets, mask=None, config=None):
    mask = torch.ones(outputs["classify"].shape[:2], dtype=torch.bool) if mask is None else mask
    return total_loss(outputs, targets, mask, config or LossConfig())


class TestTotalLoss:
    def test_it_is_equation_8(self, batch):
        outputs, targets = batch
        losses = loss_of(*batch, config=LossConfig(regression_weight=0.5))
        labels, distances = targets["classify"]["labels"], targets["regress"]["distances"]
        focal = focal_loss(outputs["classify"], labels, alpha=0.25, gamma=2.0).sum()
        diou = sum(diou_loss(outputs["regress"][0, i], distances[0, i]) for i in (2, 3))
        assert_close(losses.by_head, {"classify": focal / 3, "regress": diou / 3})
        assert_close(losses.total, focal / 3 + 0.5 * diou / 3)

    def test_only_snippets_inside_a_segment_learn_their_distances(self, batch):
        outputs, targets = batch
        outputs["regress"].requires_grad_()
        loss_of(outputs, targets).total.backward()
        has_gradient = outputs["regress"].grad.abs().sum(dim=-1) > 0
        assert torch.equal(has_gradient, targets["regress"]["inside"])

    def test_a_batch_without_fakes_is_divided_by_one(self, batch):
        outputs, targets = (
            {"classify": batch[0]["classify"][1:], "regress": batch[0]["regress"][1:]},
            {name: {k: v[1:] for k, v in of.items()} for name, of in batch[1].items()},
        )
        losses = loss_of(outputs, targets)
        labels = targets["classify"]["labels"]
        assert_close(
            losses.total, focal_loss(outputs["classify"], labels, alpha=0.25, gamma=2.0).sum()
        )
        assert float(losses.by_head["regress"]) == 0.0

    def test_padding_takes_no_part_in_the_loss(self, batch):
        outputs, targets = batch
        mask = torch.tensor([[True, True, True, False, False], [True, True, False, False, False]])
        shorter = loss_of(outputs, targets, mask)
        outputs["classify"][~mask] = torch.nan
        outputs["regress"][~mask] = torch.nan
        targets["classify"]["labels"][~mask] = -1
        targets["regress"]["inside"][~mask] = True
        losses = loss_of(outputs, targets, mask)
        assert torch.equal(losses.total, shorter.total)
        for name, value in shorter.by_head.items():
            assert torch.equal(value, losses.by_head[name]), name

    def test_padding_sends_back_no_gradient(self, batch):
        outputs, targets = batch
        logits = outputs["classify"].requires_grad_()
        mask = torch.arange(5)[None].expand(2, 5) < 3
        loss_of(outputs, targets, mask).total.backward()
        assert torch.all(logits.grad[:, 3:] == 0)
        assert torch.all(logits.grad[:, :3] != 0)

    def test_without_a_boundary_head_there_is_only_classification(self, batch):
        outputs, targets = batch
        del outputs["regress"]
        losses = loss_of(outputs, targets)
        assert list(losses.by_head) == ["classify"]
        assert torch.equal(losses.total, losses.by_head["classify"])

    def test_cross_entropy_over_all_snippets_is_that_of_the_authors_code(self, batch):
        outputs, targets = batch
        config = LossConfig(classification="cross-entropy", normaliser="snippets")
        mask = torch.arange(5)[None].expand(2, 5) < 4
        expected = cross_entropy(outputs["classify"][mask], targets["classify"]["labels"][mask])
        assert_close(loss_of(*batch, mask, config).by_head["classify"], expected)

    def test_boundaries_can_be_learned_by_generalised_iou(self, batch):
        outputs, targets = batch
        loss = loss_of(*batch, config=LossConfig(regression="giou")).by_head["regress"]
        pairs = outputs["regress"][0, 2:4], targets["regress"]["distances"][0, 2:4]
        assert_close(loss, giou_loss(*pairs).sum() / 3)

    def test_another_divisor_scales_the_loss_of_every_head(self, batch):
        by_head = loss_of(*batch).by_head
        mask = torch.ones(2, 5, dtype=torch.bool)
        doubled = total_loss(*batch, mask, LossConfig(), divisor=torch.tensor(6.0)).by_head
        assert_close(doubled, {name: loss / 2 for name, loss in by_head.items()})

    def test_a_better_prediction_has_a_smaller_loss(self, batch):
        _, targets = batch
        z = torch.where(targets["classify"]["labels"] == 1, 9.0, -9.0)
        perfect = {
            "classify": torch.stack([torch.zeros_like(z), z], dim=-1),
            "regress": targets["regress"]["distances"],
        }
        loss, best = loss_of(*batch).by_head, loss_of(perfect, targets).by_head
        assert best["classify"] < loss["classify"]
        assert best["regress"] < 1e-6 < loss["regress"]


def test_a_moving_average_starts_at_the_first_number():
    average = MovingAverage(momentum=0.9)
    assert [float(average(torch.tensor(n))) for n in (10, 20, 10)] == pytest.approx(
        [10.0, 11.0, 10.9]
    )


def test_an_unknown_head_is_answered_with_those_there_are():
    with pytest.raises(PluginNotFoundError, match=r"no head is called 'toy'; .*classify, regress"):
        head_class("toy")


def offer(name, load):
    """Offer a head through the hook, as an installed plug-in does."""
    entry = HeadEntry(name=name, summary="A toy.", load=load)
    plugin = SimpleNamespace(forensics_heads=hookimpl(lambda: [entry]))
    plugins.manager().register(plugin, name)


def withdraw(name):
    plugins.manager().unregister(name=name)


def test_what_is_no_head_is_refused():
    offer("toy", lambda: dict)
    try:
        with pytest.raises(PluginBrokenError, match=r"'toy' must be a subclass of .*\.Head, got"):
            head_class("toy")
    finally:
        withdraw("toy")


def test_a_name_that_no_part_of_a_network_can_have_is_refused():
    with pytest.raises(PluginBrokenError, match=r"cannot be called 'a\.b'; leave out the dot"):
        HeadEntry(name="a.b", summary="A toy.", load=dict)


class ShareHead(Head):
    """A toy: the share of a clip that is fake, from every snippet."""

    num_outputs = 1

    @classmethod
    def targets(cls, truth, grid, num_snippets, *, is_bounded, min_overlap=0.0):
        share = sum(s.duration_s for s in truth) / (num_snippets * grid.stride_s)
        return {"share": np.full((num_snippets, 1), share, dtype=np.float32)}

    @classmethod
    def loss(cls, output, target, mask, config):
        return (output[mask] - target["share"][mask]).square().sum()

    @classmethod
    def loss_weight(cls, config):
        return 0.5


class TestNewHead:
    """All that a new head takes is its class, and its offer through the hook."""

    @pytest.fixture(autouse=True)
    def toy(self):
        offer("share", lambda: ShareHead)
        yield
        if plugins.manager().has_plugin("share"):
            withdraw("share")

    @pytest.fixture
    def config(self):
        heads = ("classify", "regress", "share")
        return ModelConfig(dims={"audio": 3}, gru_units=4, dense_units=4, heads=heads)

    @pytest.fixture
    def batch(self, config):
        features = {f"{n}.mp4": self.features(n) for n in (5, 12)}
        truth = (Segment(0.2, 0.8),)
        clips = [Clip(Record(Path(name), truth=truth), Media(path=name)) for name in features]

        class Source:
            def features(self, media):
                return features[media.path]

        dataset = ClipDataset(clips, Source(), config.heads)
        return collate([dataset[0], dataset[1]])

    @staticmethod
    def features(num_snippets):
        values = np.random.default_rng(0).normal(size=(num_snippets, 3)).astype(np.float32)
        rows = FeatureRows(values, np.ones(num_snippets, dtype=bool))
        return ClipFeatures(GRID, num_snippets * GRID.stride_s, {"audio": rows})

    def test_its_targets_are_batched_and_cropped(self, batch):
        share = batch.targets["all"]["share"]["share"]
        assert share.shape == (2, 12, 1)
        assert share[:, 0, 0].tolist() == pytest.approx([0.6, 0.25])
        cropped = crop_clips(batch, 4).targets["all"]["share"]["share"]
        assert cropped[:, :, 0].tolist() == [pytest.approx([0.6] * 4), pytest.approx([0.25] * 4)]

    def test_it_learns_in_a_training_step(self, config, batch, monkeypatch):
        torch.manual_seed(0)
        (network,) = Ensemble.from_configs([config])
        learner = Learner(network, TrainConfig(max_snippets=4))
        logged = {}
        monkeypatch.setattr(learner, "log", lambda name, value, **_: logged.update({name: value}))
        monkeypatch.setattr(learner, "log_dict", lambda values, **_: logged.update(values))
        loss = learner.training_step(batch, 0)
        loss.backward()
        assert network.share.weight.grad.abs().sum() > 0
        assert_close(
            loss, logged["train_classify"] + logged["train_regress"] + 0.5 * logged["train_share"]
        )

    def test_its_output_is_averaged_over_the_members_that_have_it(self, config):
        without = config.model_copy(update={"heads": ("classify",), "gru_units": 5})
        ensemble = Ensemble.from_configs([config, config, without]).eval()
        inputs = {"audio": torch.randn(2, 6, 3)}
        first, second, _ = (member(inputs).heads for member in ensemble)
        assert_close(ensemble(inputs).heads["share"], (first["share"] + second["share"]) / 2)

    def test_a_checkpoint_keeps_it(self, config, tmp_path):
        network = Ensemble.from_configs([config, config]).eval()
        save_checkpoint(tmp_path, network, CheckpointConfig(members=network.configs), "A toy.\n")
        loaded, _ = load_checkpoint(tmp_path)
        saved, read = (
            predict(of, self.features(9), LocalizationConfig()) for of in (network, loaded)
        )
        assert saved.heads["share"].shape == (9, 1)
        assert (read.heads["share"] == saved.heads["share"]).all()

    def test_a_checkpoint_whose_head_is_not_there_says_so(self, config, tmp_path):
        network = Ensemble.from_configs([config])
        save_checkpoint(tmp_path, network, CheckpointConfig(members=network.configs), "A toy.\n")
        withdraw("share")
        with pytest.raises(CheckpointError, match=r"no head is called 'share'.*install the plug"):
            load_checkpoint(tmp_path)
