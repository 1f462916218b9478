"""Names the clips of predictions as a dataset names them.

Evaluations of this field name one clip by its path in the dataset, by its file's name, or by
that without its extension; our reports hold the path that it was read from. A name is matched
in the strictest of these ways in which any of the file is, and never where it could be two
clips: figures of the wrong clips look like figures.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from mmmsba_plugin.errors import PredictionsError
from mmmsba_plugin.evaluation.tables import Predictions
from mmmsba_plugin.files import VIDEO_SUFFIXES

Value = TypeVar("Value")

_log = logging.getLogger(__name__)


def matched(predictions: Predictions, keys: Sequence[str]) -> Predictions:
    """Name the clips of predictions as a dataset does.

    Two names are of one clip where they are equal, or one ends with the other by whole folders
    (``/data/test/000.mp4`` and ``test/000.mp4``); failing that for the whole file, where they
    do so without extension; then where the names of their files are equal, and last where
    those are without extension. Matches by the last two of names whose folders differ are
    logged as a warning.

    Args:
        predictions: What a system said, by its own names.
        keys: What the dataset calls its clips.

    Returns:
        The same answers by ``keys``. ``unknown`` are names that are no clip of the dataset,
        ``missing`` are clips of which nothing was said: nothing was found in them, and they
        were not evaluated.

    Raises:
        PredictionsError: No name is a clip's, one could be several clips', or several are one's.
    """
    table = predictions.proposals
    names = list(dict.fromkeys([*predictions.scores, *(table.keys if table else ())]))
    name_of = _pairs(names, keys)
    if keys and not name_of:
        first = repr(names[0]) if names else "none"
        raise PredictionsError(
            f"none of {len(names)} predictions of {predictions.name} is of a clip of the dataset, "
            f"which has {len(keys)}; the first prediction is {first}, the first clip "
            f"{keys[0]!r}: check dataset and split"
        )
    if table is not None:
        present = set(table.keys)
        matched_keys = [key for key in keys if name_of.get(key) in present]
        table = replace(table.aligned([name_of[key] for key in matched_keys]), keys=matched_keys)
    used_names = set(name_of.values())
    return replace(
        predictions,
        scores=_renamed(predictions.scores, name_of),
        proposals=table,
        by_modality={m: _renamed(by, name_of) for m, by in predictions.by_modality.items()},
        curves=_renamed(predictions.curves, name_of),
        unknown=[name for name in names if name not in used_names],
        missing=[key for key in keys if key not in name_of],
    )


def _renamed(values: Mapping[str, Value], name_of: Mapping[str, str]) -> dict[str, Value]:
    return {key: values[name] for key, name in name_of.items() if name in values}


def _whole(name: str) -> str:
    # Windows writes a path with other strokes than the dataset does.
    parts = name.replace("\\", "/").split("/")
    return "/".join(folder for folder in parts if folder not in ("", "."))


def stem(name: str) -> str:
    """Return a name without its extension, and its folders in one spelling."""
    whole = _whole(name)
    # Only of files that can hold a video: an identifier may have dots of its own.
    start, dot, suffix = whole.rpartition(".")
    return start if f"{dot}{suffix}".lower() in VIDEO_SUFFIXES else whole


def _file_name(name: str) -> str:
    return _whole(name).rpartition("/")[2]


def file_stem(name: str) -> str:
    """Return a name without folders and extension."""
    return stem(name).rpartition("/")[2]


#: Ways to read a name, the strictest first; and whether it leaves the folders out.
_WAYS: tuple[tuple[Callable[[str], str], bool], ...] = (
    (_whole, False),
    (stem, False),
    (_file_name, True),
    (file_stem, True),
)


def _pairs(names: Sequence[str], keys: Sequence[str]) -> dict[str, str]:
    """Return the name of each clip that has one, in the strictest way in which any has."""
    for read, without_folders in _WAYS:
        pairs = _pairs_by(read, names, keys)
        differ = [(key, name) for key, name in pairs.items() if "/" in _whole(key) and "/" in name]
        if without_folders and differ:
            key, name = differ[0]
            _log.warning(
                "%d predictions lie in other folders than their clips and were matched by the "
                "names of files alone, such as %r as %r; check that these are the same clips",
                len(differ), name, key,
            )  # fmt: skip
        if pairs:
            return pairs
    return {}


def _pairs_by(
    read: Callable[[str], str], names: Iterable[str], keys: Iterable[str]
) -> dict[str, str]:
    find = _finder({key: read(key) for key in keys})
    pairs: dict[str, str] = {}
    for name in names:
        hits = find(read(name))
        if not hits:
            continue
        if len(hits) > 1:
            raise PredictionsError(
                f"the prediction {name!r} could be of any of {len(hits)} clips, such as "
                f"{hits[0]!r} and {hits[1]!r}; name clips as the dataset does"
            )
        if hits[0] in pairs:
            raise PredictionsError(
                f"the predictions {pairs[hits[0]]!r} and {name!r} both could be of the clip "
                f"{hits[0]!r}; leave one out, or name clips as the dataset does"
            )
        pairs[hits[0]] = name
    return pairs


def _finder(paths: Mapping[str, str]) -> Callable[[str], list[str]]:
    """Build the function that finds the clips that a path may be of, given the path of each."""
    whole: dict[str, list[str]] = defaultdict(list)
    longer: dict[str, list[str]] = defaultdict(list)
    for key, path in paths.items():
        for place, end in enumerate(_ends(path)):
            (longer if place else whole)[end].append(key)

    def find(path: str) -> list[str]:
        if path in whole:
            return whole[path]
        shorter = next((whole[end] for end in _ends(path) if end in whole), [])
        return [*shorter, *longer.get(path, [])]

    return find


def _ends(path: str) -> Iterator[str]:
    """Yield a path, then what is left of it as its folders are taken off one by one."""
    yield path
    while "/" in path:
        path = path.partition("/")[2]
        yield path
