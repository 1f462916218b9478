"""The extension points, and the frozen entries handed through them.

The pluggy project is called ``video_forensics``: a neutral name, so that any toolkit can
host these hooks, or be hosted by them. A hook of plural name offers entries; an entry can be
listed and checked without building anything. An implementation may take fewer arguments
than its hook has, so hooks can grow without breaking it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol

import pluggy

from mmmsba_plugin.config import Config

if TYPE_CHECKING:
    from mmmsba_plugin.errors import DatasetError
    from mmmsba_plugin.forger import ClipForger
    from mmmsba_plugin.record import Record
    from mmmsba_plugin.schema import Media, Report
    from mmmsba_plugin.structures import AudioBlock, FaceCrop, FeatureRows
    from mmmsba_plugin.timebase import Grid

PROJECT = "video_forensics"

#: Version of the hooks, entries and protocols of this module; semantic.
API_VERSION = "1.0"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Detector(Protocol):
    """The stable interface of anything that judges clips."""

    @property
    def info(self) -> Mapping[str, Any]:
        """Name, summary, modalities and provenance, as plain values."""

    def detect(self, media: str | Path, **options: Any) -> "Report":
        """Judge one clip. Unreadable media yield a report of status ``error``."""

    def detect_many(self, media: Iterable[str | Path], **options: Any) -> "Iterator[Report]":
        """Judge clips one after the other; one that fails does not stop the rest."""

    def predict(self, media: str | Path) -> float:
        """Return P(fake) of one clip, in [0, 1]."""


class FeatureExtractor(Protocol):
    """Turns one modality of one clip into rows; built anew for each clip.

    Called as ``start``, then ``add`` for each observation in time order, then ``finish``.
    It must hold no more of the clip than its rows need.
    """

    @property
    def dim(self) -> int:
        """Length of one vector; 0 if it is not known before ``finish``."""

    def start(self, media: "Media", grid: "Grid") -> None:
        """Hear which clip comes, and on which grid its rows shall lie."""

    def add(self, observation: "AudioBlock | FaceCrop") -> None:
        """Take in a block of audio or a face, by what the front-end ``reads``."""

    def finish(self, num_snippets: int) -> "FeatureRows":
        """Return the rows of the clip, shape ``(num_snippets, dim)``."""


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """Offers a way to turn one modality into vectors.

    Attributes:
        name: What a configuration calls it.
        modality: What it serves: ``audio``, ``face``, ``lips`` or a word of its own.
        summary: One line for a person.
        reads: What ``add`` receives: blocks of audio, faces, or nothing at all.
        config: The model of its settings.
        build: Makes an extractor for one clip from settings.
        version: Bumped when its numbers change; cached features of another are not used.
    """

    name: str
    modality: str
    summary: str
    reads: Literal["audio", "faces", "nothing"]
    config: type[Config]
    build: "Callable[[Any], FeatureExtractor]"
    version: int = 1


@dataclass(frozen=True, slots=True)
class DetectorEntry:
    """Offers a detector.

    Attributes:
        name: What ``--detector`` calls it.
        summary: One line for a person.
        modalities: What it looks at.
        load: Makes the detector from a checkpoint folder (or None for its default).
        fit: Trains one on records into a folder and returns that folder; None if it cannot.
    """

    name: str
    summary: str
    modalities: tuple[str, ...]
    load: Callable[[Path | None], Detector]
    fit: "Callable[[Iterable[Record], Mapping[str, Any], Path], Path] | None" = None


@dataclass(frozen=True, slots=True)
class DatasetReader:
    """Offers a way to read a dataset.

    Attributes:
        name: What ``--reader`` calls it.
        summary: One line for a person.
        config: The model of its settings; ``root`` is the folder of the dataset, and ``split``
            and ``need_media`` are heeded where it has them.
        build: Yields the dataset's records lazily.
        recognise: Whether a folder looks like this dataset; never, if not given.
        audit: As ``build``, but tells its second argument of each record that is left out;
            None if it cannot.
    """

    name: str
    summary: str
    config: type[Config]
    build: "Callable[[Any], Iterable[Record]]"
    recognise: Callable[[Path], bool] | None = None
    audit: "Callable[[Any, Callable[[DatasetError], None]], Iterable[Record]] | None" = None


@dataclass(frozen=True, slots=True)
class Writer:
    """Offers a file format for reports.

    Attributes:
        name: What ``--format`` calls it.
        suffix: Put behind the clip's name, with its dot: ``.json``.
        summary: One line for a person.
        write: Writes one report to a text stream.
    """

    name: str
    suffix: str
    summary: str
    write: "Callable[[Report, IO[str]], None]"


@dataclass(frozen=True, slots=True)
class Forger:
    """Offers a way to forge a stretch of a real clip.

    Attributes:
        name: What ``--forger`` calls it.
        modality: What it alters: ``audio`` or ``visual``.
        summary: One line for a person: which real attack it stands for.
        config: The model of its settings.
        build: Makes the forger from settings.
    """

    name: str
    modality: Literal["audio", "visual"]
    summary: str
    config: type[Config]
    build: "Callable[[Any], ClipForger]"


@hookspec
def forensics_detectors() -> Iterable[DetectorEntry]:  # type: ignore[empty-body]
    """Offer detectors.

    Example:
        >>> @hookimpl
        ... def forensics_detectors():
        ...     yield DetectorEntry("mine", "Always sure.", ("audio",), load=lambda path: ...)
    """


@hookspec
def forensics_front_ends() -> Iterable[FrontEnd]:  # type: ignore[empty-body]
    """Offer front-ends.

    Example:
        >>> @hookimpl
        ... def forensics_front_ends():
        ...     yield FrontEnd("rms", "audio", "Loudness.", "audio", Config, build=lambda c: ...)
    """


@hookspec
def forensics_dataset_readers() -> Iterable[DatasetReader]:  # type: ignore[empty-body]
    """Offer readers of datasets.

    Example:
        >>> @hookimpl
        ... def forensics_dataset_readers():
        ...     yield DatasetReader("mine", "My dataset.", Config, build=lambda config: [])
    """


@hookspec
def forensics_writers() -> Iterable[Writer]:  # type: ignore[empty-body]
    """Offer file formats for reports.

    Example:
        >>> @hookimpl
        ... def forensics_writers():
        ...     yield Writer("txt", ".txt", "The score.", lambda r, out: out.write(f"{r.score}"))
    """


@hookspec
def forensics_forgers() -> Iterable[Forger]:  # type: ignore[empty-body]
    """Offer ways to forge a stretch.

    Example:
        >>> @hookimpl
        ... def forensics_forgers():
        ...     yield Forger("mute", "audio", "A word cut out.", Config, build=lambda c: ...)
    """


@hookspec
def forensics_report_ready(report: "Report", media: Path) -> None:
    """Hear that a report was made, for those who index or alert.

    Example:
        >>> @hookimpl
        ... def forensics_report_ready(report):
        ...     print(report.media.path, report.score)
    """
