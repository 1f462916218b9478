"""Helpers of the tests of other systems: made-up streams, and layers in numpy."""

import numpy as np
import torch

MODALITIES = ("face", "audio", "lips")


def with_random_weights(module):
    """Return a module in evaluation whose biases and norms are no zeros and ones either."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return module.eval()


def streams(units, *, batch=2, snippets=11):
    generator = torch.Generator().manual_seed(1)
    return {m: torch.randn(batch, snippets, units, generator=generator) for m in MODALITIES}


def masks(of):
    return {name: torch.ones(rows.shape[:2], dtype=torch.bool) for name, rows in of.items()}


class NumpyWeights:
    """Layers in numpy, from the weights of a module."""

    def __init__(self, module):
        self.weights = {k: v.double().numpy() for k, v in module.state_dict().items()}

    def linear(self, name, rows):
        return rows @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def norm(self, name, rows):
        centred = rows - rows.mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt(centred.var(axis=-1, keepdims=True) + 1e-5)
        return scaled * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]
