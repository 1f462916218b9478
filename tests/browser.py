"""A real browser for tests of pages: the Chromium of the system, by Playwright."""

import os
import shutil
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
    # Pages may ask for a font elsewhere; nothing of this test reaches beyond this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


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
def browser() -> Iterator:
    """Run a browser for as long as the context lasts."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(chromium()), args=_FLAGS)
        try:
            yield running
        finally:
            running.close()


def screenshots(otherwise: Path) -> Path:
    """Return the folder that screenshots are kept in."""
    folder = Path(os.environ.get(KEEP_VARIABLE) or otherwise)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
