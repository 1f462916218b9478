"""Plugin of the FiftyOne App: detection, review, evaluation and export."""

from typing import Any


def register(p: Any) -> None:
    """Hand over what the manifest names; FiftyOne calls this on every request."""
    from .operators import OPERATORS
    from .panels import PANELS

    for offered in (*OPERATORS, *PANELS):
        p.register(offered)
