"""Parts of ``mmmsba evaluate``: predictions, ground truth, and where metrics are written."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mmmsba_plugin.datasets import load
from mmmsba_plugin.errors import MissingExtraError, MmmsbaError, ScoreRangeError
from mmmsba_plugin.files import writing_to

if TYPE_CHECKING:
    from rich.console import Console

    from mmmsba_plugin.evaluation.evaluate import SideBySide
    from mmmsba_plugin.evaluation.published import Row, Task
    from mmmsba_plugin.evaluation.tables import GroundTruth, Predictions
    from mmmsba_plugin.record import Record

_log = logging.getLogger(__name__)

#: The file that is no file.
STDOUT = Path("-")
_DETECTOR = "mmms-ba"


class GroundTruthOptions:
    """The clips that were asked for, by a file of truth or by a dataset.

    Args:
        truth: A metadata file.
        data: ``DIR`` or ``READER=DIR``.
        split: Evaluate only this split.
        listens: Whether to hear how long the silence is that each clip starts with.

    Attributes:
        dataset: Name of the reader, once the dataset was opened.
        silence_s: The silence that each clip starts with, by key; None where it is unknown.

    Raises:
        BadParameter: Not just one of both was given.
    """

    def __init__(
        self, truth: Path | None, data: str | None, split: str | None, *, listens: bool
    ) -> None:
        if (truth is None) == (data is None):
            raise typer.BadParameter("give the truth by one of --truth FILE and --data DIR")
        self.dataset = ""
        self.silence_s: dict[str, float | None] = {}
        self._truth, self._data, self._split = truth, data, split
        self._listens = listens

    def ground_truth(self) -> "GroundTruth":
        """Read the ground truth of clips, which need not be there."""
        from mmmsba_plugin.evaluation.tables import GroundTruth
        from mmmsba_plugin.evaluation.truth_file import read_ground_truth

        if self._truth is not None:
            return read_ground_truth(self._truth, split=self._split)
        return GroundTruth.of(self._opened(need_media=False))

    def clips(self, *, need_media: bool) -> "Iterator[Record]":
        """Return the clips, to be evaluated.

        Args:
            need_media: Whether a clip that is not there is left out.

        Raises:
            BadParameter: There is only a file of truth.
        """
        if self._data is None:
            raise typer.BadParameter(
                "give PREDICTIONS with --truth, or clips to evaluate with --data"
            )
        return self._opened(need_media=need_media)

    @property
    def has_dataset(self) -> bool:
        """Return whether a dataset was given, and not only a metadata file."""
        return self._data is not None

    def _opened(self, *, need_media: bool) -> "Iterator[Record]":
        from mmmsba_plugin.media.probe import probe
        from mmmsba_plugin.media.silence import leading_silence_s

        opened = load.open_dataset(str(self._data), split=self._split, need_media=need_media)
        self.dataset = opened.reader
        for record in opened.records():
            if self._listens and record.media.is_file():
                self.silence_s[record.name] = None
                # The detector says what is wrong with a clip; here its silence is just not known.
                with suppress(MmmsbaError):
                    self.silence_s[record.name] = leading_silence_s(probe(record.media))
            yield record


class DetectorOptions:
    """A detector to evaluate, with its options.

    Args:
        detector: Its name; ours if not given.
        checkpoint: Its weights; its default if not given.
        false_positive_rate: Rate to choose its threshold by; its default one if not given.
        trim_silence: Whether clips are evaluated only from where their audio begins; as trained if
            not given.
        features_only: Whether clips need not be there, since their features are.

    Raises:
        BadParameter: Silence shall be trimmed from clips that need not be there, or the
            detector cannot do what is asked for.
    """

    def __init__(
        self,
        detector: str | None,
        checkpoint: Path | None,
        *,
        false_positive_rate: float | None,
        trim_silence: bool | None,
        features_only: bool,
    ) -> None:
        from mmmsba_plugin.cli._detectors import load_detector

        if features_only and trim_silence:
            raise typer.BadParameter("--trim-silence needs the clips; leave out --features-only")
        name = detector or _DETECTOR
        self._detector = load_detector(
            name, checkpoint, fpr=false_positive_rate, trim_silence=trim_silence is not None
        )
        self._name = checkpoint.resolve().name if checkpoint else name
        self._need_media = not features_only
        self._options = {} if trim_silence is None else {"trim_silence": trim_silence}

    def predict(
        self, options: GroundTruthOptions, to: "Console"
    ) -> "tuple[Predictions, GroundTruth]":
        """Run the detector over clips; print those that could not be evaluated."""
        from mmmsba_plugin.cli import _console
        from mmmsba_plugin.evaluation.run import run, tables

        with to.status("evaluating clips") as status:
            results = run(
                self._detector,
                options.clips(need_media=self._need_media),
                on_clip=lambda result: status.update(_console.visible_text(result.record.key)),
                **self._options,
            )
        for result in results:
            if result.report.problem is not None:
                _console.failure(
                    f"not evaluated: {result.record.media}: {result.report.problem.message}", to
                )
        return tables(results, name=self._name)


def read_system(
    spec: str, ground_truth: "GroundTruth", threshold: float | None, to: "Console"
) -> "Predictions":
    """Read the predictions of a system, by the names of the dataset.

    Scores that are no probabilities rank segments no worse, so localization is measured.

    Args:
        spec: ``PATH`` or ``FORM=PATH``.
        ground_truth: Ground truth of the clips.
        threshold: Threshold from which it calls a clip fake; its own if not given.
        to: Console for what does not match.
    """
    from mmmsba_plugin.cli import _console
    from mmmsba_plugin.evaluation.predictions import FORMS, matched

    if not spec:
        raise typer.BadParameter("a path to predictions is empty; check the variable it is from")
    form, equals, place = spec.partition("=")
    has_form = equals and form in FORMS and not Path(spec).exists()
    path = Path(place if has_form else spec)
    predictions = matched(_read(form if has_form else None, path, to), ground_truth.keys)
    for count, what in (
        (len(predictions.unknown), "predictions are of no clip of the dataset"),
        (len(predictions.missing), "clips have no prediction: nothing was found in them"),
    ):
        if count:
            _console.failure(f"{path}: {count} {what}", to)
    return predictions if threshold is None else replace(predictions, threshold=threshold)


def _read(form: str | None, path: Path, to: "Console") -> "Predictions":
    from mmmsba_plugin.cli import _console
    from mmmsba_plugin.evaluation.predictions import read_predictions

    try:
        return read_predictions(path, form=form)
    except ScoreRangeError as error:
        predictions = read_predictions(path, form=form, detection=False)
        if predictions.proposals is None:
            raise
        _console.failure(f"only localization is measured: {error}", to)
        return predictions


def require_published(datasets: "Sequence[str]", options: GroundTruthOptions) -> None:
    """Require published results at once, and not when everything is evaluated.

    Raises:
        ConfigError: Of a dataset that was named; the message lists the others.
        BadParameter: No dataset was named, and there is only a file of truth.
    """
    from mmmsba_plugin.evaluation.published import published

    for dataset in datasets:
        if dataset:
            published(dataset)
        elif not options.has_dataset:
            raise typer.BadParameter("say of which dataset, such as published:lav-df")


def published_tables(
    comparison: "SideBySide", stated: "Sequence[str]", options: GroundTruthOptions
) -> "dict[str, list[Row]]":
    """Return the first system among published results, by task and dataset.

    Where no dataset was named, it is the one that the reader is made for; nothing for a reader
    of one's own clips, of which nothing is published.
    """
    from mmmsba_plugin.evaluation.published import TASKS, beside, known_datasets

    first = comparison.evaluations[0]
    metrics = {name: interval.value for name, interval in first.intervals.items()}
    datasets = [dataset or options.dataset for dataset in stated]

    def rows(dataset: str, task: "Task") -> "list[Row]":
        is_known = dataset in known_datasets()
        return beside(metrics, dataset, task=task, system=first.system) if is_known else []

    return {f"{task} on {dataset}": rows(dataset, task) for dataset in datasets for task in TASKS}


def write_json(comparison: "SideBySide", tables: "Mapping[str, list[Row]]", path: Path) -> None:
    """Write the figures as JSON, to a file or to stdout; published ones too, if asked for."""
    from mmmsba_plugin.evaluation.published import plain_rows
    from mmmsba_plugin.evaluation.summary import side_by_side_to_dict

    document = side_by_side_to_dict(comparison)
    if tables:
        document["published"] = {name: plain_rows(rows) for name, rows in tables.items()}
    text = json.dumps(document, indent=2, allow_nan=False) + "\n"
    if path == STDOUT:
        typer.echo(text, nl=False)
        return
    with writing_to(path):
        path.write_text(text, encoding="utf-8")


def write_all(
    comparison: "SideBySide",
    tables: "Mapping[str, list[Row]]",
    systems: "Sequence[Predictions]",
    ground_truth: "GroundTruth",
    folder: Path,
) -> list[Path]:
    """Write figures as JSON and as a table, what the first system predicted, and plots.

    Predictions are written in the form that AV-Deepfake1M's evaluation takes, and as our own
    arrays; plots, if Matplotlib is installed.

    Returns:
        What was written.
    """
    from mmmsba_plugin.evaluation.plots import curves_of, draw
    from mmmsba_plugin.evaluation.predictions import write_submission
    from mmmsba_plugin.evaluation.predictions.npz import write_table
    from mmmsba_plugin.evaluation.summary import write_csv

    as_json, as_csv, as_table = (
        folder / name for name in ("figures.json", "figures.csv", "proposals.npz")
    )
    write_json(comparison, tables, as_json)
    paths = [as_json, as_csv]
    with writing_to(folder):
        paths += write_submission(systems[0], folder)
        with as_csv.open("w", encoding="utf-8", errors="backslashreplace", newline="") as out:
            write_csv(comparison.evaluations, out)
        if systems[0].proposals is not None:
            write_table(systems[0].proposals, as_table)
            paths.append(as_table)
        curves = [
            curves_of(system, ground_truth, mode=comparison.evaluations[0].mode)
            for system in systems
        ]
        try:
            paths += draw(curves, folder)
        except MissingExtraError as error:
            _log.warning("no plots: %s", error)
    return paths
