"""Makes the App's forms from our settings, and settings from what was filled in.

A form asks what a model of settings has fields for, in its order and its words. FiftyOne does
not fill defaults in for whoever calls an operator from Python, so that what is not said is left
to the model.
"""

import types as builtin_types
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from fiftyone.operators import types
from pydantic.fields import FieldInfo

from mmmsba_plugin.config import Config

from .errors import TargetError
from .samples import Samples

AnyConfig = TypeVar("AnyConfig", bound=Config)

#: What a form calls each choice of what to work on.
_TARGETS = {
    "selected": "The samples that are selected",
    "view": "The current view",
    "dataset": "The whole dataset",
}


def ask(
    inputs: Any,
    config_class: type[Config],
    *,
    choices: Mapping[str, Sequence[str]] | None = None,
    leave_out: Sequence[str] = (),
) -> None:
    """Add a question for each field of a chapter.

    Args:
        inputs: The form, a ``types.Object``.
        config_class: The settings.
        choices: What a field of text can be, where that is known only now.
        leave_out: Fields that are not asked for.
    """
    choices_of_field = choices or {}
    for name, field in config_class.model_fields.items():
        if name not in leave_out:
            _ask(inputs, name, field, choices_of_field.get(name))


def read(params: Mapping[str, Any], config_class: type[AnyConfig]) -> AnyConfig:
    """Return the settings that a form, or a caller, filled in.

    What is empty was not said. What is of no field of the chapter is for others to read.

    Raises:
        ConfigError: One is out of bounds, or at odds with another.
    """
    settings = {
        k: v for k, v in params.items() if k in config_class.model_fields and v not in (None, "")
    }
    return config_class.read(settings)


def ask_target(ctx: Any, inputs: Any) -> None:
    """Add the question of what to work on, if there is a choice."""
    offered = _offered(ctx)
    radio = types.RadioGroup()
    for target in offered:
        radio.add_choice(target, label=_TARGETS[target])
    inputs.enum("target", radio.values(), default=offered[0], label="Videos", view=radio)


def target_of(ctx: Any) -> Samples:
    """Return the samples to work on.

    What was not said is what the form would have been set to.

    Raises:
        TargetError: No samples are selected though those were asked for.
    """
    target = ctx.params.get("target") or _offered(ctx)[0]
    if target == "selected":
        if not ctx.selected:
            raise TargetError("no samples are selected; select some, or choose the view")
        return ctx.view.select(ctx.selected)
    return ctx.dataset if target == "dataset" else ctx.view


def warn(inputs: Any, name: str, message: str) -> None:
    """Show a warning in a form."""
    inputs.view(name, types.Warning(label=message))


def refuse(inputs: Any, name: str, message: str) -> None:
    """Show why a form cannot be sent, and keep it from being sent."""
    view = inputs.view(name, types.Error(label=message))
    view.invalid = True
    view.error_message = message


def _offered(ctx: Any) -> list[str]:
    targets = ["selected"] if ctx.selected else []
    return [*targets, "view", "dataset"] if ctx.has_custom_view else [*targets, "dataset"]


def _ask(inputs: Any, name: str, field: FieldInfo, choices: Sequence[str] | None) -> None:
    kind, optional = _kind(field.annotation)
    options = {
        "label": name.replace("_", " ").capitalize(),
        "description": field.description,
        "required": False,
        "default": None if optional else field.get_default(call_default_factory=True),
    }
    if choices or get_origin(kind) is Literal:
        inputs.enum(name, list(choices or get_args(kind)), **options)
    elif kind is bool:
        inputs.bool(name, **options)
    elif kind is int:
        inputs.int(name, **options)
    elif kind is float:
        inputs.float(name, **options)
    else:
        inputs.str(name, **options)


def _kind(annotation: object) -> tuple[object, bool]:
    """Return the type of a field's value, and whether it can be left out."""
    if get_origin(annotation) in (Union, builtin_types.UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return _kind(kinds[0])[0], True
    if hasattr(annotation, "__metadata__"):
        return get_args(annotation)[0], False
    return annotation, False
