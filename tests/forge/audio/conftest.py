"""Forgers by name."""

import pytest

from mmmsba_plugin.plugins import lookup


@pytest.fixture(scope="session")
def build():
    """Return a forger of ours by name; the crude voice speaks, whatever is installed."""

    def built(name, **given_):
        entry = lookup("forgers", name)
        chosen = {"voice": "formant"} | given_ if name == "speak" else given_
        return entry.build(entry.config.read(chosen))

    return built
