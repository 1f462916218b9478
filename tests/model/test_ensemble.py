"""Several networks are averaged."""

import pytest
import torch

from mmmsba_plugin.config import FitConfig, ModelConfig, TrainConfig
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.model.ensemble import Ensemble
from mmmsba_plugin.model.mmmsba import MmmsBa
from mmmsba_plugin.model.smoothing import smooth

ALONE = ModelConfig(dims={"audio": 4, "face": 3}, gru_units=5, dense_units=6)
TWO = FitConfig(
    network={"gru_units": 12, "dense_units": 8, "members": 2},
    train=TrainConfig(batch_size=8, max_epochs=2),
)


def rows(seed=0):
    torch.manual_seed(seed)
    return {"audio": torch.randn(2, 9, 4), "face": torch.randn(2, 9, 3)}


def test_an_ensemble_averages_its_members():
    members = [MmmsBa(ALONE).eval() for _ in range(3)]
    outputs = [member(rows()) for member in members]
    together = Ensemble(members).eval()(rows())
    for name in ("classify", "regress"):
        mean = sum(output.heads[name] for output in outputs) / 3
        torch.testing.assert_close(together.heads[name], mean)


def test_what_heads_read_is_kept_only_to_explain():
    members = [MmmsBa(ALONE).eval() for _ in range(3)]
    network = Ensemble(members).eval()
    explained = network(rows(), return_attention=True)
    torch.testing.assert_close(
        explained.fused, torch.cat([member(rows()).fused for member in members], dim=-1)
    )
    output = network(rows())
    assert not output.streams
    assert not output.fused.numel()


def kinds(*changes):
    """Return an ensemble of one network of each kind, and what each says alone."""
    configs = [
        ALONE.model_copy(update={"learns_from": kind, **change})
        for kind, change in zip(("all", "segments"), changes, strict=True)
    ]
    members = [MmmsBa(config).eval() for config in configs]
    return Ensemble(members).eval(), [member(rows()).heads for member in members]


def test_of_two_kinds_the_more_suspicious_one_counts_at_each_snippet():
    together, alone = kinds({}, {})
    heads = together(rows()).heads
    fake = torch.stack([heads["classify"].diff(dim=-1)[..., 0] for heads in alone])
    assert fake.argmax(dim=0).unique().numel() == 2
    for name in ("classify", "regress"):
        expected = torch.where((fake[0] >= fake[1])[..., None], alone[0][name], alone[1][name])
        torch.testing.assert_close(heads[name], expected)


def test_the_logits_of_a_kind_can_be_smoothed_along_time():
    together, alone = kinds({"smoothing": 2.0}, {})
    present = torch.ones(2, 9, dtype=torch.bool)
    smoothed = smooth(alone[0]["classify"], present, sigma=2.0)
    fake = [logits.diff(dim=-1)[..., 0] for logits in (smoothed, alone[1]["classify"])]
    expected = torch.sigmoid(torch.maximum(*fake))
    torch.testing.assert_close(together(rows()).scores, expected)


def test_what_tells_segments_is_of_those_that_learned_segments_alone():
    together, alone = kinds({}, {})
    of_segments = together(rows()).of_segments
    torch.testing.assert_close(of_segments, alone[1])
    one_kind = Ensemble.from_configs([ALONE, ALONE]).eval()
    assert one_kind(rows()).of_segments is None


def test_a_head_of_one_kind_alone_is_its_own():
    together, alone = kinds({"heads": ("classify",)}, {})
    torch.testing.assert_close(together(rows()).heads["regress"], alone[1]["regress"])


def test_a_kind_that_reads_one_modality_sees_nothing_of_the_others():
    network = MmmsBa(ALONE.model_copy(update={"modalities": ("audio",)})).eval()
    assert network.modalities == ("audio",)
    heads = network(rows()).heads
    torch.testing.assert_close(heads, network(rows() | {"face": torch.zeros(2, 9, 3)}).heads)


def test_a_kind_counts_only_where_something_that_it_reads_is_present():
    together, _ = kinds({}, {"modalities": ("audio",)})
    hears = torch.arange(9).expand(2, 9) < 4
    present = {"audio": hears, "face": torch.ones(2, 9, dtype=torch.bool)}
    with torch.no_grad():
        together.members[1].classify.bias += torch.tensor([-100.0, 100.0])
    of_audio, of_both = (
        m(rows(), present=present).heads["classify"] for m in reversed(list(together))
    )
    expected = torch.where(hears[..., None], of_audio, of_both)
    torch.testing.assert_close(together(rows(), present=present).heads["classify"], expected)


def test_an_ensemble_needs_what_any_of_its_members_reads():
    of_audio = ALONE.model_copy(update={"modalities": ("audio",)})
    assert Ensemble.from_configs([of_audio, of_audio]).dims == {"audio": 4}
    assert Ensemble.from_configs([of_audio, ALONE]).dims == ALONE.dims


def test_a_configuration_says_how_many_there_are():
    config = FitConfig(network={"members": 3, "gru_units": 5})
    network = Ensemble.from_configs(config.members(ALONE.dims))
    assert network.configs == config.members(ALONE.dims)
    assert [member.config.gru_units for member in network] == [5, 5, 5]
    assert len(Ensemble.from_configs(FitConfig().members(ALONE.dims)).configs) == 1


@pytest.mark.parametrize("dims", [[], [{"audio": 4}, {"audio": 5}], [{"audio": 4}, {"face": 4}]])
def test_members_read_the_same_features(dims):
    with pytest.raises(ConfigError, match="all read the same features"):
        Ensemble.from_configs([ModelConfig(dims=of_member) for of_member in dims])


def test_members_without_a_boundary_head_make_none_up():
    config = ALONE.model_copy(update={"heads": ("classify",)})
    assert "regress" not in Ensemble.from_configs([config] * 2).eval()(rows()).heads


@pytest.mark.parametrize("attention", ["mmms-ba", "mmus-sa", "none"])
def test_what_members_attend_to_is_averaged(attention):
    config = ALONE.model_copy(update={"attention": attention})
    together = Ensemble.from_configs([config] * 2).eval()
    maps = together(rows(), return_attention=True).attention
    of_members = [m(rows(), return_attention=True).attention for m in together]
    assert (list(maps), bool(maps)) == (list(of_members[0]), attention != "none")
    for name, weights in maps.items():
        torch.testing.assert_close(weights, (of_members[0][name] + of_members[1][name]) / 2)
    assert together(rows()).attention is None
