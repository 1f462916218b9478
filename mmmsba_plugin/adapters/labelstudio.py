"""Label Studio's interface of a machine-learning backend, as routes of the service.

The regions are those of the writer ``label-studio``, for the labelling interface that stands with
it. Media are read below one folder alone; nothing is fetched, wherever an address points.

Source:
    github.com/HumanSignal/label-studio-ml-backend, ``label_studio_ml/api.py``, and what calls it:
    github.com/HumanSignal/label-studio, ``label_studio/ml/api_connector.py`` and ``models.py``.
"""

from asyncio import wrap_future
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, unquote, urlsplit

from fastapi import APIRouter, Body, HTTPException
from pydantic import BaseModel

from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.hookspecs import DetectorInfo
from mmmsba_plugin.report.annotation_json import labelstudio_task
from mmmsba_plugin.service.routes import Queue


class Task(BaseModel):
    """Address of a task's clip: ``video`` or ``audio`` of its data."""

    data: dict[str, Any]


def routes(folder: Path) -> APIRouter:
    """Return the routes.

    Args:
        folder: Folder below which media are read: the root of Label Studio's local files, or its
            folder ``media`` for what was uploaded.

    Raises:
        ConfigError: There is no such folder.
    """
    if not folder.is_dir():
        raise ConfigError(f"there is no folder {folder}; give the one that holds the media")
    router = APIRouter()

    @router.post("/setup")
    async def setup(queue: Queue) -> dict[str, str]:
        """Return the version of the model; with another one, Label Studio asks anew."""
        return {"model_version": _version(queue.detector.info)}

    @router.post("/predict")
    async def predict(
        queue: Queue, tasks: Annotated[list[Task], Body(embed=True)]
    ) -> dict[str, Any]:
        """Return a prediction for each task, with regions of the time line."""
        version = _version(queue.detector.info)
        results = []
        for media in [media_of(task, folder) for task in tasks]:
            report = await wrap_future(queue.thread.submit(queue.detect, media))
            (prediction,) = labelstudio_task(report)["predictions"]
            results.append({**prediction, "model_version": version})
        return {"results": results, "model_version": version}

    return router


def media_of(task: Task, folder: Path) -> Path:
    """Return the file of a task, or raise HTTP's "not found"."""
    address = str(task.data.get("video") or task.data.get("audio"))
    parts = urlsplit(address)
    # Local files are /data/local-files/?d=PATH; uploads are /data/upload/PROJECT/NAME.
    names = parse_qs(parts.query).get("d") or [unquote(parts.path).removeprefix("/data/")]
    path = (folder / names[0]).resolve()
    if not (path.is_relative_to(folder.resolve()) and path.is_file()):
        raise HTTPException(404, f"there is no file below the folder for {address}")
    return path


def _version(info: DetectorInfo) -> str:
    weights = info.get("checkpoint_sha256") or ""
    return "-".join(filter(None, [info["name"], info.get("package_version"), weights[:8]]))
