"""``mmmsba review``: accept, reject and adjust segments of reports in a page."""

from pathlib import Path
from typing import Annotated

import typer


def review(
    reports: Annotated[
        list[Path],
        typer.Argument(
            metavar="REPORT",
            help="JSON reports, or folders, in which and below which they are found.",
        ),
    ],
    *,
    by: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Who reviews; whoever is logged in if not given."),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the page; any that is free, if 0.")
    ] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")
    ] = True,
) -> None:
    """Review reports in a page: accept, reject and adjust segments, with the clip playing.

    Decisions are stored beside each report, as NAME.review.json, at once; `mmmsba finetune
    --reviewed` learns from them. The page is served to this machine alone, under an address that
    nobody can guess, until Ctrl-C.
    """
    from mmmsba_plugin.cli import _console
    from mmmsba_plugin.review.document import find_reports, whoami
    from mmmsba_plugin.review.server import open_server

    with open_server(find_reports(reports), by=by or whoami(), port=port) as server:
        console = _console.console()
        num_reports = len(server.reports)
        plural = "" if num_reports == 1 else "s"
        console.print(f"{num_reports} report{plural} to review at {server.url}")
        console.print("Ctrl-C ends it")
        if browser:
            typer.launch(server.url)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            console.print("decisions are stored beside the reports")
