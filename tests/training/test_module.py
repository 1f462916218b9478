"""Batches are cropped, modalities hidden, and targets chosen by what is still shown."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from mmmsba_plugin.config import LossConfig, ModelConfig, TrainConfig
from mmmsba_plugin.model.heads import total_loss
from mmmsba_plugin.model.mmmsba import MmmsBa
from mmmsba_plugin.model.tree import tree_map
from mmmsba_plugin.training.data import (
    Batch,
)
from mmmsba_plugin.training.module import Learner, choose, crop_clips, hide_modalities, view_of


def numbered_batch(lengths):
    """Return a batch whose snippets hold their own number, and whose truth is whether it is odd."""
    places = torch.arange(max(lengths)).expand(len(lengths), -1)
    mask = places < torch.tensor(lengths)[:, None]
    odd = (places % 2) * mask
    return Batch(
        inputs={"audio": (places * mask).unsqueeze(-1).float()},
        present={"audio": mask},
        mask=mask,
        targets={
            "all": {
                "classify": {"labels": odd},
                "regress": {
                    "distances": torch.stack([odd, odd], dim=-1).float(),
                    "inside": odd.bool(),
                },
            }
        },
    )


class TestViews:
    def test_a_clip_is_taught_by_what_is_shown_of_it(self):
        yes, no = torch.ones(1, 4, dtype=torch.bool), torch.zeros(1, 4, dtype=torch.bool)
        present = {
            "audio": torch.cat([yes, yes, no]),
            "face": torch.cat([yes, no, no]),
            "lips": torch.cat([yes, no, yes]),
        }
        assert view_of(present).tolist() == [0, 1, 2]
        by_view = {
            v: torch.full((3, 4), float(i)) for i, v in enumerate(("all", "audio", "visual"))
        }
        assert choose(view_of(present), by_view)[:, 0].tolist() == [0, 1, 2]

    def test_a_modality_of_a_plug_ins_own_can_show_either(self):
        text = {"text": torch.ones(1, 4, dtype=torch.bool)}
        assert view_of(text).tolist() == [0]


class TestLabels:
    """A clip whose frames alone are fake, and of which only audio is shown."""

    @pytest.fixture
    def audio_only(self):
        batch = numbered_batch([6])
        nothing = tree_map(torch.zeros_like, batch.targets["all"])
        views = {**batch.targets, "audio": nothing, "visual": batch.targets["all"]}
        return batch._replace(targets=views)

    def loss(self, batch, **settings):
        torch.manual_seed(0)
        network = MmmsBa(ModelConfig(dims={"audio": 1}, gru_units=2, dense_units=2))
        learner = Learner(network.eval(), TrainConfig(**settings))
        learner.log_dict = learner.log = lambda *_args, **_options: None
        loss = learner.training_step(batch, 0)
        heads = network(batch.inputs, batch.mask, present=batch.present).heads
        return loss, heads, learner

    def test_the_paper_teaches_the_truth_of_the_whole_clip(self, audio_only):
        loss, heads, _ = self.loss(audio_only)
        expected = total_loss(heads, audio_only.targets["all"], audio_only.mask, LossConfig()).total
        assert torch.equal(loss, expected)

    def test_a_clip_can_be_taught_by_what_is_present(self, audio_only):
        loss, heads, _ = self.loss(audio_only, labels_of="present")
        expected = total_loss(
            heads, audio_only.targets["audio"], audio_only.mask, LossConfig()
        ).total
        assert torch.equal(loss, expected)

    def test_a_moving_average_of_fake_snippets_can_be_divided_by(self, audio_only):
        config = LossConfig(normaliser="fake-average")
        loss, heads, learner = self.loss(audio_only, loss=config)
        by_batch = total_loss(heads, audio_only.targets["all"], audio_only.mask, LossConfig()).total
        assert_close(loss, by_batch)
        average = learner.state_dict()["num_fake_average.average"]
        assert float(average) == pytest.approx(3.0)


class TestHiding:
    @given(st.integers(0, 10_000))
    def test_hiding_never_takes_the_last_modality_of_a_clip(self, seed):
        torch.manual_seed(seed)
        present = {name: torch.rand(6, 4) < 0.5 for name in ("audio", "face", "lips")}
        had = torch.stack(list(present.values())).any(dim=2).any(dim=0)
        hidden = hide_modalities(present, 0.9)
        has = torch.stack(list(hidden.values())).any(dim=2).any(dim=0)
        assert (has == had).all()

    def test_nothing_is_hidden_with_probability_zero(self):
        present = {"audio": torch.rand(3, 4) < 0.5}
        assert (hide_modalities(present, 0.0)["audio"] == present["audio"]).all()


class TestCropping:
    @given(st.integers(0, 10_000), st.lists(st.integers(1, 40), min_size=1, max_size=5))
    def test_a_crop_is_a_run_of_its_own_clip_with_its_own_truth(self, seed, lengths):
        torch.manual_seed(seed)
        cut = crop_clips(numbered_batch(lengths), 12)
        labels, boundaries = (cut.targets["all"][head] for head in ("classify", "regress"))
        assert cut.mask.shape == (len(lengths), min(12, max(lengths)))
        assert cut.mask.sum(dim=1).tolist() == [min(12, length) for length in lengths]
        for row, length in enumerate(lengths):
            snippets = cut.inputs["audio"][row, :, 0][cut.mask[row]].long()
            assert (snippets.diff() == 1).all()
            assert snippets[0] >= 0
            assert snippets[-1] < length
            for target in (labels["labels"], boundaries["distances"][..., 1], boundaries["inside"]):
                assert (target[row][cut.mask[row]].long() == snippets % 2).all()

    def test_every_place_of_a_long_clip_is_learned_from_in_time(self):
        torch.manual_seed(0)
        batch = numbered_batch([30])
        starts = {int(crop_clips(batch, 10).inputs["audio"][0, 0, 0]) for _ in range(300)}
        assert starts == set(range(21))


def test_clips_are_cropped_on_the_device_that_they_are_on():
    """On the meta device any tensor of the CPU that is mixed in is an error."""
    batch = numbered_batch([30, 12])
    away = Batch(**tree_map(lambda tensor: tensor.to("meta"), batch._asdict()))
    cropped = crop_clips(away, 10)
    assert cropped.mask.device.type == "meta"
    assert cropped.inputs["audio"].shape[:2] == (2, 10)
