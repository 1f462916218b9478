"""Finds fake segments in talking-face video: where, and in which modality.

The names below are the whole public face for callers; plug-in authors find theirs in
:mod:`mmmsba_plugin.hookspecs` and :mod:`mmmsba_plugin.structures`. Each is loaded on first
use, so that importing the package costs nothing.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmmsba_plugin.detector import MmmsbaDetector as Detector
    from mmmsba_plugin.errors import MmmsbaError
    from mmmsba_plugin.hookspecs import hookimpl
    from mmmsba_plugin.schema import Report
    from mmmsba_plugin.segment import Segment

__all__ = ["Detector", "MmmsbaError", "Report", "Segment", "__version__", "hookimpl"]

_HOMES = {
    "Detector": ("mmmsba_plugin.detector", "MmmsbaDetector"),
    "MmmsbaError": ("mmmsba_plugin.errors", "MmmsbaError"),
    "Report": ("mmmsba_plugin.schema", "Report"),
    "Segment": ("mmmsba_plugin.segment", "Segment"),
    "hookimpl": ("mmmsba_plugin.hookspecs", "hookimpl"),
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        return version("mmmsba-plugin")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOMES[name]
    value: object = getattr(import_module(module), attribute)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
