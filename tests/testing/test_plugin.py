"""The contracts as a plug-in of pytest: what a plug-in offers decides what is tested."""

from types import ModuleType, SimpleNamespace

import pytest

from mmmsba_plugin.config import Config
from mmmsba_plugin.hookspecs import DatasetReader, Writer, hookimpl
from mmmsba_plugin.testing import DatasetReaderContract, WriterContract
from mmmsba_plugin.testing.plugin import contract_tests

WRITER = Writer(name="one-line.v2", suffix=".x", summary="A line.", write=print)
READER = DatasetReader(
    name="toy", summary="A toy.", config=Config, build=lambda config, on_error: []
)


def offering(**offers) -> SimpleNamespace:
    hooks = {name: hookimpl(lambda entries=entries: entries) for name, entries in offers.items()}
    return SimpleNamespace(**{f"forensics_{name}": hook for name, hook in hooks.items()})


def module(**members) -> ModuleType:
    test_module = ModuleType("test_theirs")
    vars(test_module).update(members)
    return test_module


def test_each_entry_gets_its_contract_and_what_the_module_says(tmp_path):
    plugin = offering(writers=[WRITER], dataset_readers=[READER])
    readers, writers = contract_tests(
        plugin, module(write_dataset=lambda folder: folder / "root", settings={"a": 1})
    )
    assert issubclass(writers, WriterContract)
    assert (writers.__name__, writers.entry) == ("TestWriterOneLineV2", WRITER)
    assert issubclass(readers, DatasetReaderContract)
    assert readers().dataset(tmp_path) == tmp_path / "root"
    assert readers.settings == {"a": 1}


def test_a_reader_without_a_dataset_is_told_what_is_missing():
    with pytest.raises(pytest.UsageError, match=r"test_theirs needs write_dataset\(folder\)"):
        list(contract_tests(offering(dataset_readers=[READER]), module()))


def test_a_plugin_that_offers_nothing_does_not_pass():
    with pytest.raises(pytest.UsageError, match="offers nothing"):
        list(contract_tests(offering(), module()))
