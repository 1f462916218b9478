"""Workers on the nodes of a Ray cluster, and the gate that lets them begin clips."""

import os
import pickle
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from mmmsba_plugin.errors import ConfigError, WorkerError
from mmmsba_plugin.isolation import (
    IsolatedDetector,
    Rendered,
    TrustingDetector,
    error_report,
    rendered,
)
from mmmsba_plugin.plugins import unannounced
from mmmsba_plugin.worker_process import portable_error
from mmmsba_plugin.workers import Limits

if TYPE_CHECKING:
    import pyarrow as pa

    from mmmsba_plugin.hookspecs import Detector

#: Times that a clip is begun, where the worker or the node that has it in hand dies each time.
MAX_ATTEMPTS = 3

#: How often it is asked whether to stop, in seconds.
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Job:
    """Job of a worker: all that it needs on any node to detect as the caller would.

    Attributes:
        load: Loads the detector.
        limits: What a clip may take; None to detect in the worker itself.
        threads: Number of threads.
        folder: Working directory of the caller, which relative names start from.
        variables: Settings of the caller in its environment.
        version: Version of this package.
    """

    load: "Callable[[], Detector]"
    limits: Limits | None
    threads: int
    folder: Path
    variables: Mapping[str, str]
    version: str

    def set_up(self) -> None:
        """Make this process one in which names and settings mean what they mean to the caller.

        Raises:
            ConfigError: Its node lacks the folder, or has another version of this package.
        """
        node = platform.node()
        version = metadata.version("mmmsba-plugin")
        if version != self.version:
            raise ConfigError(
                f"the node {node} has mmmsba-plugin {version}, and {self.version} is what runs "
                "here; install the same on all nodes"
            )
        os.environ.update(self.variables)
        try:
            os.chdir(self.folder)
        except OSError as error:
            raise ConfigError(
                f"the node {node} has no folder {self.folder}, which names of files start from; "
                "run this in a folder that all nodes share"
            ) from error


def describe(job: Job) -> Mapping[str, Any] | Exception:
    """Load the detector; return what it says of itself, or why it cannot be loaded."""
    try:
        job.set_up()
        return dict(job.load().info)
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller has to know
        return portable_error(error)


class Worker:
    """A Ray worker, which loads the detector once and detects in the clips that it is given.

    Args:
        job: How it detects.
        gate: The :class:`Gate`, wherever it runs.
        writers: Names of the writers of reports.
        options: Those of the detector's ``detect``.
    """

    def __init__(
        self,
        job: Job,
        gate: Any,  # noqa: ANN401 - Ray's
        writers: Sequence[str],
        options: Mapping[str, Any],
    ) -> None:
        job.set_up()
        self._gate, self._writers, self._options = gate, writers, options
        self._detector: IsolatedDetector | TrustingDetector
        if job.limits is None:
            self._detector = TrustingDetector(job.load())
        else:
            # It ends with this process.
            isolated = IsolatedDetector(job.load, limits=job.limits, threads=job.threads)
            self._detector = isolated.__enter__()

    def __call__(self, table: "pa.Table") -> "Iterator[pa.Table]":
        """Yield the results of clips, each as soon as it is there."""
        import pyarrow as pa
        import ray

        for row in table.to_pylist():
            attempt = ray.get(self._gate.enter.remote(row["clip"]))
            if not attempt:
                return
            paths = [Path(os.fsdecode(name)) for name in (row["clip"], *row["copies"])]
            with unannounced():
                results = list(self._rendered(paths[0], paths[1:], attempt))
            ray.get(self._gate.leave.remote(row["clip"]))
            yield pa.table({"rendered": [pickle.dumps(results)]})

    def _rendered(self, clip: Path, copies: list[Path], attempt: int) -> Iterator[Rendered]:
        if attempt > MAX_ATTEMPTS:
            error = WorkerError(
                f"its worker, or the node of that, died {MAX_ATTEMPTS} times, by a fault in a "
                "library that decodes, for want of memory, or because somebody ended it; try "
                "again with fewer workers on a node, or convert the clip to mp4 with H.264 and AAC"
            )
            report = error_report(clip, error, self._detector.info, **self._options)
            yield from rendered(clip, report, copies, self._writers)
            return
        pair = (clip, copies)
        try:
            yield from self._detector.render_unordered([pair], self._writers, **self._options)
        # Ray takes it for the wish to end the worker, and waits for that worker's return in vain.
        except SystemExit as error:
            raise WorkerError(f"the detector ended its worker: {error!r}") from error


class Gate:
    """Counts how often each clip in hand was begun, and lets none be begun once a run stops."""

    def __init__(self) -> None:
        self._attempts: dict[bytes, int] = {}
        self._is_stopped = False

    def enter(self, clip: bytes) -> int:
        """Count an attempt at a clip; return its number, or 0 if the run stops."""
        if self._is_stopped:
            return 0
        self._attempts[clip] = self._attempts.get(clip, 0) + 1
        return self._attempts[clip]

    def leave(self, clip: bytes) -> None:
        """Forget a clip that is complete."""
        self._attempts.pop(clip, None)

    def stop(self) -> None:
        """Let no further clip be begun."""
        self._is_stopped = True


@contextmanager
def gate_of_run(stops: Callable[[], bool]) -> Iterator[Any]:
    """Start a gate on the node of this process, and tell it once the run stops."""
    import ray

    here = ray.get_runtime_context().get_node_id()
    gate = ray.remote(num_cpus=0)(Gate).options(label_selector={"ray.io/node-id": here}).remote()
    over = Event()

    def pass_on_stop() -> None:
        while not over.wait(_POLL_S):
            if stops():
                gate.stop.remote()
                return

    thread = Thread(target=pass_on_stop, daemon=True)
    thread.start()
    try:
        yield gate
    finally:
        over.set()
        thread.join()
        # An iterator that was dropped ends here after the cluster was left.
        if ray.is_initialized():
            ray.kill(gate)
