"""``mmmsba evaluate``: how well detectors do on clips with known truth."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from mmmsba_plugin.cli import _detectors, _evaluation, _exit_codes
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.files import ensure_dir

#: The word that asks for the table of published results, alone or with a dataset behind it.
_PUBLISHED = "published"
_MODES = ("official", "voc")
_RESAMPLES = 1000


def evaluate(
    predictions: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[[FORM=]PREDICTIONS]...",
            help="Predictions of systems: their files, or folders of our reports. FORM is needed "
            "for lav-df alone, which counts frames.",
        ),
    ] = None,
    *,
    truth: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="metadata.json with the ground truth; no clips are needed."
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="[READER=]DIR",
            help="Clips with ground truth. READER can have settings in brackets, such as "
            "av-deepfake1m\\[protocol=paper].",
        ),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Trained weights to evaluate; the bundled ones if not given.",
        ),
    ] = None,
    detector: Annotated[
        str | None, typer.Option(help="Detector to evaluate; mmms-ba if not given.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Evaluate only this split.")] = None,
    mode: Annotated[
        str,
        typer.Option(help="Form of AP: official, as AV-Deepfake1M's evaluator to the bit, or voc."),
    ] = "official",
    tiou: Annotated[
        str, typer.Option(metavar="LIST", help="Overlaps (tIoU) of average precision.")
    ] = "0.5,0.75,0.9,0.95",
    proposals: Annotated[
        str, typer.Option(metavar="LIST", help="Numbers of proposals of average recall.")
    ] = "100,50,30,20,10,5",
    beside: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHAT",
            help="Other predictions to set beside; or published:DATASET, or just published where "
            "--data is the dataset itself.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="DIR", help="Write metrics, tables and plots to this folder."
        ),
    ] = None,
    as_json: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Write the metrics as JSON; - for stdout."),
    ] = None,
    resamples: Annotated[
        int | None,
        typer.Option(min=0, help="Number of bootstrap resamples; 1000, or 0 with --json alone."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Random seed of the bootstrap resamples.")] = 0,
    threshold: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Threshold from which PREDICTIONS call a clip fake."),
    ] = None,
    fpr: Annotated[
        float | None,
        typer.Option(help="False-positive rate to choose the threshold by: 0.01, 0.05 or 0.1."),
    ] = None,
    trim_silence: _detectors.TrimSilence = None,
    features_only: Annotated[
        bool, typer.Option("--features-only", help="Evaluate precomputed features; needs no clips.")
    ] = False,
    leaks: Annotated[
        bool, typer.Option(help="Also print the AUC of leading silence alone.")
    ] = True,
) -> None:
    """Measure detectors on clips that they must not have been trained on.

    Give predictions of any system with --truth or --data, or a checkpoint with --data. Each
    metric comes with a 95 % interval over the identities in the clips, or over the clips that
    others were forged from where nobody is named. Clips that were not evaluated are listed;
    they count in no metric of detection, and as missed in localization.
    """
    from mmmsba_plugin.cli import _console, _tables
    from mmmsba_plugin.evaluation.evaluate import side_by_side

    if mode not in _MODES:
        raise typer.BadParameter(f"{mode} is none of {', '.join(_MODES)}", param_hint="--mode")
    # Fewer resamples for JSON alone, which is wanted soon.
    default_resamples = 0 if as_json is not None and output is None else _RESAMPLES
    settings = {
        "mode": mode,
        "tious": _parse_list(tiou, float, "--tiou"),
        "num_proposals": _parse_list(proposals, int, "--proposals"),
        "num_resamples": default_resamples if resamples is None else resamples,
        "seed": seed,
    }
    console = _console.console(to_stderr=as_json == _evaluation.STDOUT)
    _make_folders(output, as_json)
    arguments = [argument.partition(":") for argument in beside or []]
    published = [dataset for word, _, dataset in arguments if word == _PUBLISHED]
    others = ["".join(words) for words in arguments if words[0] != _PUBLISHED]
    options = _evaluation.GroundTruthOptions(truth, data, split, listens=leaks)
    _evaluation.require_published(published, options)
    if predictions:
        _refuse(
            {
                "--detector": detector,
                "--checkpoint": checkpoint,
                "--fpr": fpr,
                "--trim-silence": trim_silence,
                "--features-only": features_only or None,
            }
        )
        ground_truth = options.ground_truth()
        systems = [
            _evaluation.read_system(path, ground_truth, threshold, console) for path in predictions
        ]
    else:
        if threshold is not None:
            raise typer.BadParameter("--threshold is for PREDICTIONS; a checkpoint has its own")
        detector_options = _evaluation.DetectorOptions(
            detector,
            checkpoint,
            false_positive_rate=fpr,
            trim_silence=trim_silence,
            features_only=features_only,
        )
        own, ground_truth = detector_options.predict(options, console)
        systems = [own]
    systems += [_evaluation.read_system(path, ground_truth, threshold, console) for path in others]
    comparison = side_by_side(
        systems, ground_truth, leading_silence_s=options.silence_s, **settings
    )
    _tables.show(comparison, console)
    tables = _evaluation.published_tables(comparison, published, options)
    _tables.show_published(tables, console)
    if "" in published:
        console.print(
            "they compare only if --data is that dataset itself, not one laid out like it"
        )
    if as_json is not None:
        _evaluation.write_json(comparison, tables, as_json)
    if output is not None:
        paths = _evaluation.write_all(comparison, tables, systems, ground_truth, output)
        _console.print_written(paths, console)
    if comparison.evaluations[0].not_evaluated:
        raise typer.Exit(_exit_codes.NOT_EVALUATED)


def _refuse(options: Mapping[str, object]) -> None:
    """Refuse options that would do nothing where predictions are given."""
    for option, value in options.items():
        if value is not None:
            raise typer.BadParameter(
                f"{option} is for evaluating a detector; leave out PREDICTIONS or it"
            )


def _parse_list(listed: str, kind: Callable[[str], Any], option: str) -> tuple[Any, ...]:
    try:
        return tuple(kind(text) for text in listed.split(",") if text.strip())
    except ValueError as error:
        raise typer.BadParameter(
            f"{listed} is no list such as 0.5,0.75 or 100,50", param_hint=option
        ) from error


def _make_folders(output: Path | None, as_json: Path | None) -> None:
    if output is not None:
        if output.is_file():
            raise ConfigError(f"{output} is a file; -o names a folder, --json a file")
        ensure_dir(output)
    if as_json is not None and as_json != _evaluation.STDOUT:
        if as_json.is_dir():
            raise ConfigError(f"{as_json} is a folder; --json names a file, -o a folder")
        ensure_dir(as_json.parent)
