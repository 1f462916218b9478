"""Queue of detection jobs.

One thread evaluates clips in order of arrival, with the detector loaded once. A clip lies in the
queue's folder until it has a report. Reports stay until they are deleted, or until too many newer
ones have come.
"""

import logging
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from secrets import token_urlsafe
from threading import Event
from typing import Literal

from pydantic import Field

from mmmsba_plugin.errors import RunCancelledError
from mmmsba_plugin.hookspecs import Detector
from mmmsba_plugin.media.source import with_name
from mmmsba_plugin.report import html
from mmmsba_plugin.report.writers import write_json
from mmmsba_plugin.run_control import Progress, run_control
from mmmsba_plugin.schema import FrozenModel, Report

JobState = Literal["receiving", "queued", "running", "done", "failed"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLimits:
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


@dataclass(slots=True, eq=False)
class Job:
    """A job with its folder, which has the clip and then the reports.

    Attributes:
        id: Identifier, which cannot be guessed.
        name: Name of the clip, as it was given.
        folder: Folder of this job alone.
        state: As in its answer, like ``progress`` and ``problem``.
    """

    id: str
    name: str
    folder: Path
    state: JobState = "receiving"
    progress: Progress | None = None
    problem: str | None = None
    cancelled: Event = field(default_factory=Event)
    future: "Future[None]" = field(default_factory=Future)

    @property
    def clip(self) -> Path:
        """File of the clip, until there is a report."""
        return self.folder / "clip"

    @property
    def is_finished(self) -> bool:
        """Whether it needs no more work."""
        return self.state in {"done", "failed"}


class JobAnswer(FrozenModel):
    """The state of a job."""

    id: str = Field(description="Identifier of the job.")
    name: str = Field(description="Name of the clip, as it was given.")
    state: JobState = Field(
        description="'done': there is a report; where the clip could not be evaluated, it says why."
        " 'failed': the detector broke down."
    )
    progress: Progress | None = Field(description="How far it is; null before it has begun.")
    problem: str | None = Field(description="Why it failed; null if it did not.")


class JobQueue:
    """The jobs of a service, in order of arrival.

    Args:
        detector: The detector.
        limits: Limits of the service.
        folder: An empty folder for clips and reports.

    Attributes:
        jobs: The jobs that were not deleted, by identifier.
        thread: The one that evaluates.
    """

    def __init__(self, detector: Detector, limits: ServiceLimits, folder: Path) -> None:
        self.detector, self.limits, self._folder = detector, limits, folder
        self.jobs: dict[str, Job] = {}
        self._stopped = Event()
        self.thread = ThreadPoolExecutor(max_workers=1)

    def stop(self) -> None:
        """Stop what runs, within a second or so, and whatever waits."""
        self._stopped.set()
        self.thread.shutdown(cancel_futures=True)

    @property
    def num_waiting(self) -> int:
        """Number of clips that are being received, wait, or are evaluated."""
        return sum(not job.is_finished for job in self.jobs.values())

    def open(self, name: str) -> Job:
        """Return a new job with an empty folder, whose ``clip`` is to be written."""
        id = token_urlsafe()  # noqa: A001 - as the interface calls it
        job = self.jobs[id] = Job(id, name, self._folder / id)
        job.folder.mkdir()
        return job

    def submit(self, job: Job) -> None:
        """Queue a job whose clip is whole, and forget the oldest that are too many."""
        job.state = "queued"
        job.future = self.thread.submit(self._run, job)
        finished = [job for job in self.jobs.values() if job.is_finished]
        for oldest in finished[: -self.limits.max_kept]:
            self.forget(oldest)

    def forget(self, job: Job) -> None:
        """Cancel a job, and delete its files as soon as nothing uses them."""
        del self.jobs[job.id]
        job.cancelled.set()
        job.future.cancel()
        job.future.add_done_callback(lambda _: shutil.rmtree(job.folder))

    def detect(self, clip: Path) -> Report:
        """Detect in a clip, within the limit of time, until the service ends."""
        with run_control(cancel=self._stopped, time_limit_s=self.limits.time_limit_s):
            return self.detector.detect(clip)

    def _run(self, job: Job) -> None:
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

    def _evaluate(self, job: Job) -> None:
        with run_control(cancel=job.cancelled, on_progress=partial(setattr, job, "progress")):
            report = with_name(self.detect(job.clip), job.clip, job.name)
        with (job.folder / "report.json").open("w", encoding="utf-8") as stream:
            write_json(report, stream)
        page = html.render(report, clip=job.clip)
        (job.folder / "report.html").write_text(page, encoding="utf-8")
