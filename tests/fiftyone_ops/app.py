"""A real FiftyOne App for tests: its server, and a real browser that looks at it.

The server holds one state for all pages, so each test has a dataset of its own name.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

#: Fails instead of skipping where this names ``browser``, as in CI.
REQUIRED = "browser" in os.environ.get("MMMSBA_REQUIRE", "").split(",")

#: Where screenshots go; a folder that is thrown away unless this names one to keep.
KEEP_VARIABLE = "MMMSBA_SCREENSHOTS"

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    # The App asks for a font elsewhere; nothing of this test reaches beyond this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
#: An invitation that covers what is to be clicked, unless it was seen before.
_TOOLTIP_SCRIPT = 'localStorage.setItem("fiftyone-enterprise-tooltip-seen", "true");'


def chromium() -> Path | None:
    """Return a browser that is installed; None if there is none."""
    configured = os.environ.get("MMMSBA_CHROMIUM")
    paths = (shutil.which(name) for name in ([configured] if configured else _BROWSERS))
    return next((Path(path) for path in paths if path), None)


def missing() -> str:
    """Name the first thing that the browser tests lack, and the remedy; empty if nothing."""
    if find_spec("playwright") is None:
        return "playwright is not installed; install it with: pip install playwright"
    if chromium() is None:
        return "there is no Chromium; install one, or name one in MMMSBA_CHROMIUM"
    return ""


MISSING = missing()
if MISSING and REQUIRED:
    raise RuntimeError(MISSING)

#: Marks of the tests in a browser, which take their time.
MARKS = [pytest.mark.skipif(bool(MISSING), reason=MISSING), pytest.mark.timeout(600)]


@contextmanager
def server(log: Path, **environment: str) -> Iterator[str]:
    """Run the App's server for as long as the context lasts, and give its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "fiftyone.server.main"]
    with log.open("w") as output:
        running = subprocess.Popen(
            [*command, "--port", str(port), "--address", "127.0.0.1"],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
        )
        try:
            _wait_for(port, running, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            running.terminate()
            running.wait(20)


def _wait_for(port: int, running: subprocess.Popen, log: Path) -> None:
    for _ in range(600):
        if running.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"the App's server did not start: {log.read_text()[-1000:]}")


@contextmanager
def browser() -> Iterator:
    """Run a browser for as long as the context lasts."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(chromium()), args=_FLAGS)
        try:
            yield running
        finally:
            running.close()


def page(running, *, dark: bool = True):
    """Open an empty page that never saw the App before."""
    scheme = "dark" if dark else "light"
    context = running.new_context(
        viewport={"width": 1600, "height": 900}, color_scheme=scheme, device_scale_factor=1
    )
    context.add_init_script(f'{_TOOLTIP_SCRIPT} localStorage.setItem("mui-mode", "{scheme}");')
    opened = context.new_page()
    # Other tests may keep the machine busy.
    opened.set_default_timeout(60_000)
    return opened


def screenshots(otherwise: Path) -> Path:
    """Return the folder that screenshots are kept in."""
    folder = Path(os.environ.get(KEEP_VARIABLE) or otherwise)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
