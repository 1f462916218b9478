"""Compatibility of the plugin's folder and the installed package.

A plain copy of the folder does not follow when the package is upgraded.
"""

import re
from pathlib import Path

from .errors import VersionError

_FOLDER = Path(__file__).parent


def plugin_version(folder: Path = _FOLDER) -> str:
    """Return the version that the manifest in a folder of the plugin states.

    Args:
        folder: This one if not given.
    """
    manifest = (folder / "fiftyone.yml").read_text(encoding="utf-8")
    match = re.search(r'^version: "(.+)"$', manifest, re.MULTILINE)
    return match[1] if match else ""


def why_unfit() -> str:
    """Explain why the plugin cannot be used as it is installed; empty if it can."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        installed = version("mmmsba-plugin")
    except PackageNotFoundError:
        return "the package mmmsba-plugin is not installed; install it: pip install mmmsba-plugin"
    if installed != plugin_version():
        return (
            f"this plugin is of version {plugin_version()} and the installed package of "
            f"{installed}; run `mmmsba fiftyone install` so that the App takes the package's own"
        )
    return ""


def require_fit() -> None:
    """Check that plugin and package fit.

    Raises:
        VersionError: They do not.
    """
    if why := why_unfit():
        raise VersionError(why)
