"""The whole network: one encoder a modality, attention between them, heads on top."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from mmmsba_plugin.config import ModelConfig
from mmmsba_plugin.errors import ConfigError, FeatureError
from mmmsba_plugin.model.attention import attention_maps, fuse, fused_width, ordered
from mmmsba_plugin.model.correlation import Correlation
from mmmsba_plugin.model.discrepancy import Discrepancy
from mmmsba_plugin.model.encoder import Encoder, JointLayers
from mmmsba_plugin.model.heads import FAKE, head_class
from mmmsba_plugin.model.pyramid import Pyramid
from mmmsba_plugin.model.word_means import TEXT, WordMeans

_NUM_AXES = 3

_CROSS_MODAL: dict[str, type[Correlation] | type[Discrepancy]] = {
    "correlation": Correlation,
    "discrepancy": Discrepancy,
}


@dataclass(frozen=True, slots=True, eq=False)
class NetworkOutput:
    """Output of the network for a batch of sequences.

    Attributes:
        heads: Output of each head, shape ``(batch, snippet, num_outputs)``: of ``classify``
            the unbounded logits of real and fake; of ``regress``, if the network has it, the
            distances to the ends of the fake segment, in cells. See
            :mod:`mmmsba_plugin.model.heads`.
        streams: What each encoder returns, shape ``(batch, snippet, stream_units)``.
        fused: What the heads read, shape ``(batch, snippet, fused)``.
        attention: Weights by name, such as ``face_from_lips``; None unless asked for. See
            :func:`mmmsba_plugin.model.attention.attention_maps`.
        of_segments: Of an ensemble of several kinds, the heads of the networks that learned
            segments alone: they tell best which part of a clip is fake. Else None.
        present: Where anything that the network reads is present, bool, shape
            ``(batch, snippet)``; None of an exported network.
    """

    heads: dict[str, Tensor]
    streams: dict[str, Tensor]
    fused: Tensor
    attention: dict[str, Tensor] | None = None
    of_segments: dict[str, Tensor] | None = None
    present: Tensor | None = None

    @property
    def scores(self) -> Tensor:
        """P(fake) before calibration, in [0, 1], shape ``(batch, snippet)``."""
        return self.heads["classify"].softmax(dim=-1)[..., FAKE]

    def __repr__(self) -> str:
        shapes = {name: tuple(output.shape) for name, output in self.heads.items()}
        return f"NetworkOutput(heads={shapes}, streams={list(self.streams)})"


class MmmsBa(nn.Module):
    """Multi-modal multi-sequence bi-modal attention, its ablations, and any set of modalities.

    The width of what the heads read depends on the configuration alone. A modality that is
    missing, for a whole clip or for some snippets, leaves zeros in its place.

    Args:
        config: Sizes and kinds; see :data:`mmmsba_plugin.config.PRESETS`.

    Raises:
        ConfigError: The configuration leaves nothing for the heads to read.

    Example:
        >>> network = MmmsBa(ModelConfig(dims={"audio": 4, "face": 3}, gru_units=8)).eval()
        >>> network({"audio": torch.zeros(1, 5, 4), "face": torch.zeros(1, 5, 3)}).scores.shape
        torch.Size([1, 5])
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.modalities = ordered(config.dims_read)
        self.encoders = nn.ModuleDict(
            {name: Encoder(config.dims[name], config) for name in self.modalities}
        )
        width = fused_width(
            len(self.modalities), config.stream_units, config.attention, residual=config.residual
        )
        if not width:
            raise ConfigError(
                "one modality has nobody to attend to, and without the residual nothing of it "
                "reaches the heads; switch residual on"
            )
        self.cross_modal = None
        if config.cross_modal is not None:
            self.cross_modal = _CROSS_MODAL[config.cross_modal](self.modalities, config)
            width = self.cross_modal.width
        if config.pool_words and TEXT not in self.modalities:
            raise ConfigError(
                f"pool_words needs the modality {TEXT}, which tells where words begin; give it the "
                "front-end words or pseudo-words"
            )
        self.word_means = WordMeans(width) if config.pool_words else None
        self.pyramid = Pyramid(width, config) if config.pyramid_levels else None
        if self.pyramid is not None:
            width = config.dense_units
        self.join = JointLayers(width, config) if config.joint_units else None
        if self.join is not None:
            width = config.joint_units[-1]
        for name in config.heads:
            self.add_module(name, head_class(name)(width))

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
        for name in self.modalities:
            if name not in statistics:
                continue
            mean, std = statistics[name]
            encoder = self.encoders[name]
            assert isinstance(encoder, Encoder)  # noqa: S101  (tells the type checker)
            encoder.set_statistics(mean, std)

    def forward(
        self,
        inputs: Mapping[str, Tensor],
        mask: Tensor | None = None,
        *,
        present: Mapping[str, Tensor] | None = None,
        views: Mapping[str, Tensor] | None = None,
        return_attention: bool = False,
    ) -> NetworkOutput:
        """Predict a batch of sequences, or several views of one.

        Args:
            inputs: For each modality, shape ``(batch, snippet, feature)``. One that is left
                out counts as absent everywhere.
            mask: Which snippets are not padding, bool, shape ``(batch, snippet)``; padding
                comes last in each row. All if not given.
            present: For each modality, where it could be seen or heard, bool, the same
                shape; everywhere for a modality that is not named.
            views: For each modality, which views of the sequence it is not hidden in, bool,
                shape ``(view,)``. The batch is one sequence then, each modality is encoded once,
                and the output has a row for each view.
            return_attention: Whether the weights are wanted too.

        Returns:
            The output of each head and what it was made from. Rows of padding hold values
            without meaning.

        Raises:
            FeatureError: A modality is unknown, or a shape does not fit.
        """
        shape = self._shape_of(inputs)
        counts = self._counts(inputs, mask, present or {}, shape)
        streams = {}
        for name, is_there in counts.items():
            if name in inputs:
                stream = self.encoders[name](inputs[name], mask=mask, present=is_there)
                streams[name] = stream.masked_fill(~is_there.unsqueeze(-1), 0.0)
            else:
                some_input = next(iter(inputs.values()))
                streams[name] = some_input.new_zeros(*shape, self.config.stream_units)
        if views is not None:
            streams, counts = in_views(streams, views), in_views(counts, views)
        attention = self.config.attention
        counted = torch.stack(list(counts.values())).any(dim=0)
        fused = self._fuse(streams, counts)
        if self.word_means is not None:
            text = inputs.get(TEXT, fused.new_zeros(*shape, self.config.dims[TEXT]))
            fused = self.word_means(fused, text.expand(fused.shape[0], -1, -1), counted)
        if self.pyramid is not None:
            fused = self.pyramid(fused, counted)
        if self.join is not None:
            fused = self.join(fused)
        return NetworkOutput(
            heads={name: self.get_submodule(name)(fused) for name in self.config.heads},
            streams=streams,
            fused=fused,
            attention=(
                attention_maps(streams, attention=attention, masks=counts)
                if return_attention
                else None
            ),
            present=counted,
        )

    def _fuse(self, streams: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> Tensor:
        """Return the rows of all modalities together, shape ``(batch, snippet, fused)``."""
        if self.cross_modal is not None:
            fused: Tensor = self.cross_modal(streams, masks)
            return fused
        return fuse(
            streams,
            attention=self.config.attention,
            masks=masks,
            is_gated=self.config.gate,
            residual=self.config.residual,
        )

    def _counts(
        self,
        inputs: Mapping[str, Tensor],
        mask: Tensor | None,
        present: Mapping[str, Tensor],
        shape: torch.Size,
    ) -> dict[str, Tensor]:
        """Return for each modality which snippets take part, shape ``(batch, snippet)``."""
        self._require_known(present)
        for name, tensor in (("mask", mask), *present.items()):
            if tensor is not None and (tensor.shape != shape or tensor.dtype != torch.bool):
                raise FeatureError(
                    f"{name}: which snippets count must be bool of shape {tuple(shape)}, as the "
                    f"inputs have, got {tensor.dtype} of shape {tuple(tensor.shape)}"
                )
        if mask is not None and (mask[:, 1:] & ~mask[:, :-1]).any():
            raise FeatureError(
                "mask has a snippet behind padding; put padding last, and say with `present` "
                "where a modality is missing in between"
            )
        everywhere = next(iter(inputs.values())).new_ones(shape, dtype=torch.bool)
        unpadded = mask if mask is not None and self.config.mask_attention else everywhere
        return {
            name: unpadded & present.get(name, everywhere) if name in inputs else ~everywhere
            for name in self.modalities
        }

    def _shape_of(self, inputs: Mapping[str, Tensor]) -> torch.Size:
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
        return shape

    def _require_known(self, streams: Mapping[str, object]) -> None:
        if unknown := sorted(set(streams) - set(self.config.dims)):
            raise FeatureError(
                f"the model knows no modality {', '.join(unknown)}; it was made for "
                f"{self._modality_names()}"
            )

    def _modality_names(self) -> str:
        return ", ".join(ordered(self.config.dims))


def in_views(tensors: Mapping[str, Tensor], views: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Repeat tensors of one sequence for each view, with zeros in those that they are hidden in.

    Args:
        tensors: For each modality, shape ``(1, ...)``.
        views: For each modality, bool, shape ``(view,)``.

    Returns:
        For each modality, shape ``(view, ...)``.
    """
    outputs = {}
    for name, tensor in tensors.items():
        is_visible = views[name].view(-1, *[1] * (tensor.ndim - 1))
        # ONNX Runtime cannot fill a tensor of bool.
        is_mask = tensor.dtype == torch.bool
        outputs[name] = tensor & is_visible if is_mask else tensor.masked_fill(~is_visible, 0)
    return outputs
