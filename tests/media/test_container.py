"""Files that are opened, and reasons why others cannot be."""

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import urlopen

import pytest

from mmmsba_plugin.errors import MediaNotFoundError, MediaUnreadableError
from mmmsba_plugin.media.probe import probe

from .. import clips
from .streams import frame_numbers


def test_a_colon_in_a_name_is_not_a_protocol(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    clips.clip(tmp_path / "a.mp4").rename("clip:1.mp4")
    assert len(frame_numbers(probe("clip:1.mp4"))) == 50


def test_a_name_that_is_no_unicode_is_read(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9.mp4")
    clips.clip(tmp_path / "a.mp4").rename(path)
    assert len(frame_numbers(probe(path))) == 50


@pytest.mark.parametrize("name", ["clip%03d.mp4", "clip[1]*?{a,b}.mp4", "#100%.mp4"])
def test_a_pattern_in_a_name_is_only_a_name(tmp_path, name):
    clips.clip(tmp_path / "clip001.mp4", duration_s=1.0)
    clips.clip(tmp_path / "a.mp4").rename(tmp_path / name)
    assert len(frame_numbers(probe(tmp_path / name))) == 50


@pytest.mark.parametrize("muxer", ["mpegts", "flv", "asf", "nut", "matroska", "mov", "3gp"])
@pytest.mark.parametrize("suffix", ["mp4", "bin"])
def test_content_tells_the_format_whatever_the_name(tmp_path, muxer, suffix):
    path = clips.copied(clips.clip(tmp_path / "a.mkv"), tmp_path / f"b.{suffix}", muxer=muxer)
    media = probe(path)
    assert (media.video.codec, media.audio.codec) == ("h264", "aac")


def test_a_pattern_of_images_opens_none_of_them(tmp_path):
    for number in range(3):
        still(tmp_path / f"a{number:03d}.png")
    with pytest.raises(MediaNotFoundError, match=r"there is no file at .*a%03d\.png"):
        probe(tmp_path / "a%03d.png")
    still(tmp_path / "x.png").rename(tmp_path / "a%03d.png")
    with pytest.raises(MediaUnreadableError, match=r"still pictures are not read"):
        probe(tmp_path / "a%03d.png")


def test_links_in_a_circle_are_no_file(tmp_path):
    (tmp_path / "a.mp4").symlink_to(tmp_path / "b.mp4")
    (tmp_path / "b.mp4").symlink_to(tmp_path / "a.mp4")
    with pytest.raises(MediaNotFoundError, match="there is no file at"):
        probe(tmp_path / "a.mp4")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MediaNotFoundError, match=r"there is no file at .*gone\.mp4; check the"):
        probe(tmp_path / "gone.mp4")


def test_for_a_folder_the_files_in_it_are_asked_for(tmp_path):
    (tmp_path / "one.mp4").write_bytes(b"")
    with pytest.raises(MediaUnreadableError, match=r"is a folder; .* such as .*one\.mp4"):
        probe(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", r"is empty \(0 bytes\); copy or download it again"),
        ("<html>gefälscht</html>".encode(), "it holds text, not video; .* download it again"),
        (b"#EXTM3U\n/etc/other.mp4\n", "it holds text, not video"),
        (bytes(range(256)) * 20, "in no known video or audio format, .* or convert it to mp4"),
    ],
)
def test_a_file_that_is_no_video_is_recognised(tmp_path, content, words):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaUnreadableError, match=words):
        probe(path)


def test_a_recording_without_its_index_is_recognised(tmp_path):
    whole = clips.streamed(clips.clip(tmp_path / "a.mkv"), tmp_path / "b.mkv", muxer="matroska")
    late = clips.with_late_index(whole, tmp_path / "c.mp4")
    with pytest.raises(MediaUnreadableError, match=r"its index \(the moov box\) is missing"):
        probe(clips.truncated(late, tmp_path / "d.mp4", share=0.5))


def test_a_box_that_claims_more_than_any_file_holds_is_no_way_to_an_index(tmp_path):
    path = tmp_path / "a.mp4"
    longest = (2**64 - 1).to_bytes(8, "big")
    path.write_bytes(b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\1free" + longest)
    with pytest.raises(MediaUnreadableError, match=r"its index \(the moov box\) is missing"):
        probe(path)


PLAYLISTS = {
    "concat": "ffconcat version 1.0\n#ODD\nfile '{target}'\n",
    "concat-stretch": "ffconcat version 1.0\nfile '{target}'\ninpoint 0.1\nduration 1\n#ODD\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#ODD\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n",
    "hls-map": '#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXT-X-MAP:URI="{target}"\n#ODD\n#EXTINF:1,\n'
    "{target}\n#EXT-X-ENDLIST\n",
    "hls-master": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n#ODD\n{target}\n",
    "dash": '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
    'mediaPresentationDuration="PT2S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011">'
    '<!--ODD--><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1">'
    "<BaseURL>{target}</BaseURL></Representation></AdaptationSet></Period></MPD>\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=ODD\nc=IN IP4 127.0.0.1\nt=0 0\n"
    "m=video 5004 RTP/AVP 96\n"
    "a=rtpmap:96 H264/90000\na=control:{target}\n",
    "m3u": "#EXTM3U\n#ODD\n{target}\n",
    "pls": "[playlist]\n#ODD\nFile1={target}\nNumberOfEntries=1\n",
    "asx": '<asx version="3.0"><!--ODD--><entry><ref href="{target}"/></entry></asx>\n',
}

#: Bytes that make a list pass for something other than text.
ODD_BYTES = {"text": b"", "odd byte": b"\xff", "zero": b"\0", "cut character": b"\xc3"}


@pytest.mark.parametrize("name", ["upload.mp4", "upload.m3u8", "upload.mpd", "upload.ffconcat"])
@pytest.mark.parametrize("odd", ODD_BYTES.values(), ids=ODD_BYTES)
@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_playlist_leads_to_no_other_file(private, kind, odd, name):
    for target in (private.name, str(private), f"file:{private}", f"subfile,,start,0,,:{private}"):
        path = private.with_name(name)
        path.write_bytes(playlist(kind, target, odd))
        with pytest.raises(MediaUnreadableError, match=r"download it again|convert it"):
            probe(path)


@pytest.mark.parametrize("kind", PLAYLISTS)
@pytest.mark.parametrize("before", [b"\xff", b"\0", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_a_playlist_after_odd_bytes_leads_to_no_other_file(private, kind, before):
    path = private.with_name("upload.mp4")
    path.write_bytes(before + playlist(kind, str(private), b"\xff"))
    with pytest.raises(MediaUnreadableError, match=r"download it again|convert it"):
        probe(path)


@pytest.mark.allow_hosts(["127.0.0.1"])
@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_playlist_asks_no_server(tmp_path, server, kind):
    url = f"http://127.0.0.1:{server.server_port}/private.mp4"
    for name in ("upload.mp4", "upload.m3u8", "upload.mpd"):
        for odd in ODD_BYTES.values():
            (tmp_path / name).write_bytes(playlist(kind, url, odd))
            with pytest.raises(MediaUnreadableError):
                probe(tmp_path / name)
    assert server.requests == []
    with urlopen(url) as answer:  # The server would have noticed.
        answer.read()
    assert server.requests == ["/private.mp4"]


def playlist(kind: str, target: str, odd: bytes) -> bytes:
    """Return a playlist that leads to ``target``, with odd bytes in a comment."""
    return PLAYLISTS[kind].format(target=target).encode().replace(b"ODD", odd)


def still(path):
    """Write one picture, and return its path."""
    import av

    with av.open(str(path), "w", format="image2", options={"update": "1"}) as out:
        stream = out.add_stream("png", rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "rgb24"
        out.mux(stream.encode(av.VideoFrame.from_ndarray(clips.numbered(1), "rgb24")))
        out.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def private(tmp_path_factory):
    """Return the path of a clip that nobody gave."""
    return clips.clip(tmp_path_factory.mktemp("private") / "private.mp4", duration_s=1.0)


class _Server(ThreadingHTTPServer):
    """A server on this machine that keeps what it is asked for."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing on stderr."""


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
