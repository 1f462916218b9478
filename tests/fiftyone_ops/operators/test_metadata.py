"""Tests of the operator that fills metadata and makes copies."""

import fiftyone as fo
import fiftyone.operators as foo
import pytest

from ...clips import clip
from ..asking import asked_by_the_app


@pytest.fixture(scope="module")
def old_clip(tmp_path_factory):
    """MPEG-4 part 2 with audio in mp4, which takes the App's grid down."""
    return clip(tmp_path_factory.mktemp("old") / "old.mp4", video_codec="mpeg4")


def test_the_operator_does_both_and_says_what_it_did(dataset, old_clip, tmp_path):
    dataset.add_sample(fo.Sample(filepath=str(old_clip)))
    operator = foo.get_operator("@mmmsba/fiftyone_ops/fill_video_metadata")
    result = operator(dataset, proxies=True, proxies_folder=str(tmp_path)).result
    assert (result["filled"], result["proxies"], result["unreadable"]) == (1, 1, {})


def test_in_the_app_it_shows_how_far_it_is_and_ends_with_what_it_did(dataset, old_clip, tmp_path):
    dataset.add_samples([fo.Sample(filepath=path) for path in (str(old_clip), "missing.mp4")])
    params = {"proxies": True, "proxies_folder": str(tmp_path)}
    events = list(asked_by_the_app("@mmmsba/fiftyone_ops/fill_video_metadata", dataset, **params))
    assert [event.body.operator_uri for event in events] == [
        "set_progress", "set_progress", "notify", "reload_dataset"
    ]  # fmt: skip
    assert [event.body.params["label"] for event in events[:2]] == [
        "2 of 2 videos",
        "1 of 1 videos",
    ]
    assert events[2].body.params["message"] == (
        "metadata of 1 videos filled, 1 not playable, 1 not readable; 1 copies made"
    )


def test_one_click_makes_all_of_a_dataset_playable_even_where_it_was_never_run(dataset, old_clip):
    dataset.add_sample(fo.Sample(filepath=str(old_clip)))
    uri = "@mmmsba/fiftyone_ops/make_videos_playable"
    assert foo.get_operator(uri).resolve_input(None) is None
    *_, notified, _ = asked_by_the_app(uri, dataset)
    assert notified.body.params["message"].endswith("1 not playable; 1 copies made")
    assert dataset.first().playable_path != str(old_clip)
