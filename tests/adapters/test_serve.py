"""Clips go to a service over HTTP, and reports come back."""

import threading
import time
from pathlib import Path

import httpx
import pytest

from mmmsba_plugin.adapter import AdaptedDetector, TimedScores
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.run_control import Progress, check
from mmmsba_plugin.schema import Report

from .service import serving

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def wait_for(state: str, client: httpx.Client, job: str) -> dict:
    """Poll a job until it is in a state, and return it."""
    for _ in range(6_000):
        answer = client.get(f"/jobs/{job}").raise_for_status().json()
        if answer["state"] == state:
            return answer
        time.sleep(0.01)
    raise AssertionError(answer)


def send(client: httpx.Client, clip: Path) -> str:
    """Send a clip, and return the identifier of its job."""
    answer = client.post("/jobs", params={"name": clip.name}, content=clip.read_bytes())
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch) -> Path:
    """The folder for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def clips_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def slow():
    """A detector that does not come to an end until it is let go, or cancelled."""

    class Slow:
        started, let_go = threading.Event(), threading.Event()

        def score(self, path):
            self.started.set()
            while not self.let_go.wait(0.01):
                check(Progress("seconds", 0.4, 1.6))
            return {"face": TimedScores.of_windows([0.1, 0.9], length_s=0.4, hop_s=0.4)}

    waiting = Slow()
    waiting.detector = AdaptedDetector("slow", waiting.score, ("face",))
    yield waiting
    waiting.let_go.set()


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


@pytest.mark.parametrize("is_length_stated", [True, False])
def test_a_clip_that_is_too_large_is_refused_and_not_kept(detector, temporary, is_length_stated):
    body = bytes(200_000)
    chunks = body if is_length_stated else (body[at : at + 1000] for at in range(0, 200_000, 1000))
    with serving(detector, max_bytes=100_000) as client:
        answer = client.post("/jobs", content=chunks)
        assert answer.status_code == 413
        assert "100000 bytes" in answer.json()["detail"]
        assert client.get("/health").json()["waiting"] == 0
        assert clips_in(temporary) == []


def test_names_are_shown_and_never_used_as_paths(detector, clips, temporary):
    name = "../../<script>alert(1)</script>.mp4"
    with serving(detector) as client:
        content = (clips / "real.mp4").read_bytes()
        job = client.post("/jobs", params={"name": name}, content=content).json()["id"]
        assert wait_for("done", client, job)["name"] == name
        assert client.get(f"/jobs/{job}/report.json").json()["media"]["path"] == name
        assert "<script>alert" not in client.get(f"/jobs/{job}/report.html").text
        assert {path.parent.name for path in clips_in(temporary)} == {job}


def test_two_at_once_are_evaluated_one_after_the_other(slow, clips):
    with serving(slow.detector) as client:
        first, second = send(client, clips / "fake.mp4"), send(client, clips / "real.mp4")
        running = wait_for("running", client, first)
        slow.started.wait()
        assert client.get(f"/jobs/{second}").json()["state"] == "queued"
        running = client.get(f"/jobs/{first}").json()
        assert running["progress"] == {"stage": "seconds", "num_done": 0.4, "total": 1.6}
        answer = client.get(f"/jobs/{second}/report.json")
        assert (answer.status_code, answer.json()["detail"]) == (
            409,
            "there is no report: the job is queued",
        )
        slow.let_go.set()
        wait_for("done", client, first)
        wait_for("done", client, second)


def test_no_more_wait_than_may(slow, clips):
    with serving(slow.detector, max_waiting=2) as client:
        for _ in range(2):
            send(client, clips / "real.mp4")
        answer = client.post("/jobs", content=(clips / "real.mp4").read_bytes())
        assert (answer.status_code, answer.json()["detail"]) == (
            429,
            "2 clips are waiting; try again later",
        )


def test_what_runs_or_waits_can_be_cancelled(slow, clips, temporary):
    with serving(slow.detector) as client:
        running, waiting = send(client, clips / "fake.mp4"), send(client, clips / "real.mp4")
        slow.started.wait()
        for job in (waiting, running):
            assert client.delete(f"/jobs/{job}").status_code == 204
            assert client.get(f"/jobs/{job}").status_code == 404
        slow.let_go.set()
        wait_for("done", client, send(client, clips / "real.mp4"))
        assert {path.name for path in clips_in(temporary)} == {"report.json", "report.html"}


def test_a_clip_that_takes_too_long_says_so(slow, clips):
    with serving(slow.detector, time_limit_s=0.05) as client:
        job = send(client, clips / "real.mp4")
        wait_for("done", client, job)
        problem = client.get(f"/jobs/{job}/report.json").json()["problem"]
        assert problem["kind"] == "TimeLimitError"


def test_reports_that_are_too_many_push_out_the_oldest(detector, clips):
    with serving(detector, max_kept=1) as client:
        jobs = []
        for _ in range(3):
            jobs.append(send(client, clips / "real.mp4"))
            wait_for("done", client, jobs[-1])
        assert [client.get(f"/jobs/{job}").status_code for job in jobs] == [404, 200, 200]


def test_a_detector_that_breaks_fails_one_job(clips):
    class Broken:
        def detect(self, media):
            raise ZeroDivisionError("by nought")

    with serving(Broken()) as client:
        for _ in range(2):
            job = wait_for("failed", client, send(client, clips / "real.mp4"))
            assert job["problem"] == "ZeroDivisionError: by nought"


def test_ending_it_while_it_works_leaves_no_file(slow, clips, temporary):
    with serving(slow.detector) as client:
        send(client, clips / "fake.mp4")
        send(client, clips / "real.mp4")
        slow.started.wait()
    assert list(temporary.iterdir()) == []


def test_a_page_of_another_site_cannot_pass_for_this_machine(detector):
    with serving(detector) as client:
        assert client.get("/health", headers={"host": "evil.example"}).status_code == 400


def test_its_interface_is_described_without_anything_from_elsewhere(detector):
    with serving(detector) as client:
        paths = client.get("/openapi.json").json()["paths"]
        assert paths["/jobs"]["post"].keys() >= {"requestBody", "responses"}
        assert [client.get(page).status_code for page in ("/docs", "/redoc")] == [404, 404]
