"""Writes a report in the formats of annotation tools.

Each of them shows segments, and few have a place for anything else. So that no file is silent
about what it leaves out, each says the verdict where there is room, and marks what was not
evaluated as a segment of its own kind: without it, a clip that could not be read would look
like one without fakes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Final
from urllib.parse import quote

from mmmsba_plugin.report.benchmark_formats import writable
from mmmsba_plugin.report.text import verdict, visible
from mmmsba_plugin.report.writers import cue_span
from mmmsba_plugin.schema import ManipulatedModality, Report
from mmmsba_plugin.timebase import vtt_clock

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

#: How long a note about the whole clip is shown where the clip's duration is not known.
_NOTE_S: Final = 5.0
#: ELAN's schema wants a date; this is what it gets where a report has none.
_NO_DATE: Final = "1970-01-01T00:00:00Z"
_CAUTION: Final = "an indication by a statistical model, not evidence for a court"

#: Signs that players take for markup in subtitles, and what is shown instead.
_NO_MARKUP = str.maketrans("<>{}", "()()")

#: What segments of each manipulated stream are called.
NAMES: dict[ManipulatedModality | None, str] = {
    "audio": "Fake audio",
    "visual": "Fake video",
    "both": "Fake video and audio",
    None: "Fake",
}
#: What spans are called that are neither real nor fake.
NOT_EVALUATED: Final = "Not evaluated"


@dataclass(frozen=True, slots=True)
class Gap:
    """A span that was not evaluated, by a modality or, where none is named, by any."""

    start_s: float
    end_s: float
    modality: str | None
    reason: str

    @property
    def words(self) -> str:
        """The reason, with the modality that it is about."""
        return f"{self.modality}: {self.reason}" if self.modality else self.reason


def write_audacity(report: Report, stream: IO[str]) -> None:
    """Write a label track: the verdict as a point at zero, then a row a segment and opt-out.

    Source:
        Audacity's manual, "Importing and Exporting Labels": start, end and text between tabs.
    """
    for start_s, end_s, text in _labels(report, verdict_s=0.0):
        stream.write(f"{start_s:.6f}\t{end_s:.6f}\t{visible(text)}\n")


def write_srt(report: Report, stream: IO[str]) -> None:
    """Write SubRip subtitles in order of time: the verdict, fake segments, and opt-outs.

    SubRip has no notes as WebVTT has, so the verdict is shown for the first seconds.
    """
    cues = sorted(_labels(report, verdict_s=_NOTE_S), key=itemgetter(0))
    for number, (start_s, end_s, text) in enumerate(cues, start=1):
        times = " --> ".join(vtt_clock(time_s).replace(".", ",") for time_s in (start_s, end_s))
        stream.write(f"{number}\n{times}\n{visible(text).translate(_NO_MARKUP)}\n\n")


def _labels(report: Report, *, verdict_s: float) -> Iterator[tuple[float, float, str]]:
    if not report.problem:
        yield 0.0, verdict_s, statement(report)
    for segment in report.segments:
        yield *cue_span(segment), f"{NAMES[segment.modality]}: {segment.score:.3f}"
    for gap in not_evaluated(report):
        yield gap.start_s, gap.end_s, f"{NOT_EVALUATED}: {gap.words}"


def write_rttm(report: Report, stream: IO[str]) -> None:
    """Write a ``SPEAKER`` row a segment, whose speaker is what is fake, with its confidence.

    A clip that was not evaluated is a ``NOSCORE`` row. The verdict and opt-outs are comments,
    which have ten fields too, since some readers split comments like any other row.

    Source:
        NIST, "KWS15 evaluation plan", appendix on RTTM.
    """
    name = _encoded(PurePath(writable(report.media.path)).stem) or "_"
    for kind, start_s, end_s, text, score in _rttm_rows(report):
        times = f"{start_s:.6f} {end_s - start_s:.6f}"
        confidence = "<NA>" if score is None else f"{score:.6f}"
        stream.write(f"{kind} {name} 1 {times} <NA> <NA> {_encoded(text)} {confidence} <NA>\n")


def _rttm_rows(report: Report) -> Iterator[tuple[str, float, float, str, float | None]]:
    if not report.problem:
        yield ";;", 0.0, report.duration_s, statement(report), report.score
    for gap in not_evaluated(report):
        kind = ";;" if gap.modality else "NOSCORE"
        yield kind, gap.start_s, gap.end_s, gap.words, None
    for segment in report.segments:
        yield "SPEAKER", *cue_span(segment), NAMES[segment.modality], segment.score


def write_elan(report: Report, stream: IO[str]) -> None:
    """Write an ELAN document: a tier for each kind of fake, and one a modality for opt-outs.

    Source:
        ELAN Annotation Format, schema 3.0; times are whole milliseconds.
    """
    import xml.etree.ElementTree as ET

    stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    tree = _elan_tree(report)
    ET.indent(tree)
    stream.write(ET.tostring(tree, encoding="unicode") + "\n")


def _elan_tree(report: Report) -> "Element":
    import xml.etree.ElementTree as ET

    root = ET.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": made_by(report),
            "DATE": report.provenance.created_utc or _NO_DATE,
            "FORMAT": "3.0",
            "VERSION": "3.0",
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
        },
    )
    header = ET.SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    mime = "video/*" if report.media.video else "audio/*"
    ET.SubElement(header, "MEDIA_DESCRIPTOR", MEDIA_URL=media_url(report), MIME_TYPE=mime)
    ET.SubElement(header, "PROPERTY", NAME="verdict").text = visible(statement(report))
    slots = ET.SubElement(root, "TIME_ORDER")
    for tier, spans in _tiers(report).items():
        rows = ET.SubElement(root, "TIER", LINGUISTIC_TYPE_REF="default-lt", TIER_ID=tier)
        for start_s, end_s, text in spans:
            refs = {}
            for edge, time_s in enumerate((start_s, end_s), start=1):
                refs[f"TIME_SLOT_REF{edge}"] = f"ts{len(slots) + 1}"
                ET.SubElement(
                    slots, "TIME_SLOT", TIME_SLOT_ID=f"ts{len(slots) + 1}",
                    TIME_VALUE=str(round(time_s * 1000)),
                )  # fmt: skip
            row = ET.SubElement(ET.SubElement(rows, "ANNOTATION"), "ALIGNABLE_ANNOTATION")
            row.attrib.update({"ANNOTATION_ID": f"a{len(slots) // 2}", **refs})
            ET.SubElement(row, "ANNOTATION_VALUE").text = visible(text)
    ET.SubElement(
        root, "LINGUISTIC_TYPE", GRAPHIC_REFERENCES="false", LINGUISTIC_TYPE_ID="default-lt",
        TIME_ALIGNABLE="true",
    )  # fmt: skip
    return root


def _tiers(report: Report) -> dict[str, list[tuple[float, float, str]]]:
    """List the rows of each tier; a clip that was evaluated has a tier of fakes in any case."""
    tiers: dict[str, list[tuple[float, float, str]]] = {}
    if report.status == "ok" and not report.segments:
        tiers[NAMES[None]] = []
    for segment in report.segments:
        row = (*cue_span(segment), f"{segment.score:.3f}")
        tiers.setdefault(NAMES[segment.modality], []).append(row)
    for gap in not_evaluated(report):
        tier = f"{NOT_EVALUATED}: {gap.modality}" if gap.modality else NOT_EVALUATED
        tiers.setdefault(tier, []).append((gap.start_s, gap.end_s, gap.reason))
    return tiers


def not_evaluated(report: Report) -> list[Gap]:
    """List opt-outs by modality; of a clip that was not evaluated, the whole with the reason."""
    if report.problem:
        reason = f"{report.problem.kind}: {report.problem.message}"
        return [Gap(0.0, report.duration_s or _NOTE_S, None, reason)]
    return [
        Gap(*cue_span(opt_out), modality, opt_out.reason)
        for modality, alone in report.modalities.items()
        for opt_out in alone.opt_outs
    ]


def statement(report: Report) -> str:
    """Format the verdict with its numbers, or why there are none."""
    words = verdict(report)
    if report.problem:
        return f"{words}: {report.problem.kind}: {report.problem.message}"
    words += f": score {report.score:.3f}"
    if report.threshold:
        words += f", threshold {report.threshold.value:.3f}"
    return f"{words} ({_CAUTION})"


def made_by(report: Report) -> str:
    """Return the detector and its weights, as the author of annotations."""
    origin = report.provenance
    weights = f" with {origin.checkpoint}" if origin.checkpoint else ""
    return visible(f"{origin.detector}{weights} (mmmsba-plugin {origin.package_version})")


def _encoded(text: str) -> str:
    """Return text without a space or any other sign that a row or an address splits at."""
    return quote(writable(text), safe="")


def media_url(report: Report) -> str:
    """Return the address of the media file, which is relative if its path is."""
    path = PurePath(writable(report.media.path))
    return path.as_uri() if path.is_absolute() else quote(path.as_posix(), safe="/")
