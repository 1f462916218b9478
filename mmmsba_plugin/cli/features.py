"""``mmmsba features``: write what a model would be told about clips."""

from pathlib import Path
from typing import Annotated

import typer

from mmmsba_plugin.cli import exits


def features(
    clips: Annotated[list[Path], typer.Argument(metavar="CLIP...", help="Files to describe.")],
    *,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Where features go.")
    ] = Path("features"),
    stride_s: Annotated[float | None, typer.Option(help="Length of a snippet, in seconds.")] = None,
) -> None:
    """Write the features of clips as DIR/MODALITY/CLIP.npy, one row a snippet.

    Rows of NaN stand where the modality could not be seen or heard. The files are what the
    `precomputed` front-end reads, with the printed hop.
    """
    from rich.console import Console
    from rich.text import Text

    from mmmsba_plugin.config import FeaturesConfig
    from mmmsba_plugin.detector import bind_front_ends
    from mmmsba_plugin.errors import MmmsbaError
    from mmmsba_plugin.features.extract import extract, save_rows
    from mmmsba_plugin.media.probe import probe

    config = FeaturesConfig.read({} if stride_s is None else {"stride_s": stride_s})
    front_ends = bind_front_ends(config)
    console = Console(highlight=False, soft_wrap=True)
    failed = 0
    for clip in clips:
        try:
            found = extract(probe(clip), front_ends, config)
        except MmmsbaError as error:
            failed += 1
            console.print(Text.assemble((f"{clip}: error", "yellow"), f": {error}"))
            continue
        for path, rows in save_rows(found, output, clip.stem):
            console.print(
                Text(f"{path}: {len(rows)} x {rows.dim}, a row every {config.stride_s:g} s")
            )
    if failed:
        raise typer.Exit(exits.UNJUDGED)
