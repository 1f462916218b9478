"""A real FiftyOne App for tests: its server, and a real browser that looks at it.

The server holds one state for all pages, so each test has a dataset of its own name.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: An invitation that covers what is to be clicked, unless it was seen before.
_TOOLTIP_SCRIPT = 'localStorage.setItem("fiftyone-enterprise-tooltip-seen", "true");'


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
