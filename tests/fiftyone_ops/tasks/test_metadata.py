"""Videos get their metadata without ffprobe, and what browsers cannot play is known."""

import fiftyone as fo
import numpy as np
import pytest

from fiftyone_ops.dataset.metadata import PLAYABLE_PATH, UNPLAYABLE, UNREADABLE
from fiftyone_ops.settings import MetadataSettings
from fiftyone_ops.tasks.metadata import ProxyTask, fill_metadata, make_proxies
from mmmsba_plugin.media.audio import AudioReader
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.frame_index import glance
from mmmsba_plugin.media.probe import probe

from ...clips import clicks, clip, frames_at, numbered_frames

VFR_S = [0.0, 0.1, 0.2, 0.3, 0.7, 0.8, 1.4, 1.5]


@pytest.fixture(scope="module")
def old_clip(tmp_path_factory):
    """MPEG-4 part 2 with audio in mp4, which takes the App's grid down."""
    return clip(tmp_path_factory.mktemp("old") / "old.mp4", video_codec="mpeg4")


def test_metadata_come_without_ffprobe(dataset, named_clips, monkeypatch):
    monkeypatch.setenv("PATH", "")
    dataset.add_sample(fo.Sample(filepath=str(named_clips[0])))
    assert fill_metadata(dataset).filled == 1
    metadata = dataset.first().metadata
    assert (metadata.frame_rate, metadata.total_frame_count, metadata.duration) == (25, 50, 2)
    assert (metadata.mime_type, metadata.encoding_str) == ("video/mp4", "h264")
    assert metadata.frame_width > 0 < metadata.frame_height


def test_metadata_that_are_there_stay_unless_they_shall_be_made_anew(dataset, named_clips):
    odd = fo.VideoMetadata(frame_rate=7.0, frame_width=1, frame_height=1)
    dataset.add_sample(fo.Sample(filepath=str(named_clips[0]), metadata=odd))
    fill_metadata(dataset)
    assert dataset.first().metadata.frame_rate == 7
    fill_metadata(dataset, overwrite=True)
    assert dataset.first().metadata.frame_rate == 25


def test_a_file_that_cannot_be_read_gets_what_keeps_the_grid_alive_and_a_tag(dataset, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"\0" * 100)
    paths = [tmp_path / "broken.mp4", tmp_path / "missing.mp4"]
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    filled = fill_metadata(dataset)
    assert (filled.filled, len(filled.unreadable)) == (0, 2)
    assert dataset.count_sample_tags() == {UNREADABLE: 2}
    assert dataset.values("metadata.frame_rate") == [30, 30]
    assert dataset.values("metadata.size_bytes") == [100, None]


def test_what_no_browser_plays_is_tagged_and_shown_as_a_copy(
    dataset, old_clip, named_clips, tmp_path
):
    dataset.add_samples([fo.Sample(filepath=str(p)) for p in (old_clip, named_clips[0])])
    (why,) = fill_metadata(dataset).unplayable.values()
    assert why == "no browser plays frames coded as mpeg4"
    assert dataset.count_sample_tags() == {UNPLAYABLE: 1}

    summary = make_proxies(dataset, tmp_path / "copies")
    assert (summary.num_copied, summary.failed) == (1, {})
    old, other = dataset
    assert glance(old[PLAYABLE_PATH]).why_not_played == ""
    assert old.filepath == str(old_clip)
    assert other[PLAYABLE_PATH] == other.filepath
    assert dataset.app_config.grid_media_field == PLAYABLE_PATH
    assert make_proxies(dataset, tmp_path / "copies").num_copied == 0


def test_files_without_frames_are_shown_as_stills_with_their_audio(dataset, tmp_path):
    write_clip(tmp_path / "audio.mp4", [], fps_hz=25, audio=clicks(0.5, duration_s=1.0))
    (tmp_path / "broken.mp4").write_bytes(b"\0" * 100)
    paths = [str(tmp_path / f"{name}.mp4") for name in ("audio", "broken", "missing")]
    dataset.add_samples([fo.Sample(filepath=path) for path in paths])
    fill_metadata(dataset)
    summary = make_proxies(dataset, tmp_path / "copies")
    assert str(summary) == "0 copies made, 2 stills with words"
    audio, broken, missing = dataset.values(PLAYABLE_PATH)
    assert [probe(path).duration_s for path in (audio, broken)] == pytest.approx([1, 1], abs=0.1)
    assert probe(audio).audio is not None
    assert all(glance(path).width_px > 100 for path in (audio, broken))
    # What is not there may come; FiftyOne says so in the grid, which stays.
    assert missing == paths[2]


def test_frames_that_cannot_be_decoded_become_a_still(dataset, tmp_path, old_clip):
    data = bytearray(old_clip.read_bytes())
    start = data.index(b"mdat") + 4
    data[start : start + 20_000] = bytes(20_000)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    dataset.add_sample(fo.Sample(filepath=str(path)))
    fill_metadata(dataset)
    summary = make_proxies(dataset, tmp_path / "copies")
    assert (summary.num_copied + summary.num_stand_ins, summary.failed) == (1, {})


def test_a_copy_shows_and_audio_at_the_same_seconds(old_clip, tmp_path):
    from mmmsba_plugin.media.transcode import write_proxy

    write_proxy(old_clip, tmp_path / "copy.mp4")
    before, after = (probe(path) for path in (old_clip, tmp_path / "copy.mp4"))
    clocks = [glance(media.path).from_zero(media.zero_s).starts_s for media in (before, after)]
    assert np.allclose(*clocks, atol=0.002)
    clicked_s = [
        np.abs(block.samples).argmax() / 16_000 + block.start_s
        for media in (before, after)
        for block in [next(iter(AudioReader(media, sample_rate_hz=16_000)))]
    ]
    assert clicked_s[0] == pytest.approx(clicked_s[1], abs=0.005)


def test_when_the_app_goes_away_the_copies_that_were_made_are_shown(dataset, old_clip, tmp_path):
    dataset.add_samples([fo.Sample(filepath=str(old_clip)) for _ in range(2)])
    run = ProxyTask(dataset, MetadataSettings(proxies_folder=tmp_path))
    assert list(run.steps()) == []
    fill_metadata(dataset)
    steps = ProxyTask(dataset, MetadataSettings(proxies_folder=tmp_path)).steps()
    next(steps)
    steps.close()
    assert sum(path != str(old_clip) for path in dataset.values(PLAYABLE_PATH)) == 1


def test_detection_fills_what_is_missing_on_its_way(dataset, old_clip, toy):
    from fiftyone_ops.tasks.detect import annotate

    dataset.add_sample(fo.Sample(filepath=str(old_clip)))
    summary = annotate(dataset, detector=toy)
    assert dataset.first().metadata.frame_rate == pytest.approx(25)
    assert dataset.count_sample_tags() == {UNPLAYABLE: 1}
    assert str(summary).endswith("shows 1 of them only after “Make videos playable”")


def test_detection_tags_what_cannot_be_shown_whoever_filled_the_metadata(dataset, old_clip, toy):
    from fiftyone_ops.tasks.detect import annotate

    stated = fo.VideoMetadata(frame_rate=25.0, frame_width=8, frame_height=8)
    dataset.add_sample(fo.Sample(filepath=str(old_clip), metadata=stated))
    annotate(dataset, detector=toy)
    assert dataset.count_sample_tags() == {UNPLAYABLE: 1}


def test_a_changing_rate_is_named_beside_the_verdict(dataset, tmp_path, toy):
    from fiftyone_ops.tasks.detect import annotate

    write_clip(tmp_path / "vfr.mp4", frames_at(VFR_S), fps_hz=10)
    write_clip(tmp_path / "cfr.mp4", numbered_frames(30), fps_hz=25)
    names = ("vfr", "cfr")
    dataset.add_samples([fo.Sample(filepath=str(tmp_path / f"{name}.mp4")) for name in names])
    annotate(dataset, detector=toy)
    changing, steady = dataset.values("forgeries_verdict.warnings")
    assert "frames come at a changing rate" in changing[0]
    assert steady == []
