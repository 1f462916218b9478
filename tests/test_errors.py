"""Every error has the one root, resembles a builtin, and carries its culprit."""

import pickle
from pathlib import Path

import pytest

from mmmsba_plugin import errors
from mmmsba_plugin.errors import (
    ForgeError,
    MemoryLimitError,
    MmmsbaError,
    OutputError,
    PredictionsError,
    ShapeError,
    TimeLimitError,
    WorkerError,
)

_CLASSES = [
    error
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, Exception)
]


@pytest.mark.parametrize("error", _CLASSES)
def test_every_error_has_the_one_root_and_a_docstring(error: type[Exception]) -> None:
    assert issubclass(error, MmmsbaError)
    assert error.__doc__


@pytest.mark.parametrize(
    "error", [e for e in _CLASSES if e.__name__ not in {"MmmsbaError", "PluginError"}]
)
def test_every_error_is_also_the_builtin_it_resembles(error: type[Exception]) -> None:
    builtins = [base for base in error.__mro__ if base.__module__ == "builtins"]

    assert builtins[0] is not Exception


@pytest.mark.parametrize(
    ("error", "culprit"),
    [
        (ShapeError("3 scores for 2 clips", shape=(3,)), {"shape": (3,)}),
        (PredictionsError("no file", path=Path("p.json")), {"path": Path("p.json")}),
        (ForgeError("no face", forger="face-swap"), {"forger": "face-swap"}),
        (WorkerError("it died", workers=4), {"workers": 4}),
        (TimeLimitError("too long", limit_s=60.0), {"limit_s": 60.0}),
        (MemoryLimitError("too large", limit_mib=64.0), {"limit_mib": 64.0}),
        (OutputError("disk full", path=Path("out")), {"path": Path("out")}),
    ],
)
def test_an_error_carries_its_culprit_even_between_processes(
    error: MmmsbaError, culprit: dict[str, object]
) -> None:
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - made right here

    assert str(copy) == str(error)
    assert vars(copy).items() >= culprit.items()
