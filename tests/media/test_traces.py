"""Traces of a file's making: what its container says, and no more than can be trusted to end."""

import struct

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.media.boxes import iter_boxes, iter_chunks
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.traces import read_traces
from mmmsba_plugin.schema import Edit

from .. import clips

C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


def box(kind, content):
    return struct.pack(">I4s", len(content) + 8, kind) + content


class OfNothing:
    """An opened file without tags or streams."""

    metadata, streams = {}, ()


def test_the_encoder_and_the_brand_are_read(talking_clip):
    traces = probe(talking_clip).traces
    assert traces.tags["major_brand"] == "isom"
    assert traces.tags["stream 0 handler_name"] == "VideoHandler"


def test_edits_are_those_that_were_written(tmp_path):
    path = clips.clip(tmp_path / "a.mp4")
    (video, *_) = probe(path).traces.edits
    assert (video.track, video.rate) == (1, 1.0)
    assert video.duration_s == pytest.approx(probe(path).duration_s, abs=0.1)


@pytest.mark.parametrize("version", [0, 1])
def test_an_empty_edit_is_a_pause(tmp_path, version):
    times = bytes(16 if version else 8)
    header = bytes([version, 0, 0, 0]) + times
    movie_header = box(b"mvhd", header + struct.pack(">I", 1000) + bytes(80))
    media_header = box(b"mdhd", header + struct.pack(">I", 25) + bytes(12))
    entry = ">QqI" if version else ">IiI"
    entries = struct.pack(entry, 40, -1, 1 << 16) + struct.pack(entry, 2000, 50, 1 << 15)
    edits = box(b"edts", box(b"elst", bytes([version, 0, 0, 0]) + struct.pack(">I", 2) + entries))
    track = box(b"trak", edits + box(b"mdia", media_header))
    path = tmp_path / "a.mp4"
    path.write_bytes(box(b"ftyp", b"isom0000") + box(b"moov", movie_header + track))
    assert read_traces(OfNothing(), path).edits == (
        Edit(track=1, duration_s=0.04, media_start_s=None, rate=1.0),
        Edit(track=1, duration_s=2.0, media_start_s=2.0, rate=0.5),
    )


def test_a_manifest_is_found_where_its_box_lies(tmp_path):
    path = clips.clip(tmp_path / "a.mp4")
    assert probe(path).traces.c2pa is False
    with path.open("ab") as file:
        file.write(box(b"uuid", C2PA_UUID + b"\0\0\0\0manifest\0"))
    assert probe(path).traces.c2pa is True


def test_a_manifest_is_found_in_a_wav_and_not_looked_for_in_matroska(tmp_path):
    path = tmp_path / "a.wav"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=16_000)
        frame = av.AudioFrame(format="s16", layout="stereo", samples=1600)
        frame.sample_rate = 16_000
        out.mux(stream.encode(frame))
    assert probe(path).traces.c2pa is False
    with path.open("ab") as file:
        file.write(struct.pack("<4sI", b"C2PA", 4) + b"jumb")
    assert probe(path).traces.c2pa is True
    assert probe(clips.clip(tmp_path / "a.mkv")).traces.c2pa is None


@given(st.binary(max_size=200), st.integers(0, 250))
def test_any_bytes_are_walked_to_an_end(tmp_path_factory, content, size):
    path = tmp_path_factory.getbasetemp() / "any.mp4"
    path.write_bytes(b"\0\0\0\x08ftyp" + box(b"moov", box(b"trak", content)) + content)
    read_traces(OfNothing(), path)
    with path.open("rb") as file:
        assert len(list(iter_boxes(file, 0, size))) <= 250 / 8
        assert len(list(iter_chunks(file, size))) <= 250 / 8


def test_long_tags_are_cut(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as out:
        out.metadata["comment"] = "x" * 5000
        stream = out.add_stream("pcm_s16le", rate=16_000)
        frame = av.AudioFrame(format="s16", layout="stereo", samples=1600)
        frame.sample_rate = 16_000
        out.mux(stream.encode(frame))
    tags = {name.lower(): value for name, value in probe(path).traces.tags.items()}
    assert tags["comment"] == "x" * 200
