"""The service as an ASGI application.

There is no authentication. Whoever reaches the port can send clips; whoever has the identifier of
a job, which cannot be guessed, can read its report. The service leaves no file behind.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware

from mmmsba_plugin.hookspecs import Detector
from mmmsba_plugin.service.jobs import JobQueue, ServiceLimits
from mmmsba_plugin.service.routes import router

#: Names of this machine for itself. A page of another site cannot make a browser say one of them.
LOOPBACK = ("127.0.0.1", "localhost")


def make_app(
    detector: Detector, limits: ServiceLimits | None = None, *, hosts: Sequence[str] = LOOPBACK
) -> FastAPI:
    """Return the service as an ASGI application, such as Uvicorn runs.

    Args:
        detector: A loaded detector.
        limits: Limits of the service.
        hosts: Names that clients may call it by; ``["*"]`` for any.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with TemporaryDirectory(prefix="mmmsba-serve-") as folder:
            app.state.queue = JobQueue(detector, limits or ServiceLimits(), Path(folder))
            yield
            app.state.queue.stop()

    # FastAPI's pages of documentation would fetch their scripts from elsewhere.
    app = FastAPI(title="mmmsba", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    app.include_router(router)
    return app
