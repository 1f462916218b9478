"""Terminal output about a clip. Imported only once there is something to print."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

from mmmsba_plugin.report.text import (
    ALTERED,
    count_of_real,
    describe_face_track,
    verdict,
    visible,
)
from mmmsba_plugin.schema import FakeSegment, Report
from mmmsba_plugin.timebase import clock

_STYLES = {True: "bold red", False: "green", None: ""}


def console(*, to_stderr: bool = False) -> Console:
    """Return a console that changes nothing in what it is given, and breaks no line."""
    return Console(highlight=False, soft_wrap=True, stderr=to_stderr)


def print_verdict(clip: Path, report: Report, to: Console) -> None:
    """Print the verdict of a report, with its score and how usual that is, on one line."""
    if report.problem is not None:
        words = Text.assemble((report.status, "yellow"), f": {visible(report.problem.message)}")
    else:
        name = verdict(report)
        values = f", score {report.score:.3f}"
        if report.threshold is not None:
            values += f", threshold {report.threshold.value:.3f}"
        if (share := report.real_share_above) is not None:
            values += f"; of 100 real clips, {count_of_real(share)} as high"
        words = Text.assemble((f"{name[0].lower()}{name[1:]}", _STYLES[report.fake]), values)
    to.print(Text.assemble(f"{visible(str(clip))}: ", words))


def print_report(clip: Path, report: Report, to: Console) -> None:
    """Print a report: verdict, segments, opt-outs and warnings."""
    print_verdict(clip, report, to)
    for track in report.face_tracks:
        rests_on = "; the verdict rests on it" if track.track == report.verdict_track else ""
        to.print(visible_text(f"  {describe_face_track(track)}{rests_on}"))
    print_segments(report.segments, to)
    for line in _opt_outs(report):
        to.print(visible_text(f"  {line}"))
    for warning in report.warnings:
        print_warning(warning, to)


def print_segments(segments: Iterable[FakeSegment], to: Console) -> None:
    """Print fake segments, a line each."""
    for segment in segments:
        span = f"{clock(segment.start_s)} to {clock(segment.end_s)}"
        face = "" if segment.track is None else f"  face {segment.track}"
        altered = ALTERED[segment.modality]
        words = "" if segment.words is None else f"  “{segment.words}”"
        to.print(visible_text(f"  {span}  {segment.score:.3f}  {altered}{face}{words}"))


def visible_text(what: str, style: str = "") -> Text:
    """Return words that may hold the name of a file as they are, on one line."""
    return Text(visible(what), style=style)


def failure(what: str, to: Console) -> None:
    """Print an error after which the run goes on."""
    to.print(visible_text(what, "yellow"))


def print_warning(what: str, to: Console) -> None:
    """Print a warning about the clip before."""
    to.print(Text.assemble("  ", ("note: ", "yellow"), visible(what)))


def print_written(paths: Iterable[Path], to: Console) -> None:
    """Print where reports were written."""
    for path in paths:
        to.print(visible_text(f"  wrote {path}", "dim"))


def _opt_outs(report: Report) -> Iterator[str]:
    """Yield the opt-outs of a report, a line each."""
    modality_reports = {} if report.problem else report.modalities
    for modality, modality_report in modality_reports.items():
        if modality_report.opt_outs or modality_report.score is None:
            reasons = ", ".join(
                dict.fromkeys(opt_out.reason for opt_out in modality_report.opt_outs)
            )
            hidden_s = sum(opt_out.end_s - opt_out.start_s for opt_out in modality_report.opt_outs)
            share = (
                "not evaluated"
                if modality_report.score is None
                else f"not evaluated for {hidden_s:.2f} s"
            )
            yield f"{modality} {share}: {reasons or 'absent'}"
