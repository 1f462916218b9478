"""``mmmsba export``: write trained weights for other runtimes."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class ExportFormat(StrEnum):
    """Formats of exported networks."""

    ONNX = "onnx"


def export(
    checkpoint: Annotated[
        Path | None,
        typer.Argument(
            metavar="DIR",
            help="Trained weights, as `mmmsba train` wrote; the bundled ones if not given.",
            show_default=False,
        ),
    ] = None,
    *,
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE|DIR",
            help="A file that ends in .onnx, or a folder for `mmmsba detect --checkpoint`.",
        ),
    ],
    format_: Annotated[
        ExportFormat, typer.Option("--format", help="Format of the network.")
    ] = ExportFormat.ONNX,
) -> None:
    """Export trained weights as an ONNX network, for other runtimes.

    Batch and length are free. Its scores are compared with those of the weights first.
    """
    from mmmsba_plugin.cli import _console
    from mmmsba_plugin.weights import checkpoint_folder

    console = _console.console()
    folder = checkpoint_folder(checkpoint)
    match format_:
        case ExportFormat.ONNX:
            from mmmsba_plugin.model.export import export_checkpoint

            file, difference = export_checkpoint(folder, output)
    console.print(f"scores differ from those of the weights by at most {difference:.1g}")
    _console.print_written([file], console)
