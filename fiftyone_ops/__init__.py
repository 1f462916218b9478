"""Makes mmmsba part of the FiftyOne App."""

from typing import Any


def register(p: Any) -> None:
    """Hand over what the manifest names; FiftyOne calls this on every request."""
    from .operators import OPERATORS

    for operator in OPERATORS:
        p.register(operator)
