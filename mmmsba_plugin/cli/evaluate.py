"""``mmmsba evaluate``: how well a checkpoint does on clips with known truth."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mmmsba_plugin.cli import files

if TYPE_CHECKING:
    from rich.console import Console

    from mmmsba_plugin.evaluation.intervals import Interval
    from mmmsba_plugin.evaluation.protocol import Evaluation


def evaluate(
    *,
    data: Annotated[Path, typer.Option(metavar="FOLDER", help="Clips with known truth.")],
    checkpoint: Annotated[Path | None, typer.Option(metavar="DIR", help="Trained weights.")] = None,
    split: Annotated[str | None, typer.Option(help="Only this split.")] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write the figures as JSON."),
    ] = None,
    detector: Annotated[
        str, typer.Option(help="Which detector; see `mmmsba plugins`.")
    ] = "mmms-ba",
    reader: Annotated[str, typer.Option(help="Who reads FOLDER; see `mmmsba plugins`.")] = "lav-df",
    resamples: Annotated[
        int, typer.Option(min=1, help="How often clips are drawn anew for the intervals.")
    ] = 1000,
) -> None:
    """Measure a detector on clips that it must not have learned from.

    Each figure comes with a 95 % interval over the people in the clips. Clips that could not
    be judged are named, and count in no figure.
    """
    from mmmsba_plugin.cli import told
    from mmmsba_plugin.evaluation.protocol import measure, run
    from mmmsba_plugin.plugins import lookup

    entry = lookup("dataset_readers", reader)
    records = entry.build(entry.config.read({"root": data, "split": split}))
    judge = lookup("detectors", detector).load(checkpoint)
    if output is not None:
        files.make_folder(output.parent)
    console = told.console()
    with console.status("judging clips") as status:
        judged = run(judge, records, on_clip=lambda one: status.update(told.shown(one.record.key)))
        status.update("drawing clips anew for the intervals")
        found = measure(judged, num_resamples=resamples)
    _print(found, console)
    if output is not None:
        tested = {"data": str(data), "split": split, "detector": dict(judge.info)}
        with files.writing_to(output):
            output.write_text(_json({**tested, **_plain(found)}), encoding="utf-8")
        told.tell_written([output], console)


def _plain(found: "Evaluation") -> dict[str, Any]:
    return {
        "num_genuine": found.num_genuine,
        "num_forged": found.num_forged,
        "unjudged": [one.report.media.path for one in found.unjudged],
        "numbers": {name: _figure(number) for name, number in found.numbers.items()},
    }


def _figure(number: "Interval") -> dict[str, float | None]:
    """Return a figure as JSON can hold it, which knows no NaN."""
    ends = {"value": number.value, "low": number.low, "high": number.high}
    return {name: None if math.isnan(end) else end for name, end in ends.items()}


def _json(said: Mapping[str, Any]) -> str:
    import json

    return json.dumps(said, indent=2, allow_nan=False) + "\n"


def _print(found: "Evaluation", console: "Console") -> None:
    from rich.table import Table

    from mmmsba_plugin.cli import told

    table = Table("measure", "value", "95 % interval", box=None)
    for name, number in found.numbers.items():
        table.add_row(name, _text(number.value), _range(number))
    console.print(f"{found.num_genuine} genuine and {found.num_forged} forged clips")
    console.print(table)
    if all(math.isnan(number.low) for number in found.numbers.values()):
        console.print("no intervals: they need clips of two people or more")
    for one in found.unjudged:
        why = one.report.problem.message if one.report.problem else one.report.status
        told.failure(f"not judged: {one.record.media}: {why}", console)


def _text(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _range(number: "Interval") -> str:
    return "-" if math.isnan(number.low) else f"{number.low:.3f} to {number.high:.3f}"
