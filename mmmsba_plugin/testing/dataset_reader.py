"""Contract of dataset readers."""

from abc import abstractmethod
from pathlib import Path
from unittest import SkipTest

from mmmsba_plugin.config import Config
from mmmsba_plugin.errors import DatasetError, MmmsbaError
from mmmsba_plugin.hookspecs import DatasetReader
from mmmsba_plugin.record import Record
from mmmsba_plugin.segment import merge
from mmmsba_plugin.testing.entry import ConfiguredContract


class DatasetReaderContract(ConfiguredContract[DatasetReader]):
    """Contract of a dataset reader.

    A subclass writes a small dataset of the reader's kind; nobody else can. What an entry does
    not offer (``recognise``, a setting ``need_media`` or ``split``) is skipped.
    """

    @abstractmethod
    def dataset(self, folder: Path) -> Path:
        """Write a dataset of a few clips into ``folder`` and return its root."""

    def records(self, root: Path, **settings: object) -> list[Record]:
        """Return all records of the dataset at ``root``, or those that settings ask for."""
        config = self.config_at(root, **settings)
        return list(self.entry.build(config, on_error=lambda _: None))

    def config_at(self, root: Path, **settings: object) -> Config:
        """Return the settings that read the dataset at ``root``."""
        return self.config_model.read({**self.settings, **settings, "root": str(root)})

    def require_setting(self, name: str) -> None:
        """Skip a test if the reader has no such setting."""
        if name not in self.config_model.model_fields:
            raise SkipTest(f"its settings have no {name}")

    def test_it_yields_valid_records(self, tmp_path: Path) -> None:
        records = self.records(self.dataset(tmp_path))
        assert records, "a dataset with clips has records"
        for record in records:
            assert isinstance(record, Record), f"got {type(record).__name__}"
            label = f"{record.media}: truth {record.truth}"
            assert record.truth == tuple(merge(record.truth)), f"{label} is not in order and joined"
            assert all(segment.start_s >= 0 for segment in record.truth), (
                f"{label} starts too early"
            )

    def test_it_can_be_read_again(self, tmp_path: Path) -> None:
        root = self.dataset(tmp_path)
        assert self.records(root) == self.records(root)

    def test_a_missing_root_is_an_error_of_ours(self, tmp_path: Path) -> None:
        missing = tmp_path / "no-such-corpus"
        message = ""
        try:
            self.records(missing)
        except MmmsbaError as error:
            message = str(error)
        assert message, "a folder that does not exist must not read as an empty dataset"
        assert missing.name in message, f"the message must name the folder: {message}"

    def test_reading_writes_nothing_into_the_dataset(self, tmp_path: Path) -> None:
        root = self.dataset(tmp_path)
        before = _everything_in(tmp_path)
        self.records(root)
        assert _everything_in(tmp_path) == before, "a dataset is its owner's; keep caches elsewhere"

    def test_it_recognises_its_own_dataset_and_no_other_folder(self, tmp_path: Path) -> None:
        if self.entry.recognise is None:
            raise SkipTest("it recognises no folder")
        (empty := tmp_path / "empty").mkdir()
        (tmp_path / "dataset").mkdir()
        root = self.dataset(tmp_path / "dataset")
        before = _everything_in(root)
        assert self.entry.recognise(root) is True, f"{root} is of its kind"
        assert self.entry.recognise(empty) is False, "an empty folder is no dataset"
        assert self.entry.recognise(tmp_path / "none") is False, "no folder is no dataset"
        assert _everything_in(root) == before, "to recognise a dataset is to leave it alone"

    def test_it_leaves_out_nothing_of_a_complete_dataset(self, tmp_path: Path) -> None:
        root = self.dataset(tmp_path)
        records, errors = self.audited(root)
        assert errors == []
        assert records == self.records(root)

    def test_it_reports_a_missing_clip_and_goes_on(self, tmp_path: Path) -> None:
        root = self.dataset(tmp_path)
        lost, *rest = self.records(root)
        lost.media.unlink()
        records, errors = self.audited(root)
        if lost in records and not errors:
            raise SkipTest("it does not look for clips")
        assert records == rest, "one clip that is not there must not cost the others"
        assert len(errors) == 1, f"the missing clip was to be told of once: {errors}"
        assert isinstance(errors[0], DatasetError)
        assert lost.media.stem in str(errors[0]), f"the message must name the clip: {errors[0]}"

    def test_a_clip_that_is_not_needed_may_be_missing(self, tmp_path: Path) -> None:
        self.require_setting("need_media")
        root = self.dataset(tmp_path)
        lost, *rest = self.records(root)
        lost.media.unlink()
        assert self.records(root, need_media=True) == rest, "a clip that is needed is not there"
        records = {record.key: record for record in self.records(root, need_media=False)}
        assert lost.key in records, f"a record whose clip is not needed was left out: {lost.key}"
        assert len(records) == len(rest) + 1, (
            f"there are {len(rest) + 1} records, got {len(records)}"
        )
        assert records[lost.key].truth == lost.truth, (
            "what is known of it is known without its file"
        )

    def test_only_the_split_that_is_asked_for_is_read(self, tmp_path: Path) -> None:
        self.require_setting("split")
        root = self.dataset(tmp_path)
        every = self.records(root)
        for split in {record.split for record in every} - {None}:
            expected = [record for record in every if record.split == split]
            assert self.records(root, split=split) == expected, f"these are not those of {split!r}"

    def audited(self, root: Path) -> tuple[list[Record], list[DatasetError]]:
        """Return the records of a dataset, and the errors of those that are left out."""
        errors: list[DatasetError] = []
        return list(self.entry.build(self.config_at(root), on_error=errors.append)), errors


def _everything_in(folder: Path) -> dict[Path, bytes | None]:
    paths = sorted(folder.rglob("*"))
    return {path: path.read_bytes() if path.is_file() else None for path in paths}
