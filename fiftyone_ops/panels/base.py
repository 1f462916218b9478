"""Shared parts of the panels."""

from collections.abc import Callable
from functools import wraps
from threading import RLock
from typing import Any, Final, TypeVar

from fiftyone.operators import types

from mmmsba_plugin.errors import MmmsbaError

from ..labels import Fields
from ..store import DETECT, method_of

#: Where a dataset's truth lies.
TRUTH_FIELD: Final = "ground_truth"

#: Requests share one object for a dataset, and each reads it anew: a decision that adds fields
#: must not meet a reading.
_ONE_AT_A_TIME: Final = RLock()

_Panel = TypeVar("_Panel")
Answer = dict[str, Any]


def predictions(method: Callable[[_Panel, Any], Answer]) -> Callable[[_Panel, Any], Answer]:
    """Let a method of a panel say what is wrong; the App takes a panel down that raises."""

    @wraps(method)
    def answered(panel: _Panel, ctx: Any) -> Answer:
        try:
            with _ONE_AT_A_TIME:
                return method(panel, ctx)
        except MmmsbaError as error:
            return {"problem": str(error)}
        # Else the App closes the sample's window, and what was in it is lost.
        except Exception as error:  # noqa: BLE001 - see above
            return {"problem": f"{type(error).__name__}: {error}; reload the App and try again"}

    return answered


def drawn_by(component: str, **methods: Any) -> Any:
    """Return a panel that is nothing but one component of ours.

    Args:
        component: What ``panel/src/index.ts`` calls it.
        **methods: What it may ask for, by the names that it uses.
    """
    view = types.View(component=component, composite_view=True, **methods)
    return types.Property(types.Object(), view=view)


def prediction_fields(dataset: Any) -> list[str]:
    """Return the label fields that detection wrote to, the newest run last."""
    return [key for key in dataset.list_runs() if method_of(dataset, key) == DETECT]


def fields_of(ctx: Any) -> Fields | None:
    """Return the fields that were asked about, the newest run's unless said; None without any."""
    runs = prediction_fields(ctx.dataset)
    field = ctx.params.get("field")
    if field in runs:
        return Fields(field)
    return Fields(runs[-1]) if runs else None
