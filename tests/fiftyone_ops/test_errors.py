"""Tests of the plugin's errors: each is one of ours, and the builtin that it resembles."""

import pytest

from fiftyone_ops.errors import FieldTakenError, TargetError, VersionError, WriteError
from mmmsba_plugin.errors import MmmsbaError


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (TargetError, ValueError),
        (FieldTakenError, ValueError),
        (WriteError, OSError),
        (VersionError, RuntimeError),
    ],
)
def test_an_error_is_one_of_ours_and_the_builtin_that_it_resembles(error, builtin):
    assert issubclass(error, MmmsbaError)
    assert issubclass(error, builtin)
