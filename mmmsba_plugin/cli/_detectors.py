"""Loading of a detector for a command, with the options that it must heed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import typer

from mmmsba_plugin.errors import CapabilityError

if TYPE_CHECKING:
    from mmmsba_plugin.hookspecs import Detector
    from mmmsba_plugin.isolation import Rendered
    from mmmsba_plugin.workers import Limits


class BatchDetector(Protocol):
    """A detector of many clips, which says whose report each is."""

    @property
    def info(self) -> Mapping[str, Any]:
        """Name, options and provenance of the detector."""

    def render_unordered(
        self, clips: Iterable[tuple[Path, Sequence[Path]]], writers: Sequence[str], **options: Any
    ) -> "Iterator[Rendered]":
        """Yield rendered reports of clips and their copies, as they are complete."""


def load_detector(
    name: str,
    checkpoint: Path | None,
    *,
    fpr: float | None = None,
    trim_silence: bool = False,
    options: Mapping[str, Any] | None = None,
) -> "Detector":
    """Load a detector.

    Args:
        name: Its name, as plug-ins offer it.
        checkpoint: Folder of its weights; its default if not given.
        fpr: False-positive rate to choose its thresholds by; its default ones if not given.
        trim_silence: Require that it heeds the option ``trim_silence``.
        options: How it runs, such as ``threads``.

    Raises:
        BadParameter: It cannot choose a threshold, or does not heed an option.
        ConfigError: It has no threshold for the rate.
        PluginNotFoundError: No plug-in offers a detector of that name.
    """
    from mmmsba_plugin.plugins import at_false_positive_rate, load_with, lookup, require_option

    try:
        detector = load_with(lookup("detectors", name), checkpoint, options or {})
        if trim_silence:
            require_option(detector, "trim_silence")
        return detector if fpr is None else at_false_positive_rate(detector, fpr)
    except CapabilityError as error:
        raise typer.BadParameter(str(error)) from error


class TrustingDetector:
    """A detector in this process: a clip that crashes it ends the run."""

    def __init__(self, detector: "Detector") -> None:
        self._detector = detector
        self.info = detector.info

    def render_unordered(
        self, clips: Iterable[tuple[Path, Sequence[Path]]], writers: Sequence[str], **options: Any
    ) -> "Iterator[Rendered]":
        """Yield rendered reports of clips and their copies, in order."""
        from mmmsba_plugin.isolation import rendered

        for clip, copies in clips:
            yield from rendered(clip, self._detector.detect(clip, **options), copies, writers)


@contextmanager
def isolated_detector(
    name: str,
    checkpoint: Path | None,
    *,
    fpr: float | None,
    workers: int,
    limits: "Limits",
    options: Mapping[str, Any] | None = None,
) -> "Iterator[BatchDetector]":
    """Load a detector in worker processes, and end these afterwards; see :func:`load_detector`.

    It loads while the block begins; its first use says what is wrong with it.
    """
    from mmmsba_plugin.isolation import DetectorChoice, IsolatedDetector
    from mmmsba_plugin.plugins import states

    files = tuple(s.distribution for s in states() if s.distribution.endswith(".py"))
    choice = DetectorChoice(name, checkpoint, fpr, files, options or {})
    with IsolatedDetector(choice, workers=workers, limits=limits) as detector:
        try:
            yield detector
        except CapabilityError as error:
            raise typer.BadParameter(str(error)) from error
