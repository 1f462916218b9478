"""Files that are shipped inside the package, checked whenever one is read."""

import hashlib
from functools import cache
from importlib.resources import files

from mmmsba_plugin.errors import ModelFileError

_REMEDY = "reinstall with: pip install --force-reinstall --no-deps mmmsba-plugin"


@cache
def read_shipped(package: str, name: str, *, sha256: str) -> bytes:
    """Return the bytes of a file that lies in one of our packages.

    Raises:
        ModelFileError: It is missing, or not the one that was shipped.
    """
    try:
        content = files(package).joinpath(name).read_bytes()
    except FileNotFoundError as error:
        raise ModelFileError(f"{name} is missing from the package; {_REMEDY}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ModelFileError(f"{name} differs from the file that was shipped; {_REMEDY}")
    return content
