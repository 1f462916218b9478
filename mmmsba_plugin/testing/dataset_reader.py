"""What a reader of corpora must satisfy."""

from abc import abstractmethod
from pathlib import Path

from mmmsba_plugin.datasets.record import Record
from mmmsba_plugin.errors import MmmsbaError
from mmmsba_plugin.hookspecs import DatasetReader
from mmmsba_plugin.segment import merge
from mmmsba_plugin.testing.entry import ConfiguredContract


class DatasetReaderContract(ConfiguredContract[DatasetReader]):
    """What a reader of corpora must satisfy.

    A subclass writes a small corpus of the reader's kind; nobody else can.
    """

    @abstractmethod
    def corpus(self, folder: Path) -> Path:
        """Write a corpus of a few clips into ``folder`` and return its root."""

    def records(self, root: Path) -> list[Record]:
        """Return all records of the corpus at ``root``."""
        config = self.config_model.read({**self.settings, "root": str(root)})
        return list(self.entry.build(config))

    def test_it_yields_valid_records(self, tmp_path: Path) -> None:
        found = self.records(self.corpus(tmp_path))
        assert found, "a corpus with clips has records"
        for record in found:
            assert isinstance(record, Record), f"got {type(record).__name__}"
            said = f"{record.media}: truth {record.truth}"
            assert record.truth == tuple(merge(record.truth)), f"{said} is not in order and joined"
            assert all(segment.start_s >= 0 for segment in record.truth), f"{said} starts too early"

    def test_it_can_be_read_again(self, tmp_path: Path) -> None:
        root = self.corpus(tmp_path)
        assert self.records(root) == self.records(root)

    def test_a_missing_root_is_an_error_of_ours(self, tmp_path: Path) -> None:
        missing = tmp_path / "no-such-corpus"
        said = ""
        try:
            self.records(missing)
        except MmmsbaError as error:
            said = str(error)
        assert said, "a folder that does not exist must not read as an empty corpus"
        assert missing.name in said, f"the message must name the folder: {said}"
