"""Reads scores of clips from lines of ``clip;score``, or ``clip,score``."""

import math
from pathlib import Path

from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.evaluation.predictions.forms import separator_of


def read_scores(path: Path) -> dict[str, float]:
    """Return the score of each clip.

    The semicolon is AV-Deepfake1M's, the comma MM-DDL's; a file has one of them. The name of a
    clip may hold either: it ends at the last one of its line.

    Raises:
        DatasetError: The file holds no line, a line is none of these, a clip comes twice, or a
            score is not finite; the message names file, line and clip.
    """
    scores: dict[str, float] = {}
    separator: str | None = None
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        separator = separator or separator_of(line)
        key, score = _parted(line, separator, f"{path}, line {number}")
        if key in scores:
            raise DatasetError(f"{path}, line {number}: {key!r} comes a second time; keep one")
        scores[key] = score
    if not scores:
        raise DatasetError(f"{path} is empty; write one clip a line, as 000001.mp4;0.9128")
    return scores


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is no text in UTF-8: {error.reason}; save it so") from error
    # Not by `splitlines`, which also ends lines at signs that a name may hold.
    return text.replace("\r\n", "\n").split("\n")


def _parted(line: str, separator: str | None, where: str) -> tuple[str, float]:
    key, _, number = line.rpartition(separator or ";")
    try:
        score = float(number)
    except ValueError:
        score = math.nan
    if not key or not math.isfinite(score):
        raise DatasetError(
            f"{where}: {line!r} is no clip with a score; write one clip a line, as "
            "000001.mp4;0.9128"
        )
    return key, score
