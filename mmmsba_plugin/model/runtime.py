"""What a network runs on: PyTorch or ONNX Runtime, which device, how many threads."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

import torch

from mmmsba_plugin.config import RuntimeConfig
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.model.checkpoint import ONNX, WEIGHTS, CheckpointConfig, load_checkpoint
from mmmsba_plugin.model.ensemble import Network
from mmmsba_plugin.model.onnx_network import OnnxNetwork
from mmmsba_plugin.model.threads import cv2_threads, torch_threads

T = TypeVar("T")


def load_network(path: Path | str, config: RuntimeConfig) -> tuple[Network, CheckpointConfig]:
    """Return the network of a checkpoint, and what it says of itself.

    Args:
        path: A checkpoint folder, or a file or folder that ``mmmsba export`` wrote.
        config: What it is to run on.

    Raises:
        CheckpointError: The checkpoint is damaged or of another format.
        CheckpointNotFoundError: There is none, or none for that runtime.
        ConfigError: There is no such device, or the runtime does not know it.
        MissingExtraError: The extra ``onnx`` is not installed.
    """
    path = Path(path)
    has_weights = (path / WEIGHTS).is_file()
    is_export = path.suffix == ".onnx" or ((path / ONNX).is_file() and not has_weights)
    if config.runtime == "onnx" or (config.runtime == "auto" and is_export):
        if config.device != "cpu":
            raise ConfigError(
                f"the runtime onnx runs on the device cpu alone, not on {config.device}; "
                "leave out one of them"
            )
        exported = OnnxNetwork.load(path)
        return exported, exported.config
    network, about = load_checkpoint(path)
    try:
        return network.to(torch.device(config.device)), about
    # Which of them depends on the device, and on how PyTorch was built.
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ConfigError(
            f"device {config.device}: {str(error).splitlines()[0]}; leave it out to use cpu"
        ) from error


@contextmanager
def thread_limit(threads: int | None) -> Iterator[None]:
    """Set the threads of PyTorch and OpenCV inside the block, and put them back behind it.

    Args:
        threads: How many; left as they are if None.
    """
    with ExitStack() as stack:
        if threads is not None:
            stack.enter_context(torch_threads.at(threads))
            stack.enter_context(cv2_threads.at(threads))
        yield


def under_thread_limit(items: Iterator[T], threads: int | None) -> Iterator[T]:
    """Yield items, each computed under a thread limit that does not hold while it is in use.

    Args:
        items: What computes the items.
        threads: As for :func:`thread_limit`.
    """
    while True:
        with thread_limit(threads):
            item = next(items, None)
        if item is None:
            return
        yield item
