"""Results that are computed from a file, kept for as long as the file stays as it is."""

from collections.abc import Callable
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


def cached_by_file(maxsize: int) -> Callable[[F], F]:
    """Keep the last results of a function whose first argument is the path of a file.

    Args:
        maxsize: Number of results that are kept.
    """

    def decorate(function: F) -> F:
        @lru_cache(maxsize=maxsize)
        def cached(path: str, _changed_ns: int, *args: Any) -> Any:
            return function(path, *args)

        @wraps(function)
        def of_file(path: str, *args: Any) -> Any:
            file = Path(path)
            return cached(path, file.stat().st_mtime_ns if file.is_file() else 0, *args)

        return cast("F", of_file)

    return decorate
