"""Files whose time stamps start anew or jump, as where recordings were joined."""

import re
from itertools import pairwise

import numpy as np
import pytest

from mmmsba_plugin.media.audio import AudioReader, read_audio
from mmmsba_plugin.media.frame_index import glance
from mmmsba_plugin.media.joined_clock import JoinedClock
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader, frame_at

from .. import clips
from .streams import frame_numbers


def stream(path, *, late_s=0.0):
    """Return the bytes of a transport stream of two seconds whose stamps start late."""
    source = clips.clip(path.with_suffix(".mp4"))
    return clips.copied(source, path, muxer="mpegts", late_s=late_s).read_bytes()


@pytest.fixture(params=["ts", "mpg"])
def twice(request, tmp_path):
    """A file that holds a clip of two seconds twice, one behind the other."""
    if request.param == "ts":
        once = stream(tmp_path / "once.ts")
    else:
        once = clips.clip(tmp_path / "once.mpg").read_bytes()
    path = tmp_path / f"twice.{request.param}"
    path.write_bytes(once + once)
    return path


def test_recordings_that_were_joined_are_laid_end_to_end(twice):
    media = probe(twice)
    frames = frame_numbers(media)
    assert [number for _, number in frames] == [*range(50), *range(50)]
    assert all(before < after for (before, _), (after, _) in pairwise(frames))
    assert media.duration_s == pytest.approx(4.1, abs=0.2)
    assert media.joins_s == (pytest.approx(2.0, abs=0.15),)
    assert glance(twice).duration_s == pytest.approx(media.duration_s, abs=0.2)


def test_frames_and_audio_of_both_parts_stay_together(twice):
    media = probe(twice)
    samples = read_audio(media).samples
    join = round(media.joins_s[0] * 16_000)
    for chunk, begin, number in ((samples[:join], 0.0, 25), (samples[join:], media.joins_s[0], 75)):
        click_s = begin + np.abs(chunk).argmax() / 16_000
        # The click sounds with the frame of number 25, one second into each part.
        assert frame_numbers(media)[number][0] == pytest.approx(click_s, abs=0.1)


def test_a_frame_behind_the_join_is_found(twice):
    media = probe(twice)
    frames = list(FrameReader(media))
    assert frame_at(media, frames[80].pts_s).pts_s == frames[80].pts_s


def test_nothing_is_said_of_damage(twice):
    reader = FrameReader(probe(twice))
    list(reader)
    assert reader.damage.warnings() == ()


def test_stamps_that_jump_by_hours_cost_nothing(tmp_path):
    path = tmp_path / "jump.ts"
    path.write_bytes(stream(tmp_path / "a.ts") + stream(tmp_path / "b.ts", late_s=7200.0))
    media = probe(path)
    assert media.duration_s == pytest.approx(4.1, abs=0.2)
    assert len(list(FrameReader(media))) == 100
    assert max(block.start_s for block in AudioReader(media)) < 5.0
    assert len(media.joins_s) == 1


@pytest.mark.parametrize("muxer", ["flv", "asf", "mov", "mp4"])
def test_a_recording_that_no_player_reaches_is_said_to_be_there(tmp_path, muxer):
    source = clips.clip(tmp_path / "a.mp4", duration_s=16.0)
    once = clips.copied(source, tmp_path / "once", muxer=muxer)
    twice = tmp_path / "twice"
    twice.write_bytes(once.read_bytes() * 2)
    assert probe(once).others == ()
    media = probe(twice)
    assert media.duration_s == pytest.approx(probe(once).duration_s, abs=0.05)
    (rest,) = media.others
    words = re.fullmatch(r"rest behind the last packet \((\d+) %, perhaps another .*\)", rest)
    # An index of frames as small as these is as large as they are.
    assert 25 < int(words[1]) < 65


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm", "avi", "mpg"])
def test_an_index_behind_the_last_packet_is_no_recording(tmp_path, suffix):
    assert probe(clips.clip(tmp_path / f"a.{suffix}", duration_s=0.5)).others == ()


@pytest.mark.parametrize("muxer", ["mov", "matroska", "flv", "nut"])
def test_a_jump_makes_no_file_longer_than_what_is_in_it(tmp_path, muxer):
    source = clips.clip(tmp_path / "a.mp4")
    media = probe(clips.copied(source, tmp_path / "jump", muxer=muxer, late_s=7200.0, from_s=1.0))
    assert media.joins_s
    assert media.duration_s < 4.0
    reader = FrameReader(media)
    assert len(list(reader)) >= 48
    assert not any("cut off" in warning for warning in reader.damage.warnings())


@pytest.mark.parametrize("muxer", ["mov", "matroska", "flv", "nut"])
def test_a_file_that_begins_late_is_not_called_cut_off(tmp_path, muxer):
    path = clips.copied(clips.clip(tmp_path / "a.mp4"), tmp_path / "b", muxer=muxer, late_s=100.0)
    media = probe(path)
    reader = FrameReader(media)
    list(reader)
    assert media.duration_s == pytest.approx(2.0, abs=0.15)
    assert reader.damage.warnings() == ()


def test_a_pause_of_minutes_is_kept_as_one(tmp_path):
    path = tmp_path / "pause.ts"
    path.write_bytes(stream(tmp_path / "a.ts") + stream(tmp_path / "b.ts", late_s=1200.0))
    media = probe(path)
    assert media.joins_s == ()
    assert media.duration_s == pytest.approx(1202.0, abs=0.3)


class _Packet:
    """A packet with a stamp in seconds."""

    def __init__(self, index, dts):
        self.stream_index, self.dts, self.pts, self.duration = index, dts, dts, 1
        self.time_base, self.is_discard = 1, False


def test_gaps_that_add_up_to_hours_are_not_believed():
    clock = JoinedClock()
    packets = [_Packet(0, 1200 * number) for number in range(20)]
    for packet in packets:
        clock.place(packet)
    assert packets[-1].dts < 2 * 1800
    assert clock.joins_s


def test_a_stream_that_begins_hours_after_the_others_is_laid_behind_them():
    clock = JoinedClock()
    packets = [_Packet(0, 0), _Packet(0, 1), _Packet(1, 9000), _Packet(1, 9001)]
    for packet in packets:
        clock.place(packet)
    assert [packet.dts for packet in packets] == [0, 1, 2, 3]


def test_durations_of_hours_move_the_clock_by_a_second():
    clock = JoinedClock()
    packets = [_Packet(0, dts) for dts in (0, 9000, 0)]
    for packet in packets:
        packet.duration = 9000
        clock.place(packet)
    assert [packet.dts for packet in packets] == [0, 1, 2]


def test_a_frame_is_not_shown_minutes_after_it_is_decoded():
    clock = JoinedClock()
    packets = [_Packet(0, dts) for dts in (0, 10, 20)]
    packets[1].pts, packets[2].pts = 2**63 - 1, 22
    for packet in packets:
        clock.place(packet)
    assert [packet.pts for packet in packets] == [0, 10, 22]


def test_streams_that_jump_some_packets_apart_move_by_as_much():
    clock = JoinedClock()
    stored = [(0, 0), (1, 0), (0, 5), (1, 5), (0, 0), (1, 6), (1, 1), (0, 1)]
    packets = [_Packet(index, dts) for index, dts in stored]
    for packet in packets:
        clock.place(packet)
    assert [packet.dts for packet in packets] == [0, 0, 5, 5, 6, 6, 7, 7]
    assert clock.joins_s == [6]
