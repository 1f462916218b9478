"""Finds fake segments in talking-face video: where, and in which modality.

The names below are the whole public face; :mod:`mmmsba_plugin.hookspecs` says what is promised of
them. Each is loaded on first use, so that importing the package costs nothing.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmmsba_plugin.adapter import AdaptedDetector, TimedScores
    from mmmsba_plugin.config import Config
    from mmmsba_plugin.detector import MmmsbaDetector as Detector
    from mmmsba_plugin.errors import MmmsbaError
    from mmmsba_plugin.features.cache import FeatureCache
    from mmmsba_plugin.hookspecs import (
        API_VERSION,
        DatasetReader,
        DetectorEntry,
        Forger,
        FrontEnd,
        HeadEntry,
        Writer,
        hookimpl,
    )
    from mmmsba_plugin.plugins import lookup
    from mmmsba_plugin.record import Record
    from mmmsba_plugin.run_control import Progress
    from mmmsba_plugin.schema import Report
    from mmmsba_plugin.segment import Segment
    from mmmsba_plugin.workers import Limits

__all__ = [
    "API_VERSION",
    "AdaptedDetector",
    "Config",
    "DatasetReader",
    "Detector",
    "DetectorEntry",
    "FeatureCache",
    "Forger",
    "FrontEnd",
    "HeadEntry",
    "Limits",
    "MmmsbaError",
    "Progress",
    "Record",
    "Report",
    "Segment",
    "TimedScores",
    "Writer",
    "__version__",
    "hookimpl",
    "lookup",
]

#: Module of each name; where it is called otherwise there, that name too.
_HOMES = {
    "API_VERSION": "hookspecs",
    "AdaptedDetector": "adapter",
    "Config": "config",
    "DatasetReader": "hookspecs",
    "Detector": "detector:MmmsbaDetector",
    "DetectorEntry": "hookspecs",
    "FeatureCache": "features.cache",
    "Forger": "hookspecs",
    "FrontEnd": "hookspecs",
    "HeadEntry": "hookspecs",
    "Limits": "workers",
    "MmmsbaError": "errors",
    "Progress": "run_control",
    "Record": "record",
    "Report": "schema",
    "Segment": "segment",
    "TimedScores": "adapter",
    "Writer": "hookspecs",
    "hookimpl": "hookspecs",
    "lookup": "plugins",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        return version("mmmsba-plugin")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _HOMES[name].partition(":")
    value: object = getattr(import_module(f"{__name__}.{module}"), attribute or name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
