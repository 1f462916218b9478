"""Adapter for deepsafe-bench: one probability of being fake for each file.

Its command ``deepsafe eval --model FILE.py`` calls the function ``predict`` of that file, which can
be this one, or else the method of its class ``Detector``. What cannot be evaluated raises; the host
counts it as called real, and says how many there were.

Source:
    https://github.com/deepsafehq/deepsafe-bench, ``deepsafe/detectors.py`` of version 1.0.0.
"""

from functools import cache
from pathlib import Path

from mmmsba_plugin import hookspecs
from mmmsba_plugin.plugins import lookup


class Detector:
    """A detector with the one method that deepsafe-bench calls.

    Args:
        detector: Any detector; the default of ``mmms-ba`` if not given.
    """

    def __init__(self, detector: hookspecs.Detector | None = None) -> None:
        self._detector = detector or lookup("detectors", "mmms-ba").load(None)

    def predict(self, path: str | Path) -> float:
        """Return P(fake) of one file, in [0, 1].

        Raises:
            MediaUnreadableError: The file could not be evaluated; the message says why.
        """
        return self._detector.predict(path)


def predict(path: str | Path) -> float:
    """Return P(fake) of one file, in [0, 1], by ``mmms-ba``; see :meth:`Detector.predict`."""
    return _default().predict(path)


@cache
def _default() -> Detector:
    return Detector()
