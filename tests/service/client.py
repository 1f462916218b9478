"""Runs the service over HTTP, as its clients meet it."""

import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn

from mmmsba_plugin.service.app import make_app
from mmmsba_plugin.service.jobs import ServiceLimits


@contextmanager
def serving(detector, *routers, **limits):
    """Serve a detector on a free port, and yield a client of it."""
    app = make_app(detector, ServiceLimits(**limits))
    for router in routers:
        app.include_router(router)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


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


def clips_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
