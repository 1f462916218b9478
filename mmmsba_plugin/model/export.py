"""Export of a network as one ONNX file, which any runtime of that format can run.

Inputs are, for each modality, its rows of features, float32 of shape ``(batch, snippet, dim)``,
and ``MODALITY_present``, bool of shape ``(batch, snippet)``. ``MODALITY_views``, bool of shape
``(view,)``, may be left out: of a batch of one sequence it states which views of it do not hide
that modality, and the outputs have a row for each view. Outputs are ``scores``, P(fake) before
calibration, of shape ``(batch, snippet)``, each head, of shape ``(batch, snippet, 2)``, and, of an
ensemble of several kinds, the heads that tell segments as ``of_segments.HEAD``. Batch and
length are free. Standardisation lies inside; the checkpoint's configuration is metadata.

The exporter by TorchScript is used: the one by ``torch.export`` of PyTorch 2.13 fixes the
length that a Bi-GRU was traced with.

Source:
    https://onnx.ai/onnx/repo-docs/IR.html (graphs and metadata).
"""

import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor, nn

from mmmsba_plugin.errors import CheckpointError, MissingExtraError, OutputError
from mmmsba_plugin.model.checkpoint import CARD, CONFIG, ONNX, CheckpointConfig, load_checkpoint
from mmmsba_plugin.model.ensemble import Ensemble
from mmmsba_plugin.model.mmmsba import NetworkOutput
from mmmsba_plugin.model.onnx_network import (
    METADATA,
    OnnxNetwork,
    input_names,
    output_name,
    view_names,
)

if TYPE_CHECKING:
    from mmmsba_plugin.model.encoder import Encoder

#: Of the operators; all runtimes since 2023 know it.
_OPSET = 18

#: Scores of both runtimes may differ by so much; float32 gives some 1e-7.
MAX_DIFFERENCE = 1e-5

#: Batch and length of what is compared after an export; the trace saw others.
_SHAPES = ((1, 1), (2, 40), (3, 7))
_SHARE_PRESENT = 0.7


class _Tensors(nn.Module):
    """A network that takes and returns tensors alone, in the order of their names."""

    def __init__(self, network: Ensemble) -> None:
        super().__init__()
        self.network = network

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        inputs, present, views = _as_inputs(self.network, tensors)
        output = self.network(inputs, present=present, views=views)
        return tuple(dict(_outputs_of(output)).values())


def export_checkpoint(folder: Path | str, output: Path | str) -> tuple[Path, float]:
    """Export the network of a checkpoint.

    Args:
        folder: As ``mmmsba train`` wrote it.
        output: A file that ends in ``.onnx``, or a folder, which then holds configuration and
            model card too, and can be the checkpoint's own.

    Returns:
        The ONNX file, and how far its scores are from PyTorch's at most.

    Raises:
        CheckpointError: The checkpoint cannot be used, or its export gives other scores.
        MissingExtraError: The extra ``onnx`` is not installed.
        OutputError: It cannot be written there.
    """
    folder, output = Path(folder), Path(output)
    network, config = load_checkpoint(folder)
    model = to_onnx(network, config)
    difference = max_difference(network, OnnxNetwork(model, config))
    if not difference <= MAX_DIFFERENCE:
        raise CheckpointError(
            f"the exported network gives scores that differ by {difference:.2g} from those of "
            f"{folder}; install other versions of torch and onnxruntime"
        )
    file = output if output.suffix == ".onnx" else output / ONNX
    contents = {file: model}
    if file != output and output.resolve() != folder.resolve():
        contents |= {
            output / name: (folder / name).read_bytes()
            for name in (CARD, CONFIG)
            if (folder / name).is_file()
        }
    try:
        _write(contents)
    except OSError as error:
        raise OutputError(
            f"{file} cannot be written: {error.strerror}; give another --output", path=file
        ) from error
    return file, difference


def to_onnx(network: Ensemble, config: CheckpointConfig) -> bytes:
    """Convert a network.

    Args:
        network: In evaluation mode.
        config: Its configuration, which becomes metadata.

    Returns:
        The content of an ONNX file.

    Raises:
        MissingExtraError: The extra ``onnx`` is not installed.
    """
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"exporting needs {error.name}; install it with: pip install 'mmmsba-plugin[onnx]'"
        ) from error
    inputs, views = input_names(network.dims), view_names(network.dims)
    tensors = (*_random_tensors(network, 2, 3), *(torch.ones(1, dtype=torch.bool) for _ in views))
    with torch.no_grad():
        example = dict(_outputs_of(network(_as_inputs(network, tensors)[0])))
    sizes = {name: output.shape[-1] for name, output in example.items()}
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        # That this exporter will go some day, and that shapes are compared while tracing.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Tensors(network).eval(),
            tensors,
            Path(scratch) / ONNX,
            dynamo=False,
            opset_version=_OPSET,
            input_names=[*inputs, *views],
            output_names=list(example),
            dynamic_axes={
                **{name: {0: "batch", 1: "snippet"} for name in (*inputs, *example)},
                **{name: {0: "view"} for name in views},
            },
        )
        model = onnx.load(Path(scratch) / ONNX)
    # An input with a value of its own may be left out.
    one_view = np.ones(1, dtype=bool)
    model.graph.initializer.extend(onnx.numpy_helper.from_array(one_view, name) for name in views)
    for output in model.graph.output:
        # What the exporter does not work out for each: the outputs of a head.
        for width in output.type.tensor_type.shape.dim[2:]:
            width.dim_value = sizes[output.name]
    onnx.helper.set_model_props(model, {METADATA: config.model_dump_json()})
    content: bytes = model.SerializeToString()
    return content


def max_difference(network: Ensemble, exported: OnnxNetwork) -> float:
    """Return how far scores are apart at most, on random features some of which are missing."""
    differences = []
    for shape in _SHAPES:
        inputs, present, _ = _as_inputs(network, _random_tensors(network, *shape))
        with torch.inference_mode():
            both = [each(inputs, present=present).scores for each in (network, exported)]
        differences.append((both[0] - both[1]).abs().max().item())
    return max(differences)


def _as_inputs(
    network: Ensemble, tensors: tuple[Tensor, ...]
) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]:
    """Return the tensors by modality: features, where they are present, and in which views."""
    modalities = list(network.dims)
    num = len(modalities)
    features, present, views = tensors[:num], tensors[num : 2 * num], tensors[2 * num :]
    return (
        dict(zip(modalities, features, strict=True)),
        dict(zip(modalities, present, strict=True)),
        dict(zip(modalities, views, strict=False)),
    )


def _outputs_of(output: NetworkOutput) -> Iterator[tuple[str, Tensor]]:
    """Yield what is exported, by name."""
    yield "scores", output.scores
    for name, head in output.heads.items():
        yield output_name(name), head
    for name, head in (output.of_segments or {}).items():
        yield output_name(name, of_segments=True), head


def _random_tensors(network: Ensemble, batch: int, num_snippets: int) -> tuple[Tensor, ...]:
    """Return features as the network was trained on, and where they are present."""
    generator = torch.Generator().manual_seed(num_snippets)
    encoders = {name: next(iter(network)).encoders[name] for name in network.dims}
    features, present = [], []
    for encoder in cast("dict[str, Encoder]", encoders).values():
        noise = torch.randn(batch, num_snippets, encoder.dim, generator=generator)
        features.append(encoder.mean + encoder.std * noise)
        present.append(torch.rand(batch, num_snippets, generator=generator) < _SHARE_PRESENT)
    present[0][0] = False
    return (*features, *present)


def _write(contents: dict[Path, bytes]) -> None:
    """Write files whole or not at all."""
    for file, content in contents.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".saving-") as staging:
            staged = Path(staging) / file.name
            staged.write_bytes(content)
            staged.replace(file)
