"""What can go wrong between a dataset and us, in a way that a person can put right."""

from mmmsba_plugin.errors import MmmsbaError


class TargetError(MmmsbaError, ValueError):
    """What was chosen cannot be worked on: frames instead of videos, or nothing at all."""


class FieldTakenError(MmmsbaError, ValueError):
    """A field or a run of that name is there, and is not ours to write to."""


class WriteError(MmmsbaError, OSError):
    """The database does not take what was made."""


class VersionError(MmmsbaError, RuntimeError):
    """The plugin's folder and the installed package are of different versions."""
