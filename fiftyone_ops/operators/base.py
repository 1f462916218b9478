"""Shared parts of operators on samples: form, execution, and a call from Python."""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from typing import Any, Protocol

import fiftyone.operators as foo
from bson import ObjectId
from fiftyone.core.odm import get_db_conn
from fiftyone.operators import types

from mmmsba_plugin.config import Config
from mmmsba_plugin.errors import MmmsbaError

from .. import forms
from ..progress import Step


class OnSamples(foo.Operator):
    """An operator that works on samples, by settings that a form asks for.

    Whoever inherits states its words and its settings, and executes.
    """

    name: str
    label: str
    description: str
    settings: type[Config]
    #: What else its configuration says.
    options: Mapping[str, Any] = {}

    @property
    def config(self) -> Any:
        """Configuration that the App shows."""
        return foo.OperatorConfig(
            name=self.name,
            label=self.label,
            description=self.description,
            dynamic=True,
            # Settings check themselves, in sentences.
            disable_schema_validation=True,
            allow_immediate_execution=True,
            allow_delegated_execution=True,
            **self.options,
        )

    def resolve_input(self, ctx: Any) -> Any:
        """Return the form."""
        inputs = types.Object()
        forms.ask_target(ctx, inputs)
        forms.ask(inputs, self.settings)
        return types.Property(inputs, view=types.View(label=self.label))

    def __call__(self, samples: Any, *, delegate: bool = False, **settings: Any) -> Any:
        """Run it from Python.

        Args:
            samples: A dataset or a view.
            delegate: Whether to leave it to ``fiftyone delegated launch``.
            **settings: Those of the form.
        """
        return foo.execute_operator(
            self.uri,
            {"view": samples.view()},
            params={"target": "view", **settings},
            request_delegation=delegate,
        )


#: How often a delegated run asks whether it was called off, in steps.
_STEPS_A_LOOK = 2

#: What an operator says of itself so that the App shows what it yields.
STEP_BY_STEP = {"execute_as_generator": True}


class Outcome(Protocol):
    """Summary of a run; as text, in a sentence."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""


class Run(Protocol):
    """A run that is made where all that can fail at once has not failed."""

    @property
    def summary(self) -> Outcome:
        """Summary so far."""

    def steps(self) -> Generator[Step, None, None]:
        """Take the steps one by one; each yields how far it has come."""


def carry_out(
    ctx: Any, run: Run, *, last: Callable[[], Any] | None = None
) -> dict[str, Any] | Iterator[Any]:
    """Execute a run, and return the operator's result.

    Args:
        ctx: What FiftyOne hands an operator.
        run: The run.
        last: Makes what the App is asked to do at the end, such as to load what is new.
    """
    if _in_app(ctx):
        return _streamed(ctx, run, last)
    _in_one_go(ctx, run)
    return run.summary.to_dict()


def _in_app(ctx: Any) -> bool:
    """Return whether the App waits for what is yielded."""
    # It sends the sidebar's filters with each request, and nobody else does.
    return "filters" in ctx.request_params and not ctx.delegated


def _streamed(ctx: Any, run: Run, last: Callable[[], Any] | None) -> Iterator[Any]:
    """Yield the progress of a run for the App."""
    try:
        # Closed at once where the App goes away, so that the run writes what it has.
        with closing(run.steps()) as steps:
            for step in steps:
                yield ctx.ops.set_progress(progress=step.share, label=str(step))
    except MmmsbaError as error:
        yield ctx.ops.notify(str(error), variant="error")
    else:
        yield ctx.ops.notify(str(run.summary), variant="success")
    if last is not None:
        yield last()


def _in_one_go(ctx: Any, run: Run) -> None:
    """Take all steps of a run, unless it is delegated and called off meanwhile."""
    with closing(run.steps()) as steps:
        for number, step in enumerate(steps, start=1):
            ctx.set_progress(progress=step.share, label=str(step))
            if number % _STEPS_A_LOOK == 0 and _called_off(ctx):
                return


def _called_off(ctx: Any) -> bool:
    """Return whether somebody marked a delegated run as failed, to end it."""
    run_id = getattr(ctx, "_delegated_operation_id", None)
    if run_id is None:
        return False
    operation = get_db_conn().delegated_ops.find_one({"_id": ObjectId(run_id)}, {"run_state": 1})
    return operation is not None and operation.get("run_state") == "failed"
