"""Bases of the operators: a form, a call from Python, and the execution of a task."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import fiftyone.operators as foo
from bson import ObjectId
from fiftyone.core.odm import get_db_conn
from fiftyone.operators import types

from mmmsba_plugin.config import Config
from mmmsba_plugin.errors import MmmsbaError

from .. import versions
from ..tasks.base import Task
from . import forms

#: How often a delegated run asks whether it was called off, in steps.
_STEPS_A_LOOK = 2


class FormOperator(foo.Operator):
    """An operator on samples, with settings that a form asks for.

    Whoever inherits states its words and its settings, and executes.
    """

    name: str
    label: str
    description: str
    settings: type[Config]
    #: Further options of its configuration.
    options: Mapping[str, Any] = {
        "allow_immediate_execution": True,
        "allow_delegated_execution": True,
    }

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
            **self.options,
        )

    def resolve_input(self, ctx: Any) -> Any:
        """Return the form."""
        inputs = types.Object()
        if why := versions.why_unfit() or self.why_not(ctx):
            forms.refuse(inputs, "refused", why)
        else:
            self.ask(ctx, inputs)
            forms.refuse_invalid(ctx, inputs, self.settings)
        return types.Property(inputs, view=types.View(label=self.label))

    def why_not(self, ctx: Any) -> str:
        """Explain why there is nothing to ask, since it cannot work here; empty where it can."""
        return forms.why_no_target(ctx)

    def ask(self, ctx: Any, inputs: Any) -> None:
        """Add the questions of the form: which samples, and the settings.

        Args:
            ctx: What FiftyOne hands an operator.
            inputs: The form, a ``types.Object``.
        """
        forms.ask_target(ctx, inputs)
        forms.ask(inputs, self.settings)

    def __call__(self, samples: Any, *, delegate: bool = False, **settings: Any) -> Any:
        """Run it from Python.

        Args:
            samples: A dataset or a view.
            delegate: Whether to leave it to ``fiftyone delegated launch``.
            **settings: Those of the form.

        Raises:
            ConfigError: A setting is unknown, out of bounds, or at odds with another.
        """
        forms.require_known(settings, self.settings)
        return foo.execute_operator(
            self.uri,
            {"view": samples.view()},
            params={"target": "view", **settings},
            request_delegation=delegate,
        )


class TaskOperator(FormOperator):
    """An operator that runs a task: step by step in the App, and for anybody else in one go."""

    #: A task that is made of samples and settings.
    task: type[Any]
    options: Mapping[str, Any] = {"execute_as_generator": True, **FormOperator.options}

    def make_task(self, ctx: Any) -> Task[Any, Any]:
        """Make the task of what was filled in."""
        task: Task[Any, Any] = self.task(
            forms.target_of(ctx), forms.read(ctx.params, self.settings)
        )
        return task

    def finish(self, ctx: Any, task: Task[Any, Any]) -> Any:
        """Return the App's last step, such as to load what is new; None if there is none.

        Args:
            ctx: What FiftyOne hands an operator.
            task: The task, all its steps taken.
        """
        del task
        return ctx.ops.reload_dataset()

    def execute(self, ctx: Any) -> dict[str, Any] | Iterator[Any]:
        """Run the task. All that can fail at once fails before the App waits for a step."""
        versions.require_fit()
        task = self.make_task(ctx)
        # The App alone sends the sidebar's filters with each request.
        if "filters" in ctx.request_params and not ctx.delegated:
            return self._streamed(ctx, task)
        with closing(task.steps()) as steps:
            for number, step in enumerate(steps, start=1):
                ctx.set_progress(progress=step.share, label=str(step))
                if number % _STEPS_A_LOOK == 0 and _is_called_off(ctx):
                    break
        result: dict[str, Any] = task.summary.to_dict()
        return result

    def _streamed(self, ctx: Any, task: Task[Any, Any]) -> Iterator[Any]:
        """Yield the progress of a task for the App."""
        try:
            # Closed at once where the App goes away, so that the task writes what it has.
            with closing(task.steps()) as steps:
                for step in steps:
                    yield ctx.ops.set_progress(progress=step.share, label=str(step))
        except MmmsbaError as error:
            yield ctx.ops.notify(str(error), variant="error")
        else:
            yield ctx.ops.notify(str(task.summary), variant="success")
        if (last := self.finish(ctx, task)) is not None:
            yield last


def _is_called_off(ctx: Any) -> bool:
    """Return whether somebody marked a delegated run as failed, to end it."""
    run_id = getattr(ctx, "_delegated_operation_id", None)
    if run_id is None:
        return False
    operation = get_db_conn().delegated_ops.find_one({"_id": ObjectId(run_id)}, {"run_state": 1})
    return operation is not None and operation.get("run_state") == "failed"
