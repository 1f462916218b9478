"""The server of reviews, over real HTTP: what it serves, to whom, and what it refuses."""

import json
from http.client import HTTPConnection
from threading import Thread

import pytest

from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.review.document import review_path
from mmmsba_plugin.review.server import open_server


@pytest.fixture
def serve():
    """Function that serves reports until the test ends."""
    servers = []

    def start(*reports):
        server = open_server(list(reports), by="ada")
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def ask(server, path, method="GET", body=None, *, prefix=None, **headers):
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    prefix = f"/{server.token}/" if prefix is None else prefix
    connection.request(method, prefix + path, body, headers)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response, content


def post(server, change, **headers):
    headers = {"Content-Type": "application/json", **headers}
    return ask(server, "clips/0", "POST", json.dumps(change), **headers)


def test_the_page_loads_nothing_from_elsewhere(serve, write_report):
    server = serve(write_report())
    for path in ("", "review.js", "review.css"):
        response, content = ask(server, path)
        assert response.status == 200
        assert b"http" not in content
        policy = response.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; ")
        assert "unsafe" not in policy
        assert response.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("prefix", ["/", "/wrong/", "//", "/../"])
def test_without_the_token_nothing_is_served(serve, write_report, prefix):
    server = serve(write_report())
    for path in ("", "clips", "media/0"):
        response, content = ask(server, path, prefix=prefix)
        assert response.status == 403
        assert b"0123456789" not in content


def test_a_request_under_another_hosts_name_is_refused(serve, write_report):
    response, _ = ask(serve(write_report()), "clips", Host="evil.example")
    assert response.status == 403


def test_it_listens_to_this_machine_alone(serve, write_report):
    server = serve(write_report())
    assert server.server_address[0] == "127.0.0.1"
    assert server.url.startswith("http://127.0.0.1:")
    assert len(server.token) >= 32
    assert serve(write_report()).token != server.token


def test_a_decision_is_stored_at_once_beside_the_report(serve, write_report):
    path = write_report()
    server = serve(path)
    _, content = ask(server, "clips")
    (clip,) = json.loads(content)
    assert (clip["name"], clip["verdict"], clip["has_clip"]) == ("a.mp4", "Flagged as fake", True)
    segments = clip["review"]["segments"]
    segments[0]["decision"] = "accepted"
    response, content = post(server, {"action": "finish", "segments": segments, "seen_at": None})
    assert response.status == 200
    assert json.loads(content)["review"]["status"] == "fake"
    stored = json.loads(review_path(path).read_text())
    assert (stored["status"], stored["by"]) == ("fake", "ada")
    assert [s["decision"] for s in stored["segments"]] == ["accepted", "rejected"]
    assert not list(path.parent.glob("*.part"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"action": "keep", "segments": [], "seen_at": "earlier"}, "changed meanwhile"),
        ({"action": "dance", "segments": [], "seen_at": None}, "action"),
        ({"action": "keep", "segments": [{"start_s": 2, "end_s": 1}], "seen_at": None}, "must end"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_in_words(serve, write_report, change, message):
    path = write_report()
    response, content = post(serve(path), change)
    assert response.status == 409
    assert message in content.decode()
    assert not review_path(path).exists()


def test_a_form_of_another_page_changes_nothing(serve, write_report):
    path = write_report()
    change = {"action": "finish", "segments": [], "seen_at": None}
    response, _ = post(serve(path), change, **{"Content-Type": "text/plain"})
    assert response.status == 415
    assert not review_path(path).exists()


@pytest.mark.parametrize("length", ["0", str(1 << 30)])
def test_more_than_a_review_is_not_read(serve, write_report, length):
    headers = {"Content-Type": "application/json", "Content-Length": length}
    response, _ = ask(serve(write_report()), "clips/0", "POST", b"", **headers)
    assert response.status == 413


@pytest.mark.parametrize(
    ("header", "content", "place"),
    [
        ("bytes=0-", b"0123456789", "bytes 0-9/10"),
        ("bytes=2-4", b"234", "bytes 2-4/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
    ],
)
def test_a_player_gets_the_range_it_asks_for(serve, write_report, header, content, place):
    response, served = ask(serve(write_report()), "media/0", Range=header)
    assert (response.status, served) == (206, content)
    assert response.headers["Content-Range"] == place
    assert response.headers["Content-Type"] == "video/mp4"


def test_without_a_range_the_whole_clip_is_served_and_a_senseless_one_is_refused(
    serve, write_report
):
    server = serve(write_report())
    response, content = ask(server, "media/0")
    assert (response.status, content) == (200, b"0123456789")
    for senseless in ("bytes=10-", "bytes=5-2", "bytes=-", "seconds=1-2"):
        assert ask(server, "media/0", Range=senseless)[0].status == 416


@pytest.mark.parametrize("path", ["media/1", "media/-1", "media/x", "clips/9", "etc", "../a.mp4"])
def test_only_the_clips_of_the_reports_are_served(serve, write_report, path):
    assert ask(serve(write_report()), path)[0].status == 404


def test_a_clip_that_is_gone_or_changed_is_not_served(serve, write_report, tmp_path):
    server = serve(write_report())
    (tmp_path / "a.mp4").write_bytes(b"another file")
    assert ask(server, "media/0")[0].status == 404
    assert json.loads(ask(server, "clips/0")[1])["has_clip"] is False


def test_the_page_of_a_report_is_served_without_leave_to_act(serve, write_report):
    path = write_report()
    server = serve(path)
    assert ask(server, "page/0")[0].status == 404
    path.with_suffix(".html").write_text("<p>page</p>")
    response, content = ask(server, "page/0")
    assert content == b"<p>page</p>"
    assert response.headers["Content-Security-Policy"].startswith("sandbox allow-scripts;")


def test_a_port_that_is_taken_is_an_error_in_words(serve, write_report):
    port = serve(write_report()).server_port
    with pytest.raises(ConfigError, match=f"cannot listen on port {port}"):
        open_server([], by="ada", port=port)
