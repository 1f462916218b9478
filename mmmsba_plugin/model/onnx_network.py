"""Runs an exported network by ONNX Runtime."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Self

import torch
from torch import Tensor

from mmmsba_plugin.config import dims_read
from mmmsba_plugin.errors import CheckpointError, CheckpointNotFoundError, MissingExtraError
from mmmsba_plugin.model.checkpoint import (
    CONFIG,
    ONNX,
    CheckpointConfig,
    parse_config,
    read_config,
)
from mmmsba_plugin.model.mmmsba import NetworkOutput, in_views

#: Key of the checkpoint's configuration among the metadata of the file.
METADATA = "mmmsba.config"

_REMEDY = "export the checkpoint again with `mmmsba export`"

#: How protobuf writes that a tensor lies in another file, which ours never do: the runtime would
#: open whatever file is named there.
_ELSEWHERE = b"\x0a\x08location"

#: Protocol buffers hold no more.
_MAX_BYTES = 2**31

_ERRORS_ALONE = 3


def input_names(modalities: Iterable[str]) -> list[str]:
    """Return the names of an exported network's inputs: features, then where they are present."""
    names = list(modalities)
    return [*names, *(f"{name}_present" for name in names)]


def view_names(modalities: Iterable[str]) -> list[str]:
    """Return the names of the inputs that tell in which views each modality is not hidden."""
    return [f"{name}_views" for name in modalities]


def output_name(head: str, *, of_segments: bool = False) -> str:
    """Return the name of an exported network's output."""
    return f"of_segments.{head}" if of_segments else head


class OnnxNetwork:
    """An exported network; it is called as an :class:`~mmmsba_plugin.model.ensemble.Ensemble`.

    Args:
        model: Content of the ONNX file.
        config: The checkpoint's configuration; the one inside the file if not given.
        file: Where it was read, for messages.

    Raises:
        CheckpointError: It is no network that was exported from this checkpoint.
        MissingExtraError: The extra ``onnx`` is not installed.
    """

    is_explainable: Final = False

    def __init__(
        self,
        model: bytes,
        config: CheckpointConfig | None = None,
        *,
        file: Path | str = ONNX,
    ) -> None:
        file = Path(file)
        if _ELSEWHERE in model:
            raise CheckpointError(f"{file} keeps weights in other files; {_REMEDY}")
        self._session = _session(model, file)
        text = self._session.get_modelmeta().custom_metadata_map.get(METADATA)
        if text is None:
            raise CheckpointError(f"{file} was not written by `mmmsba export`; {_REMEDY}")
        own = parse_config(text, file)
        self.config = config or own
        if (own.members, own.weights_sha256) != (self.config.members, self.config.weights_sha256):
            raise CheckpointError(
                f"{file} was exported from other weights than {CONFIG} beside it is of; {_REMEDY}"
            )
        self._outputs = [output.name for output in self._session.get_outputs()]
        # Files of earlier versions take no views.
        optional = {node.name for node in self._session.get_overridable_initializers()}
        self._takes_views = optional >= set(view_names(self.dims))
        inputs = {node.name for node in self._session.get_inputs()}
        if inputs != set(input_names(self.dims)) or "classify" not in self._outputs:
            raise CheckpointError(f"{file} does not take what {CONFIG} names; {_REMEDY}")

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Load an exported network.

        Args:
            path: The ONNX file, or the folder that ``mmmsba export`` wrote.

        Raises:
            CheckpointError: The file or its configuration is damaged, or they do not belong
                together.
            CheckpointNotFoundError: There is no ONNX file.
            MissingExtraError: The extra ``onnx`` is not installed.
        """
        path = Path(path)
        file = path / ONNX if path.is_dir() else path
        if not file.is_file():
            raise CheckpointNotFoundError(
                f"{file} is not there; write it with "
                f"`mmmsba export {path.parent if path.suffix == '.onnx' else path} -o FOLDER`"
            )
        if file.stat().st_size > _MAX_BYTES:
            raise CheckpointError(f"{file} is larger than ONNX files can be; {_REMEDY}")
        config = read_config(path) if path.is_dir() else None
        return cls(file.read_bytes(), config, file=file)

    @property
    def dims(self) -> dict[str, int]:
        """Features a snippet, for each modality that any network reads."""
        return dims_read(self.config.members)

    @property
    def device(self) -> torch.device:
        """Where it wants its inputs."""
        return torch.device("cpu")

    def eval(self) -> Self:
        """Do nothing: an exported network does nothing but evaluate."""
        return self

    def __call__(
        self,
        inputs: Mapping[str, Tensor],
        *,
        present: Mapping[str, Tensor],
        views: Mapping[str, Tensor] | None = None,
    ) -> NetworkOutput:
        """Predict a batch of sequences, or several views of one.

        Args:
            inputs: For each modality, shape ``(batch, snippet, feature)``.
            present: For each modality, where it could be seen or heard, bool, shape
                ``(batch, snippet)``.
            views: For each modality, which views of the one sequence it is not hidden in, bool,
                shape ``(view,)``; the output has a row for each.

        Returns:
            The output of each head; the file knows nothing of streams.
        """
        feed = {}
        if views is not None and self._takes_views:
            feed = dict(zip(view_names(self.dims), (views[m] for m in self.dims), strict=True))
        elif views is not None:
            inputs, present = in_views(inputs, views), in_views(present, views)
        tensors = [*(inputs[name] for name in self.dims), *(present[name] for name in self.dims)]
        feed |= dict(zip(input_names(self.dims), tensors, strict=True))
        arrays = {name: tensor.contiguous().numpy() for name, tensor in feed.items()}
        outputs = {
            name: torch.from_numpy(output)
            for name, output in zip(
                self._outputs, self._session.run(self._outputs, arrays), strict=True
            )
        }
        heads = {name for member in self.config.members for name in member.heads}
        names = [name for name in self._outputs if name in heads]
        of_segments = {
            name: outputs[key]
            for name in names
            if (key := output_name(name, of_segments=True)) in outputs
        }
        return NetworkOutput(
            heads={name: outputs[name] for name in names},
            streams={},
            fused=torch.empty(0),
            of_segments=of_segments or None,
        )


def _session(model: bytes, file: Path) -> Any:  # noqa: ANN401 - it is untyped
    """Make a session of the runtime, on the processor.

    It has one thread, for the reason that the recurrence has one in PyTorch. So it starts none, and
    works in a forked process as well.
    """
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"the runtime onnx needs {error.name}; install it with: "
            "pip install 'mmmsba-plugin[onnx]'"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ALONE
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    # The classes that it raises have no common base but Exception.
    except Exception as error:
        raise CheckpointError(f"{file} is no ONNX file: {error}; {_REMEDY}") from error
