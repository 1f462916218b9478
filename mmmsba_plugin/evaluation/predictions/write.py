"""Writes what a system said about a whole dataset, for the evaluations of this field."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from mmmsba_plugin.errors import PredictionsError
from mmmsba_plugin.evaluation.predictions.formats import PROPOSALS, SCORES
from mmmsba_plugin.evaluation.predictions.match_keys import file_stem, stem
from mmmsba_plugin.evaluation.tables import Predictions, Scores
from mmmsba_plugin.files import atomic_write, ensure_dir
from mmmsba_plugin.report.benchmark_formats import (
    ACTIVITYNET_HEAD,
    activitynet_entries,
    submission_rows,
    writable,
)
from mmmsba_plugin.segment import Spans


def write_submission(predictions: Predictions, folder: Path) -> list[Path]:
    """Write what AV-Deepfake1M's evaluation takes, and return what was written.

    ``prediction.json`` holds each clip that the system judged or found anything in, rounded
    and ranked as :func:`~mmmsba_plugin.report.benchmark_formats.submission_rows` says; it is not
    written for a system that does not localize. ``prediction.txt`` holds the score of each
    clip that was evaluated, in full.

    Args:
        predictions: What the system said, by the names that the evaluation knows.
        folder: Where to; it is made if it is not there.

    Raises:
        PredictionsError: A clip's name holds a line break, so no line can hold it.
        OutputError: The folder cannot be made or written to.
    """
    if broken := [key for key in predictions.scores if "\n" in key or "\r" in key]:
        raise PredictionsError(f"the name {broken[0]!r} holds a line break; rename the clip")
    ensure_dir(folder)
    paths = []
    if predictions.proposals is not None:
        entries = ((key, submission_rows(*proposals)) for key, proposals in _clips(predictions))
        paths.append(_write(folder / PROPOSALS, chain(["{"], _members(entries), ["\n}\n"])))
    if predictions.scores:
        scores = predictions.scores.items()
        lines = (f"{writable(key)};{float(score)!r}\n" for key, score in scores)
        paths.append(_write(folder / SCORES, lines))
    return paths


def write_activitynet(predictions: Predictions, path: Path) -> None:
    """Write ActivityNet's results, as OpenTAD and UMMAFormer read them.

    A clip is called by the name of its file without extension, as UMMAFormer has it; or by its
    whole path, still without extension, where two would be called alike.

    Raises:
        PredictionsError: The system does not localize, or names differ by their extension alone.
    """
    keys = [writable(key) for key, _ in _clips(predictions)]
    identifiers = [file_stem(key) for key in keys]
    if len(set(identifiers)) != len(keys):
        identifiers = [stem(key) for key in keys]
    if len(set(identifiers)) != len(keys):
        raise PredictionsError(
            "two clips differ by their extension alone, which ActivityNet's format leaves out; "
            "write a submission instead, or rename one"
        )
    entries = (activitynet_entries(*proposals) for _, proposals in _clips(predictions))
    # The results are put into the last of the braces that close it.
    head = json.dumps({**ACTIVITYNET_HEAD, "results": {}}).removesuffix("}}")
    _write(path, chain([head], _members(zip(identifiers, entries, strict=True)), ["}}\n"]))


def _clips(predictions: Predictions) -> Iterator[tuple[str, tuple[Spans, Scores]]]:
    """Yield each clip with its proposals, those in which nothing was found too."""
    if predictions.proposals is None or predictions.proposals.scores is None:
        raise PredictionsError(
            f"{predictions.name} has no segments with scores, which is all that this "
            "format holds; write its scores of whole clips as a submission"
        )
    keys = list(dict.fromkeys([*predictions.proposals.keys, *predictions.scores]))
    table = predictions.proposals.aligned(keys)
    scores = np.zeros(0) if table.scores is None else table.scores
    for key, start, end in zip(keys, table.offsets[:-1], table.offsets[1:], strict=True):
        yield key, (table.spans[start:end], scores[start:end])


def _members(entries: Iterable[tuple[str, Sequence[object]]]) -> Iterator[str]:
    """Yield the members of a JSON object, one clip a line; no more than one is held."""
    separator = "\n"
    for key, value in entries:
        yield f"{separator}{json.dumps(writable(key))}: {json.dumps(value)}"
        separator = ",\n"


def _write(path: Path, lines: Iterable[str]) -> Path:
    with atomic_write(path) as file:
        file.writelines(lines)
    return path
