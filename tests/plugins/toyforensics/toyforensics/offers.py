"""Entries that this distribution offers to a host of ``video_forensics``."""

from collections.abc import Iterator

from mmmsba_plugin import hookimpl
from mmmsba_plugin.hookspecs import DetectorEntry, FrontEnd, Writer
from toyforensics.detector import LoudnessJumps
from toyforensics.loudness import Loudness, LoudnessConfig
from toyforensics.verdict import write_verdict

LOUDNESS = FrontEnd(
    name="toy-loudness",
    needs_api="3.0",
    modality="audio",
    summary="Mean and peak level of each snippet.",
    inputs=frozenset({"audio"}),
    config=LoudnessConfig,
    build=Loudness,
)

VERDICT = Writer(
    name="toy-verdict",
    needs_api="3.0",
    suffix=".txt",
    summary="One line: the score, or why there is none.",
    write=write_verdict,
)

JUMPS = DetectorEntry(
    name="toy-jumps",
    needs_api="3.0",
    summary="Suspects sudden changes of loudness; a toy that a slammed door deceives.",
    modalities=("audio",),
    load=lambda checkpoint: LoudnessJumps(),
)


@hookimpl
def forensics_front_ends() -> Iterator[FrontEnd]:
    """Offer the loudness front-end."""
    yield LOUDNESS


@hookimpl
def forensics_writers() -> Iterator[Writer]:
    """Offer the one-line writer."""
    yield VERDICT


@hookimpl
def forensics_detectors() -> Iterator[DetectorEntry]:
    """Offer the toy detector."""
    yield JUMPS
