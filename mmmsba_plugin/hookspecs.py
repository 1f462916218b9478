"""The extension points, through which plug-ins hand over their entries.

The pluggy project is called ``video_forensics``: a neutral name, so that any toolkit can
host these hooks, or be hosted by them. A hook of plural name offers entries; what an entry says
stands in :mod:`mmmsba_plugin.entries`. An implementation may take fewer arguments than its hook
has, so hooks can grow without breaking it.

What is stable. :data:`API_VERSION` is semantic. Within a major version nothing that is public goes
away or changes its meaning: the names in ``__all__`` of this module and of :mod:`mmmsba_plugin`,
and those without underscore of :mod:`~mmmsba_plugin.plugins`, :mod:`~mmmsba_plugin.config`,
:mod:`~mmmsba_plugin.structures`, :mod:`~mmmsba_plugin.forger`, :mod:`~mmmsba_plugin.record`,
:mod:`~mmmsba_plugin.schema`, :mod:`~mmmsba_plugin.segment`, :mod:`~mmmsba_plugin.timebase`,
:mod:`~mmmsba_plugin.errors` and :mod:`~mmmsba_plugin.testing`;
:class:`mmmsba_plugin.model.heads.Head`, :func:`mmmsba_plugin.media.probe.probe` and
:func:`mmmsba_plugin.media.audio.read_audio`; every hook with its arguments; fields of entries and
methods of protocols. A minor version may add hooks, arguments of hooks, fields with defaults,
options of ``detect`` and keys of ``info``. All else is ours to change.

What will go away is first deprecated: it works on, raises a ``DeprecationWarning`` that names
what takes its place, and stands in the changelog, for one minor version at least; it goes with
the next major one.

A plug-in says in ``needs_api`` of its entries which version it was written for. Where that is not
served, or a field is not known, the plug-in is listed as broken, with the reason, and all others
load.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pluggy

from mmmsba_plugin.entries import (
    API_VERSION,
    DatasetReader,
    Detector,
    DetectorEntry,
    DetectorInfo,
    FeatureExtractor,
    Forger,
    FrontEnd,
    HeadEntry,
    Input,
    Writer,
)

if TYPE_CHECKING:
    from mmmsba_plugin.schema import Report

__all__ = [
    "API_VERSION",
    "PROJECT",
    "DatasetReader",
    "Detector",
    "DetectorEntry",
    "DetectorInfo",
    "FeatureExtractor",
    "Forger",
    "FrontEnd",
    "HeadEntry",
    "Input",
    "Writer",
    "hookimpl",
    "hookspec",
]

PROJECT = "video_forensics"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def forensics_detectors() -> Iterable[DetectorEntry]:  # type: ignore[empty-body]
    """Offer detectors.

    Example:
        >>> @hookimpl
        ... def forensics_detectors():
        ...     yield DetectorEntry(
        ...         name="mine",
        ...         summary="Always sure.",
        ...         modalities=("audio",),
        ...         load=lambda path: ...,
        ...     )
    """


@hookspec
def forensics_front_ends() -> Iterable[FrontEnd]:  # type: ignore[empty-body]
    """Offer front-ends.

    Example:
        >>> @hookimpl
        ... def forensics_front_ends():
        ...     yield FrontEnd(
        ...         name="rms",
        ...         modality="audio",
        ...         summary="Loudness.",
        ...         inputs={"audio"},
        ...         config=Config,
        ...         build=lambda config: ...,
        ...     )
    """


@hookspec
def forensics_dataset_readers() -> Iterable[DatasetReader]:  # type: ignore[empty-body]
    """Offer readers of datasets.

    Example:
        >>> def read(config, on_error):
        ...     yield Record(config.root / "a.mp4")
        >>> @hookimpl
        ... def forensics_dataset_readers():
        ...     yield DatasetReader(name="mine", summary="My dataset.", config=Config, build=read)
    """


@hookspec
def forensics_writers() -> Iterable[Writer]:  # type: ignore[empty-body]
    """Offer file formats for reports.

    Example:
        >>> def write(report, stream):
        ...     stream.write(f"{report.score}")
        >>> @hookimpl
        ... def forensics_writers():
        ...     yield Writer(name="txt", suffix=".txt", summary="The score.", write=write)
    """


@hookspec
def forensics_forgers() -> Iterable[Forger]:  # type: ignore[empty-body]
    """Offer forgers.

    Example:
        >>> @hookimpl
        ... def forensics_forgers():
        ...     yield Forger(
        ...         name="mute",
        ...         modality="audio",
        ...         summary="A word cut out.",
        ...         config=Config,
        ...         build=lambda config: ...,
        ...     )
    """


@hookspec
def forensics_heads() -> Iterable[HeadEntry]:  # type: ignore[empty-body]
    """Offer heads of the network: what else is learned of each snippet.

    Example:
        >>> @hookimpl
        ... def forensics_heads():
        ...     yield HeadEntry(name="edges", summary="Where a fake begins.", load=lambda: ...)
    """


@hookspec
def forensics_report_ready(report: "Report", media: Path) -> None:
    """Receive each finished report, to index it or to alert somebody.

    Called once for each report, whichever detector made it and whichever way it was run, in the
    process that asked for it, not in its workers.

    Example:
        >>> @hookimpl
        ... def forensics_report_ready(report):
        ...     print(report.media.path, report.score)
    """
