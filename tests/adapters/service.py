"""Runs the service over HTTP, as its clients meet it."""

import socket
import threading
from contextlib import contextmanager

import httpx
import uvicorn

from mmmsba_plugin.adapters.serve import ServeLimits, make_app


@contextmanager
def serving(detector, *routers, **limits):
    """Serve a detector on a free port, and yield a client of it."""
    app = make_app(detector, ServeLimits(**limits))
    for router in routers:
        app.include_router(router)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()
