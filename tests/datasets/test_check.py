"""A dataset is checked before hours go into it; the contract that its reader keeps."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from unittest import SkipTest

import pytest
from pydantic import Field

from mmmsba_plugin.config import Config
from mmmsba_plugin.datasets.check import check
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.hookspecs import DatasetReader
from mmmsba_plugin.record import Record
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.testing import DatasetReaderContract


class RootConfig(Config):
    """Settings without any of the optional ones."""

    root: Path


class TestCheck:
    def test_a_reader_without_an_audit_is_counted_by_what_it_yields(self, tmp_path):
        records = [Record(tmp_path / "none.mp4", (Segment(0.0, 1.0),), key="none")]
        entry = DatasetReader(
            name="theirs",
            summary="Theirs.",
            config=RootConfig,
            build=lambda config, on_error: records,
        )
        checkup = check(entry, tmp_path)
        assert checkup.missing.first == ["none"]
        assert not checkup.usable
        assert checkup.records == {("fake", "no split"): 1}

    def test_reading_that_ends_early_says_why_and_keeps_what_was_read(self, tmp_path):
        def truncated(config: RootConfig, on_error) -> Iterator[Record]:
            yield Record(tmp_path, key="a")
            raise DatasetError("line 2 ends in the middle; copy it again")

        for config in (RootConfig, ListConfig):
            checkup = check(
                DatasetReader(name="theirs", summary="Theirs.", config=config, build=truncated),
                tmp_path,
            )
            assert checkup.records.total() == 1
            assert checkup.ended == "line 2 ends in the middle; copy it again"
            assert not checkup.usable

    def test_a_reader_that_fails_ends_reading_with_one_error_that_names_it(self, tmp_path):
        def failing(config: RootConfig, on_error) -> Iterator[Record]:
            yield Record(tmp_path, key="a")
            raise KeyError("file")

        entry = DatasetReader(name="theirs", summary="Theirs.", config=RootConfig, build=failing)
        checkup = check(entry, tmp_path)
        assert checkup.records.total() == 1
        assert checkup.ended.startswith("the reader 'theirs' failed: KeyError: 'file'; mend")

    def test_memory_does_not_grow_with_the_dataset(self, tmp_path):
        def many(config: RootConfig, on_error) -> Iterator[Record]:
            clip = tmp_path / "none.mp4"
            for index in range(20_000):
                yield Record(clip, key=f"clip {index}", split="train")

        entry = DatasetReader(name="theirs", summary="Theirs.", config=RootConfig, build=many)
        tracemalloc.start()
        checkup = check(entry, tmp_path)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert checkup.missing.count == 20_000
        # Some kilobytes; the keys of the clips alone would be more than a megabyte.
        assert peak_bytes < 100_000


def test_the_manipulation_is_named_in_one_word():
    fake = (Segment(0.0, 1.0),)
    for visual, audio, word in (
        (fake, (), "visual"),
        ((), fake, "audio"),
        (fake, fake, "both"),
        (None, fake, "fake"),
        (None, None, "fake"),
        ((), (), "fake"),
    ):
        record = Record(Path("a.mp4"), fake, visual_truth=visual, audio_truth=audio)
        assert record.altered == word
    assert Record(Path("a.mp4")).altered == "real"


class ListConfig(Config):
    """Settings of a third party's reader of ``list.txt``: a clip a line."""

    root: Path = Field(description="Where the list lies.")
    need_media: bool = Field(default=True, description="Whether clips must be there.")


class ListContract(DatasetReaderContract):
    """The contract, for readers of such lists."""

    def dataset(self, folder: Path) -> Path:
        for name in ("a.mp4", "b.mp4"):
            (folder / name).touch()
        (folder / "list.txt").write_text("a.mp4\nb.mp4\n")
        return folder


def read_list(config: ListConfig, on_error=lambda error: None) -> Iterator[Record]:
    for name in (config.root / "list.txt").read_text().split():
        if config.need_media and not (config.root / name).is_file():
            on_error(DatasetError(f"there is no {name}"))
        else:
            yield Record(config.root / name, key=name)


def written_into(config: ListConfig, on_error) -> Iterator[Record]:
    (config.root / "cache.npy").touch()
    yield from read_list(config)


def stopping(config: ListConfig, on_error) -> Iterator[Record]:
    def stop(error: DatasetError) -> None:
        on_error(error)
        raise StopIteration

    try:
        yield from read_list(config, stop)
    except RuntimeError:
        return


class TestContract:
    """The contract of readers must catch what it is there for, and ask no more."""

    CLAIMS = (
        "test_reading_writes_nothing_into_the_dataset",
        "test_it_recognises_its_own_dataset_and_no_other_folder",
        "test_it_leaves_out_nothing_of_a_complete_dataset",
        "test_it_reports_a_missing_clip_and_goes_on",
        "test_a_clip_that_is_not_needed_may_be_missing",
        "test_only_the_split_that_is_asked_for_is_read",
    )

    def contract(self, config: type[Config] = ListConfig, **parts) -> ListContract:
        whole = {"build": read_list, "recognise": lambda root: (root / "list.txt").is_file()}

        class Contract(ListContract):
            entry = DatasetReader(
                name="list", summary="A list.", config=config, **{**whole, **parts}
            )

        return Contract()

    @pytest.mark.parametrize("claim", CLAIMS[:-1])
    def test_a_good_reader_passes(self, tmp_path, claim):
        getattr(self.contract(), claim)(tmp_path)

    @pytest.mark.parametrize("claim", [CLAIMS[1], *CLAIMS[3:]])
    def test_a_reader_without_what_is_optional_is_not_asked_for_it(self, tmp_path, claim):
        def build(config, on_error):
            return [Record(config.root / "a.mp4", key="a")]

        bare = self.contract(RootConfig, recognise=None, build=build)
        with pytest.raises(SkipTest):
            getattr(bare, claim)(tmp_path)

    @pytest.mark.parametrize(
        ("parts", "claim", "message"),
        [
            ({"build": written_into}, CLAIMS[0], "a dataset is its owner's; keep caches elsewhere"),
            ({"recognise": lambda root: True}, CLAIMS[1], "an empty folder is no dataset"),
            ({"recognise": lambda root: False}, CLAIMS[1], "is of its kind"),
            (
                {"build": lambda config, on_error: read_list(config)},
                CLAIMS[3],
                "to be told of once",
            ),
            ({"build": stopping}, CLAIMS[3], "one clip that is not there must not cost the others"),
            (
                {
                    "build": lambda config, on_error: read_list(
                        config.model_copy(update={"need_media": True})
                    )
                },
                CLAIMS[4],
                "a record whose clip is not needed was left out",
            ),
        ],
    )
    def test_a_faulty_reader_fails(self, tmp_path, parts, claim, message):
        with pytest.raises(AssertionError, match=message):
            getattr(self.contract(**parts), claim)(tmp_path)
