"""The contracts as a plug-in of pytest, for whoever writes a plug-in of ours.

A test module of three lines tests everything that a plug-in offers::

    import my_package
    pytest_plugins = ["mmmsba_plugin.testing.plugin"]
    contract_of = my_package

``contract_of`` is the module, or any object, with the hook implementations. The module can also
have ``write_dataset(folder)``, which writes a small dataset and returns its root, for readers;
``checkpoint``, the folder that detectors are loaded from; and ``settings``, those that the
defaults do not give. Nothing of this is loaded by pytest itself.
"""

from collections.abc import Iterator
from itertools import chain
from types import ModuleType
from typing import Any

import pluggy
import pytest

from mmmsba_plugin import hookspecs
from mmmsba_plugin.plugins import ENTRY_TYPES, Kind
from mmmsba_plugin.testing.dataset_reader import DatasetReaderContract
from mmmsba_plugin.testing.detector import DetectorContract
from mmmsba_plugin.testing.entry import EntryContract
from mmmsba_plugin.testing.forger import ForgerContract
from mmmsba_plugin.testing.front_end import FrontEndContract
from mmmsba_plugin.testing.head import HeadContract
from mmmsba_plugin.testing.writer import WriterContract

#: What a test module calls the plug-in that it is about.
VARIABLE = "contract_of"

_CONTRACTS: dict[Kind, Any] = {
    "detectors": DetectorContract,
    "front_ends": FrontEndContract,
    "dataset_readers": DatasetReaderContract,
    "writers": WriterContract,
    "forgers": ForgerContract,
    "heads": HeadContract,
}


def contract_tests(plugin: object, module: ModuleType) -> Iterator[type[EntryContract[Any]]]:
    """Yield a class of tests for each entry that a plug-in offers.

    Args:
        plugin: Has the hook implementations.
        module: The test module, with what the contracts need to know.

    Raises:
        UsageError: It offers nothing, or a reader and the module no dataset.
        Exception: What a hook of it raises.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(plugin)
    is_empty = True
    for kind in ENTRY_TYPES:
        for entry in chain.from_iterable(getattr(manager.hook, f"forensics_{kind}")()):
            is_empty = False
            yield _class_of(kind, entry, module)
    if is_empty:
        raise pytest.UsageError(
            f"{VARIABLE} of {module.__name__} offers nothing: no function of it is marked "
            "@hookimpl, or none yields an entry"
        )


def _class_of(kind: Kind, entry: Any, module: ModuleType) -> type[EntryContract[Any]]:  # noqa: ANN401
    members: dict[str, object] = {"entry": entry}
    for name in ("checkpoint", "settings"):
        if hasattr(module, name):
            members[name] = getattr(module, name)
    if kind == "dataset_readers":
        if not hasattr(module, "write_dataset"):
            raise pytest.UsageError(
                f"{module.__name__} needs write_dataset(folder), which writes a small dataset for "
                f"the reader {entry.name!r} and returns its root"
            )
        members["dataset"] = staticmethod(module.write_dataset)
    noun = ENTRY_TYPES[kind].__name__.removesuffix("Entry")
    words = "".join(word.capitalize() for word in entry.name.replace(".", "-").split("-"))
    return type(f"Test{noun}{words}", (_CONTRACTS[kind],), members)


def pytest_pycollect_makeitem(
    collector: pytest.Collector, name: str, obj: object
) -> list[pytest.Collector] | None:
    """Collect the tests of a plug-in in place of the variable that names it."""
    if name != VARIABLE or not isinstance(collector, pytest.Module):
        return None
    classes = list(contract_tests(obj, collector.obj))
    # pytest looks them up by name.
    vars(collector.obj).update({tests.__name__: tests for tests in classes})
    return [pytest.Class.from_parent(collector, name=tests.__name__) for tests in classes]
