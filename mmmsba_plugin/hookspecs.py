"""The extension points, and the frozen entries handed through them.

The pluggy project is called ``video_forensics``: a neutral name, so that any toolkit can
host these hooks, or be hosted by them. A hook of plural name offers entries; an entry can be
listed and checked without building anything. An implementation may take fewer arguments
than its hook has, so hooks can grow without breaking it.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol, Self, get_args

import pluggy

from mmmsba_plugin.config import Config
from mmmsba_plugin.errors import PluginBrokenError

if TYPE_CHECKING:
    from mmmsba_plugin.forger import ClipForger
    from mmmsba_plugin.record import Record
    from mmmsba_plugin.schema import Media, Report
    from mmmsba_plugin.structures import AudioBlock, FaceCrop, FeatureRows, Frame
    from mmmsba_plugin.timebase import Grid

PROJECT = "video_forensics"

#: Version of the hooks, entries and protocols of this module; semantic.
API_VERSION = "2.0"

#: What a front-end can need of a clip: its audio, its main face, or its whole frames.
Input = Literal["audio", "faces", "frames"]

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Detector(Protocol):
    """The stable interface of anything that detects fakes in clips.

    A detector may have more than this, and callers ask for it through
    :mod:`mmmsba_plugin.plugins.capabilities`, which says so where it is missing: the methods
    ``at_false_positive_rate(rate)``, with the rates in ``info["false_positive_rates"]``, and
    ``with_threshold(probability)``, each of which returns a detector; and options of ``detect``
    beyond ``command`` and ``duration_s``, named in ``info["options"]``.
    """

    @property
    def info(self) -> Mapping[str, Any]:
        """Name, summary, modalities and provenance, as plain values."""

    def detect(self, media: str | Path, **options: Any) -> "Report":
        """Predict one clip. Unreadable media yield a report of status ``error``."""

    def detect_many(self, media: Iterable[str | Path], **options: Any) -> "Iterator[Report]":
        """Predict clips one after the other; one that fails does not stop the rest."""

    def predict(self, media: str | Path) -> float:
        """Return P(fake) of one clip, in [0, 1]."""


class FeatureExtractor(Protocol):
    """An extractor of one modality's rows from one clip; built anew for each clip.

    Called as ``start``, then ``add`` for each observation, then ``finish``. Observations come
    in time order, by where they start; of those that start together, audio comes first, then
    the frame, then the face in it. It must hold no more of the clip than its rows need.
    """

    @property
    def dim(self) -> int:
        """Length of one vector; 0 if it is not known before ``finish``."""

    def start(self, media: "Media", grid: "Grid") -> None:
        """Begin a clip whose rows shall lie on ``grid``."""

    def add(self, observation: "AudioBlock | FaceCrop | Frame") -> None:
        """Take in one observation of a kind that the front-end's ``inputs`` name."""

    def finish(self, num_snippets: int) -> "FeatureRows":
        """Return the rows of the clip, shape ``(num_snippets, dim)``."""


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """An offer to turn one modality into vectors.

    Attributes:
        name: What a configuration calls it.
        modality: What it serves: ``audio``, ``face``, ``lips`` or a word of its own; None if
            it can serve any modality.
        summary: One line for a person.
        inputs: What ``add`` receives: ``audio`` for :class:`AudioBlock`, ``faces`` for the
            :class:`FaceCrop` of the main person, ``frames`` for each :class:`Frame`; several
            for all of them together, none for a front-end that needs nothing of the clip.
        config: The model of its settings.
        build: Makes an extractor for one clip from settings.
        version: Bumped when its numbers change; cached features of another are not used.

    Raises:
        PluginBrokenError: ``inputs`` is no set of such words, or ``reads`` is given, which
            the first version of this interface had in its place.
    """

    name: str
    modality: str | None
    summary: str
    inputs: AbstractSet[Input]
    config: type[Config]
    build: "Callable[[Any], FeatureExtractor]"
    version: int = 1

    def __new__(cls, *_: object, **fields: object) -> Self:
        """Refuse the form of version 1 before ``__init__`` misses an argument."""
        if "reads" in fields:
            word = fields["reads"]
            instead = "set()" if word == "nothing" else f"{{{word!r}}}"
            raise PluginBrokenError(
                f"reads={word!r} is of version 1 of the plug-in interface, this is {API_VERSION}; "
                f"write inputs={instead} instead",
                plugin=str(fields.get("name", "")),
            )
        return object.__new__(cls)

    def __post_init__(self) -> None:
        # Types are a promise of the caller's, and a plug-in need not be type-checked.
        inputs: object = self.inputs
        if not isinstance(inputs, AbstractSet) or set(inputs) - set(get_args(Input)):
            allowed = ", ".join(map(repr, get_args(Input)))
            raise PluginBrokenError(
                f"inputs of front-end {self.name!r} must be a set of {allowed}, got {inputs!r}",
                plugin=self.name,
            )
        object.__setattr__(self, "inputs", frozenset(self.inputs))


@dataclass(frozen=True, slots=True)
class DetectorEntry:
    """An offer of a detector.

    Attributes:
        name: What ``--detector`` calls it.
        summary: One line for a person.
        modalities: Modalities that it evaluates.
        load: Makes the detector from a checkpoint folder (or None for its default). If it takes
            the keywords ``runtime``, ``device`` or ``threads``, it is given those options of
            the command line.
        fit: Trains one on records into a folder and returns that folder; None if it cannot.
    """

    name: str
    summary: str
    modalities: tuple[str, ...]
    load: Callable[..., Detector]
    fit: "Callable[[Iterable[Record], Mapping[str, Any], Path], Path] | None" = None


@dataclass(frozen=True, slots=True)
class DatasetReader:
    """An offer to read a dataset.

    Attributes:
        name: What ``--reader`` calls it.
        summary: One line for a person.
        config: The model of its settings; ``root`` is the folder of the dataset, and ``split``
            and ``need_media`` are heeded where it has them.
        build: Called as ``build(config, on_error=on_error)``; yields the dataset's records
            lazily, and calls ``on_error`` with the :class:`DatasetError` of each record that
            is left out.
        recognise: Whether a folder looks like this dataset; never, if not given.

    Raises:
        PluginBrokenError: ``build`` takes no ``on_error``, or ``audit`` is given, which took it
            in the first version of this interface.
    """

    name: str
    summary: str
    config: type[Config]
    build: "Callable[..., Iterable[Record]]"
    recognise: Callable[[Path], bool] | None = None

    def __new__(cls, *_: object, **fields: object) -> Self:
        """Refuse the form of version 1 before ``__init__`` meets an unknown argument."""
        if "audit" in fields:
            raise PluginBrokenError(
                f"audit= is of version 1 of the plug-in interface, this is {API_VERSION}; give "
                "that function as build= instead",
                plugin=str(fields.get("name", "")),
            )
        return object.__new__(cls)

    def __post_init__(self) -> None:
        try:
            inspect.signature(self.build).bind(None, on_error=None)
        except TypeError as error:
            raise PluginBrokenError(
                f"build of dataset reader {self.name!r} must take (config, on_error): {error}; "
                "call on_error with a DatasetError for each record that is left out",
                plugin=self.name,
            ) from error
        except ValueError:
            pass  # a builtin without a signature may well take it


@dataclass(frozen=True, slots=True)
class Writer:
    """An offer of a file format for reports.

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
    """An offer to forge a segment of a real clip.

    Attributes:
        name: What ``--forger`` calls it.
        modality: Stream that it manipulates: ``audio``, ``visual``, or ``both`` for a forger that
            does either, whichever a clip has.
        summary: One line for a person: which real attack it stands for.
        config: The model of its settings.
        build: Makes the forger from settings.
    """

    name: str
    modality: Literal["audio", "visual", "both"]
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
        ...     yield FrontEnd("rms", "audio", "Loudness.", {"audio"}, Config, build=lambda c: ...)
    """


@hookspec
def forensics_dataset_readers() -> Iterable[DatasetReader]:  # type: ignore[empty-body]
    """Offer readers of datasets.

    Example:
        >>> def read(config, on_error):
        ...     yield Record(config.root / "a.mp4")
        >>> @hookimpl
        ... def forensics_dataset_readers():
        ...     yield DatasetReader("mine", "My dataset.", Config, build=read)
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
    """Offer forgers.

    Example:
        >>> @hookimpl
        ... def forensics_forgers():
        ...     yield Forger("mute", "audio", "A word cut out.", Config, build=lambda c: ...)
    """


@hookspec
def forensics_report_ready(report: "Report", media: Path) -> None:
    """Receive each finished report, to index it or to alert somebody.

    Example:
        >>> @hookimpl
        ... def forensics_report_ready(report):
        ...     print(report.media.path, report.score)
    """
