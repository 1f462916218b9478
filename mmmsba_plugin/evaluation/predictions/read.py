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
from mmmsba_plugin.errors import ConfigError, DatasetError, ScoreRangeError
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
    name: str | None = None,
    fps_hz: float = LAVDF_FPS_HZ,
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
        name: What tables call the system; the name of the file, or of its folder, if not
            given.
        fps_hz: Frames a second of ``lav-df``.
        detection: Whether scores of clips are wanted. Without them the system is measured for
            localization alone, and no score need be a probability.

    Raises:
        ConfigError: There is no such format, or no such rate.
        DatasetError: The file is not there, in no known format, or an entry is malformed; the
            message names file and clip.
        ScoreRangeError: The score of a clip lies outside [0, 1].
    """
    path, form_name = Path(path), stated(form)
    if not path.exists():
        raise DatasetError(f"there are no predictions at {path}; check the path")
    with unpacked(path) as place:
        predictions = _READERS[form_name or recognise(place)](place, form_name)
    if form_name == "lav-df":
        predictions = _in_seconds(predictions, fps_hz)
    _require_finite(predictions.proposals, path)
    predictions = replace(predictions, name=name or _name_of(path))
    return _with_scores(predictions, path) if detection else replace(predictions, scores={})


def _read_submission(place: Path, form: Form | None) -> Predictions:
    from mmmsba_plugin.evaluation.predictions.avdeepfake1m import read_proposals

    predictions = Predictions(name="", scores={})
    parts = submission_parts(place)
    if not parts:
        raise DatasetError(
            f"there is neither {PROPOSALS} nor {SCORES} in {place}; state another format, or give "
            "the folder that holds them"
        )
    for path in parts:
        if not is_json(path):
            predictions = replace(predictions, scores=read_scores(path))
            continue
        predictions = replace(predictions, proposals=read_proposals(path))
        if form is None:
            _require_seconds(predictions.proposals, path)
    return predictions


def _read_activitynet(place: Path, form: Form | None) -> Predictions:
    del form
    return Predictions(name="", scores={}, proposals=read_activitynet(place))


def _read_table(place: Path, form: Form | None) -> Predictions:
    from mmmsba_plugin.evaluation.predictions.npz import read_table

    del form
    table = read_table(place / TABLE if place.is_dir() else place)
    if table.scores is None:
        raise DatasetError(f"the spans of {place} have no scores; give proposals, not truths")
    return Predictions(name="", scores={}, proposals=table)


def _read_reports(place: Path, form: Form | None) -> Predictions:
    del form
    return read_reports(place)


_READERS: Mapping[Form, Callable[[Path, Form | None], Predictions]] = {
    "av-deepfake1m": _read_submission,
    "lav-df": _read_submission,
    "mm-ddl": _read_submission,
    "activitynet": _read_activitynet,
    "proposals": _read_table,
    "reports": _read_reports,
}


def _in_seconds(predictions: Predictions, fps_hz: float) -> Predictions:
    if not 0 < fps_hz < np.inf:
        raise ConfigError(f"fps_hz must be above 0, got {fps_hz}; LAV-DF's clips have 25")
    if predictions.proposals is None:
        return predictions
    table = predictions.proposals
    return replace(
        predictions, proposals=replace(table, spans=table.spans * frames_to_s(1, fps_hz))
    )


def _require_seconds(table: SpanTable | None, path: Path) -> None:
    if table is None or not table.spans.size or not table.spans.max() > _LONG_S:
        return
    if (table.spans == np.rint(table.spans)).all():
        raise DatasetError(
            f"all proposals of {path} begin and end at whole numbers, up to "
            f"{table.spans.max():g}, as where frames are counted; state the format: lav-df "
            "where they are, av-deepfake1m where these are seconds"
        )


def _require_finite(table: SpanTable | None, path: Path) -> None:
    if table is None or table.scores is None:
        return
    bad = ~(np.isfinite(table.scores) & np.isfinite(table.spans).all(axis=1))
    if bad.any():
        row = int(np.argmax(bad))
        key = table.keys[int(np.searchsorted(table.offsets, row, side="right")) - 1]
        start_s, end_s = table.spans[row]
        raise DatasetError(
            f"{path}: clip {key!r} has a proposal of score {table.scores[row]:g} from "
            f"{start_s:g} to {end_s:g} s; leave out what is not finite"
        )


def _with_scores(predictions: Predictions, path: Path) -> Predictions:
    """Return answers with a score in [0, 1] for each clip that was evaluated."""
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
    return replace(predictions, scores=scores)


def _highest(table: SpanTable) -> dict[str, float]:
    """Return the highest score of each clip's proposals; 0 where there are none."""
    best = np.zeros(len(table.keys))
    nonempty = table.counts > 0
    if table.scores is not None and nonempty.any():
        # From the first row of one clip to that of the next that has any.
        best[nonempty] = np.maximum.reduceat(table.scores, table.offsets[:-1][nonempty])
    return dict(zip(table.keys, best.tolist(), strict=True))


def _name_of(path: Path) -> str:
    whole = path.resolve()
    stem = whole.name if whole.is_dir() else whole.stem.removesuffix(".mmmsba")
    return whole.parent.name if stem in _COMMON_NAMES and whole.parent.name else stem


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Give a place to read from: the path itself, or for a submission's zip a folder.

    Raises:
        DatasetError: The zip is damaged, or holds no submission, or two.
    """
    if path.is_dir() or not head(path).startswith(b"PK") or _holds_arrays(path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        _unpack(path, Path(folder))
        try:
            yield Path(folder)
        except DatasetError as error:
            # Whoever reads it knows the zip, and the folder is gone by then.
            raise DatasetError(str(error).replace(folder, str(path))) from error


def _holds_arrays(path: Path) -> bool:
    """Return whether a zip is one of NumPy's."""
    with _opened(path) as packed:
        return any(member.endswith(".npy") for member in packed.namelist())


def _unpack(path: Path, folder: Path) -> None:
    """Write the files of a submission into a folder, wherever in the zip they lie."""
    with _opened(path) as packed:
        for name in (PROPOSALS, SCORES):
            members = [m for m in packed.namelist() if PurePosixPath(m).name == name]
            if len(members) > 1:
                raise DatasetError(
                    f"{path} holds {name} {len(members)} times; unpack it and give one of them"
                )
            for member in members:
                with packed.open(member) as source, (folder / name).open("wb") as target:
                    copyfileobj(source, target)
    if not any(folder.iterdir()):
        raise DatasetError(f"{path} holds neither {PROPOSALS} nor {SCORES}; zip them anew")


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as packed:
            yield packed
    # The last is of a zip with a password, or of a way to pack that Python does not know.
    except (zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        raise DatasetError(f"{path} cannot be unpacked: {error}; zip the files anew") from error
