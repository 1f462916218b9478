"""Brings the weights of the authors' Keras network over, so that both can be compared.

Their script builds its network in Keras and ships no weights. Arrays are named
``gru.{modality}.{direction}.{kernel,recurrent_kernel,bias}`` and
``dense_weight.{modality or head}.{kernel,bias}``; kernels are ``(in, out)``, as Keras keeps
them. Their word for lips is ``lip``.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mmmsba_plugin.config import PRESETS, ModelConfig
from mmmsba_plugin.errors import CheckpointError
from mmmsba_plugin.model.checkpoint import misfit
from mmmsba_plugin.model.mmmsba import MmmsBa

_THEIR_NAMES = {"face": "face", "audio": "audio", "lips": "lip"}
_GRU_PARTS = ("kernel", "recurrent_kernel", "bias")
_SUFFIXES = {"forward": "l0", "backward": "l0_reverse"}

Arrays = Mapping[str, NDArray[Any]]


def from_keras_arrays(arrays: Arrays) -> nn.Module:
    """Return the ``reference`` preset with the weights of the authors' Keras network.

    Args:
        arrays: Weights named as above; other entries are ignored. Sizes are read off them.
            The recurrence must be of the kind ``reset_after=True``, Keras' default since 2.

    Returns:
        A :class:`MmmsBa` in evaluation mode, to be called with ``audio``, ``face`` and
        ``lips``.

    Raises:
        CheckpointError: A weight is missing, or the weights do not fit each other.
    """
    _require_complete(arrays)
    config = ModelConfig(
        dims={
            ours: arrays[f"gru.{theirs}.forward.kernel"].shape[0]
            for ours, theirs in _THEIR_NAMES.items()
        },
        gru_units=arrays["gru.face.forward.recurrent_kernel"].shape[0],
        dense_units=arrays["dense_weight.face.kernel"].shape[1],
        **PRESETS["reference"],
    )
    network = MmmsBa(config)
    # Statistics stay as they are: the authors' network does not standardise.
    state = network.state_dict()
    for ours, theirs in _THEIR_NAMES.items():
        state |= {f"encoders.{ours}.{k}": v for k, v in _encoder_state(arrays, theirs).items()}
    state |= {f"classify.{k}": v for k, v in _dense_state(arrays, "head").items()}
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise CheckpointError(
            f"the Keras weights do not fit each other: {misfit(error)}; export all of them from "
            "one network"
        ) from error
    return network.eval()


def _require_complete(arrays: Arrays) -> None:
    layers = [f"gru.{m}.{d}" for m in _THEIR_NAMES.values() for d in _SUFFIXES]
    expected_names = [f"{layer}.{gru_part}" for layer in layers for gru_part in _GRU_PARTS]
    for name in (*_THEIR_NAMES.values(), "head"):
        expected_names += [f"dense_weight.{name}.kernel", f"dense_weight.{name}.bias"]
    if missing := [name for name in expected_names if name not in arrays]:
        raise CheckpointError(
            f"{len(missing)} Keras weights are missing, the first is {missing[0]!r}; "
            "export every layer under the names that this module's docstring lists"
        )


def _encoder_state(arrays: Arrays, modality: str) -> dict[str, Tensor]:
    state = {f"dense.{k}": v for k, v in _dense_state(arrays, modality).items()}
    for direction, suffix in _SUFFIXES.items():
        kernel, recurrent_kernel, bias = (
            arrays[f"gru.{modality}.{direction}.{gru_part}"] for gru_part in _GRU_PARTS
        )
        state[f"gru.weight_ih_{suffix}"] = _tensor(_torch_gates(kernel).T)
        state[f"gru.weight_hh_{suffix}"] = _tensor(_torch_gates(recurrent_kernel).T)
        state[f"gru.bias_ih_{suffix}"] = _tensor(_torch_gates(bias[0]))
        state[f"gru.bias_hh_{suffix}"] = _tensor(_torch_gates(bias[1]))
    return state


def _dense_state(arrays: Arrays, name: str) -> dict[str, Tensor]:
    return {
        "weight": _tensor(arrays[f"dense_weight.{name}.kernel"].T),
        "bias": _tensor(arrays[f"dense_weight.{name}.bias"]),
    }


def _torch_gates(columns: NDArray[Any]) -> NDArray[Any]:
    """Reorder Keras' gates (update, reset, candidate) to PyTorch's (reset, update, new)."""
    update, reset, candidate = np.split(columns, 3, axis=-1)
    return np.concatenate([reset, update, candidate], axis=-1)


def _tensor(array: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.array(array, dtype=np.float32))
