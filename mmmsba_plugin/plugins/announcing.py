"""Announce reports to plug-ins, each once, whichever detector made it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmmsba_plugin.hookspecs import Detector, DetectorEntry, DetectorInfo
from mmmsba_plugin.plugins.loading import call_alone, isolated, one_line, states

if TYPE_CHECKING:
    from mmmsba_plugin.schema import Report

#: Optional methods of a detector that return another one.
_VARIANTS = frozenset({"at_false_positive_rate", "with_threshold"})


_left_to_caller: ContextVar[bool] = ContextVar("announcing_is_left_to_the_caller", default=False)


@contextmanager
def unannounced() -> Iterator[None]:
    """Leave reports that are made inside the block to be announced by whoever receives them.

    A worker process does: those who wait for a report are in the process that asked for it.
    """
    token = _left_to_caller.set(True)
    try:
        yield
    finally:
        _left_to_caller.reset(token)


def announce(report: "Report") -> "Report":
    """Announce a report to the hook ``forensics_report_ready`` of every plug-in.

    Returns:
        The report, with a warning for each plug-in that failed on it; the others heard it all
        the same.
    """
    if _left_to_caller.get():
        return report
    warnings = []
    for plugin in (state for state in states() if state.state == "loaded"):
        with isolated() as failures:
            media = Path(report.media.path)
            call_alone(plugin, "forensics_report_ready", report=report, media=media)
        warnings += [f"{plugin} failed on a report: {one_line(error)}" for error in failures]
    return report.model_copy(update={"warnings": (*report.warnings, *warnings)})


def announced_detector(detector: Detector) -> Detector:
    """Return a detector that announces each of its reports once.

    It is the same one, if its ``info`` says that it ``announces_reports`` by itself.
    """
    info = getattr(detector, "info", {})
    return detector if info.get("announces_reports") else AnnouncedDetector(detector)


def announced_entry(entry: DetectorEntry) -> DetectorEntry:
    """Return an entry whose detectors announce each of their reports once."""
    load = entry.load

    @wraps(load)
    def load_announced(*arguments: Any, **options: Any) -> Detector:
        return announced_detector(load(*arguments, **options))

    return replace(entry, load=load_announced)


class AnnouncedDetector:
    """A detector whose reports are announced for it; what else it can do, it can do still.

    Args:
        detector: The detector, which does not announce them itself.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    @property
    def info(self) -> DetectorInfo:
        """Name, summary, modalities and provenance, as plain values."""
        return {**self._detector.info, "announces_reports": True}

    def detect(self, media: str | Path, **options: Any) -> "Report":
        """Predict one clip, and announce its report."""
        return announce(self._detector.detect(media, **options))

    def detect_many(self, media: Iterable[str | Path], **options: Any) -> "Iterator[Report]":
        """Predict clips one after the other, and announce their reports."""
        return map(announce, self._detector.detect_many(media, **options))

    def predict(self, media: str | Path) -> float:
        """Return P(fake) of one clip, in [0, 1]; there is no report to announce."""
        return self._detector.predict(media)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - of a stranger's detector
        value = getattr(self._detector, name)
        if name not in _VARIANTS:
            return value
        return lambda *arguments: announced_detector(value(*arguments))
