"""Loading of a detector for a command, with the options that it must heed."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from mmmsba_plugin.errors import CapabilityError

if TYPE_CHECKING:
    from mmmsba_plugin.distributed import RayConfig
    from mmmsba_plugin.hookspecs import Detector
    from mmmsba_plugin.isolation import DetectorChoice, Rendered
    from mmmsba_plugin.workers import Limits

Checkpoint = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Trained weights, as `mmmsba train` wrote, or `fast`, bundled ones that take half "
        "of the time and find less; the bundled ones if not given.",
    ),
]
DetectorName = Annotated[str, typer.Option(help="Detector to use; see `mmmsba plugins`.")]
FalsePositiveRate = Annotated[
    float | None,
    typer.Option(
        metavar="RATE",
        help="Share of real clips that may be flagged, such as 0.05; the checkpoint's default "
        "threshold if not given.",
    ),
]
TrimSilence = Annotated[
    bool | None,
    typer.Option(
        "--trim-silence/--no-trim-silence",
        help="Evaluate clips only from where their audio begins; as trained if not given.",
    ),
]


class BatchDetector(Protocol):
    """A detector of many clips, which says whose report each is."""

    @property
    def info(self) -> Mapping[str, Any]:
        """Name, options and provenance of the detector."""

    def render_unordered(
        self,
        clips: Iterable[tuple[Path, Sequence[Path]]],
        writers: Sequence[str],
        *,
        stops: Callable[[], bool],
        **options: Any,
    ) -> "Iterator[Rendered]":
        """Yield rendered reports of clips and their copies; begin no further one once it stops."""


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


@contextmanager
def engine(
    load: "DetectorChoice",
    *,
    workers: int,
    limits: "Limits | None",
    cluster: "RayConfig | None" = None,
) -> "Iterator[BatchDetector]":
    """Load a detector where it shall detect, and end its workers afterwards.

    In workers it loads while the block begins; its first use says what is wrong with it.

    Args:
        load: The detector.
        workers: Number of processes on this machine.
        limits: What a clip may take; None to detect in this very process, or in Ray's workers.
        cluster: Workers of a Ray cluster that detect instead of this machine.

    Raises:
        BadParameter: It cannot choose a threshold, or does not heed an option.
    """
    from mmmsba_plugin.distributed import RayDetector
    from mmmsba_plugin.isolation import IsolatedDetector, TrustingDetector

    detector: AbstractContextManager[BatchDetector]
    try:
        if cluster is not None:
            detector = RayDetector(load, cluster, limits=limits)
        elif limits is None:
            detector = nullcontext(TrustingDetector(load()))
        else:
            detector = IsolatedDetector(load, workers=workers, limits=limits)
        with detector as entered:
            yield entered
    except CapabilityError as error:
        raise typer.BadParameter(str(error)) from error


def detector_choice(
    name: str,
    checkpoint: Path | None,
    *,
    fpr: float | None = None,
    threshold: float | None = None,
    options: Mapping[str, Any] | None = None,
) -> "DetectorChoice":
    """Return a detector that other processes can load, with the plug-in files of this one."""
    from mmmsba_plugin.isolation import DetectorChoice
    from mmmsba_plugin.plugins import states

    files = tuple(s.distribution for s in states() if s.distribution.endswith(".py"))
    return DetectorChoice(name, checkpoint, fpr, files, options or {}, threshold)
