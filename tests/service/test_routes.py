"""Clips go to a service over HTTP, and reports come back."""

import pytest

from mmmsba_plugin.adapter import AdaptedDetector
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.schema import Report

from .client import clips_in, send, serving, wait_for

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def test_a_real_clip_gets_a_report_and_a_page_and_leaves_no_file(talking_clip, temporary):
    with serving(lookup("detectors", "mmms-ba").load(None)) as client:
        assert client.get("/health").json() == {"status": "UP", "detector": "mmms-ba", "waiting": 0}
        job = send(client, talking_clip)
        assert wait_for("done", client, job)["progress"]["total"] == pytest.approx(3, abs=0.1)
        answer = client.get(f"/jobs/{job}/report.json")
        report = Report.model_validate_json(answer.text)
        assert (report.status, report.media.path) == ("ok", "talking.mp4")
        page = client.get(f"/jobs/{job}/report.html")
        assert page.headers["content-type"].startswith("text/html")
        assert "talking.mp4" in page.text
        assert str(temporary) not in answer.text + page.text
        assert {path.name for path in clips_in(temporary)} == {"report.json", "report.html"}
        assert client.delete(f"/jobs/{job}").status_code == 204
        assert clips_in(temporary) == []
        assert client.get(f"/jobs/{job}").status_code == 404
    assert list(temporary.iterdir()) == []


def test_the_page_shows_frames_of_a_clip_that_is_gone(detector, clips):
    fakes = AdaptedDetector("fakes", lambda _: detector._score(clips / "fake.mp4"), ("face",))
    with serving(fakes) as client:
        job = send(client, clips / "fake.mp4")
        wait_for("done", client, job)
        assert "Frame at 0:00.6" in client.get(f"/jobs/{job}/report.html").text


def test_a_clip_that_cannot_be_read_has_a_report_that_says_so(detector, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(500))
    with serving(detector) as client:
        job = send(client, tmp_path / "broken.mp4")
        wait_for("done", client, job)
        report = client.get(f"/jobs/{job}/report.json").json()
        assert report["status"] == "error"
        assert "broken.mp4" in report["problem"]["message"]


def test_names_are_shown_and_never_used_as_paths(detector, clips, temporary):
    name = "../../<script>alert(1)</script>.mp4"
    with serving(detector) as client:
        content = (clips / "real.mp4").read_bytes()
        job = client.post("/jobs", params={"name": name}, content=content).json()["id"]
        assert wait_for("done", client, job)["name"] == name
        assert client.get(f"/jobs/{job}/report.json").json()["media"]["path"] == name
        assert "<script>alert" not in client.get(f"/jobs/{job}/report.html").text
        assert {path.parent.name for path in clips_in(temporary)} == {job}


def test_no_more_wait_than_may(slow, clips):
    with serving(slow.detector, max_waiting=2) as client:
        for _ in range(2):
            send(client, clips / "real.mp4")
        answer = client.post("/jobs", content=(clips / "real.mp4").read_bytes())
        assert (answer.status_code, answer.json()["detail"]) == (
            429,
            "2 clips are waiting; try again later",
        )
