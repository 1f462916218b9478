"""Clips that are written: in place, complete, and the same each time."""

import base64
import weakref

import cv2
import numpy as np
import pytest

from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.encode import jpeg_data_uri, write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.structures import Frame

from .. import clips
from .streams import CLICK_TOLERANCE_S, STAMP_TOLERANCE_S, STAMPED, SUFFIXES, frame_numbers


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_each_container_keeps_frames_and_audio_in_place(tmp_path, suffix):
    media = probe(clips.clip(tmp_path / f"a.{suffix}", click_at_s=1.2))
    frames = frame_numbers(media)
    assert [number for _, number in frames] == list(range(50))
    for pts_s, number in frames:
        assert pts_s == pytest.approx(number / 25, abs=STAMP_TOLERANCE_S)
    assert clips.click_s(read_audio(media)) == pytest.approx(1.2, abs=CLICK_TOLERANCE_S)
    # A codec's last packet may reach beyond the end by its length, 72 ms at 16 kHz.
    assert media.duration_s == pytest.approx(2.0, abs=0.072)
    assert FrameReader(media).damage.warnings() == ()


@pytest.mark.parametrize("suffix", STAMPED)
def test_a_variable_frame_rate_is_kept(tmp_path, suffix):
    times_s = [0.0, 0.04, 0.08, 0.24, 0.28, 0.6, 0.64, 0.9, 1.0]
    path = tmp_path / f"a.{suffix}"
    write_clip(path, clips.frames_at(times_s), fps_hz=25)
    media = probe(path)
    assert [pts_s for pts_s, _ in frame_numbers(media)] == pytest.approx(
        times_s, abs=STAMP_TOLERANCE_S
    )
    # The header of an mp4 with such frames states 0.76 s; its packets say otherwise.
    assert media.duration_s == pytest.approx(1.04, abs=STAMP_TOLERANCE_S)


@pytest.mark.parametrize("suffix", ["avi", "mpg"])
def test_a_container_of_constant_rate_repeats_frames_instead(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    write_clip(path, clips.frames_at([0.0, 0.04, 0.2, 0.24]), fps_hz=25)
    assert [number for _, number in frame_numbers(probe(path))] == [0, 1, 1, 1, 1, 2, 3]


def test_neither_reading_nor_writing_holds_more_than_a_few_frames(tmp_path):
    alive, most = set(), 0

    def watched():
        nonlocal most
        for number in range(200):
            rgb = clips.numbered(number)
            alive.add(number)
            weakref.finalize(rgb, alive.discard, number)
            most = max(most, len(alive))
            yield Frame(number / 25, rgb)
            del rgb

    write_clip(tmp_path / "a.mp4", watched(), fps_hz=25)
    assert most <= 4


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_input_gives_the_same_bytes(tmp_path, suffix):
    first, second = (clips.clip(tmp_path / name / f"a.{suffix}") for name in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()


def test_nothing_is_not_written(tmp_path):
    with pytest.raises(ConfigError, match="give frames, audio or both"):
        write_clip(tmp_path / "a.mp4", [], fps_hz=25)


@pytest.mark.parametrize("fps_hz", [0, -25])
def test_a_rate_that_is_none_is_refused(tmp_path, fps_hz):
    with pytest.raises(ConfigError, match="must be a positive number of frames a second, got"):
        write_clip(tmp_path / "a.mp4", [clips.numbered(1)], fps_hz=fps_hz)


def test_a_failed_writing_leaves_nothing_behind(tmp_path):
    frames = [clips.numbered(1), clips.numbered(2, width=64)]
    with pytest.raises(ConfigError, match="64x96 px, but the clip began with 128x96"):
        write_clip(tmp_path / "a.mp4", frames, fps_hz=25)
    assert list(tmp_path.iterdir()) == []


def test_a_data_uri_holds_the_frame_as_a_jpeg_of_its_colours():
    red = np.zeros((16, 24, 3), dtype=np.uint8)
    red[..., 0] = 255
    kind, _, data = jpeg_data_uri(red).partition(",")
    jpeg = np.frombuffer(base64.b64decode(data), dtype=np.uint8)
    assert kind == "data:image/jpeg;base64"
    np.testing.assert_allclose(cv2.imdecode(jpeg, cv2.IMREAD_COLOR)[..., ::-1], red, atol=4)
