"""Fixtures for the tests of dataset readers."""

import pytest

from ..layouts import put_json


@pytest.fixture
def train_list(tmp_path):
    """Function that writes AV-Deepfake1M's metadata of entries, and returns their folder."""

    def write(*entries, name="train_metadata.json"):
        put_json(tmp_path / name, list(entries))
        return tmp_path

    return write
