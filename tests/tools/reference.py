"""Write the pages of the documentation that are made from the code.

``python -m tests.tools.reference`` writes them; ``tests/docs/test_reference.py`` compares. The
words are those of docstrings, fields and options, so that a page cannot say other than the code.
"""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import typer
from typer.cli import get_docs_for_click

from fiftyone_ops import settings as forms
from mmmsba_plugin import errors, forger, hookspecs, record, schema, structures
from mmmsba_plugin import plugins as host
from mmmsba_plugin.adapter import AdaptedDetector, AdapterConfig, TimedScores
from mmmsba_plugin.cli import app
from mmmsba_plugin.config import (
    Calibration,
    EnsembleConfig,
    FeaturesConfig,
    FitConfig,
    FrontEndChoice,
    LocalizationConfig,
    LossConfig,
    MediaConfig,
    Origin,
    RuntimeConfig,
    TracksConfig,
    TrainConfig,
    TuneConfig,
)
from mmmsba_plugin.docs import path_of
from mmmsba_plugin.entries import Entry
from mmmsba_plugin.evaluation.predictions import FORMS
from mmmsba_plugin.forge.augment.pipeline import ProcessingConfig
from mmmsba_plugin.forge.plan import SegmentConfig
from mmmsba_plugin.forge.variants import ForgeConfig
from mmmsba_plugin.model.checkpoint import CheckpointConfig
from mmmsba_plugin.model.heads import BaseHead, Head
from mmmsba_plugin.model.mmmsba import NetworkOutput
from mmmsba_plugin.plugins import ENTRY_TYPES, OWN_NAME, Kind, entries
from mmmsba_plugin.report.summary import COLUMNS
from mmmsba_plugin.review.document import Review, ReviewedSegment
from mmmsba_plugin.timebase import Grid
from mmmsba_plugin.training.sync import SyncTrainConfig

from .describe import (
    Model,
    attributes,
    classes_of,
    describe_class,
    describe_function,
    docstring_of,
    models_of,
    nested,
    summary,
    table_of,
)
from .markdown import page, table

#: Environment variables, each with what it is for; a test finds each in the code.
ENVIRONMENT = {
    "MMMSBA_CACHE": "Folder of computed features; the user's cache folder if not set.",
    "MMMSBA_DISABLE_PLUGINS": "Names of plug-ins to leave out, separated by commas.",
    "MMMSBA_WEIGHTS": "Folder of the checkpoint to use where none is named; the bundled one if "
    "not set.",
}

#: Settings of a training run by their place in the file.
TRAINING: Mapping[str, Model] = {
    "": FitConfig,
    "network": EnsembleConfig,
    "features": FeaturesConfig,
    "features.front_ends.MODALITY": FrontEndChoice,
    "features.media": MediaConfig,
    "features.tracks": TracksConfig,
    "train": TrainConfig,
    "train.loss": LossConfig,
    "localization": LocalizationConfig,
}

#: Settings that are given from Python, or found in the files of a checkpoint.
PYTHON: Mapping[str, Model] = {
    "Fine-tuning": TuneConfig,
    "What a network runs on": RuntimeConfig,
    "Configuration of a checkpoint, `config.json`": CheckpointConfig,
    "Its calibration": Calibration,
    "Where its weights were tuned from": Origin,
    "An adapted detector": AdapterConfig,
    "A forged dataset": ForgeConfig,
    "Segments of a forged dataset": SegmentConfig,
    "Processing of a forged dataset": ProcessingConfig,
    "Training of the lip-sync encoder": SyncTrainConfig,
}

_PRINT_SCHEMA = """```sh
python -c "import json, mmmsba_plugin; print(json.dumps(mmmsba_plugin.Report.model_json_schema()))"
```"""

#: Formats of predictions that can be evaluated.
PREDICTIONS = {
    "av-deepfake1m": "`prediction.json` with ranked segments, and `prediction.txt` with a "
    "probability a clip, as AV-Deepfake1M's evaluation takes them.",
    "lav-df": "JSON with ranked segments in frames, as LAV-DF's evaluation takes them.",
    "activitynet": "JSON with ranked segments, as OpenTAD and UMMAFormer write it.",
    "mm-ddl": "`prediction.txt` with a score a clip, separated by a comma.",
    "proposals": "`proposals.npz`, which `mmmsba evaluate -o` writes.",
    "reports": "A folder of reports, as `mmmsba detect -o` writes them.",
}

#: Settings that a training run computes from its data.
_COMPUTED = frozenset({"dims"})

_KINDS: Mapping[Kind, str] = {
    "front_ends": "Front-ends",
    "dataset_readers": "Dataset readers",
    "forgers": "Forgers",
}

_COLUMN_TYPES = {bool: "true or false", float: "number", int: "whole number", str: "text"}


def commands() -> str:
    """Return the page of all commands, by Typer's own generator."""
    command = typer.main.get_command(app)
    text = get_docs_for_click(obj=command, ctx=typer.Context(command), indent=1, name="mmmsba")
    # What every command has, names of commands whose sections follow, and markup of the terminal.
    of_every_command = r"^\* `--(help|install-completion|show-completion)`: .*\n"
    text = re.sub(of_every_command, "", text, flags=re.MULTILINE)
    text = re.sub(r"\*\*Commands\*\*:\n\n(\* .*\n)+\n?", "", text)
    text = text.replace("**Options**:\n\n\n", "").replace("[bold]", "**").replace("[/]", "**")
    return page("Commands", "`mmmsba COMMAND --help` shows the same in the terminal.", text)


def settings() -> str:
    """Return the page of all settings and environment variables."""
    return page(
        "Settings",
        "A setting that is misspelt or out of bounds is an error that names those there are.",
        "## A training run: `mmmsba train --config FILE`",
        "The file is JSON, with any of these keys. `mmmsba reproduce --config` takes the same.",
        *(
            paragraph
            for place, model in TRAINING.items()
            for paragraph in (_place(place, model), table_of(model, without=_COMPUTED))
        ),
        *(
            paragraph
            for kind, title in _KINDS.items()
            for paragraph in (f"## {title}", *_entries(kind))
        ),
        "## From Python, and in files",
        *(
            paragraph
            for title, model in PYTHON.items()
            for paragraph in (
                f"### {title}",
                f"`{model.__module__}.{model.__name__}`",
                table_of(model),
            )
        ),
        "## Forms of the FiftyOne App",
        *(
            paragraph
            for model in models_of(forms)
            if model.model_fields
            for paragraph in (f"### `{model.__name__}`", summary(model), table_of(model))
        ),
        "## Environment variables",
        table(("variable", "what it is for"), ((f"`{k}`", v) for k, v in ENVIRONMENT.items())),
    )


def hooks() -> str:
    """Return the page of all hooks, entries, protocols and what they exchange."""
    names = [name for name in vars(hookspecs) if name.startswith("forensics_")]
    protocols = [hookspecs.DetectorInfo, hookspecs.Detector, hookspecs.FeatureExtractor]
    exchanged = [*classes_of(structures), *classes_of(record), *classes_of(forger)]
    helpers = [AdaptedDetector, TimedScores, Grid, BaseHead, Head, NetworkOutput]
    return page(
        "Hooks",
        f"Version {hookspecs.API_VERSION} of the interface. How to use them is told by "
        "[toolkit](toolkit.md), and the fields of a report by [formats](formats.md).",
        docstring_of(hookspecs),
        "## Hooks",
        *(
            paragraph
            for name in names
            for paragraph in describe_function(getattr(hookspecs, name), level=3)
        ),
        "## Entries",
        *(
            paragraph
            for entry in (Entry, *ENTRY_TYPES.values())
            for paragraph in describe_class(entry)
        ),
        "## Protocols",
        *(paragraph for protocol in protocols for paragraph in describe_class(protocol)),
        "## What is exchanged",
        *(paragraph for cls in exchanged for paragraph in describe_class(cls)),
        "## To build on",
        *(paragraph for cls in helpers for paragraph in describe_class(cls)),
        "## Functions of a host, `mmmsba_plugin.plugins`",
        *(
            paragraph
            for name in host.__all__
            if inspect.isfunction(value := getattr(host, name))
            for paragraph in describe_function(value, level=3)
        ),
    )


def formats() -> str:
    """Return the page of all file formats."""
    writers = ((f"`{w.name}`", f"`{w.suffix}`", w.summary) for w in _own("writers"))
    missing = set(FORMS) ^ PREDICTIONS.keys()
    if missing:
        raise ValueError(f"PREDICTIONS must describe each format that is read: {missing}")
    report_models = [m for m in nested(schema.Report) if m is not schema.Report]
    return page(
        "Formats",
        "Times are seconds from the clip's zero, and segments are half-open.",
        "## Written by `mmmsba detect --format`",
        table(("name", "suffix", "what it is"), writers),
        "Plug-ins add others; see [toolkit](toolkit.md).",
        "## Table of a batch, `summary.csv` or `--summary`",
        table(("column", "type"), ((f"`{k}`", _COLUMN_TYPES[v]) for k, v in COLUMNS.items())),
        "## A report, `.json`",
        "`Report.model_json_schema()` is its JSON Schema, of draft 2020-12; for programs in other "
        "languages, this prints it:",
        _PRINT_SCHEMA,
        f"Its `$id`, `{schema.Report.model_json_schema()['$id']}`, ends in the version that a "
        "report states as `schema_version`. The schema knows no other keys, so validate a report "
        "with that of its own version. Within a major version keys are only added: a program that "
        "reads what it needs, and leaves out keys that it does not know, need not change. A "
        "program that runs `mmmsba detect`, such as a module of Autopsy, also finds [exit "
        "codes](pipeline.md).",
        "### `Report`",
        table_of(schema.Report),
        "From Python, `report.fake` is whether `score` reaches the `threshold`, and None without "
        "either of them.",
        *(
            paragraph
            for model in report_models
            for paragraph in (f"### `{model.__name__}`", summary(model), table_of(model))
        ),
        "## A review of a report, `.review.json`",
        "`mmmsba review` writes it beside the report, and `mmmsba finetune --reviewed` learns from "
        "those whose status is `fake` or `real`. `Review.model_json_schema()`, of "
        "`mmmsba_plugin.review.document`, is its JSON Schema.",
        table_of(Review),
        f"### `{ReviewedSegment.__name__}`",
        summary(ReviewedSegment),
        table_of(ReviewedSegment),
        "## An update about a live source, `mmmsba watch --json`",
        "A line of JSON each.",
        table_of(schema.StreamUpdate),
        "## Predictions that `mmmsba evaluate` reads",
        table(("name", "what it is"), ((f"`{name}`", PREDICTIONS[name]) for name in FORMS)),
    )


def error_classes() -> str:
    """Return the page of all errors."""
    rows = (
        (
            f"`{error.__name__}`",
            ", ".join(f"`{base.__name__}`" for base in error.__bases__),
            summary(error),
            ", ".join(f"`{name}`" for name in attributes(error)),
        )
        for error in classes_of(errors)
    )
    return page(
        "Errors",
        "All lie in `mmmsba_plugin.errors`. Each message says what was given, what is allowed, and "
        "what to do next. Some carry their culprit as an attribute.",
        table(("error", "is a", "raised when", "attributes"), rows),
    )


PAGES: Mapping[str, Callable[[], str]] = {
    "commands": commands,
    "settings": settings,
    "hooks": hooks,
    "formats": formats,
    "errors": error_classes,
}


def _own(kind: Kind) -> Iterator[Any]:
    """Yield the entries that this package itself offers."""
    return (offer.entry for offer in entries(kind) if offer.plugin.name == OWN_NAME)


def _entries(kind: Kind) -> Iterator[str]:
    """Yield a table of our entries of a kind, and one of the settings of each that has any."""
    own = list(_own(kind))
    yield table(("name", "what it is"), ((f"`{entry.name}`", entry.summary) for entry in own))
    for entry in own:
        if entry.config.model_fields:
            yield from (f"### Settings of `{entry.name}`", table_of(entry.config))


def _place(place: str, model: Model) -> str:
    """Return the heading of settings that lie at a place of a file."""
    return f"### `{place}`, a `{model.__name__}`" if place else "### At the top"


if __name__ == "__main__":
    for page_name, write in PAGES.items():
        path_of(page_name).write_text(write(), encoding="utf-8")
