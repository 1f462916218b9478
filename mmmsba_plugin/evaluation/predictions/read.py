"""Reads predictions of any system, in any of the formats that this field knows."""

import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from shutil import copyfileobj

import numpy as np

from mmmsba_plugin.datasets.lavdf import FPS_HZ as LAVDF_FPS_HZ
from mmmsba_plugin.errors import PredictionsError, ScoreRangeError
from mmmsba_plugin.evaluation.predictions.activitynet import read_activitynet
from mmmsba_plugin.evaluation.predictions.avdeepfake1m import read_scores
from mmmsba_plugin.evaluation.predictions.formats import (
    PROPOSALS,
    SCORES,
    TABLE,
    Form,
    head,
    is_json,
    recognise,
    stated,
    submission_parts,
)
from mmmsba_plugin.evaluation.predictions.packed import require_plausible_sizes
from mmmsba_plugin.evaluation.predictions.reports import read_reports
from mmmsba_plugin.evaluation.tables import Predictions, SpanTable
from mmmsba_plugin.timebase import frames_to_s

#: Where every time is a whole number and one lies beyond this, frames were counted.
_LONG_S = 120.0

#: Names of files that do not tell one system from another.
_COMMON_NAMES = frozenset({"prediction", "predictions", "proposals", "result", "results"})


def read_predictions(
    path: str | Path,
    *,
    form: str | None = None,
    detection: bool = True,
) -> Predictions:
    """Read the predictions of a system, by its own names of clips.

    Where it states no scores of clips, a clip's score is the highest of its proposals, as
    UMMAFormer's evaluation has it; a clip in which nothing was found has 0. Scores of
    proposals stay as they are: only their order counts.

    Args:
        path: AV-Deepfake1M's ``prediction.json`` or ``prediction.txt``, or the folder or zip
            that holds either or both; ActivityNet's results, as UMMAFormer and OpenTAD write
            them, whatever their labels; our ``proposals.npz``, one of our reports, or a folder
            of them.
        form: The format, one of :data:`~mmmsba_plugin.evaluation.predictions.formats.FORMS`,
            where it cannot be told: ``lav-df`` counts frames in a file that looks like
            AV-Deepfake1M's, and has to be stated.
        detection: Whether scores of clips are wanted. Without them the system is measured for
            localization alone, and no score need be a probability.

    Returns:
        The predictions, called by the name of the file, or of its folder.

    Raises:
        ConfigError: There is no such format.
        PredictionsError: The file is not there, in no known format, or an entry is malformed; the
            message names file and clip.
        ScoreRangeError: The score of a clip lies outside [0, 1].
    """
    path, form_name = Path(path), stated(form)
    if not path.exists():
        raise PredictionsError(f"there are no predictions at {path}; check the path", path=path)
    with unpacked(path) as place:
        actual_form = form_name or recognise(place)
        predictions = _READERS[actual_form](place)
    if (table := predictions.proposals) is not None:
        if actual_form == "lav-df":
            table = replace(table, spans=table.spans * frames_to_s(1, LAVDF_FPS_HZ))
        elif form_name is None and actual_form == "av-deepfake1m":
            _require_seconds(table, path)
        _require_finite(table, path)
    scores = _scores_of(predictions, path) if detection else {}
    whole = path.resolve()
    name = whole.name if whole.is_dir() else whole.stem.removesuffix(".mmmsba")
    name = whole.parent.name if name in _COMMON_NAMES and whole.parent.name else name
    return replace(predictions, name=name, proposals=table, scores=scores)


def _read_submission(place: Path) -> Predictions:
    from mmmsba_plugin.evaluation.predictions.avdeepfake1m import read_proposals

    predictions = Predictions(name="", scores={})
    parts = submission_parts(place)
    if not parts:
        raise PredictionsError(
            f"there is neither {PROPOSALS} nor {SCORES} in {place}; state another format, or give "
            "the folder that holds them",
            path=place,
        )
    for path in parts:
        if is_json(path):
            predictions = replace(predictions, proposals=read_proposals(path))
        else:
            predictions = replace(predictions, scores=read_scores(path))
    return predictions


def _read_table(place: Path) -> Predictions:
    from mmmsba_plugin.evaluation.predictions.npz import read_table

    table = read_table(place / TABLE if place.is_dir() else place)
    if table.scores is None:
        raise PredictionsError(
            f"the spans of {place} have no scores; give proposals, not ground truth", path=place
        )
    return Predictions(name="", scores={}, proposals=table)


_READERS: Mapping[Form, Callable[[Path], Predictions]] = {
    "av-deepfake1m": _read_submission,
    "lav-df": _read_submission,
    "mm-ddl": _read_submission,
    "activitynet": lambda path: Predictions("", scores={}, proposals=read_activitynet(path)),
    "proposals": _read_table,
    "reports": read_reports,
}


def _require_seconds(table: SpanTable, path: Path) -> None:
    is_long = table.spans.size and table.spans.max() > _LONG_S
    if is_long and (table.spans == np.rint(table.spans)).all():
        raise PredictionsError(
            f"all proposals of {path} begin and end at whole numbers, up to "
            f"{table.spans.max():g}, as where frames are counted; state the format: lav-df "
            "where they are, av-deepfake1m where these are seconds",
            path=path,
        )


def _require_finite(table: SpanTable, path: Path) -> None:
    if table.scores is None:
        return
    bad = ~(np.isfinite(table.scores) & np.isfinite(table.spans).all(axis=1))
    if bad.any():
        row = int(np.argmax(bad))
        key = table.keys[int(np.searchsorted(table.offsets, row, side="right")) - 1]
        start_s, end_s = table.spans[row]
        raise PredictionsError(
            f"{path}: clip {key!r} has a proposal of score {table.scores[row]:g} from "
            f"{start_s:g} to {end_s:g} s; leave out what is not finite",
            path=path,
        )


def _scores_of(predictions: Predictions, path: Path) -> Mapping[str, float]:
    """Return a score in [0, 1] for each clip that was evaluated."""
    scores, whose = predictions.scores, "its score is"
    if not scores and predictions.proposals is not None:
        scores, whose = _highest(predictions.proposals), "the highest score of its proposals is"
    for key, score in scores.items():
        if not 0.0 <= score <= 1.0:
            raise ScoreRangeError(
                f"{path}: clip {key!r} has no score in [0, 1], {whose} {score:g}; pass scores "
                "through a sigmoid if these are logits, or measure localization alone, for which "
                "only their order counts"
            )
    return scores


def _highest(table: SpanTable) -> dict[str, float]:
    """Return the highest score of each clip's proposals; 0 where there are none."""
    best = np.zeros(len(table.keys))
    nonempty = table.counts > 0
    if table.scores is not None and nonempty.any():
        # From the first row of one clip to that of the next that has any.
        best[nonempty] = np.maximum.reduceat(table.scores, table.offsets[:-1][nonempty])
    return dict(zip(table.keys, best.tolist(), strict=True))


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Give a place to read from: the path itself, or for a submission's zip a folder.

    Raises:
        PredictionsError: The zip is damaged, or holds no submission, or two.
    """
    if path.is_dir() or not head(path).startswith(b"PK"):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        if not _unpack(path, Path(folder)):
            yield path
            return
        try:
            yield Path(folder)
        except PredictionsError as error:
            # Whoever reads it knows the zip, and the folder is gone by then.
            raise PredictionsError(str(error).replace(folder, str(path)), path=path) from error


def _unpack(path: Path, folder: Path) -> bool:
    """Write the files of a submission into a folder; False if the zip is one of NumPy's."""
    try:
        with zipfile.ZipFile(path) as packed:
            if any(member.endswith(".npy") for member in packed.namelist()):
                return False
            require_plausible_sizes(packed, path)
            for name in (PROPOSALS, SCORES):
                # They may lie anywhere in the zip.
                members = [m for m in packed.namelist() if PurePosixPath(m).name == name]
                if len(members) > 1:
                    raise PredictionsError(
                        f"{path} holds {name} {len(members)} times; unpack it and give one of them",
                        path=path,
                    )
                for member in members:
                    with packed.open(member) as source, (folder / name).open("wb") as target:
                        copyfileobj(source, target)
    # The last is of a zip with a password, or of a way to pack that Python does not know.
    except (zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        raise PredictionsError(
            f"{path} cannot be unpacked: {error}; zip the files anew", path=path
        ) from error
    if not any(folder.iterdir()):
        raise PredictionsError(
            f"{path} holds neither {PROPOSALS} nor {SCORES}; zip them anew", path=path
        )
    return True
