"""Writes where a report's forgeries are, in the formats of the field's evaluations."""

import json
from pathlib import PurePath
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.schema import Report

_Floats = NDArray[np.float64]

#: What ActivityNet's evaluation wants beside the results.
ACTIVITYNET_HEAD: Final = {"version": "VERSION 1.3", "external_data": {}}
#: What UMMAFormer calls the one label of this field.
LABEL: Final = "Fake"

#: What a clip without proposals has instead.
_NOTHING = [0.0, 0.0, 0.0]
_SCORE_DECIMALS, _TIME_DECIMALS = 4, 2


def submission_rows(spans: _Floats, scores: _Floats) -> list[list[float]]:
    """Return proposals of one clip as rows of score, start and end, best first.

    Scores are rounded to 4 digits and seconds to 2, and what then has the score 0 is left out,
    as AV-Deepfake1M's own tools do. Best first, because its evaluator takes the first rows for
    the best. A clip of which nothing is left gets a row of zeros, because it ends in a panic at
    a clip without any.

    Args:
        spans: Start and end in seconds, shape ``(proposal, 2)``.
        scores: Of each, shape ``(proposal,)``.

    Example:
        >>> submission_rows(np.array([[0.5, 1.004], [2.0, 3.0]]), np.array([0.12345, 0.9]))
        [[0.9, 2.0, 3.0], [0.1234, 0.5, 1.0]]
        >>> submission_rows(np.zeros((0, 2)), np.zeros(0))
        [[0.0, 0.0, 0.0]]
    """
    order = np.argsort(-scores, kind="stable")
    rounded = (np.round(scores[order], _SCORE_DECIMALS), np.round(spans[order], _TIME_DECIMALS))
    # Adding zero makes a rounded -0.0 an ordinary one.
    rows = np.column_stack(rounded) + 0.0
    scored_rows: list[list[float]] = rows[rows[:, 0] != 0].tolist()
    return scored_rows or [_NOTHING]


def activitynet_entries(spans: _Floats, scores: _Floats) -> list[dict[str, Any]]:
    """Return proposals of one clip as ActivityNet's entries, unrounded and in their order.

    Args:
        spans: Start and end in seconds, shape ``(proposal, 2)``.
        scores: Of each, shape ``(proposal,)``.
    """
    rows = zip(scores.tolist(), spans.tolist(), strict=True)
    return [{"label": LABEL, "score": score, "segment": span} for score, span in rows]


def write_av_deepfake1m(report: Report, stream: IO[str]) -> None:
    """Write one clip's entry of AV-Deepfake1M's ``prediction.json``, as an object of its own.

    Source:
        The 1M-Deepfakes challenge's format of submissions.
    """
    rows = submission_rows(*_proposals(report))
    stream.write(json.dumps({_file(report).name: rows}) + "\n")


def write_activitynet(report: Report, stream: IO[str]) -> None:
    """Write one clip's results in ActivityNet's format, under its file's name without extension.

    Source:
        ActivityNet's evaluation of detection, as UMMAFormer's and OpenTAD's take it.
    """
    results = {_file(report).stem: activitynet_entries(*_proposals(report))}
    stream.write(json.dumps({**ACTIVITYNET_HEAD, "results": results}) + "\n")


def writable(name: str) -> str:
    r"""Return a name that UTF-8 can hold: bytes that are no text as escapes.

    Example:
        >>> writable("a\udcff.mp4")
        'a\\udcff.mp4'
    """
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _file(report: Report) -> PurePath:
    path = writable(report.media.path)
    return PurePath(PurePath(path).name or path)


def _proposals(report: Report) -> tuple[_Floats, _Floats]:
    rows = [(p.score, p.start_s, p.end_s) for p in report.proposals]
    table = np.array(rows, dtype=np.float64).reshape(-1, 3)
    return table[:, 1:], table[:, 0]
