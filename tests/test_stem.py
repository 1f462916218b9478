"""The convolutional stem: rows that are pictures, read wherever the edge is."""

import pytest
import torch
from torch.testing import assert_close

from mmmsba_plugin.config import FitConfig, ModelConfig, StemConfig, TrainConfig
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.features.spectrogram import NUM_BINS
from mmmsba_plugin.features.voice import NUM_BESIDE
from mmmsba_plugin.model.mmmsba import MmmsBa
from mmmsba_plugin.model.stem import Stem

CONFIG = StemConfig(planes=2, columns=8, bins=32, channels=4, units=6)

# Two float32 sums of the same numbers, of sequences of other lengths.
SAME = {"atol": 1e-5, "rtol": 0.0}


def make(*, seed=0, **settings):
    torch.manual_seed(seed)
    return Stem(CONFIG.model_copy(update=settings)).eval()


def pictures(*, batch=2, snippets=9, seed=1):
    return torch.randn(batch, snippets, CONFIG.dim, generator=torch.Generator().manual_seed(seed))


def learned(stem):
    """Return the stem after a step in which its statistics moved away from zero and one."""
    stem.train()(pictures(batch=4, seed=2))
    return stem.eval()


@pytest.mark.parametrize("columns", [4, 8, 20])
def test_a_row_becomes_one_vector_whatever_the_stride(columns):
    config = CONFIG.model_copy(update={"columns": columns})
    assert Stem(config)(torch.zeros(2, 5, config.dim)).shape == (2, 5, 6)


def test_values_beside_a_picture_pass_as_they_are():
    stem = make(beside=3)
    rows = torch.cat([pictures(), torch.full((2, 9, 3), 5.0)], 2)
    found = stem(rows)
    assert found.shape == (2, 9, stem.width) == (2, 9, 6 + 3)
    assert (found[..., 6:] == 5.0).all()
    moved = rows.clone()
    moved[..., -3:] = 7.0
    assert_close(stem(moved)[..., :6], found[..., :6], atol=0.0, rtol=0.0)


def test_padding_never_changes_a_vector():
    stem, short = learned(make()), pictures(batch=1, snippets=6)
    alone = stem(short)
    beside = torch.cat([torch.cat([short, torch.full((1, 3, CONFIG.dim), 7.0)], 1), pictures()], 0)
    mask = torch.arange(9) < torch.tensor([[6], [9], [9]])
    assert_close(stem(beside, mask)[:1, :6], alone, **SAME)


def test_padding_does_not_move_the_statistics_either():
    full, padded = make(dropout=0.0).train(), make(dropout=0.0).train()
    rows = pictures(batch=1, snippets=6)
    full(rows)
    more = torch.cat([rows, torch.full((1, 5, CONFIG.dim), 50.0)], dim=1)
    padded(more, torch.arange(11)[None] < 6)
    for one, other in zip(full.buffers(), padded.buffers(), strict=True):
        assert_close(one, other, **SAME)


def test_an_edge_between_two_snippets_is_seen_by_both():
    stem, rows = learned(make()), torch.zeros(1, 8, CONFIG.dim)
    changed = rows.clone()
    changed[0, 4] = 3.0
    moved = (stem(changed) - stem(rows)).abs().amax(dim=-1)[0]
    assert moved[3] > 0
    assert moved[5] > 0
    # Four 3 x 3 convolutions, of which two look at columns that stand for two and for four,
    # reach less than two snippets of eight columns.
    assert torch.all(moved[:2] == 0)
    assert torch.all(moved[7:] == 0)


def test_a_frozen_stem_keeps_its_statistics():
    stem = learned(make())
    before = [b.clone() for b in stem.buffers()]
    stem.requires_grad_(False).train()(pictures(seed=5))
    assert all(torch.equal(a, b) for a, b in zip(before, stem.buffers(), strict=True))


def test_every_weight_learns():
    stem = make().train()
    stem(pictures()).square().sum().backward()
    still = [name for name, p in stem.named_parameters() if p.grad is None or not p.grad.any()]
    assert still == []


def test_a_network_reads_pictures_and_vectors_side_by_side():
    dims = {"audio": CONFIG.dim, "lips": 3}
    config = ModelConfig(dims=dims, stems={"audio": CONFIG}, gru_units=4, dense_units=3)
    network = MmmsBa(config).eval()
    output = network({"audio": pictures(), "lips": torch.zeros(2, 9, 3)})
    assert output.logits.shape == (2, 9, 2)
    assert network.encoders["audio"].gru.input_size == CONFIG.units


def test_rows_that_do_not_fit_the_stem_are_refused_with_both_sizes():
    with pytest.raises(ConfigError, match=r"of audio reads rows of 2 x 8 x 32 \+ 0 .* there are 5"):
        ModelConfig.read({"dims": {"audio": 5}, "stems": {"audio": CONFIG.model_dump()}})


def test_our_preset_learns_at_its_own_pace_unless_told_otherwise():
    assert FitConfig(preset="mmmsba").train.batch_size == 24
    said = FitConfig.read({"preset": "mmmsba", "train": {"seed": 3}}).train
    assert (said.seed, said.batch_size) == (3, 24)
    assert FitConfig(preset="mmmsba", train=TrainConfig()).train == TrainConfig()


def test_our_preset_hears_pictures_unless_told_otherwise():
    ours = FitConfig(preset="mmmsba")
    assert ours.features.front_ends["audio"].name == "spectrogram-voice"
    assert ours.model({"audio": 8 * NUM_BINS + NUM_BESIDE}).stems["audio"].beside == NUM_BESIDE
    trimmed = FitConfig.read({"preset": "mmmsba", "features": {"trim_silence": True}}).features
    assert trimmed.trim_silence
    assert trimmed.front_ends["audio"].name == "spectrogram-voice"
    mine = {"front_ends": {"audio": {"name": "log-mel"}}}
    chosen = FitConfig.read({"preset": "mmmsba", "features": mine})
    assert chosen.features.front_ends["audio"].name == "log-mel"
    assert FitConfig(preset="paper").features.front_ends["audio"].name == "log-mel"
