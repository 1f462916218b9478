"""Settings of what a network runs on; its scores do not depend on them."""

from typing import Literal

from pydantic import Field

from mmmsba_plugin.config.base import Config

Runtime = Literal["auto", "torch", "onnx"]


class RuntimeConfig(Config):
    """Settings of what a network runs on."""

    runtime: Runtime = Field(
        default="auto",
        description="What runs the network: PyTorch, or ONNX Runtime where it was exported. "
        "`auto` is PyTorch wherever there are weights for it.",
    )
    device: str = Field(
        default="cpu",
        description="PyTorch's name of the device that the network runs on; front-ends run on the "
        "processor.",
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        description="Threads of PyTorch and OpenCV while the features of a clip are computed; what "
        "the process has set, if not given. The network has one.",
    )
