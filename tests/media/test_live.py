"""Sources that pass by once: read in one pass, and what is lost is named."""

import functools
import http.server
import io
import itertools
import os
import threading
import time

import numpy as np
import pytest

from mmmsba_plugin.errors import MediaNotFoundError, MediaUnreadableError
from mmmsba_plugin.media import live
from mmmsba_plugin.media.audio import AudioReader
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.live import LiveReader
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.segment import Segment

from ..clips import numbered_frames


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Four seconds of frames and noise, in a container that can be read from a pipe."""
    audio = np.random.default_rng(0).normal(scale=0.1, size=64_000).astype(np.float32)
    path = tmp_path_factory.mktemp("live") / "clip.mkv"
    write_clip(path, numbered_frames(100), fps_hz=25, audio=audio, audio_codec="pcm_s16le")
    return path


@pytest.fixture
def url(clip, socket_enabled):
    """The clip on a server of this machine."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=clip.parent)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/{clip.name}"
    server.shutdown()
    server.server_close()


def decoded(reader: LiveReader) -> tuple[list[float], np.ndarray]:
    """Return the times of all frames, and all audio, as they come."""
    frames = FrameReader(reader.media, decoder=reader.decoders["video"])
    audio = AudioReader(reader.media, decoder=reader.decoders["audio"])
    blocks = [block.samples for block in audio]
    return [frame.pts_s for frame in frames], np.concatenate(blocks)


def as_file(path, source):
    return str(path)


def as_fifo(path, source):
    os.mkfifo(source)
    threading.Thread(target=lambda: source.write_bytes(path.read_bytes()), daemon=True).start()
    return str(source)


def as_open_file(path, source):
    return io.BytesIO(path.read_bytes())


@pytest.mark.parametrize("make_source", [as_file, as_fifo, as_open_file])
def test_frames_and_audio_are_those_of_the_file(clip, tmp_path, make_source):
    reader = LiveReader(make_source(clip, tmp_path / "fifo"))
    times_s, samples = decoded(reader)
    media = probe(clip)
    assert times_s == pytest.approx([frame.pts_s for frame in FrameReader(media)])
    assert (samples == np.concatenate([b.samples for b in AudioReader(media)])).all()
    assert reader.media.video.width_px == media.video.width_px
    assert reader.dropped == ()


def test_a_film_on_a_server_waits_for_its_reader(url):
    reader = LiveReader(url, buffer_s=0.5)
    times_s, _ = decoded(reader)
    assert len(times_s) == 100
    assert reader.dropped == ()


def test_of_a_source_that_does_not_wait_what_is_lost_is_named(url, monkeypatch):
    # Time passes so fast that the clip looks slow.
    seconds = itertools.count(step=1_000)
    monkeypatch.setattr(live, "monotonic", lambda: next(seconds))
    reader = LiveReader(url, buffer_s=1.0)
    # Long enough for more to come than the buffer holds.
    time.sleep(0.5)
    times_s, _ = decoded(reader)
    assert reader.dropped
    for hole in reader.dropped:
        assert isinstance(hole, Segment)
        # A decoder still hands out a few frames that it had put off.
        inside = [t for t in times_s if hole.start_s + 0.3 < t < hole.end_s - 0.05]
        assert inside == []


@pytest.mark.parametrize("source", ["gone.mkv", "nonsense:thing"])
def test_a_source_that_is_not_there_is_named_with_what_can_be_given(source):
    with pytest.raises(MediaNotFoundError, match="give a path, a URL, `-` for standard input"):
        LiveReader(source)


def test_a_url_that_nobody_serves_is_refused():
    with pytest.raises(MediaUnreadableError, match="check that it can be played elsewhere"):
        LiveReader("http://127.0.0.1:9/clip.mkv")


def test_no_url_reaches_a_file_of_this_machine(clip):
    with pytest.raises(MediaUnreadableError, match="cannot read file://"):
        LiveReader(f"file://{clip}")


def test_text_in_a_pipe_is_refused(tmp_path):
    (tmp_path / "page.html").write_text("<html>" * 100)
    with (tmp_path / "page.html").open("rb") as file, pytest.raises(MediaUnreadableError):
        LiveReader(file)
