"""A dataset is opened by its name, or the error lists the names there are."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from mmmsba_plugin import plugins
from mmmsba_plugin.config import Config
from mmmsba_plugin.datasets.load import DatasetSpec, open_dataset, parse_spec, recognise
from mmmsba_plugin.errors import ConfigError, DatasetError, PluginNotFoundError
from mmmsba_plugin.hookspecs import DatasetReader

from .. import layouts
from ..layouts_csv import clip_table, fakeavceleb, label_folders

pytestmark = pytest.mark.usefixtures("readers")

#: Readers of datasets that nobody else knows. The names of what they yield say who read what.
READERS_FILE = """
from pathlib import Path
from mmmsba_plugin.config import Config
from mmmsba_plugin.record import Record
from mmmsba_plugin.hookspecs import DatasetReader, hookimpl

class Bare(Config):
    root: Path

class Full(Bare):
    split: str = "all"
    need_media: bool = True
    colour: str = "none"

def read(name):
    return lambda config, on_error: [Record(config.root, key=name, extra=dict(config))]

def stumble(root):
    raise RuntimeError("boom")

@hookimpl
def forensics_dataset_readers():
    for name, config, recognise in (
        ("bare", Bare, None),
        ("full", Full, lambda root: (root / "full").exists()),
        ("rival", Bare, lambda root: (root / "rival").exists()),
        ("clumsy", Bare, stumble),
    ):
        build = read(name)
        yield DatasetReader(
            name=name, summary=".", config=config, build=build, recognise=recognise
        )
"""


@pytest.fixture
def readers(tmp_path):
    path = tmp_path / "readers.py"
    path.write_text(READERS_FILE)
    plugins.forget()
    plugins.load_file(path)
    yield
    plugins.forget()


def who_reads(*arguments, **settings) -> str:
    (record,) = open_dataset(*arguments, **settings).records()
    return record.key


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "dataset"
    folder.mkdir()
    return folder


def test_a_reader_can_be_named_with_the_folder(root):
    dataset = open_dataset(f"bare={root}")
    (record,) = dataset.records()
    assert (dataset.reader, dataset.name, dataset.root) == ("bare", "dataset", root)
    assert (record.key, record.media) == ("bare", root)


def test_a_dataset_can_be_given_a_name(root):
    dataset = open_dataset(f"mine:full[colour=red]={root}")
    assert (dataset.name, dataset.reader) == ("mine", "full")
    assert dataset.settings == {"colour": "red"}


def test_records_are_read_anew_at_each_call(root):
    dataset = open_dataset(f"bare={root}")
    assert list(dataset.records()) == list(dataset.records()) != []


def test_a_reader_behind_the_sign_is_answered_with_what_to_write(root, tmp_path):
    with pytest.raises(ConfigError, match=f"write NAME:READER=DIR, here mine:bare={root}$"):
        open_dataset(f"mine=bare:{root}")
    (tmp_path / "bare:x").mkdir()
    assert open_dataset(f"full={tmp_path}/bare:x").reader == "full"


def test_or_beside_it_and_with_it_is_nearer(root):
    assert who_reads(str(root), "bare") == "bare"
    assert who_reads(f"full={root}", "bare") == "full"


def test_else_whoever_recognises_the_folder_reads_it(root):
    (root / "full").touch()
    assert who_reads(str(root)) == "full"


def test_what_nobody_recognises_is_answered_with_what_each_reader_needs(root):
    with pytest.raises(DatasetError) as refused:
        open_dataset(str(root))
    assert f"no reader knows the layout of {root}; name one as READER=" in str(refused.value)
    assert "lav-df (A folder in LAV-DF's layout: metadata.json" in str(refused.value)
    assert "bare" not in str(refused.value), "it recognises nothing, so no layout is its own"


def test_several_that_recognise_it_are_named(root):
    (root / "full").touch()
    (root / "rival").touch()
    with pytest.raises(DatasetError, match=rf"full, rival; say which .* full={root}"):
        open_dataset(str(root))


def test_a_reader_that_stumbles_over_a_folder_is_passed_over(root, caplog):
    (root / "full").touch()
    with caplog.at_level(logging.ERROR):
        assert who_reads(str(root)) == "full"
    assert f"'clumsy' cannot say whether it knows {root}: boom" in caplog.text


def test_an_unknown_reader_is_answered_with_those_there_are(root):
    with pytest.raises(PluginNotFoundError, match="no dataset-reader is called 'bear'"):
        open_dataset(f"bear={root}")


def test_a_folder_with_an_equals_sign_in_its_name_is_a_folder(tmp_path, monkeypatch):
    (tmp_path / "bare=1").mkdir()
    monkeypatch.chdir(tmp_path)
    assert who_reads("bare=1", "full") == "full"
    assert who_reads(str(tmp_path / "gone=1"), "full") == "full"


def test_a_reader_gets_the_given_options_and_nothing_else(root):
    (record,) = open_dataset(f"full={root}", colour="red").records()
    assert record.extra == {
        "root": root, "split": "all", "need_media": True, "colour": "red"
    }  # fmt: skip
    (record,) = open_dataset(f"full={root}", split="dev", need_media=False).records()
    assert (record.extra["split"], record.extra["need_media"]) == ("dev", False)


def test_settings_of_a_reader_stand_in_brackets(root):
    brackets = "[colour=dark red,split=val,need_media=false]"
    for dataset in (
        open_dataset(f"full{brackets}={root}"),
        open_dataset(str(root), f"full{brackets}"),
    ):
        (record,) = dataset.records()
        assert dataset.reader == "full"
        assert record.extra == {
            "root": root, "split": "val", "need_media": False, "colour": "dark red"
        }  # fmt: skip


def test_brackets_may_hold_a_path_and_a_folder_equals_signs(tmp_path):
    folder = tmp_path / "a=b" / "[c]=d"
    folder.mkdir(parents=True)
    assert parse_spec(f"full[colour=/x/y.csv]={folder}") == DatasetSpec(
        folder, "full", {"colour": "/x/y.csv"}
    )
    assert parse_spec(str(folder)) == DatasetSpec(folder)


def test_what_brackets_say_of_clips_goes_over_what_the_command_needs(root):
    (record,) = open_dataset(f"full[need_media=true]={root}", need_media=False).records()
    assert record.extra["need_media"] is True


@pytest.mark.parametrize(
    "reader", ["full[]", "full[colour]", "full[=red]", "full[colour=red,colour=blue]", "full[a"]
)
def test_brackets_that_make_no_sense_are_answered_with_an_example(root, reader):
    with pytest.raises(ConfigError, match=r"write each setting once"):
        open_dataset(str(root), reader)


def test_a_setting_is_given_once(root):
    with pytest.raises(ConfigError, match="said in brackets and by an option"):
        open_dataset(f"full[split=dev]={root}", split="dev")


def test_a_setting_that_there_is_not_is_answered_with_those_there_are(root):
    with pytest.raises(ConfigError, match="no setting fold, but: colour, need_media"):
        open_dataset(f"full[fold=2]={root}")
    with pytest.raises(ConfigError, match="'full' has no setting root, but: colour"):
        open_dataset(f"full[root=x]={root}")


@pytest.mark.parametrize("split", ["dev", "val", "valid"])
def test_our_readers_know_a_split_by_any_of_its_names(tmp_path, split):
    for make in (layouts.lavdf, layouts.tvil, layouts.av1m):
        dataset = open_dataset(str(make(tmp_path / make.__name__)), split=split)
        assert {record.split for record in dataset.records()} == {"dev"}


def test_a_foreign_reader_is_given_a_split_as_it_was_typed(root):
    (record,) = open_dataset(f"full={root}", split="val").records()
    assert record.extra["split"] == "val"


def test_the_paper_s_protocol_can_be_typed(tmp_path):
    root = layouts.av1m(tmp_path)
    with pytest.raises(DatasetError) as private:
        list(open_dataset(str(root), split="test").records())
    # The message itself says what to type.
    spec = str(private.value).split("--data ")[1].split("'")[1]
    records = list(open_dataset(spec, split="test").records())
    assert {record.identity for record in records} == {"id00099"}
    assert {record.extra["protocol"] for record in records} == {"paper (seed 0)"}


def test_a_dataset_of_which_nothing_can_be_used_is_not_taken_for_an_empty_one(tmp_path):
    root = layouts.lavdf(tmp_path)
    for clip in root.rglob("*.mp4"):
        clip.unlink()
    message = r"none of the 12 records of .* can be used; the first: .* there is no train/000000"
    with pytest.raises(DatasetError, match=message):
        list(open_dataset(str(root)).records())
    assert len(list(open_dataset(str(root), need_media=False).records())) == 12


def test_a_foreign_reader_that_fails_at_once_gives_an_error_of_ours(root, monkeypatch):
    entry = replace(a_reader("broken"), build=lambda config, on_error: 1 / 0)
    monkeypatch.setattr(plugins, "lookup", lambda kind, name: entry)
    with pytest.raises(DatasetError, match="reader 'broken' failed: ZeroDivisionError"):
        open_dataset(f"broken={root}").records()


def test_a_reader_that_knows_no_splits_is_not_asked_for_one(root):
    with pytest.raises(ConfigError, match="no setting split, but: none"):
        open_dataset(f"bare={root}", split="dev")
    assert who_reads(f"bare={root}", need_media=False) == "bare"


def test_the_folder_that_one_stands_in_has_a_name(root, monkeypatch):
    monkeypatch.chdir(root)
    assert open_dataset(".", "bare").name == "dataset"


class RootConfig(Config):
    """Settings without any of the optional ones."""

    root: Path


ROWS = [{"path": "a.mp4", "start_s": 1.0, "end_s": 1.5, "split": "train", "identity": "ann"}]


def a_reader(name: str, **parts) -> DatasetReader:
    def build(config, on_error):
        return []

    return DatasetReader(
        name=name, summary=f"What {name} reads.", config=RootConfig, build=build, **parts
    )


class TestRecognise:
    @pytest.mark.parametrize(
        ("make", "name"),
        [
            (fakeavceleb, "fakeavceleb"),
            (lambda folder: clip_table(folder, ROWS), "folder"),
            (lambda folder: clip_table(folder, ROWS).parent, "folder"),
            (lambda folder: label_folders(folder, "real/x.mp4"), "folder"),
            (layouts.lavdf, "lav-df"),
            (layouts.av1m, "av-deepfake1m"),
            (layouts.plusplus, "av-deepfake1m-plusplus"),
            (layouts.tvil, "tvil"),
        ],
    )
    def test_every_reader_of_ours_knows_its_own_alone(self, tmp_path, make, name):
        entries = [offer.entry for offer in plugins.entries("dataset_readers")]
        assert recognise(make(tmp_path), entries).name == name

    def test_a_folder_that_two_know_is_answered_with_both(self, tmp_path):
        both = [a_reader(name, recognise=lambda root: True) for name in ("one", "two")]
        with pytest.raises(DatasetError, match=f"one, two; say which .* one={tmp_path}"):
            recognise(tmp_path, both)

    def test_a_foreign_reader_that_fails_does_not_stop_the_others(self, tmp_path, caplog):
        broken = a_reader("broken", recognise=lambda root: 1 / 0)
        good = a_reader("good", recognise=lambda root: True)
        assert recognise(tmp_path, [broken, good, a_reader("silent")]) is good
        assert "the reader 'broken' cannot say whether it knows" in caplog.text
