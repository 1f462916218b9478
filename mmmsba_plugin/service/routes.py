"""Routes of the service: send a clip, follow its job, fetch its report, delete it."""

from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from mmmsba_plugin.service.jobs import Job, JobAnswer, JobQueue
from mmmsba_plugin.service.upload import save

#: The body of a request that sends a clip, which FastAPI does not see, for OpenAPI.
_CLIP = {"content": {"application/octet-stream": {"schema": {"type": "string"}}}}
_MEDIA_TYPES = {"json": "application/json", "html": "text/html"}

router = APIRouter()


def _queue(request: Request) -> JobQueue:
    return cast("JobQueue", request.app.state.queue)


Queue = Annotated[JobQueue, Depends(_queue)]


def _job(queue: Queue, id: str) -> Job:  # noqa: A002 - as the interface calls it
    if id not in queue.jobs:
        raise HTTPException(404, "there is no such job; it may have been deleted")
    return queue.jobs[id]


KnownJob = Annotated[Job, Depends(_job)]


@router.get("/health")
async def health(queue: Queue) -> dict[str, Any]:
    """Return the name of the detector, and how many clips are waiting."""
    info = queue.detector.info
    return {"status": "UP", "detector": info["name"], "waiting": queue.num_waiting}


@router.post(
    "/jobs",
    status_code=202,
    response_model=JobAnswer,
    responses={413: {"description": "Too large"}, 429: {"description": "Too many are waiting"}},
    openapi_extra={"requestBody": _CLIP},
)
async def send_clip(
    queue: Queue, request: Request, name: Annotated[str, Query(max_length=255)] = "clip"
) -> Job:
    """Send a clip, as the body; its name is only shown."""
    if queue.num_waiting >= queue.limits.max_waiting:
        raise HTTPException(429, f"{queue.num_waiting} clips are waiting; try again later")
    job = queue.open(name)
    try:
        await save(request, job.clip, max_bytes=queue.limits.max_bytes)
    except BaseException:
        queue.forget(job)
        raise
    queue.submit(job)
    return job


@router.get("/jobs/{id}", response_model=JobAnswer)
async def get_job(job: KnownJob) -> Job:
    """Return the state of a job."""
    return job


@router.get("/jobs/{id}/report.{kind}", responses={409: {"description": "No report yet"}})
async def get_report(job: KnownJob, kind: Literal["json", "html"]) -> Response:
    """Return the report of a job."""
    if job.state != "done":
        raise HTTPException(409, f"there is no report: the job is {job.state}")
    return Response((job.folder / f"report.{kind}").read_bytes(), media_type=_MEDIA_TYPES[kind])


@router.delete("/jobs/{id}", status_code=204)
async def delete_job(queue: Queue, job: KnownJob) -> None:
    """Cancel a job if it is not complete, and delete its clip and reports."""
    queue.forget(job)
