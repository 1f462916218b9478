"""Reads ActivityNet's results, as OpenTAD, ActionFormer and UMMAFormer write them."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from mmmsba_plugin.errors import PredictionsError
from mmmsba_plugin.evaluation.tables import Scores, SpanTable
from mmmsba_plugin.segment import Spans

_SHAPE = '{"score": 0.9, "segment": [1.0, 2.5]}'


def read_activitynet(path: Path) -> SpanTable:
    """Read the proposals of each clip, in the order of the file.

    Every entry is taken for a forgery: work on localization knows one label, by various names.

    Raises:
        PredictionsError: It is no JSON, has no ``results``, names a clip twice, or an entry is
            malformed; the message names file and clip.
    """

    def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        entries = dict(pairs)
        if len(entries) != len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in entries if keys.count(key) > 1)
            raise PredictionsError(
                f"{path}: {twice!r} comes twice in one object; keep one", path=path
            )
        return entries

    try:
        whole = json.loads(path.read_bytes(), object_pairs_hook=object_of)
    except PredictionsError:
        raise
    except (ValueError, RecursionError) as error:
        raise PredictionsError(
            f"{path} is no JSON or breaks off ({error}); copy it anew", path=path
        ) from error
    results = whole.get("results") if isinstance(whole, dict) else None
    if not isinstance(results, dict):
        raise PredictionsError(
            f"{path} has no 'results' by clip, so it is not in ActivityNet's format; state another",
            path=path,
        )
    return SpanTable.of_proposals(
        {key: _rows(entries, path, key) for key, entries in results.items()}
    )


def _rows(entries: Any, path: Path, key: str) -> tuple[Spans, Scores]:  # noqa: ANN401 - any JSON
    try:
        # The pair is taken apart by name: an array would also take segments of three ends.
        flat = [(e["score"], start, end) for e in entries for start, end in (e["segment"],)]
        rows = np.array(flat, dtype=np.float64).reshape(-1, 3)
    except (TypeError, KeyError, ValueError, OverflowError) as error:
        raise PredictionsError(
            f"{path}: clip {key!r} has an entry that is not as {_SHAPE}; correct it", path=path
        ) from error
    return rows[:, 1:], rows[:, 0]
