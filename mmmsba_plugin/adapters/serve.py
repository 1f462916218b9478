"""HTTP service of a detector: send a clip, follow its job, fetch its report.

One thread evaluates clips in order of arrival, with the detector loaded once. A clip lies in a
temporary folder until it has a report. Reports stay until they are deleted, until too many newer
ones have come, or until the service ends, which leaves no file behind.

There is no authentication. Whoever reaches the port can send clips; whoever has the identifier of
a job, which cannot be guessed, can read its report.
"""

import logging
import shutil
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from secrets import token_urlsafe
from tempfile import TemporaryDirectory
from threading import Event
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response
from pydantic import Field
from starlette.middleware.trustedhost import TrustedHostMiddleware

from mmmsba_plugin.errors import RunCancelledError
from mmmsba_plugin.hookspecs import Detector
from mmmsba_plugin.media.source import with_name
from mmmsba_plugin.report import html
from mmmsba_plugin.report.writers import write_json
from mmmsba_plugin.run_control import Progress, run_control
from mmmsba_plugin.schema import FrozenModel, Report

#: Names of this machine for itself. A page of another site cannot make a browser say one of them.
LOOPBACK = ("127.0.0.1", "localhost")

_MEDIA_TYPES = {"json": "application/json", "html": "text/html"}
#: The body of a request that sends a clip, which FastAPI does not see, for OpenAPI.
_CLIP = {"content": {"application/octet-stream": {"schema": {"type": "string"}}}}

_log = logging.getLogger(__name__)
_router = APIRouter()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeLimits:
    """Limits of a service.

    Attributes:
        max_bytes: Size of a clip.
        time_limit_s: Time that a clip may take, in seconds; beyond it the report says so.
        max_waiting: Clips that are being received, wait, or are evaluated.
        max_kept: Reports that are kept once another clip comes.
    """

    max_bytes: int = 500_000_000
    time_limit_s: float = 600.0
    max_waiting: int = 8
    max_kept: int = 100


class Job(FrozenModel):
    """The state of a job."""

    id: str = Field(description="Identifier of the job.")
    name: str = Field(description="Name of the clip, as it was given.")
    state: Literal["receiving", "queued", "running", "done", "failed"] = Field(
        description="'done': there is a report; where the clip could not be evaluated, it says why."
        " 'failed': the detector broke down."
    )
    progress: Progress | None = Field(description="How far it is; null before it has begun.")
    problem: str | None = Field(description="Why it failed; null if it did not.")


@dataclass(slots=True, eq=False)
class _Work:
    """A job with its folder, which has the clip and then the reports."""

    id: str
    name: str
    folder: Path
    state: str = "receiving"
    progress: Progress | None = None
    problem: str | None = None
    cancelled: Event = field(default_factory=Event)
    future: "Future[None]" = field(default_factory=Future)

    @property
    def clip(self) -> Path:
        return self.folder / "clip"

    @property
    def is_finished(self) -> bool:
        return self.state in {"done", "failed"}


class JobQueue:
    """The jobs of a service, in order of arrival.

    Args:
        detector: The detector.
        limits: Limits of the service.
        folder: An empty folder for clips and reports.
    """

    def __init__(self, detector: Detector, limits: ServeLimits, folder: Path) -> None:
        self.detector, self.limits, self._folder = detector, limits, folder
        self._jobs: dict[str, _Work] = {}
        self._stopped = Event()
        self.thread = ThreadPoolExecutor(max_workers=1)

    def stop(self) -> None:
        """Stop what runs, within a second or so, and whatever waits."""
        self._stopped.set()
        self.thread.shutdown(cancel_futures=True)

    @property
    def num_waiting(self) -> int:
        """Number of clips that are being received, wait, or are evaluated."""
        return sum(not job.is_finished for job in self._jobs.values())

    def find(self, id: str) -> _Work:  # noqa: A002 - as the interface calls it
        """Return a job, or raise HTTP's "not found"."""
        if id not in self._jobs:
            raise HTTPException(404, "there is no such job; it may have been deleted")
        return self._jobs[id]

    async def receive(self, request: Request, name: str) -> _Work:
        """Save the clip that a request sends, and queue its job."""
        if self.num_waiting >= self.limits.max_waiting:
            raise HTTPException(429, f"{self.num_waiting} clips are waiting; try again later")
        id = token_urlsafe()  # noqa: A001 - as above
        job = self._jobs[id] = _Work(id, name, self._folder / id)
        job.folder.mkdir()
        try:
            await _save(request, job.clip, max_bytes=self.limits.max_bytes)
        except BaseException:
            self.forget(job)
            raise
        job.state = "queued"
        job.future = self.thread.submit(self._run, job)
        self._forget_oldest()
        return job

    def forget(self, job: _Work) -> None:
        """Cancel a job, and delete its files as soon as nothing uses them."""
        del self._jobs[job.id]
        job.cancelled.set()
        job.future.cancel()
        job.future.add_done_callback(lambda _: shutil.rmtree(job.folder))

    def _forget_oldest(self) -> None:
        finished = [job for job in self._jobs.values() if job.is_finished]
        for job in finished[: -self.limits.max_kept]:
            self.forget(job)

    def detect(self, clip: Path) -> Report:
        """Detect in a clip, within the limit of time, until the service ends."""
        with run_control(cancel=self._stopped, time_limit_s=self.limits.time_limit_s):
            return self.detector.detect(clip)

    def _run(self, job: _Work) -> None:
        job.state = "running"
        try:
            self._evaluate(job)
            job.state = "done"
        # A stranger's detector can raise anything, and the clips behind must not be lost for it.
        except Exception as error:  # noqa: BLE001 - see above
            if not isinstance(error, RunCancelledError):
                _log.exception("a job failed unexpectedly")
            job.state, job.problem = "failed", f"{type(error).__name__}: {error}"
        finally:
            job.clip.unlink()

    def _evaluate(self, job: _Work) -> None:
        with run_control(cancel=job.cancelled, on_progress=partial(setattr, job, "progress")):
            report = with_name(self.detect(job.clip), job.clip, job.name)
        with (job.folder / "report.json").open("w", encoding="utf-8") as stream:
            write_json(report, stream)
        page = html.render(report, clip=job.clip)
        (job.folder / "report.html").write_text(page, encoding="utf-8")


async def _save(request: Request, path: Path, *, max_bytes: int) -> None:
    """Save the body of a request, of which no more is read than may be."""
    # Without a stated length, only what has come says how much it is.
    num_bytes = int(request.headers.get("content-length", 0))
    with path.open("wb") as file:
        stream = request.stream()
        while num_bytes <= max_bytes and (chunk := await anext(stream, None)) is not None:
            file.write(chunk)
            num_bytes = max(num_bytes, file.tell())
    if num_bytes > max_bytes:
        raise HTTPException(413, f"a clip may have {max_bytes} bytes; cut it, or raise the limit")


def _queue(request: Request) -> JobQueue:
    queue: JobQueue = request.app.state.queue
    return queue


Queue = Annotated[JobQueue, Depends(_queue)]


@_router.get("/health")
async def health(queue: Queue) -> dict[str, Any]:
    """Return the name of the detector, and how many clips are waiting."""
    info = queue.detector.info
    return {"status": "UP", "detector": info["name"], "waiting": queue.num_waiting}


@_router.post(
    "/jobs",
    status_code=202,
    response_model=Job,
    responses={413: {"description": "Too large"}, 429: {"description": "Too many are waiting"}},
    openapi_extra={"requestBody": _CLIP},
)
async def send_clip(
    queue: Queue, request: Request, name: Annotated[str, Query(max_length=255)] = "clip"
) -> _Work:
    """Send a clip, as the body; its name is only shown."""
    return await queue.receive(request, name)


@_router.get("/jobs/{id}", response_model=Job)
async def get_job(queue: Queue, id: str) -> _Work:  # noqa: A002 - as above
    """Return the state of a job."""
    return queue.find(id)


@_router.get("/jobs/{id}/report.{kind}", responses={409: {"description": "No report yet"}})
async def get_report(queue: Queue, id: str, kind: Literal["json", "html"]) -> Response:  # noqa: A002
    """Return the report of a job."""
    job = queue.find(id)
    if job.state != "done":
        raise HTTPException(409, f"there is no report: the job is {job.state}")
    path = job.folder / f"report.{kind}"
    return Response(path.read_bytes(), media_type=_MEDIA_TYPES[kind])


@_router.delete("/jobs/{id}", status_code=204)
async def delete_job(queue: Queue, id: str) -> None:  # noqa: A002 - as above
    """Cancel a job if it is not complete, and delete its clip and reports."""
    queue.forget(queue.find(id))


def make_app(
    detector: Detector, limits: ServeLimits | None = None, *, hosts: Sequence[str] = LOOPBACK
) -> FastAPI:
    """Return the service as an ASGI application, such as Uvicorn runs.

    Args:
        detector: A loaded detector.
        limits: Limits of the service.
        hosts: Names that clients may call it by; ``["*"]`` for any.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with TemporaryDirectory(prefix="mmmsba-serve-") as folder:
            app.state.queue = JobQueue(detector, limits or ServeLimits(), Path(folder))
            yield
            app.state.queue.stop()

    # FastAPI's pages of documentation would fetch their scripts from elsewhere.
    app = FastAPI(title="mmmsba", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    app.include_router(_router)
    return app
