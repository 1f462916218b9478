"""Detect in clips in worker processes, so that a clip costs no more than itself.

A codec that crashes, or a clip that takes too long or too much memory, ends a worker; the clip
gets a report that says so, and another worker goes on with the rest.
"""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import metadata
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import ValidationError

from mmmsba_plugin.errors import MmmsbaError
from mmmsba_plugin.hookspecs import API_VERSION, Detector
from mmmsba_plugin.media.container import open_media
from mmmsba_plugin.plugins import (
    announce,
    announced_detector,
    at_false_positive_rate,
    load_file,
    load_with,
    lookup,
    states,
    unannounced,
    with_threshold,
)
from mmmsba_plugin.report import build
from mmmsba_plugin.report.files import as_copy, render
from mmmsba_plugin.schema import Provenance, Report
from mmmsba_plugin.worker_process import Started, say_duration
from mmmsba_plugin.workers import Limits, WorkerPool

if TYPE_CHECKING:
    from mmmsba_plugin.media.source import MediaSource

_log = logging.getLogger(__name__)

#: Of clips that do not state how long they last: 80 kbit/s, as thin as talking heads come.
_BYTES_A_S = 10_000

#: Below the thinnest speech codecs: a header cannot buy its file more time than that.
_FEWEST_BYTES_A_S = 50

_AV_TIME_BASE_HZ = 1_000_000


@dataclass(frozen=True, slots=True)
class DetectorChoice:
    """A detector by its name, as another process can load it.

    Attributes:
        name: Its name, as plug-ins offer it.
        checkpoint: Folder of its weights; its default if None.
        false_positive_rate: Rate to choose its thresholds by; its default ones if None.
        plugin_files: Files that were loaded as plug-ins.
        options: How it runs, such as ``threads``.
        threshold: Probability to decide by, in place of a rate; None for its own threshold.
    """

    name: str
    checkpoint: Path | None = None
    false_positive_rate: float | None = None
    plugin_files: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    threshold: float | None = None

    def __call__(self) -> Detector:
        """Load it.

        Raises:
            CapabilityError: It has no thresholds to choose from, or does not take an option.
            ConfigError: It has none for the rate, or no clip could reach the threshold.
            PluginNotFoundError: No plug-in offers a detector of that name.
        """
        loaded = {state.distribution for state in states()}
        for file in self.plugin_files:
            if file not in loaded:
                load_file(file)
        detector = load_with(lookup("detectors", self.name), self.checkpoint, self.options)
        if self.threshold is not None:
            return with_threshold(detector, self.threshold)
        if self.false_positive_rate is None:
            return detector
        return at_false_positive_rate(detector, self.false_positive_rate)


@dataclass(frozen=True, slots=True)
class Rendered:
    """The report of one clip, and its text in each format.

    Attributes:
        clip: The clip.
        report: Its report.
        texts: For each writer that was asked for, what it wrote, or the error that it raised.
        copy_of: The clip of the same bytes that was evaluated in its place; None for itself.
    """

    clip: Path
    report: Report
    texts: Mapping[str, str | Exception]
    copy_of: Path | None = None


@dataclass(frozen=True, slots=True)
class _Task:
    """One clip for a worker.

    Attributes:
        clip: Its path, or its bytes.
        options: Those of the detector's ``detect``.
        number: Its place, since two clips may be equal.
        copies: Clips of the same bytes.
        writers: Names of the writers of its reports; None for the report alone.
    """

    clip: Any
    options: Mapping[str, Any]
    number: int = 0
    copies: tuple[Path, ...] = ()
    writers: tuple[str, ...] | None = None


class IsolatedDetector:
    """A detector in worker processes; a context manager, which ends them.

    Args:
        load: Makes the detector, in each worker; pickled.
        workers: Number of processes.
        limits: Time and memory that one clip may take.
        threads: Threads of the libraries in each process; see :class:`WorkerPool`.

    Example:
        >>> with IsolatedDetector(DetectorChoice("mmms-ba")) as detector:    # doctest: +SKIP
        ...     for report in detector.detect_many(["a.mp4", "b.mp4"]):
        ...         print(report.media.path, report.score)
    """

    def __init__(
        self,
        load: Callable[[], Detector],
        *,
        workers: int = 1,
        limits: Limits | None = None,
        threads: int | None = None,
    ) -> None:
        self._pool: WorkerPool[_Task] = WorkerPool(
            partial(_start, load), workers=workers, limits=limits or Limits(), threads=threads
        )

    def __enter__(self) -> Self:
        """Start to load the detector in a worker."""
        self._pool.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        """End the workers; a clip that one is at work on is given up."""
        self._pool.__exit__(*error)

    @property
    def info(self) -> Mapping[str, Any]:
        """Name, options and provenance of the detector; waits until it is loaded.

        Raises:
            Exception: It cannot be loaded.
        """
        info: Mapping[str, Any] = self._pool.greeting
        return info

    def detect_many(self, media: "Iterable[MediaSource]", **options: Any) -> Iterator[Report]:
        """Yield the reports of clips in their order.

        Args:
            media: The clips; taken one by one, each once a worker is there for it.
            **options: Those of the detector's ``detect``.

        Raises:
            WorkerError: A worker died before it could begin.
        """
        # One that is open cannot go to another process; its bytes can.
        tasks = (_Task(_portable(clip), options, number) for number, clip in enumerate(media))
        early: dict[int, Report] = {}
        reported = 0
        for task, result in self._pool.map_unordered(tasks):
            early[task.number] = (
                announce(result)
                if isinstance(result, Report)
                else self._report_error(task.clip, result, options)
            )
            while reported in early:
                yield early.pop(reported)
                reported += 1

    def render_unordered(
        self,
        clips: Iterable[tuple[Path, Sequence[Path]]],
        writers: Sequence[str],
        *,
        stops: Callable[[], bool] = lambda: False,
        **options: Any,
    ) -> Iterator[Rendered]:
        """Yield rendered reports as they are complete, since a page decodes its clip too.

        Args:
            clips: Each clip, and those of the same bytes, which get its report as a copy.
            writers: Names of the writers.
            stops: Whether no further clip shall be begun.
            **options: Those of the detector's ``detect``.

        Raises:
            WorkerError: A worker died before it could begin.
        """
        tasks = (
            _Task(clip, options, copies=tuple(copies), writers=tuple(writers))
            for clip, copies in takewhile(lambda _: not stops(), clips)
        )
        for task, result in self._pool.map_unordered(tasks):
            if isinstance(result, tuple):
                for item in result:
                    yield replace(item, report=announce(item.report))
            else:
                report = self._report_error(task.clip, result, options)
                yield from rendered(task.clip, report, task.copies, writers)

    def _report_error(
        self, clip: "MediaSource", result: object, options: Mapping[str, Any]
    ) -> Report:
        error = result if isinstance(result, Exception) else TypeError(f"no report: {result!r:.80}")
        return error_report(clip, error, self.info, **options)


class TrustingDetector:
    """A detector in this process, where a clip that crashes it takes the process along.

    Args:
        detector: The detector.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = announced_detector(detector)
        self.info = detector.info

    def render_unordered(
        self,
        clips: Iterable[tuple[Path, Sequence[Path]]],
        writers: Sequence[str],
        *,
        stops: Callable[[], bool] = lambda: False,
        **options: Any,
    ) -> Iterator[Rendered]:
        """Yield rendered reports in order; see :meth:`IsolatedDetector.render_unordered`."""
        for clip, copies in takewhile(lambda _: not stops(), clips):
            yield from rendered(clip, self._detector.detect(clip, **options), copies, writers)


def error_report(
    clip: "MediaSource", error: Exception, info: Mapping[str, Any], **options: Any
) -> Report:
    """Return the report of a clip on which a detector failed, and announce it.

    Args:
        clip: The clip.
        error: What went wrong.
        info: What the detector says of itself.
        **options: Those of its ``detect``.
    """
    name = str(clip) if isinstance(clip, str | os.PathLike) else "bytes"
    provenance = build.stamped(_provenance(info), command=options.get("command"))
    return announce(build.failed(build.unread(name), error, provenance=provenance))


def rendered(
    clip: Path, report: Report, copies: Iterable[Path], writers: Sequence[str]
) -> Iterator[Rendered]:
    """Yield the report of a clip, and of each of its copies, with its texts.

    Args:
        clip: The clip.
        report: Its report.
        copies: Clips of the same bytes.
        writers: Names of the writers.
    """
    yield Rendered(clip, report, _texts(report, writers))
    for copy in copies:
        same = announce(as_copy(report, copy))
        yield Rendered(copy, same, _texts(same, writers), copy_of=clip)


def _texts(report: Report, writers: Iterable[str]) -> dict[str, str | Exception]:
    texts: dict[str, str | Exception] = {}
    for name in writers:
        try:
            texts[name] = render(report, lookup("writers", name))
        except Exception as error:  # noqa: BLE001 - a stranger's writer can raise anything
            _log.exception("the writer %r failed", name)
            texts[name] = error
    return texts


def _start(load: Callable[[], Detector]) -> Started:
    """Load a detector in a worker; return what detects with it, and what it says of itself."""
    detector = load()
    return partial(_detect, detector), dict(detector.info)


def _detect(detector: Detector, task: _Task) -> Report | tuple[Rendered, ...]:
    if isinstance(task.clip, str | os.PathLike):
        say_duration(_stated_duration_s(Path(task.clip)))
    with unannounced():
        report = detector.detect(task.clip, **task.options)
        if task.writers is None:
            return report
        return tuple(rendered(task.clip, report, task.copies, task.writers))


def _stated_duration_s(path: Path) -> float:
    """Return the duration that a clip states, bounded by its size; an estimate if it has none."""
    # What is wrong with the file, detecting in it says.
    with suppress(MmmsbaError, OSError, ValueError), open_media(path) as container:
        size_bytes = path.stat().st_size
        if container.duration is None:
            return size_bytes / _BYTES_A_S
        stated_s: float = container.duration / _AV_TIME_BASE_HZ
        return min(stated_s, size_bytes / _FEWEST_BYTES_A_S)
    return 0.0


def _portable(clip: "MediaSource") -> "MediaSource":
    if isinstance(clip, memoryview) or hasattr(clip, "read"):
        return clip.tobytes() if isinstance(clip, memoryview) else clip.read()
    return clip


def _provenance(info: Mapping[str, Any]) -> Provenance:
    """Return the provenance that a detector tells of itself, or the little that is known of it."""
    with suppress(ValidationError):
        fields = {key: info[key] for key in Provenance.model_fields if key in info}
        return Provenance.model_validate(fields)
    return Provenance(
        package_version=metadata.version("mmmsba-plugin"),
        api_version=API_VERSION,
        formula_version=0,
        detector=str(info.get("name", "")),
    )
