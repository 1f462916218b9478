"""Licences of the bundled weights."""

from importlib.resources import files

import pytest

from mmmsba_plugin.weights.licenses import BUNDLED_WEIGHTS

PACKAGE = files("mmmsba_plugin")
NAMES = {"Apache-2.0": "Apache License", "MIT": "MIT licence"}


def test_each_file_of_weights_that_ships_has_an_entry():
    shipped = [
        p for kind in ("safetensors", "tflite", "onnx", "pth") for p in PACKAGE.rglob(f"*.{kind}")
    ]
    paths = {path.relative_to(PACKAGE).as_posix() for path in shipped}
    assert {weights.path for weights in BUNDLED_WEIGHTS} == paths


@pytest.mark.parametrize("weights", BUNDLED_WEIGHTS, ids=lambda weights: weights.path)
def test_the_notice_of_weights_names_their_file_and_licence(weights):
    notice = (PACKAGE / weights.notice).read_text(encoding="utf-8")
    if notice.startswith("---"):
        assert weights.origin == "mmmsba-plugin"
    else:
        assert weights.file.name in notice
        assert NAMES[weights.license] in " ".join(notice.split())
