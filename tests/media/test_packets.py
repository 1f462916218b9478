"""Damaged and truncated files, and the warnings about them."""

import pytest

from mmmsba_plugin.media import packets
from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader

from .. import clips
from .streams import CLICK_TOLERANCE_S, STAMP_TOLERANCE_S


@pytest.mark.parametrize(("suffix", "share"), [("mp4", 0.8), ("mkv", 0.6)])
def test_a_file_that_was_cut_off_gives_what_it_has_and_says_so(tmp_path, suffix, share):
    whole = clips.clip(tmp_path / f"a.{suffix}", duration_s=4.0, click_at_s=1.0)
    media = probe(clips.truncated(whole, tmp_path / f"b.{suffix}", share=share))
    reader = FrameReader(media)
    frames = [(p.pts_s, clips.number_of(p.rgb)) for p in reader]
    for pts_s, number in frames:
        assert pts_s == pytest.approx(number / 25, abs=STAMP_TOLERANCE_S)
    assert 20 < len(frames) < 90
    assert reader.damage.truncated
    assert reader.damage.warnings()[-1].startswith("the file ends at 0:0")
    assert reader.damage.warnings()[-1].endswith(
        f"though it says it lasts until 0:{media.duration_s:05.2f}; it was cut off, so copy it "
        "again in full"
    )
    assert clips.click_s(read_audio(media)) == pytest.approx(1.0, abs=CLICK_TOLERANCE_S)


def test_a_stream_that_ends_early_in_a_whole_file_is_not_called_cut_off(tmp_path):
    path = tmp_path / "a.mkv"
    audio = clips.clicks(0.5, duration_s=4.0)
    write_clip(path, clips.numbered_frames(25), fps_hz=25, audio=audio)
    reader = FrameReader(probe(path))
    assert len(list(reader)) == 25
    assert not reader.damage.truncated


def test_flipped_bytes_are_counted_and_the_rest_is_read(tmp_path):
    whole = clips.clip(tmp_path / "a.mp4", duration_s=4.0)
    media = probe(clips.flipped(whole, tmp_path / "b.mp4", num_bytes=20))
    reader = FrameReader(media)
    num_frames = len(list(reader))
    assert 60 < num_frames <= 100
    assert reader.damage.errors + reader.damage.corrupt > 0
    assert any("could not be decoded" in w or "are damaged" in w for w in reader.damage.warnings())


def test_the_first_frame_of_a_long_clip_costs_no_more_than_itself(tmp_path, monkeypatch):
    path = tmp_path / "a.mp4"
    write_clip(path, clips.numbered_frames(500), fps_hz=25)
    media = probe(path)
    decoded = []
    decode = packets.decode_packet
    monkeypatch.setattr(packets, "decode_packet", lambda *args: decoded.append(1) or decode(*args))
    next(iter(FrameReader(media)))
    # A decoder holds back a few frames to put them in order.
    assert len(decoded) < 10
