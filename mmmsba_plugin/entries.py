"""Frozen entries that plug-ins hand over, and the protocols of what they make.

An entry can be listed and checked without building anything. Its fields are given by name, so
that new ones break nobody.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    NotRequired,
    Protocol,
    Self,
    TypedDict,
    get_args,
    runtime_checkable,
)

from mmmsba_plugin.config import Config
from mmmsba_plugin.errors import DatasetError, MmmsbaError, PluginBrokenError

if TYPE_CHECKING:
    from typing import IO

    from mmmsba_plugin.forger import ClipForger
    from mmmsba_plugin.record import Record
    from mmmsba_plugin.schema import Media, Report
    from mmmsba_plugin.structures import AudioBlock, FaceCrop, FeatureRows, Frame
    from mmmsba_plugin.timebase import Grid

#: Version of the plug-in interface; see :mod:`mmmsba_plugin.hookspecs` for what it promises.
API_VERSION = "3.2"

#: What a front-end can need of a clip: its audio, its main face, or its whole frames.
Input = Literal["audio", "faces", "frames"]


class DetectorInfo(TypedDict):
    """Description of a detector, as plain values.

    Attributes:
        name: Its name, as reports have it.
        summary: One line for a person.
        modalities: Modalities that it evaluates.
        false_positive_rates: Rates that it has thresholds for.
        options: Options of ``detect`` that it heeds beyond those of the protocol.
        announces_reports: Whether it calls :func:`mmmsba_plugin.plugins.announce` with each report
            itself; if not, that is done for it.
        reach_s: How far a score depends on what comes before and after it, in seconds: beyond that
            from its ends, a part of a clip is scored as within the whole. A detector that says
            nothing of it may need the whole.
        package_version: This and the rest as in :class:`mmmsba_plugin.schema.Provenance`.
    """

    name: str
    summary: str
    modalities: list[str]
    false_positive_rates: NotRequired[list[float]]
    options: NotRequired[list[str]]
    announces_reports: NotRequired[bool]
    reach_s: NotRequired[float]
    package_version: NotRequired[str]
    api_version: NotRequired[str]
    formula_version: NotRequired[int]
    detector: NotRequired[str]
    checkpoint: NotRequired[str | None]
    checkpoint_sha256: NotRequired[str | None]
    trained_on: NotRequired[str | None]
    calibration: NotRequired[str | None]
    config: NotRequired[dict[str, Any]]


@runtime_checkable
class Detector(Protocol):
    """The stable interface of anything that detects fakes in clips.

    A detector may have more than this, and callers ask for it through
    :mod:`mmmsba_plugin.plugins.capabilities`, which says so where it is missing: the methods
    ``at_false_positive_rate(rate)``, with the rates in ``info["false_positive_rates"]``, and
    ``with_threshold(probability)``, each of which returns a detector; and options of ``detect``
    beyond ``command`` and ``duration_s``, named in ``info["options"]``.
    """

    @property
    def info(self) -> DetectorInfo:
        """Name, summary, modalities and provenance, as plain values."""

    def detect(self, media: str | Path, **options: Any) -> "Report":
        """Predict one clip. Unreadable media yield a report of status ``error``.

        Options that it does not know are tolerated, so that hosts and detectors of different age
        work together; they belong into a warning of the report, so that a misspelt one is seen.
        """

    def detect_many(self, media: Iterable[str | Path], **options: Any) -> "Iterator[Report]":
        """Predict clips one after the other; one that fails does not stop the rest."""

    def predict(self, media: str | Path) -> float:
        """Return P(fake) of one clip, in [0, 1].

        Raises:
            Exception: The clip could not be evaluated; ours is a ``MediaUnreadableError``.
        """


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Fields that every entry has; all are given by name.

    Attributes:
        name: What a command line or a configuration calls it.
        summary: One line for a person.
        needs_api: Version of this interface that it was written for, such as ``3.0``; any will
            do if not given.
        license: Licences of what it runs or reads, code, weights and data, as an SPDX expression
            or in words; None if it says nothing.

    Raises:
        PluginBrokenError: The interface is not of that version, or has no such field, or a field
            was given without its name.
    """

    name: str
    summary: str
    needs_api: str | None = None
    license: str | None = None

    def __new__(cls, *positional: object, **values: object) -> Self:
        """Check the version before ``__init__`` meets a field of another one."""
        name = str(values.get("name", ""))
        entry = f"{cls.__name__} {name!r}"
        if (needed := values.get("needs_api")) is not None and not _serves(str(needed)):
            raise PluginBrokenError(
                f"{entry} needs version {needed} of the plug-in interface, this is {API_VERSION}; "
                "install versions of the plug-in and of mmmsba-plugin that fit",
                plugin=name,
            )
        names = [field.name for field in fields(cls)]
        if positional or (unknown := sorted(values.keys() - set(names))):
            wrong = "a field was given without its name" if positional else f"no field {unknown[0]}"
            raise PluginBrokenError(
                f"{entry}: {wrong} in version {API_VERSION} of the plug-in interface; write "
                f"{cls.__name__}({', '.join(f'{field}=…' for field in names)})",
                plugin=name,
            )
        return object.__new__(cls)


def _serves(needed: str) -> bool:
    """Return whether this interface is of the same major version, and no older."""
    if not re.fullmatch(r"[0-9]+\.[0-9]+", needed):
        return False
    major, minor = (int(number) for number in needed.split("."))
    own_major, own_minor = (int(number) for number in API_VERSION.split("."))
    return major == own_major and minor <= own_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorEntry(Entry):
    """An offer of a detector; ``name`` is what ``--detector`` calls it.

    Attributes:
        modalities: Modalities that it evaluates.
        load: Makes the detector from a checkpoint folder (or None for its default). If it takes
            the keywords ``runtime``, ``device`` or ``threads``, it is given those options of
            the command line.
        fit: Trains one, as ``fit(records, settings, folder)``, and returns the folder of its
            checkpoint; None if it cannot. Ours takes the keywords ``cache``, ``workers``,
            ``cancel`` and ``on_progress`` too; see :mod:`mmmsba_plugin.run_control`.
        finetune: Goes on from a checkpoint (the default one if not given), in the same way, as
            ``finetune(records, settings, folder, checkpoint=folder)``.
        evaluate: Measures a loaded detector, as ``evaluate(detector, records)``; ours takes
            ``cancel``, ``on_progress`` and the settings of
            :func:`mmmsba_plugin.evaluation.evaluate.measure`, whose result it returns. It does so
            with the detectors of others as well.
        devices: PyTorch's names of the kinds of device that it can run on.
        cpu_s_per_s: Processor time that a second of a clip takes on one thread, in seconds; None
            if not known.
    """

    modalities: tuple[str, ...]
    load: Callable[..., Detector]
    fit: Callable[..., Path] | None = None
    finetune: Callable[..., Path] | None = None
    evaluate: Callable[..., Any] | None = None
    devices: tuple[str, ...] = ("cpu",)
    cpu_s_per_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontEnd(Entry):
    """An offer to turn one modality into vectors.

    Attributes:
        modality: What it serves: ``audio``, ``face``, ``lips`` or a word of its own; None if
            it can serve any modality.
        inputs: What ``add`` receives: ``audio`` for :class:`AudioBlock`, ``faces`` for the
            :class:`FaceCrop` of the main person, ``frames`` for each :class:`Frame`; several
            for all of them together, none for a front-end that needs nothing of the clip.
        config: The model of its settings.
        build: Makes an extractor for one clip from settings.
        version: Bumped when its numbers change; cached features of another are not used.
        cpu_s_per_s: Processor time that a second of a clip takes on one thread, in seconds,
            without what decodes it; None if not known.

    Raises:
        PluginBrokenError: ``inputs`` is no set of such words.
    """

    modality: str | None
    inputs: AbstractSet[Input]
    config: type[Config]
    build: "Callable[[Any], FeatureExtractor]"
    version: int = 1
    cpu_s_per_s: float | None = None

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


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetReader(Entry):
    """An offer to read a dataset; ``name`` is what ``--reader`` calls it.

    Attributes:
        config: The model of its settings; ``root`` is the folder of the dataset, and ``split``
            and ``need_media`` are heeded where it has them.
        build: Called as ``build(config, on_error=on_error)``; yields the dataset's records
            lazily, and calls ``on_error`` with the :class:`DatasetError` of each record that
            is left out.
        recognise: Whether a folder looks like this dataset; never, if not given.

    Raises:
        PluginBrokenError: ``build`` takes no ``on_error``.
    """

    config: type[Config]
    build: "Callable[..., Iterable[Record]]"
    recognise: Callable[[Path], bool] | None = None

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

    def read(
        self, settings: Mapping[str, object], *, on_error: "Callable[[DatasetError], None]"
    ) -> "Iterator[Record]":
        """Read the records of a dataset, lazily; what ``build`` refuses at once is raised here.

        Args:
            settings: Settings of the reader, ``root`` among them.
            on_error: Called with the error of each record that is left out.

        Raises:
            ConfigError: A setting is misspelt, or out of bounds.
            DatasetError: The dataset cannot be read on; also whatever else ``build`` raises, which
                is of whoever wrote the reader.
        """
        config = self.config.read(dict(settings))
        with self._as_dataset_error():
            records = self.build(config, on_error=on_error)
        return self._until_it_fails(records)

    def _until_it_fails(self, records: "Iterable[Record]") -> "Iterator[Record]":
        with self._as_dataset_error():
            yield from records

    @contextmanager
    def _as_dataset_error(self) -> Iterator[None]:
        try:
            yield
        except MmmsbaError:
            raise
        except Exception as error:
            raise DatasetError(
                f"the reader {self.name!r} failed: {type(error).__name__}: {error}; mend the "
                "reader, or what it reads"
            ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer(Entry):
    """An offer of a file format for reports; ``name`` is what ``--format`` calls it.

    Attributes:
        suffix: Put behind the clip's name, with its dot: ``.json``.
        write: Writes one report to a text stream.
    """

    suffix: str
    write: "Callable[[Report, IO[str]], None]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forger(Entry):
    """An offer to forge a segment of a real clip; ``name`` is what ``--forger`` calls it.

    Its summary says which real attack it stands for.

    Attributes:
        modality: Stream that it manipulates: ``audio``, ``visual``, or ``both`` for a forger that
            does either, whichever a clip has.
        config: The model of its settings.
        build: Makes the forger from settings.
    """

    modality: Literal["audio", "visual", "both"]
    config: type[Config]
    build: "Callable[[Any], ClipForger]"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadEntry(Entry):
    """An offer of a head of the network; ``name`` is what ``network.heads`` calls it.

    Attributes:
        load: Returns its class, a :class:`mmmsba_plugin.model.heads.Head`; only who trains or
            runs such a network calls it, so that what it imports costs nobody else.

    Raises:
        PluginBrokenError: The name has a dot, which no part of a network can have.
    """

    load: "Callable[[], type[Any]]"

    def __post_init__(self) -> None:
        if "." in self.name:
            raise PluginBrokenError(
                f"a head cannot be called {self.name!r}; leave out the dot", plugin=self.name
            )
