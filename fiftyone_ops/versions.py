"""Compatibility of the plugin's folder and the installed package.

A plain copy of the folder does not follow when the package is upgraded.
"""

import re
from pathlib import Path

from .errors import VersionError

_MANIFEST = Path(__file__).with_name("fiftyone.yml")


def plugin_version() -> str:
    """Return the version that the manifest beside this file states."""
    match = re.search(r'^version: "(.+)"$', _MANIFEST.read_text(encoding="utf-8"), re.MULTILINE)
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
