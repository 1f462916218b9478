"""A skipped test names the reason if the tests beside this one are missing."""

import pytest

from .conftest import MISSING


def test_fiftyone_and_a_database_are_there():
    if MISSING:
        pytest.skip(MISSING)
    import fiftyone as fo

    assert not fo.dataset_exists("nothing that anybody made")
