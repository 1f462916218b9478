"""Settings of what a network runs on."""

import pytest

from mmmsba_plugin.config import RuntimeConfig
from mmmsba_plugin.errors import ConfigError


@pytest.mark.parametrize(
    "settings", [{"runtime": "tensorrt"}, {"threads": 0}, {"threads": "many"}, {"cores": 2}]
)
def test_what_nothing_can_run_on_is_refused(settings):
    with pytest.raises(ConfigError, match=next(iter(settings))):
        RuntimeConfig.read(settings)


def test_nothing_is_changed_by_default():
    assert RuntimeConfig() == RuntimeConfig(runtime="auto", device="cpu", threads=None)
