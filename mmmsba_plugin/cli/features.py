"""``mmmsba features``: write what a model would be told about clips."""

import logging
from pathlib import Path
from typing import Annotated, Any

import typer

from mmmsba_plugin.cli import _exit_codes
from mmmsba_plugin.errors import ConfigError, MmmsbaError
from mmmsba_plugin.files import ensure_dir, writing_to

_log = logging.getLogger(__name__)


def features(
    clips: Annotated[list[Path], typer.Argument(metavar="CLIP", help="Files to describe.")],
    *,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Folder of the features.")
    ] = Path("features"),
    stride_s: Annotated[float | None, typer.Option(help="Length of a snippet, in seconds.")] = None,
    front_end: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Front-end of the features, may be given several times; the default ones if not "
            "given.",
        ),
    ] = None,
) -> None:
    """Write the features of clips as DIR/MODALITY/CLIP.npy, one row a snippet.

    Rows of NaN stand where the modality is absent. The files are what the
    `precomputed` front-end reads, with the printed hop.
    """
    from mmmsba_plugin.cli import _console
    from mmmsba_plugin.config import FeaturesConfig
    from mmmsba_plugin.features.extract import extract
    from mmmsba_plugin.features.front_ends import bind_front_ends
    from mmmsba_plugin.features.precomputed import save_rows
    from mmmsba_plugin.media.probe import probe
    from mmmsba_plugin.plugins import lookup

    settings: dict[str, Any] = {} if stride_s is None else {"stride_s": stride_s}
    if front_end:
        names = {lookup("front_ends", name).modality: name for name in front_end}
        if len(names) < len(front_end):
            raise ConfigError(
                f"two of {', '.join(front_end)} are of one modality; describe by them one after "
                "the other, each with its own -o DIR"
            )
        settings["front_ends"] = {modality: {"name": name} for modality, name in names.items()}
    config = FeaturesConfig.read(settings)
    clips_by_name: dict[str, Path] = {}
    for clip in clips:
        # Features are found again by the name of their clip alone.
        if (other := clips_by_name.setdefault(clip.stem, clip)) != clip:
            raise ConfigError(
                f"{other} and {clip} would both become {clip.stem}.npy; describe them one after "
                "the other, each with its own -o DIR"
            )
    ensure_dir(output)
    front_ends = bind_front_ends(config)
    console = _console.console()
    failed = 0
    for name, clip in clips_by_name.items():
        try:
            features = extract(probe(clip), front_ends, config)
        except Exception as error:  # noqa: BLE001 - a stranger's front-end can raise anything
            failed += 1
            _console.failure(f"{clip}: error: {_reason(error)}", console)
            continue
        with writing_to(output):
            for path, rows in save_rows(features, output, name):
                size = f"{len(rows)} x {rows.dim}, {rows.present.mean():.0%} present"
                console.print(
                    _console.visible_text(f"{path}: {size}, a row every {config.stride_s:g} s")
                )
    if failed:
        raise typer.Exit(_exit_codes.NOT_EVALUATED)


def _reason(error: Exception) -> str:
    if isinstance(error, MmmsbaError):
        return str(error)
    _log.error("a front-end failed unexpectedly", exc_info=error)
    return f"{type(error).__name__}: {error}; the log has the traceback"
