"""Trained weights on disk: a folder in the layout of model hubs.

``config.json`` says what the weights are and what they must be fed, ``model.safetensors``
holds them, ``README.md`` is the model card. The configuration of the front-ends travels with
the weights, so that training and judging cannot differ. Nothing is ever unpickled: a
checkpoint from a stranger can be wrong, but it cannot run code.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import Field
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from mmmsba_plugin.config import (
    Config,
    FeaturesConfig,
    ModelConfig,
    OperatingPointConfig,
    Origin,
)
from mmmsba_plugin.config.model import MAX_MEMBERS
from mmmsba_plugin.errors import (
    CheckpointError,
    CheckpointNotFoundError,
    ConfigError,
    PluginError,
)
from mmmsba_plugin.files import sha256_of
from mmmsba_plugin.model.ensemble import Ensemble

CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"
#: What ``mmmsba export`` writes; it stands in for the weights.
ONNX = "model.onnx"

#: Layout of the folder and keys of its configuration. Another one is refused.
FORMAT_VERSION = 3
#: Bumped when the same weights would give other numbers.
FORMULA_VERSION = 1

#: A configuration of ours has a few levels and some kilobytes.
_MAX_LEVELS, _MAX_CONFIG_BYTES = 32, 2**26

_REMEDY = "copy the whole folder again, or train anew with `mmmsba train`"


class _Versions(Config):
    """Versions of a checkpoint; they come first in ``config.json``."""

    format_version: int = Field(default=FORMAT_VERSION, description="Layout of the checkpoint.")
    formula_version: int = Field(
        default=FORMULA_VERSION, description="Bumped when a number's definition changes."
    )


class CheckpointConfig(OperatingPointConfig, _Versions):
    """Content of a checkpoint's ``config.json``."""

    members: tuple[ModelConfig, ...] = Field(
        min_length=1,
        max_length=MAX_MEMBERS,
        description="The networks that are averaged; often one.",
    )
    features: FeaturesConfig = Field(
        default=FeaturesConfig(), description="Settings of feature extraction."
    )
    front_end_versions: dict[str, int] = Field(
        default_factory=dict, description="Version of the front-end of each modality."
    )
    trained_on: str = Field(default="", description="Training data in words.")
    tuned_from: Origin | None = Field(
        default=None, description="The checkpoint that they were tuned from, if they were."
    )
    caution: str = Field(
        default="", description="A sentence that every report made with them carries."
    )
    training: dict[str, Any] = Field(
        default_factory=dict, description="Settings and size of training."
    )
    metrics: dict[str, Any] = Field(
        default_factory=dict, description="Metrics by the data that they were computed on."
    )
    weights_sha256: str = Field(
        default="", description="Hash of the weights; set when the checkpoint is saved."
    )

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities that the networks read."""
        return tuple(self.members[0].dims)


def save_checkpoint(
    folder: Path | str, network: Ensemble, config: CheckpointConfig, card: str
) -> CheckpointConfig:
    """Write a checkpoint; files of other names in the folder are left alone.

    Everything is written beside its place first and then moved, the configuration last. It
    holds the hash of the weights, so a save that is interrupted leaves the old checkpoint,
    or none, or one that says that it is incomplete; never one that judges wrongly.

    Args:
        folder: Made if it is not there.
        network: Its weights and statistics are saved.
        config: What the weights are; its members must be those of the network.
        card: The model card, Markdown.

    Returns:
        The configuration as written, with the hash of the weights.

    Raises:
        CheckpointError: The configuration describes another network.
    """
    if config.members != network.configs:
        raise CheckpointError(
            "the configuration describes another network than the one to save; "
            "pass CheckpointConfig(members=network.configs, ...)"
        )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".saving-") as name:
        staging = Path(name)
        # Copies: on a GPU the weights of a GRU are views of one buffer, which is refused.
        state = {k: v.detach().cpu().clone() for k, v in network.state_dict().items()}
        save_file(state, staging / WEIGHTS)
        config = config.model_copy(update={"weights_sha256": weights_sha256(staging)})
        (staging / CARD).write_text(card, encoding="utf-8")
        # The order of the modalities is the order of the streams, so keys are not sorted.
        (staging / CONFIG).write_text(config.model_dump_json(indent=2) + "\n", encoding="utf-8")
        for file in (WEIGHTS, CARD, CONFIG):
            (staging / file).replace(folder / file)
    return config


def load_checkpoint(folder: Path | str) -> tuple[Ensemble, CheckpointConfig]:
    """Return the network of a checkpoint, in evaluation mode, and what it says of itself.

    Args:
        folder: As :func:`save_checkpoint` wrote it.

    Raises:
        CheckpointNotFoundError: There is no checkpoint in the folder.
        CheckpointError: It is incomplete, damaged, of another format version, or holds values
            that are no finite numbers.
    """
    folder = Path(folder)
    config = read_config(folder)
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise CheckpointError(f"{folder} has no {WEIGHTS}; {_REMEDY}")
    if config.weights_sha256 not in {"", weights_sha256(folder)}:
        raise CheckpointError(
            f"{weights} is not the file that {CONFIG} was written for: saving or copying was "
            f"interrupted, or the file was changed; {_REMEDY}"
        )
    try:
        state = load_file(weights)
    except SafetensorError as error:
        raise CheckpointError(f"{weights} is not a safetensors file: {error}; {_REMEDY}") from error
    return _network(config.members, _finite_float32(state, weights), weights).eval(), config


def read_config(folder: Path | str) -> CheckpointConfig:
    """Read a checkpoint's configuration, without reading its weights.

    Raises:
        CheckpointNotFoundError: There is no checkpoint in the folder.
        CheckpointError: Its configuration is missing, damaged, or of another format version.
    """
    folder = Path(folder)
    file = folder / CONFIG
    if not file.is_file():
        if any((folder / name).is_file() for name in (WEIGHTS, ONNX)):
            raise CheckpointError(f"{folder} has weights but no {CONFIG}; {_REMEDY}")
        raise CheckpointNotFoundError(
            f"no checkpoint in {folder}: {CONFIG} is not there; give the folder that "
            "`mmmsba train` wrote"
        )
    if file.stat().st_size > _MAX_CONFIG_BYTES:
        raise CheckpointError(f"{file} is over {_MAX_CONFIG_BYTES >> 20} MiB; {_REMEDY}")
    return parse_config(file.read_bytes(), file)


def parse_config(text: bytes | str, file: Path) -> CheckpointConfig:
    """Parse a checkpoint's configuration.

    Args:
        text: JSON, UTF-8.
        file: Where it was read, for messages.

    Raises:
        CheckpointError: It is damaged, or of another format version.
    """
    try:
        return CheckpointConfig.read(_settings(text, file))
    except ConfigError as error:
        raise CheckpointError(f"{file} cannot be used: {error}; {_REMEDY}") from error


def _settings(text: bytes | str, file: Path) -> dict[str, Any]:
    """Parse the settings of a configuration, once its format version is known to be ours.

    The version comes first: a file of another one may well have other keys.
    """
    try:
        settings: dict[str, Any] = json.loads(text)
        version = settings.get("format_version")
    except RecursionError as error:
        raise CheckpointError(f"{file} is nested too deeply; {_REMEDY}") from error
    except (ValueError, AttributeError) as error:
        raise CheckpointError(f"{file} is not a JSON object: {error}; {_REMEDY}") from error
    if version != FORMAT_VERSION:
        raise CheckpointError(
            f"{file} has format version {version}, this package reads {FORMAT_VERSION}; "
            "train again with `mmmsba train`, or install the version of mmmsba-plugin that wrote it"
        )
    if _has_more_levels(settings, _MAX_LEVELS):
        raise CheckpointError(f"{file} is nested too deeply; {_REMEDY}")
    return settings


def _has_more_levels(value: object, num_levels: int) -> bool:
    """Return whether JSON is nested deeper than so many levels."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return not num_levels or any(_has_more_levels(item, num_levels - 1) for item in inner)


def weights_sha256(folder: Path | str) -> str:
    """Return the hash of a checkpoint's weights, in hexadecimal."""
    return sha256_of(Path(folder) / WEIGHTS)


def misfit(error: RuntimeError) -> str:
    """Return the first thing that PyTorch found wrong with a state, on one line."""
    title, *details = str(error).splitlines()
    return details[0].strip() if details else title


def _finite_float32(state: Mapping[str, torch.Tensor], weights: Path) -> dict[str, torch.Tensor]:
    """Return the tensors as the network computes; a file may hold them in half precision.

    Raises:
        CheckpointError: One holds other than floating-point numbers, or some are not finite.
    """
    converted = {}
    for name, tensor in state.items():
        if not tensor.is_floating_point():
            raise CheckpointError(
                f"{name} of {weights} holds {tensor.dtype}, not floating-point numbers; {_REMEDY}"
            )
        converted[name] = tensor.to(torch.float32)
        if not converted[name].isfinite().all():
            raise CheckpointError(
                f"{name} of {weights} holds numbers that are not finite: training diverged, or "
                f"the file is damaged; {_REMEDY}"
            )
    return converted


def _network(
    configs: Sequence[ModelConfig], state: dict[str, torch.Tensor], weights: Path
) -> Ensemble:
    # Built without memory of its own, and then given the tensors that were read: a
    # configuration that asks for a huge network fails by its shapes, not by exhaustion.
    try:
        with torch.device("meta"):
            network = Ensemble.from_configs(configs)
        network.load_state_dict(state, assign=True)
    except (ConfigError, PluginError) as error:
        raise CheckpointError(
            f"the network of {CONFIG} cannot be made: {error}; install the plug-in that it needs"
        ) from error
    except RuntimeError as error:
        raise CheckpointError(
            f"the weights of {weights} do not fit the network of {CONFIG}: {misfit(error)}; "
            f"{_REMEDY}"
        ) from error
    return network
