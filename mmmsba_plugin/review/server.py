"""A page on this machine to review reports in, served to nobody else.

The server listens on the loopback address alone. Every address begins with a random token, which
other programs and web pages cannot guess; a request under another host's name, to which a web page
could have led the browser, is refused.
"""

import re
import secrets
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from io import BufferedIOBase
from mimetypes import guess_type
from pathlib import Path
from socketserver import TCPServer
from threading import Lock
from typing import IO, Final

from pydantic import TypeAdapter, ValidationError

from mmmsba_plugin.errors import ConfigError, MmmsbaError
from mmmsba_plugin.report.text import verdict
from mmmsba_plugin.review.document import (
    Change,
    Review,
    change_review,
    find_clip,
    read_review,
    write_review,
)
from mmmsba_plugin.schema import FrozenModel, Report

HOST: Final = "127.0.0.1"
#: Files of the page, with their types.
_PAGE: Final = {
    "": ("review.html", "text/html; charset=utf-8"),
    "review.js": ("review.js", "text/javascript; charset=utf-8"),
    "review.css": ("review.css", "text/css; charset=utf-8"),
}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
#: A page that was written beforehand brings its own policy, and may not act for this one.
_REPORT_POLICY: Final = "sandbox allow-scripts; frame-ancestors 'none'"
#: A clip of a thousand segments has some 300 kB.
_LONGEST_BODY: Final = 4 << 20
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class ClipReview(FrozenModel):
    """One clip as the page shows it."""

    number: int
    name: str
    verdict: str
    score: float | None
    threshold: float | None
    duration_s: float
    zero_s: float
    has_clip: bool
    has_page: bool
    review: Review


class ReviewServer(ThreadingHTTPServer):
    """Server of the page.

    Args:
        reports: JSON reports.
        by: Who reviews.
        port: Port to listen on; any that is free, if 0.

    Attributes:
        reports: JSON reports, in order.
        token: What every address begins with.
    """

    daemon_threads = True

    def __init__(self, reports: list[Path], *, by: str, port: int = 0) -> None:
        self.reports, self.by = reports, by
        self.token = secrets.token_urlsafe(24)
        self._lock = Lock()
        super().__init__((HOST, port), _Handler)

    def server_bind(self) -> None:
        """Bind the port, without asking a name server what this machine is called."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"http://{HOST}:{self.server_port}/{self.token}/"

    def clip(self, number: int) -> ClipReview:
        """Return a clip with its review.

        Raises:
            LookupError: There is no clip of that number.
            MmmsbaError: Its review cannot be read.
            ValidationError: Its report is none any more.
        """
        path, report = self._report(number)
        threshold = report.threshold
        return ClipReview(
            number=number,
            name=Path(report.media.path).name,
            verdict=verdict(report),
            score=report.score,
            threshold=threshold.value if threshold else None,
            duration_s=report.duration_s,
            zero_s=report.media.zero_s,
            has_clip=find_clip(report.media, path.parent) is not None,
            has_page=_page_of(path).is_file(),
            review=read_review(path, report),
        )

    def change(self, number: int, change: Change) -> ClipReview:
        """Change the review of a clip, and return the clip.

        Raises:
            LookupError: There is no clip of that number.
            MmmsbaError: It cannot be changed so, or not be written.
        """
        path, report = self._report(number)
        with self._lock:
            review = change_review(read_review(path, report), change, report, by=self.by)
            write_review(path, review)
        return self.clip(number)

    def media_path(self, number: int) -> Path:
        """Return the file of a clip.

        Raises:
            LookupError: There is no clip of that number, or it is gone.
        """
        path, report = self._report(number)
        if (clip := find_clip(report.media, path.parent)) is None:
            raise LookupError(report.media.path)
        return clip

    def page_path(self, number: int) -> Path:
        """Return the page of a report, where one lies beside it."""
        return _page_of(self.reports[number])

    def _report(self, number: int) -> tuple[Path, Report]:
        path = self.reports[number]
        return path, Report.model_validate_json(path.read_bytes())


def open_server(reports: list[Path], *, by: str, port: int = 0) -> ReviewServer:
    """Open a server of the page; ``serve_forever`` serves it.

    Args:
        reports: JSON reports.
        by: Who reviews.
        port: Port to listen on; any that is free, if 0.

    Raises:
        ConfigError: The port is taken, or not for everybody.
    """
    try:
        return ReviewServer(reports, by=by, port=port)
    except OSError as error:
        raise ConfigError(
            f"cannot listen on port {port}: {error.strerror or error}; leave --port out for one "
            "that is free"
        ) from error


def _page_of(report: Path) -> Path:
    return report.with_suffix(".html")


class _Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: ReviewServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with the page, clips and their media."""
        self._answer(
            {"": self._page, "clips": self._clips, "media": self._media, "page": self._report}
        )

    def do_POST(self) -> None:
        """Change a review."""
        self._answer({"clips": self._change})

    def _answer(self, routes: dict[str, Callable[[str], None]]) -> None:
        """Answer a request that is allowed; what cannot be done is told in words."""
        token, _, rest = self.path.removeprefix("/").partition("/")
        kind, _, number = rest.partition("/")
        hosts = {f"{name}:{self.server.server_port}" for name in (HOST, "localhost")}
        is_known = secrets.compare_digest(token.encode(), self.server.token.encode())
        if not is_known or self.headers.get("Host") not in hosts:
            self._refuse(HTTPStatus.FORBIDDEN, "open the address that `mmmsba review` printed")
            return
        kind, number = ("", rest) if rest in _PAGE else (kind, number)
        try:
            routes[kind](number)
        except (LookupError, FileNotFoundError):
            self._refuse(HTTPStatus.NOT_FOUND, "that is not there, or gone by now; reload the page")
        except (MmmsbaError, ValidationError) as error:
            self._refuse(HTTPStatus.CONFLICT, str(error))

    def _page(self, name: str) -> None:
        file, content_type = _PAGE[name]
        content = files(__package__).joinpath(file).read_bytes()
        self._send(content, content_type)

    def _clips(self, number: str) -> None:
        if number:
            self._send_json(self.server.clip(_number(number)))
            return
        clips = [self.server.clip(index) for index in range(len(self.server.reports))]
        self._send(TypeAdapter(list[ClipReview]).dump_json(clips), "application/json")

    def _change(self, number: str) -> None:
        # A form of another page cannot send this type without being asked for leave first.
        if self.headers.get_content_type() != "application/json":
            self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send JSON")
            return
        length = int(self.headers.get("Content-Length", "0"))
        if not 0 < length <= _LONGEST_BODY:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "send one review")
            return
        change = Change.model_validate_json(self.rfile.read(length))
        self._send_json(self.server.change(_number(number), change))

    def _report(self, number: str) -> None:
        content = self.server.page_path(_number(number)).read_bytes()
        self._send(content, "text/html; charset=utf-8", policy=_REPORT_POLICY)

    def _media(self, number: str) -> None:
        """Send a clip, or the range of it that a player asks for. RFC 9110, section 14."""
        path = self.server.media_path(_number(number))
        size = path.stat().st_size
        requested = self.headers.get("Range")
        span = _span(requested, size) if requested else (0, size)
        if span is None:
            self._refuse(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "no such range")
            return
        start, stop = span
        self.send_response(HTTPStatus.PARTIAL_CONTENT if requested else HTTPStatus.OK)
        if requested:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        self.send_header("Accept-Ranges", "bytes")
        content_type = guess_type(path.name)[0] or "application/octet-stream"
        self._send_headers(content_type, stop - start, _POLICY)
        with path.open("rb") as file:
            file.seek(start)
            _copy(file, self.wfile, stop - start)

    def _send_json(self, model: FrozenModel) -> None:
        self._send(model.model_dump_json().encode(), "application/json")

    def _send(self, content: bytes, content_type: str, *, policy: str = _POLICY) -> None:
        self.send_response(HTTPStatus.OK)
        self._send_headers(content_type, len(content), policy)
        self.wfile.write(content)

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        self.close_connection = True
        content = reason.encode()
        self.send_response(status)
        self._send_headers("text/plain; charset=utf-8", len(content), _POLICY)
        self.wfile.write(content)

    def _send_headers(self, content_type: str, num_bytes: int, policy: str) -> None:
        headers = {
            "Content-Type": content_type,
            "Content-Length": str(num_bytes),
            "Content-Security-Policy": policy,
            "Cache-Control": "no-store",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Print nothing: what matters is said in the page."""


def _number(text: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", text):
        raise LookupError(text)
    return int(text)


def _span(header: str, size: int) -> tuple[int, int] | None:
    """Return start and end of the range that a header asks for; None if there is no such."""
    match = _RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    start = int(first) if first else max(0, size - int(last))
    stop = min(size, int(last) + 1) if first and last else size
    return (start, stop) if start < stop else None


def _copy(source: IO[bytes], target: BufferedIOBase, num_bytes: int) -> None:
    """Copy bytes until a player that has enough hangs up."""
    while num_bytes > 0 and (block := source.read(min(num_bytes, 1 << 16))):
        try:
            target.write(block)
        except (BrokenPipeError, ConnectionResetError):
            return
        num_bytes -= len(block)
