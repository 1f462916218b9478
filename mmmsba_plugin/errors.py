"""Errors that a person can put right.

One root, so that a caller can catch everything of ours at once, and one class for each
thing that has its own remedy. Each class is also the builtin it resembles, so that code
which has never heard of us handles it sensibly. Every message says what was given, what is
allowed, and what to do next; where a class has a culprit, it is an attribute too.
"""

from pathlib import Path


class MmmsbaError(Exception):
    """Root of every error that this package raises on purpose."""


class ConfigError(MmmsbaError, ValueError):
    """A setting is misspelt, out of bounds, or at odds with another."""


class CapabilityError(ConfigError):
    """A detector lacks an optional capability that was asked for.

    Attributes:
        capability: Name of the method or option that is missing.
    """

    def __init__(self, message: str, *, capability: str = "") -> None:
        super().__init__(message)
        self.capability = capability


class GridError(MmmsbaError, ValueError):
    """A grid of snippets would have no length, or reach no end."""


class SegmentError(MmmsbaError, ValueError):
    """A segment ends before it starts, or has no finite ends."""


class ScoreRangeError(MmmsbaError, ValueError):
    """A score or a probability lies outside [0, 1]."""


class ShapeError(MmmsbaError, ValueError):
    """An array has not the shape that is needed.

    Attributes:
        shape: The shape that was given; None if several arrays do not fit together.
    """

    def __init__(self, message: str, *, shape: tuple[int, ...] | None = None) -> None:
        super().__init__(message)
        self.shape = shape


class MediaNotFoundError(MmmsbaError, FileNotFoundError):
    """There is no file at the path that was given."""


class MediaUnreadableError(MmmsbaError, ValueError):
    """The file is there, but nothing in it can be decoded."""


class AudioTrackError(MmmsbaError, LookupError):
    """A file has no audio track of the number that was asked for, or none that can be decoded.

    Attributes:
        track: The number, from 1.
    """

    def __init__(self, message: str, *, track: int | None = None) -> None:
        super().__init__(message)
        self.track = track


class FaceTrackError(MmmsbaError, LookupError):
    """A clip has no face track of the number that was asked for.

    Attributes:
        track: The number, from 1.
    """

    def __init__(self, message: str, *, track: int | None = None) -> None:
        super().__init__(message)
        self.track = track


class MediaTypeError(MmmsbaError, TypeError):
    """Media were given as something that is no path, no bytes and no file."""


class ModelFileError(MmmsbaError, ValueError):
    """A file bundled with the package is not the one it should be."""


class FeatureError(MmmsbaError, ValueError):
    """Features do not fit the clip, the grid or the model."""


class CheckpointNotFoundError(MmmsbaError, FileNotFoundError):
    """There are no trained weights to predict with."""


class CheckpointError(MmmsbaError, ValueError):
    """A checkpoint is incomplete, damaged, or from another format version."""


class DatasetError(MmmsbaError, ValueError):
    """A dataset cannot be used as it is; the message names file and key."""


class PredictionsError(MmmsbaError, ValueError):
    """Predictions are missing, cannot be read, or do not fit the clips they are of.

    Attributes:
        path: The file or folder of the predictions; None if they came from no file.
    """

    def __init__(self, message: str, *, path: Path | None = None) -> None:
        super().__init__(message)
        self.path = path


class ForgeError(MmmsbaError, ValueError):
    """A clip cannot be forged as asked.

    Attributes:
        forger: Name of the forger that could not; None if no forger was at work.
    """

    def __init__(self, message: str, *, forger: str | None = None) -> None:
        super().__init__(message)
        self.forger = forger


class WorkerError(MmmsbaError, RuntimeError):
    """A worker process died, often for want of memory.

    Attributes:
        workers: Number of worker processes at that time.
    """

    def __init__(self, message: str, *, workers: int | None = None) -> None:
        super().__init__(message)
        self.workers = workers


class TimeLimitError(MmmsbaError, TimeoutError):
    """A clip took longer than it may.

    Attributes:
        limit_s: The limit, in seconds.
    """

    def __init__(self, message: str, *, limit_s: float | None = None) -> None:
        super().__init__(message)
        self.limit_s = limit_s


class RunCancelledError(MmmsbaError, RuntimeError):
    """A run was stopped by whoever started it; there is no result."""


class MemoryLimitError(MmmsbaError, MemoryError):
    """A clip took more memory than it may.

    Attributes:
        limit_mib: The limit, in MiB.
    """

    def __init__(self, message: str, *, limit_mib: float | None = None) -> None:
        super().__init__(message)
        self.limit_mib = limit_mib


class OutputError(MmmsbaError, OSError):
    """A result cannot be written where it should go.

    Attributes:
        path: Where it should go; None if it is no file.
    """

    def __init__(self, message: str, *, path: Path | None = None) -> None:
        super().__init__(message)
        self.path = path


class TrainingError(MmmsbaError, ValueError):
    """There is nothing, or not enough, to learn from."""


class MissingExtraError(MmmsbaError, ImportError):
    """An optional dependency is not installed; the message names the extra."""


class PluginError(MmmsbaError):
    """Root of what can be wrong with a plug-in."""


class PluginNotFoundError(PluginError, LookupError):
    """No loaded plug-in offers an entry of that name."""


class PluginClashError(PluginError, ValueError):
    """Two plug-ins offer entries of the same kind under one name."""


class PluginBrokenError(PluginError, ImportError):
    """A plug-in that was asked for could not be loaded, or an entry of it is malformed.

    Attributes:
        plugin: Its name, the path of its file, or the name of the entry; empty if unknown.
    """

    def __init__(self, message: str, *, plugin: str = "") -> None:
        super().__init__(message)
        self.plugin = plugin
