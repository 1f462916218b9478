"""Detection of the format of predictions, by content and never by name.

One pair cannot be told apart for certain: LAV-DF's evaluation counts frames where
AV-Deepfake1M's counts seconds, in files of the same shape. So the former has to be stated.
"""

import re
from pathlib import Path
from typing import Literal, get_args

from mmmsba_plugin.errors import ConfigError, PredictionsError

Form = Literal["av-deepfake1m", "lav-df", "activitynet", "mm-ddl", "proposals", "reports"]

FORMS: tuple[Form, ...] = get_args(Form)

#: The two files of a submission to AV-Deepfake1M's evaluation: where, and how likely.
PROPOSALS, SCORES = "prediction.json", "prediction.txt"
#: Our own proposals, as arrays.
TABLE = "proposals.npz"

#: Enough of a file to see what it begins with; the whole can be a hundred megabytes.
_HEAD_BYTES = 1 << 16
_FIRST_KEY = re.compile(rb'\{\s*"((?:[^"\\]|\\.)*)"\s*:\s*(.?)', re.DOTALL)
_NO_KEY = re.compile(rb"\{\s*\}\s*\Z")
_ACTIVITYNET_KEYS = (b"version", b"external_data", b"results")
#: A report states its own version, first of all.
_REPORT_KEY = b"schema_version"


def stated(form: str | None) -> Form | None:
    """Return a format that was asked for by name.

    Raises:
        ConfigError: There is none of that name.
    """
    if form is None:
        return None
    for name in FORMS:
        if form == name:
            return name
    raise ConfigError(
        f"there is no format {form!r} of predictions; known are {', '.join(FORMS)}, and without "
        "one it is told from what the file holds"
    )


def recognise(place: Path) -> Form:
    """Return the format of a file, or of what lies in a folder.

    Raises:
        PredictionsError: It is none of those that are known.
    """
    if not place.is_dir():
        return _of_file(place)
    parts = submission_parts(place)
    if parts:
        return _of_file(parts[0])
    return "proposals" if (place / TABLE).is_file() else "reports"


def submission_parts(place: Path) -> list[Path]:
    """Return the files of a submission: the file itself, or those in its folder."""
    if not place.is_dir():
        return [place]
    return [place / name for name in (PROPOSALS, SCORES) if (place / name).is_file()]


def is_json(path: Path) -> bool:
    """Return whether a file begins as a JSON object; a clip's name may begin so too."""
    return _is_object(head(path))


def is_report(path: Path) -> bool:
    """Return whether a file begins as our reports do."""
    return _first_key(head(path))[0] == _REPORT_KEY


def head(path: Path) -> bytes:
    """Read the beginning of a file, without a byte order mark and white space."""
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()


def _of_file(path: Path) -> Form:
    start = head(path)
    if start.startswith(b"PK"):
        return "proposals"
    key, value = _first_key(start)
    if key == _REPORT_KEY:
        return "reports"
    # A clip may be called so, but has a list of proposals; `external_data` may be one too.
    if key in _ACTIVITYNET_KEYS and (value != b"[" or key == b"external_data"):
        return "activitynet"
    separator = separator_of(start.split(b"\n", 1)[0].decode("utf-8", "replace"))
    if _is_object(start) or separator == ";":
        return "av-deepfake1m"
    if separator == ",":
        return "mm-ddl"
    raise PredictionsError(
        f"{path} holds predictions in no known format; known are {', '.join(FORMS)}, and a "
        "submission's folder or zip",
        path=path,
    )


def _is_object(start: bytes) -> bool:
    return bool(_FIRST_KEY.match(start) or _NO_KEY.match(start))


def separator_of(line: str) -> str | None:
    """Find the separator of clip and score in a line: the text before a number."""
    for separator in (";", ","):
        try:
            float(line.rpartition(separator)[2] if separator in line else "none")
        except ValueError:
            continue
        return separator
    return None


def _first_key(start: bytes) -> tuple[bytes, bytes]:
    """Return the first key of a JSON object and the first sign of its value."""
    match = _FIRST_KEY.match(start)
    return (match[1], match[2]) if match else (b"", b"")
