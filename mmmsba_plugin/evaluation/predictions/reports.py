"""Reads our own reports, one or a folder of them, as what a detector said about a dataset."""

from pathlib import Path

from mmmsba_plugin.errors import PredictionsError
from mmmsba_plugin.evaluation.predictions.formats import PROPOSALS, SCORES, TABLE, is_report
from mmmsba_plugin.evaluation.tables import Predictions
from mmmsba_plugin.schema import Report

#: Reports beside their clips are called so; those in a folder of theirs are plain ``.json``.
_BESIDE = "*.mmmsba.json"


def read_reports(place: Path) -> Predictions:
    """Read predictions from reports, by the paths that their clips were read from.

    In a folder these are all ``.mmmsba.json``, in folders inside it too; if there are none,
    those of its own ``.json`` files that are reports.

    Raises:
        PredictionsError: There is no report, one cannot be read, or two are of one clip.
    """
    reports: dict[str, Report] = {}
    for path in _paths(place):
        try:
            report = Report.model_validate_json(path.read_bytes())
        except ValueError as error:
            first = str(error).splitlines()[0]
            raise PredictionsError(
                f"{path} is no report of a version that can be read here ({first}); write it anew "
                "with `mmmsba detect`",
                path=path,
            ) from error
        if report.media.path in reports:
            raise PredictionsError(
                f"{path} is a second report of {report.media.path}; keep one, or give each "
                "detector's reports a folder of their own",
                path=path,
            )
        reports[report.media.path] = report
    return Predictions.of_reports("", reports.items())


def _paths(place: Path) -> list[Path]:
    if not place.is_dir():
        return [place]
    paths = sorted(place.rglob(_BESIDE))
    paths = paths or [path for path in sorted(place.glob("*.json")) if is_report(path)]
    if not paths:
        raise PredictionsError(
            f"there are neither predictions nor reports in {place}; give a folder that holds "
            f"{PROPOSALS}, {SCORES}, {TABLE} or reports as JSON",
            path=place,
        )
    return paths
