"""Errors between a dataset and the plugin that a person can put right."""

from mmmsba_plugin.errors import MmmsbaError


class TargetError(MmmsbaError, ValueError):
    """Samples cannot be used: frames instead of videos, or nothing at all."""


class FieldTakenError(MmmsbaError, ValueError):
    """A field or a run of that name is there, and is not ours to write to."""


class WriteError(MmmsbaError, OSError):
    """The database does not take what was made."""


class VersionError(MmmsbaError, RuntimeError):
    """The plugin's folder and the installed package are of different versions."""
