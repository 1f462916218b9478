"""A report as one line of text."""

from typing import IO

from mmmsba_plugin.schema import Report


def write_verdict(report: Report, stream: IO[str]) -> None:
    """Write the score and the fake segments, or why there is no score."""
    if report.problem is not None:
        verdict = f"no score: {report.problem.message}"
    else:
        segments = [f"{s.start_s:.2f}-{s.end_s:.2f} s" for s in report.segments]
        verdict = f"{report.score:.3f} {', '.join(segments) or 'nothing forged'}"
    stream.write(f"{' '.join(verdict.split())}\n")
