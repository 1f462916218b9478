"""``mmmsba serve``: detect for other programs, over HTTP."""

from pathlib import Path
from typing import Annotated

import typer

from mmmsba_plugin.cli import _detectors

_MB = 1_000_000


def serve(
    *,
    host: Annotated[
        str,
        typer.Option(help="Address to listen at; any other than 127.0.0.1 lets others in."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen at.")] = 8000,
    checkpoint: _detectors.Checkpoint = None,
    detector: _detectors.DetectorName = "mmms-ba",
    fpr: _detectors.FalsePositiveRate = None,
    max_mb: Annotated[int, typer.Option(min=1, help="Size of a clip, in MB.")] = 500,
    time_limit_s: Annotated[
        float, typer.Option(min=1, help="Time that a clip may take, in seconds.")
    ] = 600.0,
    max_waiting: Annotated[
        int, typer.Option(min=1, help="Clips that may wait, with the one in hand.")
    ] = 8,
    max_kept: Annotated[
        int, typer.Option(min=1, help="Reports that are kept; beyond that the oldest are deleted.")
    ] = 100,
    labelstudio_media: Annotated[
        Path | None,
        typer.Option(
            "--label-studio",
            metavar="DIR",
            help="Be a machine-learning backend of Label Studio too, for media below this folder.",
        ),
    ] = None,
) -> None:
    """Evaluate clips that other programs send over HTTP; Ctrl-C ends it.

    Needs the extra `serve`. There is no authentication: on any address but 127.0.0.1 whoever
    reaches the port can use it.
    """
    from mmmsba_plugin.cli import _console
    from mmmsba_plugin.errors import MissingExtraError

    try:
        import uvicorn

        from mmmsba_plugin.adapters.labelstudio import routes
        from mmmsba_plugin.service.app import LOOPBACK, make_app
        from mmmsba_plugin.service.jobs import ServiceLimits
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"the service needs {error.name}; install it with: pip install 'mmmsba-plugin[serve]'"
        ) from error
    limits = ServiceLimits(
        max_bytes=max_mb * _MB,
        time_limit_s=time_limit_s,
        max_waiting=max_waiting,
        max_kept=max_kept,
    )
    is_private = host in LOOPBACK
    app = make_app(
        _detectors.load_detector(detector, checkpoint, fpr=fpr),
        limits,
        hosts=LOOPBACK if is_private else ["*"],
    )
    if labelstudio_media is not None:
        app.include_router(routes(labelstudio_media))
    if not is_private:
        _console.print_warning(
            f"{host} can be reached from other machines, and nobody is asked who they are; put a "
            "proxy that does, with TLS, before it",
            _console.console(to_stderr=True),
        )
    # Requests that are open after that long are dropped, so that Ctrl-C does end it.
    uvicorn.run(app, host=host, port=port, access_log=False, timeout_graceful_shutdown=5)
