import pytest

from mmmsba_plugin.datasets.reader import refuse
from mmmsba_plugin.datasets.tvil import TvilConfig, is_tvil, read_tvil
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.testing import DatasetReaderContract

from .. import layouts
from ..layouts import put_json, tvil_entry

FAKE = Segment(0.48, 0.86)


class TestTvilContract(DatasetReaderContract):
    entry = lookup("dataset_readers", "tvil")

    def dataset(self, folder):
        return layouts.tvil(folder)


def read(root, on_error=refuse, **settings):
    return list(read_tvil(TvilConfig(root=root, **settings), on_error))


@pytest.fixture
def metadata(tmp_path):
    """A writer of datasets of metadata alone."""

    def write(**entries):
        put_json(tmp_path / "annotations" / "metadata.json", entries)
        return tmp_path

    return write


def test_a_dataset_in_its_own_layout_is_read_whole(tmp_path):
    root = layouts.tvil(tmp_path)
    before = layouts.tree(root)
    records = read(root)
    assert [record.split for record in records] == ["train", "train", "dev", "test"]
    assert [record.fake for record in records] == [False, True, True, True]
    assert layouts.tree(root) == before


def test_the_frame_alone_is_fake(metadata):
    (record,) = read(metadata(a=tvil_entry()), need_media=False)
    assert record.truth == record.visual_truth == (FAKE,)
    assert record.audio_truth == ()
    assert record.key == "0a7a3629.mp4"
    assert record.identity is None
    assert record.extra["fps"] == 25.0


@pytest.mark.parametrize("videos", ["", "videos", "valid", "videos/valid"])
def test_videos_are_found_where_one_may_have_put_them(metadata, videos):
    root = metadata(a=tvil_entry())
    clip = root / videos / "0a7a3629.mp4"
    clip.parent.mkdir(parents=True, exist_ok=True)
    clip.touch()
    (record,) = read(root)
    assert record.media == clip


def test_without_media_a_clip_lies_in_the_folder_of_its_split(metadata):
    # Features are published as feats/tsn/rgb/valid/0a7a3629.npy.
    (record,) = read(metadata(a=tvil_entry()), need_media=False)
    assert (record.media.parent.name, record.media.stem) == ("valid", "0a7a3629")
    assert record.split == "dev"


def test_a_record_of_no_split_is_read(metadata):
    root = metadata(a=tvil_entry(split=None))
    (record,) = read(root, need_media=False)
    assert (record.split, record.media) == (None, root / "0a7a3629.mp4")


@pytest.mark.parametrize(
    ("stated", "duration_s"),
    [
        ({"duration": 4.0}, 4.0),
        ({"duration": None, "video_frames": 90, "fps": 30}, 3.0),
        ({"duration": None, "video_frames": 90, "fps": None}, None),
        ({"duration": None}, None),
    ],
)
def test_the_length_is_stated_or_counted(metadata, stated, duration_s):
    (record,) = read(metadata(a=tvil_entry(**stated)), need_media=False)
    assert record.duration_s == duration_s


@pytest.mark.parametrize("split", ["dev", "valid", "val"])
def test_only_the_wanted_split_is_read_by_our_word_or_its_own(tmp_path, split):
    (record,) = read(layouts.tvil(tmp_path), split=split)
    assert record.key == "00000002.mp4"


def test_an_unknown_split_lists_those_there_are(tmp_path):
    with pytest.raises(DatasetError, match="no split 'tset'; it has: dev, test, train"):
        read(layouts.tvil(tmp_path), split="tset")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_fakes": 3}, "'n_fakes' is 3, but 'fake_periods' has 1; correct one"),
        ({"fps": "25"}, "'fps' must be a number above 0 or null, got '25'"),
        ({"duration": True}, "'duration' must be a number above 0 or null, got True"),
        ({"fake_periods": [[0.1, 0.1]]}, r"'fake_periods\[0\]': a segment must end after"),
        ({"file": None}, "the key 'file' is missing"),
    ],
)
def test_a_malformed_record_is_named_by_file_line_and_key(metadata, changes, message):
    root = metadata(audio=tvil_entry(), broken=tvil_entry(**changes))
    errors = []
    (record,) = read(root, errors.append, need_media=False)
    assert record.fake
    with pytest.raises(
        DatasetError, match=rf"metadata\.json, line 1, record 'broken': .*{message}"
    ):
        raise errors[0]


def test_a_missing_clip_is_named_once_and_the_rest_is_read(tmp_path):
    root = layouts.tvil(tmp_path, videos="videos")
    (root / "videos" / "00000002.mp4").unlink()
    errors = []
    assert len(read(root, errors.append)) == 3
    (error,) = errors
    assert "there is no 00000002.mp4 in valid/, ./, videos/, videos/valid/ of" in str(error)


def test_a_folder_without_metadata_is_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"there is no annotations/metadata\.json in"):
        read(tmp_path)


@pytest.mark.parametrize("entries", [{}, {"a": 3}, {"a": {"file": "a.mp4"}}])
def test_other_objects_are_not_recognised(metadata, entries):
    assert not is_tvil(metadata(**entries))


def test_a_list_is_not_recognised(tmp_path):
    put_json(tmp_path / "annotations" / "metadata.json", [tvil_entry()])
    assert not is_tvil(tmp_path)
