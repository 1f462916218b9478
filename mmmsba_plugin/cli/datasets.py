"""``mmmsba datasets``: which datasets can be read, and whether one is as it should be."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmmsba_plugin.cli import _exit_codes
from mmmsba_plugin.datasets import load
from mmmsba_plugin.files import ensure_dir, writing_to

if TYPE_CHECKING:
    from rich.console import Console

    from mmmsba_plugin.datasets.check import Checkup, Examples
    from mmmsba_plugin.hookspecs import DatasetReader

app = typer.Typer(help="List the datasets that can be read, and check one.")

_STDOUT = "-"
#: Settings that options and arguments say.
_OF_ALL = frozenset({"root", "split", "need_media"})


@app.command("list")
def list_readers() -> None:
    r"""List the readers of datasets, with what each reads, and its settings if it has any.

    Settings go in brackets, such as fakeavceleb\[protocol=five-fold,fold=2]=DIR.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("reader", "what it reads", "what it can be told", box=None)
    for entry in load.readers():
        settings = ", ".join(name for name in entry.config.model_fields if name not in _OF_ALL)
        table.add_row(Text(entry.name), Text(entry.summary), Text(settings))
    Console().print(table)


@app.command("check")
def check_dataset(
    folder: Annotated[
        str,
        typer.Argument(
            metavar="[READER=]DIR",
            help="Folder of the dataset; READER can have settings in brackets, such as "
            "av-deepfake1m\\[protocol=paper].",
        ),
    ],
    *,
    reader: Annotated[
        str | None,
        typer.Option(help="Reader of a plain DIR; the one that knows its layout if not given."),
    ] = None,
    as_json: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Write the result as JSON; - for stdout."),
    ] = None,
) -> None:
    """Count what a dataset holds, and name what is missing or malformed.

    No clip is opened. The exit code is 3 if a record cannot be used.
    """
    from json import dumps

    from mmmsba_plugin.cli import _console
    from mmmsba_plugin.datasets.check import check
    from mmmsba_plugin.plugins import lookup

    spec = load.parse_spec(folder, reader)
    entry = lookup("dataset_readers", spec.reader) if spec.reader else load.recognise(spec.root)
    checkup = check(entry, spec.root, spec.settings)
    if as_json is None:
        _show(checkup, entry, _console.console())
    else:
        text = dumps(checkup.to_dict(), indent=2, allow_nan=False)
        if str(as_json) == _STDOUT:
            typer.echo(text)
        else:
            ensure_dir(as_json.parent)
            with writing_to(as_json):
                as_json.write_text(f"{text}\n", encoding="utf-8")
    if not checkup.usable:
        raise typer.Exit(_exit_codes.NOT_EVALUATED)


def _show(checkup: "Checkup", entry: "DatasetReader", to: "Console") -> None:
    from mmmsba_plugin.cli import _console
    from mmmsba_plugin.datasets.check import NUM_NAMED

    to.print(_console.visible_text(f"{checkup.root}: read by {entry.name}. {entry.summary}"))
    if checkup.protocol:
        to.print(_console.visible_text(f"split by protocol: {checkup.protocol}"))
    _show_counts(checkup, to)
    _show_wrong("not there", checkup.missing, to)
    _show_wrong("malformed", checkup.malformed, to)
    if checkup.ended:
        _console.failure(f"reading ended early: {checkup.ended}", to)
    if several := checkup.in_several_splits:
        _console.failure(
            f"warning: {len(several)} identities are in more than one split, so metrics would "
            f"praise knowing a face: {', '.join(several[:NUM_NAMED])}",
            to,
        )


def _show_counts(checkup: "Checkup", to: "Console") -> None:
    from rich.table import Table
    from rich.text import Text

    splits = sorted({split for _, split in checkup.records})
    table = Table("kind", box=None)
    for word in (*splits, "all"):
        table.add_column(Text(word), justify="right")
    for kind in sorted({kind for kind, _ in checkup.records}):
        counts = [checkup.records[kind, split] for split in splits]
        table.add_row(Text(kind), *map(str, counts), str(sum(counts)))
    shares = ", ".join(f"{split} {count}" for split, count in sorted(checkup.identities().items()))
    spans = checkup.segments
    lasting = f": {spans.mean_s:.2f} s on average, {spans.longest_s:.2f} s at most"
    to.print(table)
    to.print(f"{checkup.records.total()} records, {checkup.fake} of them fake")
    if checkup.num_stated:
        to.print(f"identities: {len(checkup.splits_by_identity)} ({shares})")
    else:
        to.print("identities: not stated")
    to.print(f"fake segments: {spans.count}{lasting if spans.count else ''}")
    if checkup.whole_clips:
        to.print(
            f"fake at no stated place: {checkup.whole_clips}; no localization is measured on them"
        )


def _show_wrong(what: str, wrong: "Examples", to: "Console") -> None:
    from mmmsba_plugin.cli import _console

    if wrong.count:
        _console.failure(f"{what}: {wrong.count}", to)
    for line in wrong.first:
        to.print(_console.visible_text(f"  {line}"))
    if (more := wrong.count - len(wrong.first)) > 0:
        to.print(f"  and {more} more")
