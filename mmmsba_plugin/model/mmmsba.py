"""The whole network: one encoder a modality, attention between them, heads on top."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from mmmsba_plugin.config import ModelConfig
from mmmsba_plugin.errors import FeatureError
from mmmsba_plugin.model.attention import attention_maps, fuse, fused_width, ordered
from mmmsba_plugin.model.encoder import Encoder, JointLayers
from mmmsba_plugin.model.heads import FAKE, ClassificationHead, RegressionHead

_NUM_AXES = 3


@dataclass(frozen=True, slots=True, eq=False)
class NetworkOutput:
    """Output of the network for a batch of sequences.

    Attributes:
        logits: Real and fake, unbounded, shape ``(batch, snippet, 2)``.
        distances: From the middle of each cell to the start and the end of the forged
            segment that holds it, in cells, shape ``(batch, snippet, 2)``; None without a
            boundary head.
        streams: What each encoder returns, shape ``(batch, snippet, stream_units)``.
        fused: What the heads read, shape ``(batch, snippet, fused)``.
        attention: Weights by name, such as ``face_from_lips``; None unless asked for. See
            :func:`mmmsba_plugin.model.attention.attention_maps`.
    """

    logits: Tensor
    distances: Tensor | None
    streams: dict[str, Tensor]
    fused: Tensor
    attention: dict[str, Tensor] | None = None

    @property
    def scores(self) -> Tensor:
        """P(fake) before calibration, in [0, 1], shape ``(batch, snippet)``."""
        return self.logits.softmax(dim=-1)[..., FAKE]

    def __repr__(self) -> str:
        return f"NetworkOutput(logits={tuple(self.logits.shape)}, streams={list(self.streams)})"


class MmmsBa(nn.Module):
    """Multi-modal multi-sequence bi-modal attention, its ablations, and any set of modalities.

    The width of what the heads read depends on the configuration alone. A modality that is
    missing, for a whole clip or for some snippets, leaves zeros in its place.

    Args:
        config: Sizes and kinds; see :data:`mmmsba_plugin.config.PRESETS`.

    Example:
        >>> network = MmmsBa(ModelConfig(dims={"audio": 4, "face": 3}, gru_units=8)).eval()
        >>> network({"audio": torch.zeros(1, 5, 4), "face": torch.zeros(1, 5, 3)})
        NetworkOutput(logits=(1, 5, 2), streams=['face', 'audio'])
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.modalities = ordered(config.dims)
        self.encoders = nn.ModuleDict(
            {name: Encoder(config.dims[name], config) for name in self.modalities}
        )
        width = fused_width(len(self.modalities), config.stream_units, config.attention)
        self.join = JointLayers(width, config) if config.joint_layers else None
        if self.join is not None:
            width = config.dense_units
        self.classify = ClassificationHead(width)
        self.regress = RegressionHead(width) if "regress" in config.heads else None

    def set_statistics(
        self, statistics: Mapping[str, tuple[ArrayLike | Tensor, ArrayLike | Tensor]]
    ) -> None:
        """Remember mean and standard deviation of each modality's features.

        Args:
            statistics: For each modality, mean and standard deviation of shape ``(feature,)``.

        Raises:
            FeatureError: A modality is unknown, or a shape does not fit.
        """
        self._require_known(statistics)
        for name, (mean, std) in statistics.items():
            encoder = self.encoders[name]
            assert isinstance(encoder, Encoder)  # noqa: S101  (tells the type checker)
            encoder.set_statistics(mean, std)

    def forward(
        self,
        inputs: Mapping[str, Tensor],
        mask: Tensor | None = None,
        *,
        present: Mapping[str, Tensor] | None = None,
        return_attention: bool = False,
    ) -> NetworkOutput:
        """Judge a batch of sequences.

        Args:
            inputs: For each modality, shape ``(batch, snippet, feature)``. One that is left
                out counts as absent everywhere.
            mask: Which snippets are not padding, bool, shape ``(batch, snippet)``; padding
                comes last in each row. All if not given.
            present: For each modality, where it could be seen or heard, bool, the same
                shape; everywhere for a modality that is not named.
            return_attention: Whether the weights are wanted too.

        Returns:
            Logits, distances and what they were made from. Rows of padding hold values
            without meaning.

        Raises:
            FeatureError: A modality is unknown, or a shape does not fit.
        """
        shape = self._shape_of(inputs)
        counts = self._counts(inputs, mask, present or {}, shape)
        streams = {name: self._stream(name, inputs, mask, counts[name]) for name in self.modalities}
        attention = self.config.attention
        fused = fuse(streams, attention=attention, masks=counts)
        if self.join is not None:
            fused = self.join(fused)
        return NetworkOutput(
            logits=self.classify(fused),
            distances=None if self.regress is None else self.regress(fused),
            streams=streams,
            fused=fused,
            attention=(
                attention_maps(streams, attention=attention, masks=counts)
                if return_attention
                else None
            ),
        )

    def _stream(
        self, name: str, inputs: Mapping[str, Tensor], mask: Tensor | None, counts: Tensor
    ) -> Tensor:
        if name not in inputs:
            return self.classify.weight.new_zeros(*counts.shape, self.config.stream_units)
        stream: Tensor = self.encoders[name](inputs[name], mask=mask, present=counts)
        return stream.masked_fill(~counts.unsqueeze(-1), 0.0)

    def _counts(
        self,
        inputs: Mapping[str, Tensor],
        mask: Tensor | None,
        present: Mapping[str, Tensor],
        shape: tuple[int, int],
    ) -> dict[str, Tensor]:
        """Return for each modality which snippets take part, shape ``(batch, snippet)``."""
        self._require_known(present)
        for name, tensor in (("mask", mask), *present.items()):
            if tensor is not None and (tensor.shape != shape or tensor.dtype != torch.bool):
                raise FeatureError(
                    f"{name}: which snippets count must be bool of shape {shape}, as the inputs "
                    f"have, got {tensor.dtype} of shape {tuple(tensor.shape)}"
                )
        if mask is not None and (mask[:, 1:] & ~mask[:, :-1]).any():
            raise FeatureError(
                "mask has a snippet behind padding; put padding last, and say with `present` "
                "where a modality is missing in between"
            )
        everywhere = self.classify.weight.new_ones(shape, dtype=torch.bool)
        unpadded = mask if mask is not None and self.config.mask_attention else everywhere
        return {
            name: unpadded & present.get(name, everywhere) if name in inputs else ~everywhere
            for name in self.modalities
        }

    def _shape_of(self, inputs: Mapping[str, Tensor]) -> tuple[int, int]:
        """Return ``(batch, snippet)``, once all inputs agree on it."""
        self._require_known(inputs)
        if not inputs:
            raise FeatureError(
                f"no modality was given; give at least one of {self._modality_names()}"
            )
        shape = next(iter(inputs.values())).shape[:-1]
        for name, values in inputs.items():
            expected_shape = (*shape, self.config.dims[name])
            if values.ndim != _NUM_AXES or values.shape != expected_shape:
                raise FeatureError(
                    f"{name}: expected features of shape (batch, snippet, "
                    f"{self.config.dims[name]}), the same batch and snippets for every modality, "
                    f"got {tuple(values.shape)}; use the front-ends that the model was trained with"
                )
        return int(shape[0]), int(shape[1])

    def _require_known(self, streams: Mapping[str, object]) -> None:
        if unknown := sorted(set(streams) - set(self.modalities)):
            raise FeatureError(
                f"the model knows no modality {', '.join(unknown)}; it was made for "
                f"{self._modality_names()}"
            )

    def _modality_names(self) -> str:
        return ", ".join(self.modalities)
