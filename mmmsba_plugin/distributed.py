"""Detect in clips on the nodes of a Ray cluster, with the reports that one machine would make.

Ray Data streams names of clips to its workers and rendered reports back to the caller, who writes
them. So the nodes only have to read the clips, under the names that the caller has for them. A
worker keeps its detector. If its process or its node dies, Ray starts it anew and gives it the
clip in hand again; within a worker, a process of its own guards each clip, as on one machine.
"""

import logging
import os
import pickle
import platform
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import metadata
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Self

from mmmsba_plugin.errors import ConfigError, MissingExtraError, MmmsbaError, WorkerError
from mmmsba_plugin.isolation import (
    IsolatedDetector,
    Rendered,
    TrustingDetector,
    error_report,
    rendered,
)
from mmmsba_plugin.plugins import announce, unannounced
from mmmsba_plugin.workers import Limits, portable_error

if TYPE_CHECKING:
    import pyarrow as pa

    from mmmsba_plugin.hookspecs import Detector

#: Times that a clip is begun, where the worker or the node that has it in hand dies each time.
MAX_ATTEMPTS = 3

#: Clips of one task, at most. A worker that dies begins its task again, so few are few to repeat.
_MOST_CLIPS = 64

#: Tasks for each worker, at least, while there are clips: with few, some workers idle at the end.
_FEWEST_TASKS = 64

#: Clips whose names are Python objects at one time.
_BATCH_SIZE = 1000

#: How long the first worker may take to start and to load, in seconds; clusters grow slowly.
_START_S = 600.0

#: How long a cluster may take to answer, in seconds.
_CONNECT_S = 10.0

#: How often it is asked whether to stop, in seconds.
_POLL_S = 0.2

#: What settings of this package are called in the environment.
_VARIABLES = "MMMSBA_"


@dataclass(frozen=True, slots=True)
class RayConfig:
    """Workers on a Ray cluster.

    Attributes:
        address: Address of the cluster, as HOST:PORT; one of this machine alone if None.
        workers: Number of workers; as many as the cluster has room for if None.
        cpus: Cores that each takes, which is also the number of its threads.
        gpus: GPUs that each takes; several may share one, as with 0.25.
    """

    address: str | None = None
    workers: int | None = None
    cpus: int = 1
    gpus: float = 0.0


@dataclass(frozen=True, slots=True)
class _Job:
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


class RayDetector:
    """A detector in workers of a Ray cluster, loaded once in each.

    Args:
        load: Loads the detector; pickled for the workers.
        config: The cluster and the workers.
        limits: Time and memory that one clip may take in a process of its own; None to detect in
            the workers themselves, where a clip that crashes its worker is tried anew,
            :data:`MAX_ATTEMPTS` times in all.

    Raises:
        MissingExtraError: Ray is not installed.
        WorkerError: There is no cluster at the address.

    Example:
        >>> from mmmsba_plugin.isolation import DetectorChoice
        >>> with RayDetector(DetectorChoice("mmms-ba")) as detector:         # doctest: +SKIP
        ...     for item in detector.render_unordered([(Path("a.mp4"), [])], ["json"]):
        ...         print(item.report.score)
    """

    def __init__(
        self,
        load: "Callable[[], Detector]",
        config: RayConfig | None = None,
        *,
        limits: Limits | None = None,
    ) -> None:
        if find_spec("ray") is None:
            raise MissingExtraError(
                "detecting on a cluster needs Ray; install it with: pip install "
                "'mmmsba-plugin[ray]'"
            )
        config = config or RayConfig()
        self._config = config
        self._job = _Job(
            load=load,
            limits=limits,
            threads=config.cpus,
            folder=Path.cwd(),
            variables={k: v for k, v in os.environ.items() if k.startswith(_VARIABLES)},
            version=metadata.version("mmmsba-plugin"),
        )
        self._is_own = False
        self._answer: Any = None
        self._info: Mapping[str, Any] | None = None

    def __enter__(self) -> Self:
        """Connect to the cluster, and load the detector there to learn what it says of itself."""
        import ray

        self._is_own = not ray.is_initialized()
        if self._is_own:
            _connect(self._config.address)
        # The process ends with the task: the detector would stay in its memory.
        describe = ray.remote(max_calls=1)(_describe)
        self._answer = describe.options(**self._share).remote(self._job)
        return self

    def __exit__(self, *_: object) -> None:
        """End the workers and leave the cluster, unless the caller was in it before."""
        import ray

        if self._is_own:
            ray.shutdown()

    @property
    def info(self) -> Mapping[str, Any]:
        """Name, options and provenance of the detector; waits until a node has loaded it.

        Raises:
            WorkerError: The cluster has no room for a worker.
            Exception: It cannot be loaded.
        """
        import ray

        if self._info is None:
            try:
                answer = ray.get(self._answer, timeout=_START_S)
            except ray.exceptions.RayError as error:
                raise self._no_start(error) from error
            if isinstance(answer, Exception):
                raise answer
            self._info = answer
        return self._info

    def render_unordered(
        self,
        clips: Iterable[tuple[Path, Sequence[Path]]],
        writers: Sequence[str],
        *,
        stops: Callable[[], bool] = lambda: False,
        **options: Any,
    ) -> Iterator[Rendered]:
        """Yield rendered reports as they are complete, a few at a time in memory.

        Args:
            clips: Each clip, and those of the same bytes, which get its report as a copy. All
                names are taken at once, into Ray's object store.
            writers: Names of the writers.
            stops: Whether no further clip shall be begun.
            **options: Those of the detector's ``detect``.

        Raises:
            WorkerError: The workers cannot go on.
        """
        table = _table(clips)
        if not len(table):
            return
        with _gate(stops) as gate:
            results = self._results(table, (self._job, gate, list(writers), options))
            for block in _blocks(results):
                for value in block["rendered"]:
                    for item in pickle.loads(value.as_py()):  # noqa: S301 - our own
                        yield replace(item, report=announce(item.report))

    @property
    def _share(self) -> dict[str, float]:
        """Return the CPUs and GPUs that each worker takes of a node."""
        return {"num_cpus": self._config.cpus, "num_gpus": self._config.gpus}

    def _results(self, table: "pa.Table", arguments: tuple[Any, ...]) -> Any:  # noqa: ANN401 - Ray's
        """Return the dataset of results; detection begins once it is read."""
        from ray import data

        workers = min(self._config.workers or self._capacity(), len(table))
        size = min(_MOST_CLIPS, max(1, len(table) // (workers * _FEWEST_TASKS)))
        clips = data.from_arrow([table.slice(i, size) for i in range(0, len(table), size)])
        clips.context.enable_progress_bars = False
        clips.context.print_on_execution_start = False
        # Each result is a block, so that it comes as soon as it is there.
        clips.context.target_max_block_size = 1
        # A film may take longer than any time that Ray knows of; our limit is each clip's own.
        clips.context.execution_no_progress_timeout_s = -1
        return clips.map_batches(
            _Worker,
            fn_constructor_args=arguments,
            batch_size=size,
            batch_format="pyarrow",
            # One that waits in a worker's queue would wait for a film while others idle.
            compute=data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=1),
            **self._share,
        )

    def _capacity(self) -> int:
        """Return the number of workers that the nodes have room for, at least one."""
        import ray

        share = {"CPU": self._config.cpus, "GPU": self._config.gpus}
        needs = {name: amount for name, amount in share.items() if amount}
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        workers = sum(
            min(int(node.get(name, 0) / amount) for name, amount in needs.items()) for node in nodes
        )
        return max(1, workers)

    def _no_start(self, error: Exception) -> WorkerError:
        gpus = f" and {self._config.gpus:g} of a GPU" if self._config.gpus else ""
        return WorkerError(
            f"no node of the Ray cluster could start a worker within {_START_S:.0f} s: "
            f"{type(error).__name__}; each takes {self._config.cpus} CPUs{gpus}, see `ray status`"
        )


class _Worker:
    """A Ray worker, which loads the detector once and detects in the clips that it is given.

    Args:
        job: How it detects.
        gate: The :class:`_Gate`, wherever it runs.
        writers: Names of the writers of reports.
        options: Those of the detector's ``detect``.
    """

    def __init__(
        self,
        job: _Job,
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


class _Gate:
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
def _gate(stops: Callable[[], bool]) -> Iterator[Any]:
    """Start a gate on the node of this process, and tell it once the run stops."""
    import ray

    here = ray.get_runtime_context().get_node_id()
    gate = ray.remote(num_cpus=0)(_Gate).options(label_selector={"ray.io/node-id": here}).remote()
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


def _blocks(results: Any) -> "Iterator[pa.Table]":  # noqa: ANN401 - Ray's
    """Yield the blocks of a dataset.

    Raises:
        WorkerError: Its workers cannot go on.
    """
    import ray

    try:
        yield from results.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0)
    except ray.exceptions.RayError as error:
        raise _root(error) from error


def _root(error: BaseException) -> MmmsbaError:
    """Return our error that an error of Ray's rests on, or one that tells what it rests on."""
    while not isinstance(error, MmmsbaError):
        inner = getattr(error, "cause", None) or error.__cause__
        if inner is None:
            return WorkerError(f"the Ray cluster cannot go on: {type(error).__name__}: {error}")
        error = inner
    return error


def _describe(job: _Job) -> Mapping[str, Any] | Exception:
    """Load the detector; return what it says of itself, or why it cannot be loaded."""
    try:
        job.set_up()
        return dict(job.load().info)
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller has to know
        return portable_error(error)


def _table(clips: Iterable[tuple[Path, Sequence[Path]]]) -> "pa.Table":
    """Return the names of clips and of their copies as a table, a hundred bytes or so a clip."""
    import pyarrow as pa

    schema = pa.schema([("clip", pa.binary()), ("copies", pa.list_(pa.binary()))])
    rest = iter(clips)
    batches = []
    while group := list(islice(rest, _BATCH_SIZE)):
        names = [os.fsencode(clip) for clip, _ in group]
        copies = [[os.fsencode(copy) for copy in same] for _, same in group]
        batches.append(pa.record_batch([names, copies], schema=schema))
    return pa.Table.from_batches(batches, schema=schema)


def _connect(address: str | None) -> None:
    """Join a Ray cluster, or start one of this machine alone.

    Raises:
        WorkerError: There is none at the address.
    """
    # Nobody is told of the run; and what Ray does about a death, it need not tell here.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    import ray

    try:
        if address is not None:
            _require_listener(address)
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        else:
            # What Ray would look for is often the address of a cluster that is gone.
            alone = {"address": "local", "include_dashboard": False}
            ray.init(log_to_driver=False, logging_level=logging.ERROR, **alone)
    except (OSError, RuntimeError, ValueError) as error:
        raise WorkerError(
            f"there is no Ray cluster at {address or 'hand'}: {error}; start one with `ray start "
            "--head`, and give its address as HOST:PORT"
        ) from error
    import ray.data

    logging.getLogger("ray.data").setLevel(logging.ERROR)


def _require_listener(address: str) -> None:
    """Check that something listens at HOST:PORT: Ray would try for minutes.

    Raises:
        OSError: Nothing does.
    """
    host, colon, port = address.rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=_CONNECT_S).close()
