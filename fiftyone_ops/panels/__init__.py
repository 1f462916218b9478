"""Panels of the App: each asks for values and draws them in the browser.

The drawing is TypeScript, in ``panel/``; what is built of it lies in ``dist/``. A method here
responds with the JSON of a model of :mod:`fiftyone_ops.responses`. What FiftyOne calls a panel's
data is not used: the browser merges it into what is there, list by list, and the last clip's
segments stay.
"""

from typing import Any

from .overview import ForgeryOverview
from .timeline import ForgeryTimeline

#: Every panel; the manifest names the same.
PANELS: tuple[type[Any], ...] = (ForgeryTimeline, ForgeryOverview)
