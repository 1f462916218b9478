"""Widens trained networks by further modalities, such as text, without losing what they know."""

from collections.abc import Mapping

import torch
from torch import Tensor

from mmmsba_plugin.config import ModelConfig
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.model.attention import fused_blocks
from mmmsba_plugin.model.mmmsba import MmmsBa


def widen(network: MmmsBa, dims: Mapping[str, int]) -> MmmsBa:
    """Return a network that reads further modalities, and gives the scores of the old one.

    The encoders of the new modalities start at random. What reads the fused vector gives the
    new blocks no weight yet, so training begins where the old network stood. With attention
    ``mmus-sa``, in which all modalities of a snippet share one softmax, scores are the same
    where the new modalities are missing.

    Args:
        network: A trained network; it is not changed.
        dims: Features a snippet, for each new modality.

    Raises:
        ConfigError: A modality is there already, a size is out of bounds, or the network has a
            learned module between modalities, which reads just those it was made for.

    Example:
        >>> network = MmmsBa(ModelConfig(dims={"audio": 4, "face": 3}, gru_units=8))
        >>> widen(network, {"text": 5}).modalities
        ('face', 'audio', 'text')
    """
    before = network.config
    if shared := sorted(set(dims) & set(before.dims)):
        raise ConfigError(f"the network reads {', '.join(shared)} already; name new ones")
    if before.cross_modal is not None:
        raise ConfigError(
            f"a network with cross_modal {before.cross_modal!r} cannot be widened; train one anew"
        )
    config = ModelConfig.read({**before.model_dump(), "dims": {**before.dims, **dims}})
    wide = MmmsBa(config).train(network.training)
    state = wide.state_dict()
    for name, weights in network.state_dict().items():
        fits = state[name].shape == weights.shape
        state[name] = weights if fits else _widened(weights, before, config)
    wide.load_state_dict(state)
    return wide


def _widened(weights: Tensor, before: ModelConfig, config: ModelConfig) -> Tensor:
    """Return weights on the fused vector with each block of columns where it now belongs."""
    units = config.stream_units
    old_blocks = fused_blocks(before.dims, before.attention, residual=before.residual)
    columns = dict(zip(old_blocks, torch.split(weights, units, dim=1), strict=True))
    new_block = torch.zeros_like(weights[:, :units])
    blocks = fused_blocks(config.dims, config.attention, residual=config.residual)
    # Of two modalities, the pair may be named the other way round than among three.
    return torch.cat([columns.get(name, new_block) for name in blocks], dim=1)
