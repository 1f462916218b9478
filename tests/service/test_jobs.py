"""Jobs are evaluated in turn, can be cancelled, and fail alone."""

import pytest

from .client import clips_in, send, serving, wait_for

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


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
