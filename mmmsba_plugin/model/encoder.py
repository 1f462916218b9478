"""One modality's rows of vectors become its stream: Bi-GRU, then dense; either can be left out.

Long vectors may go through a dense layer first, which keeps what the Bi-GRU learns from few.

Where dense layers are shared by all modalities, the stream is what the Bi-GRU returns.

Weights start as Keras starts them (Glorot uniform, orthogonal recurrence, zero biases):
neither the paper nor the authors' code sets anything, so Keras' defaults are what their
numbers were made with. PyTorch's own start is narrower and leaves biases random.
"""

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from mmmsba_plugin.config import ModelConfig
from mmmsba_plugin.errors import FeatureError

#: A feature that varied less than this over the training data is left unscaled; dividing by
#: rounding noise would turn it into a loud one.
_MIN_STD = 1e-6

_ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh}


class Encoder(nn.Module):
    """Reads one modality: standardise, Bi-GRU, dense layer shared over time.

    Dropout lies on what the Bi-GRU reads, on what it returns and on the dense layer; there is
    none inside the recurrence. Without a Bi-GRU, the dense layer reads each snippet by itself.

    Args:
        dim: Features a snippet.
        config: Sizes, activation and dropout.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, dim: int, config: ModelConfig) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("std", torch.ones(dim))
        self.dropout_input = nn.Dropout(config.dropout_input)
        self.project = None if config.input_units is None else nn.Linear(dim, config.input_units)
        width, units = config.input_units or dim, config.gru_units
        self.gru = (
            nn.GRU(width, units, batch_first=True, bidirectional=True) if config.recurrent else None
        )
        width = 2 * units if config.recurrent else width
        self.dropout_gru = nn.Dropout(config.dropout_gru)
        self.dense = nn.Linear(width, config.dense_units) if config.has_dense else None
        self.activation = _ACTIVATIONS[config.activation]()
        self.dropout_dense = nn.Dropout(config.dropout_dense)
        start_like_keras(self)

    @property
    def dim(self) -> int:
        """Features a snippet."""
        return int(self.mean.shape[0])

    def set_statistics(self, mean: ArrayLike | Tensor, std: ArrayLike | Tensor) -> None:
        """Remember how the training data were spread, so that inputs are standardised.

        Args:
            mean: Mean of each feature, shape ``(feature,)``.
            std: Standard deviation, the same.

        Raises:
            FeatureError: A shape is not that of one vector, or a value is not finite.
        """
        new_mean = torch.as_tensor(mean, dtype=self.mean.dtype)
        new_std = torch.as_tensor(std, dtype=self.std.dtype)
        for name, values in (("mean", new_mean), ("std", new_std)):
            if values.shape != (self.dim,) or not values.isfinite().all():
                raise FeatureError(
                    f"{name} must be {self.dim} finite numbers, one a feature, got shape "
                    f"{tuple(values.shape)}; compute it over the snippets that are present"
                )
        self.mean.copy_(new_mean)
        self.std.copy_(torch.where(new_std > _MIN_STD, new_std, torch.ones_like(new_std)))

    def forward(
        self, values: Tensor, *, mask: Tensor | None = None, present: Tensor | None = None
    ) -> Tensor:
        """Return the stream of one modality.

        Args:
            values: Shape ``(batch, snippet, feature)``.
            mask: Which snippets are not padding, shape ``(batch, snippet)``; padding comes
                last in each row. All if not given.
            present: Where the modality could be seen or heard, the same shape. The Bi-GRU
                reads zeros elsewhere: the mean of the training data.

        Returns:
            Shape ``(batch, snippet, stream_units)``.
        """
        # In place: of two minutes each copy takes 10 MiB, and nothing takes more in a prediction.
        rows: Tensor = (values - self.mean).div_(self.std)
        if present is not None:
            rows.masked_fill_(~present.unsqueeze(-1), 0.0)
        rows = self.dropout_input(rows)
        if self.project is not None:
            rows = self.project(rows).tanh()
        if self.gru is not None:
            rows = self.dropout_gru(self.recur(self.gru, rows, mask))
        if self.dense is None:
            return rows
        dense: Tensor = self.activation(self.dense(rows))
        return self.dropout_dense(dense)  # type: ignore[no-any-return]

    def recur(self, gru: nn.GRU, rows: Tensor, mask: Tensor | None) -> Tensor:
        """Run the Bi-GRU over rows.

        Args:
            gru: The Bi-GRU.
            rows: Standardised, shape ``(batch, snippet, feature)``.
            mask: Which snippets are not padding, shape ``(batch, snippet)``; all if not given.

        Returns:
            The states of both directions, shape ``(batch, snippet, 2 * gru_units)``; zeros for
            padding.
        """
        if mask is None:
            states: Tensor = gru(rows)[0]
            return states
        # A row of padding alone still needs one step to be packed; nobody reads its result.
        lengths = mask.sum(dim=1).clamp(min=1).cpu()
        packed = pack_padded_sequence(rows, lengths, batch_first=True, enforce_sorted=False)
        # Padding gets zeros from both directions, as from Keras' Bidirectional under a mask.
        # That matters only where padding takes part in attention.
        packed_states, _ = gru(packed)
        states, _ = pad_packed_sequence(packed_states, batch_first=True, total_length=rows.shape[1])
        return states


class JointLayers(nn.Sequential):
    """Dense layers that read all modalities at once (Enc-Dec, and figure 2).

    Args:
        width: Width of the fused vector.
        config: Sizes, activation and dropout.
    """

    def __init__(self, width: int, config: ModelConfig) -> None:
        layers: list[nn.Module] = []
        for units in config.joint_units:
            layers += [
                nn.Linear(width, units),
                _ACTIVATIONS[config.activation](),
                nn.Dropout(config.dropout_dense),
            ]
            width = units
        super().__init__(*layers)
        start_like_keras(self)


def start_like_keras(module: nn.Module) -> None:
    """Give a module's weights the values Keras' layers start with."""
    for name, parameter in module.named_parameters():
        if "bias" in name:
            nn.init.zeros_(parameter)
        elif "weight_hh" in name:
            nn.init.orthogonal_(parameter)
        else:
            nn.init.xavier_uniform_(parameter)
