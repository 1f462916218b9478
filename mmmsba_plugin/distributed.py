"""Detect in clips on the nodes of a Ray cluster, with the reports that one machine would make.

Ray Data streams names of clips to its workers and rendered reports back to the caller, who writes
them. So the nodes only have to read the clips, under the names that the caller has for them. A
worker keeps its detector. If its process or its node dies, Ray starts it anew and gives it the
clip in hand again; within a worker, a process of its own guards each clip, as on one machine.
"""

import logging
import os
import pickle
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mmmsba_plugin.errors import MissingExtraError, MmmsbaError, WorkerError
from mmmsba_plugin.isolation import (
    Rendered,
)
from mmmsba_plugin.plugins import announce
from mmmsba_plugin.ray_worker import Job, Worker, describe, gate_of_run
from mmmsba_plugin.workers import Limits

if TYPE_CHECKING:
    import pyarrow as pa

    from mmmsba_plugin.hookspecs import Detector

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


class RayDetector:
    """A detector in workers of a Ray cluster, loaded once in each.

    Args:
        load: Loads the detector; pickled for the workers.
        config: The cluster and the workers.
        limits: Time and memory that one clip may take in a process of its own; None to detect in
            the workers themselves, where a clip that crashes its worker is tried anew,
            :data:`~mmmsba_plugin.ray_worker.MAX_ATTEMPTS` times in all.

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
        self._job = Job(
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
        task = ray.remote(max_calls=1)(describe)
        self._answer = task.options(**self._share).remote(self._job)
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
                gpus = f" and {self._config.gpus:g} of a GPU" if self._config.gpus else ""
                raise WorkerError(
                    f"no node of the Ray cluster could start a worker within {_START_S:.0f} s: "
                    f"{type(error).__name__}; each takes {self._config.cpus} CPUs{gpus}, see "
                    "`ray status`"
                ) from error
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
        with gate_of_run(stops) as gate:
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
            Worker,
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
            # Where nothing listens, Ray would try for minutes.
            host, colon, port = address.rpartition(":")
            if colon and port.isdecimal():
                socket.create_connection((host, int(port)), timeout=_CONNECT_S).close()
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
