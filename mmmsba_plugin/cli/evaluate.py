"""``mmmsba evaluate``: how well a checkpoint does on clips with known truth."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

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
) -> None:
    """Measure a detector on clips that it must not have learned from.

    Each figure comes with a 95 % interval over the people in the clips.
    """
    import json

    from rich.console import Console
    from rich.text import Text

    from mmmsba_plugin.evaluation.protocol import measure, run
    from mmmsba_plugin.plugins import lookup

    entry = lookup("dataset_readers", reader)
    records = entry.build(entry.config.read({"root": data, "split": split}))
    judge = lookup("detectors", detector).load(checkpoint)
    console = Console(highlight=False, soft_wrap=True)
    with console.status("judging clips") as status:
        judged = run(judge, records, on_clip=lambda one: status.update(Text(one.record.key)))
    found = measure(judged)
    if output is not None:
        output.write_text(json.dumps(_plain(found), indent=2) + "\n", encoding="utf-8")
    _print(found, console)


def _plain(found: "Evaluation") -> dict[str, Any]:
    return {
        "num_genuine": found.num_genuine,
        "num_forged": found.num_forged,
        "unjudged": [str(one.record.media) for one in found.unjudged],
        "numbers": {
            name: {"value": number.value, "low": number.low, "high": number.high}
            for name, number in found.numbers.items()
        },
    }


def _print(found: "Evaluation", console: "Console") -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table("measure", "value", "95 % interval", box=None)
    for name, number in found.numbers.items():
        table.add_row(name, f"{number.value:.3f}", f"{number.low:.3f} to {number.high:.3f}")
    console.print(f"{found.num_genuine} genuine and {found.num_forged} forged clips")
    console.print(table)
    for one in found.unjudged:
        why = one.report.problem.message if one.report.problem else one.report.status
        console.print(Text(f"not judged: {one.record.media}: {why}", style="yellow"))
