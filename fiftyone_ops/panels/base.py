"""Shared parts of the panels."""

from collections.abc import Callable
from functools import wraps
from threading import RLock
from typing import Any, Final, TypeVar

from fiftyone.operators import types

from mmmsba_plugin.errors import MmmsbaError

from ..dataset.labels import Fields
from ..dataset.runs import fields_of_run, prediction_fields
from ..responses import Problem, Response

#: Requests share one object for a dataset, and each reads it anew: a decision that adds fields
#: must not meet a reading.
ONE_AT_A_TIME: Final = RLock()

_Panel = TypeVar("_Panel")


def respond(
    method: Callable[[_Panel, Any], Response | None],
) -> Callable[[_Panel, Any], dict[str, Any]]:
    """Let a panel's method respond with JSON, errors too; the App takes a panel down that raises.

    Args:
        method: Returns its response, or None where the App alone has something to do. It runs
            while no other one does.
    """

    def alone(panel: _Panel, ctx: Any) -> Response | None:
        with ONE_AT_A_TIME:
            return method(panel, ctx)

    return respond_beside(wraps(method)(alone))


def respond_beside(
    method: Callable[[_Panel, Any], Response | None],
) -> Callable[[_Panel, Any], dict[str, Any]]:
    """Let a method respond as :func:`respond` does, while others run.

    Args:
        method: As there. What it reads of a dataset it reads under :data:`ONE_AT_A_TIME`.
    """

    @wraps(method)
    def responding(panel: _Panel, ctx: Any) -> dict[str, Any]:
        try:
            response = method(panel, ctx)
        except MmmsbaError as error:
            response = Problem(problem=str(error))
        # Else the App closes the sample's window, and what was in it is lost.
        except Exception as error:  # noqa: BLE001 - see above
            message = f"{type(error).__name__}: {error}; reload the App and try again"
            response = Problem(problem=message)
        return {} if response is None else response.model_dump(mode="json")

    return responding


def drawn_by(component: str, **methods: Any) -> Any:
    """Return a panel that is nothing but one component of ours.

    Args:
        component: Its name in ``panel/src/index.ts``.
        **methods: Methods that it may call, by the names that it uses.
    """
    view = types.View(component=component, composite_view=True, **methods)
    return types.Property(types.Object(), view=view)


def fields_of(ctx: Any, sample: Any = None) -> Fields | None:
    """Return the fields that were asked about, the newest run's unless said; None without any.

    Args:
        ctx: What FiftyOne hands a panel.
        sample: A sample; the newest run that evaluated it goes before newer ones.
    """
    runs = prediction_fields(ctx.dataset)
    field = ctx.params.get("field")
    if field in runs:
        return fields_of_run(ctx.dataset, field)
    evaluated = [run for run in runs if sample is not None and has_verdict(sample, run)]
    return fields_of_run(ctx.dataset, (evaluated or runs)[-1]) if runs else None


def has_verdict(sample: Any, run: str) -> bool:
    """Return whether a run evaluated a sample."""
    verdict = Fields(run).verdict
    return sample.has_field(verdict) and sample[verdict] is not None
