"""What operators on samples do alike: their words, their form, and a call from Python."""

from collections.abc import Mapping
from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

from mmmsba_plugin.config import Chapter

from .. import forms


class OnSamples(foo.Operator):
    """An operator that works on samples, by settings that a form asks for.

    Whoever inherits states its words and its settings, and executes.
    """

    name: str
    label: str
    description: str
    settings: type[Chapter]
    #: What else its configuration says.
    options: Mapping[str, Any] = {}

    @property
    def config(self) -> Any:
        """What the App shows of it."""
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
            samples: A data set or a view.
            delegate: Whether to leave it to ``fiftyone delegated launch``.
            **settings: Those of the form.
        """
        return foo.execute_operator(
            self.uri,
            {"view": samples.view()},
            params={"target": "view", **settings},
            request_delegation=delegate,
        )
