"""Clips are found though copies of a dataset spell their folders otherwise."""

import pytest

from mmmsba_plugin.datasets.find_clip import ClipFinder, normalize_name
from mmmsba_plugin.errors import DatasetError

SPELLINGS = ("wav2lip", "wavtolip")


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "Asian (East)" / "men" / "1_wav2lip.mp4"
    path.parent.mkdir(parents=True)
    path.touch()
    return path


@pytest.fixture
def finder(tmp_path) -> ClipFinder:
    return ClipFinder(tmp_path, spellings=SPELLINGS)


@pytest.mark.parametrize("folder", ["Asian (East)", "Asian_East", "asian east"])
@pytest.mark.parametrize("name", ["1_wav2lip.mp4", "1_wavtolip.mp4"])
def test_folders_and_one_word_of_a_name_may_be_spelt_otherwise(finder, clip, folder, name):
    assert finder.find((folder, "Men", name), need_it=True) == clip


def test_the_name_of_a_file_must_be_right(finder, clip):
    with pytest.raises(DatasetError, match=r"there is no Asian East/men/2\.mp4 in .*again"):
        finder.find(("Asian East", "men", "2.mp4"), need_it=True)


def test_where_a_clip_would_lie_is_known_without_it(finder, clip, tmp_path):
    assert finder.find(("Asian East", "men", "2.mp4"), need_it=False) == clip.with_name("2.mp4")
    parts = ("African", "men", "2.mp4")
    assert finder.find(parts, need_it=False) == tmp_path.joinpath(*parts)


def test_a_folder_of_the_very_name_goes_before_one_that_is_alike(finder, clip, tmp_path):
    (tmp_path / "Asian_East" / "men").mkdir(parents=True)
    assert finder.find(("Asian (East)", "men", "1_wav2lip.mp4"), need_it=True) == clip


def test_two_folders_that_are_alike_are_named(finder, clip, tmp_path):
    (tmp_path / "Asian_East").mkdir()
    with pytest.raises(DatasetError, match=r"has Asian \(East\) and Asian_East, .*keep one"):
        finder.find(("Asian East", "men", "1_wav2lip.mp4"), need_it=True)


def test_a_clip_may_lie_in_the_folder_itself(finder, tmp_path):
    (tmp_path / "a.mp4").touch()
    assert finder.find(("a.mp4",), need_it=True) == tmp_path / "a.mp4"


def test_letters_and_digits_alone_are_compared():
    assert normalize_name("Caucasian (American)") == normalize_name("caucasian_american")
    assert normalize_name("a1") != normalize_name("a2")
