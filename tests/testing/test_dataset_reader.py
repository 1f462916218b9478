"""The contract of dataset readers: our own keeps it, and it catches what it is there for."""

import json
from pathlib import Path

import pytest

from mmmsba_plugin.config import Config
from mmmsba_plugin.datasets.lavdf_metadata import METADATA
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.hookspecs import DatasetReader
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.record import Record
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.testing import DatasetReaderContract, samples


class TestLavDf(DatasetReaderContract):
    entry = lookup("dataset_readers", "lav-df")

    def dataset(self, folder):
        entries = []
        for name, periods in (("real.mp4", []), ("fake.mp4", [[0.5, 1.0], [0.2, 0.6]])):
            samples.clip(folder / name, duration_s=1.2)
            entries.append(
                {
                    "file": name,
                    "n_fakes": len(periods),
                    "fake_periods": periods,
                    "modify_audio": bool(periods),
                    "modify_video": False,
                    "split": "test",
                }
            )
        (folder / METADATA).write_text(json.dumps(entries))
        return folder


class RootConfig(Config):
    """Folder of a toy dataset."""

    root: Path


def read_names(config, on_error=None):
    """Read a dataset whose clips are files without an ending, all of them real."""
    if not config.root.is_dir():
        raise DatasetError(f"there is no folder {config.root}")
    return [Record(path, truth=()) for path in sorted(config.root.iterdir())]


def contract_of(build=read_names, **changes):
    class Contract(DatasetReaderContract):
        entry = DatasetReader(
            name="toy", summary="Words.", config=RootConfig, build=build, **changes
        )

        def dataset(self, folder):
            (folder / "clip").write_bytes(b"")
            return folder

    return Contract()


def test_a_reader_that_keeps_the_contract_passes(tmp_path):
    contract = contract_of()
    for number, claim in enumerate(
        (
            contract.test_it_yields_valid_records,
            contract.test_it_can_be_read_again,
            contract.test_a_missing_root_is_an_error_of_ours,
            contract.test_reading_writes_nothing_into_the_dataset,
        )
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        claim(folder)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda config, on_error=None: [], "a dataset with clips has records"),
        (lambda config, on_error=None: ["clip"], "got str"),
        (
            lambda config, on_error=None: [
                Record(Path("a.mp4"), truth=(Segment(1, 2), Segment(0, 1)))
            ],
            "not in order and joined",
        ),
    ],
)
def test_records_that_are_not_valid_fail(tmp_path, build, message):
    with pytest.raises(AssertionError, match=message):
        contract_of(build).test_it_yields_valid_records(tmp_path)


def test_a_reader_that_finds_a_missing_folder_empty_fails(tmp_path):
    with pytest.raises(AssertionError, match="must not read as an empty dataset"):
        contract_of(lambda config, on_error=None: []).test_a_missing_root_is_an_error_of_ours(
            tmp_path
        )


def test_a_reader_that_leaves_a_cache_in_the_dataset_fails(tmp_path):
    def read_and_write(config, on_error=None):
        (config.root / "cache").write_bytes(b"")
        return []

    with pytest.raises(AssertionError, match="keep caches elsewhere"):
        contract_of(read_and_write).test_reading_writes_nothing_into_the_dataset(tmp_path)


def test_a_reader_that_recognises_every_folder_fails(tmp_path):
    contract = contract_of(recognise=lambda root: True)
    with pytest.raises(AssertionError, match="an empty folder is no dataset"):
        contract.test_it_recognises_its_own_dataset_and_no_other_folder(tmp_path)
