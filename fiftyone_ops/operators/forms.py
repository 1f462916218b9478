"""Forms of the App made from our settings, and settings read from forms.

A form asks what a model of settings has fields for, in its order and its words. FiftyOne does
not fill defaults in for whoever calls an operator from Python, so that what is not said is left
to the model.
"""

import types as builtin_types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from fiftyone.operators import types

from mmmsba_plugin.config import Config
from mmmsba_plugin.errors import ConfigError

from ..dataset.runs import prediction_fields
from ..dataset.samples import Samples, videos_of
from ..errors import TargetError

AnyConfig = TypeVar("AnyConfig", bound=Config)

#: Methods of a form that ask for a value of each type; for any other, as text.
_QUESTIONS: Mapping[object, str] = {bool: "bool", int: "int", float: "float"}

#: Texts of the choices of the samples to work on.
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
    """Add a question for each field of some settings.

    Args:
        inputs: The form, a ``types.Object``.
        config_class: The settings.
        choices: Allowed values of a field of text, where they are known only now.
        leave_out: Fields that are not asked for.
    """
    for name, field in config_class.model_fields.items():
        if name in leave_out:
            continue
        kind, optional = _kind(field.annotation)
        options = {
            "label": name.replace("_", " ").capitalize(),
            "description": field.description,
            "required": False,
            "default": None
            if optional
            else _json_default(field.get_default(call_default_factory=True)),
        }
        literals = get_args(kind) if get_origin(kind) is Literal else ()
        allowed = (choices or {}).get(name) or literals
        if allowed:
            inputs.enum(name, list(allowed), **options)
        else:
            getattr(inputs, _QUESTIONS.get(kind, "str"))(name, **options)


def read(params: Mapping[str, Any], config_class: type[AnyConfig]) -> AnyConfig:
    """Return the settings that a form, or a caller, filled in.

    Empty values count as not given. Keys of no field are for others to read.

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


def why_no_target(ctx: Any) -> str:
    """Explain why there are no videos to work on; empty where there are."""
    try:
        videos_of(target_of(ctx))
    except TargetError as error:
        return str(error)
    return ""


def target_of(ctx: Any) -> Samples:
    """Return the samples to work on.

    What was not said is what the form would have been set to.

    Raises:
        TargetError: No samples are selected though those were asked for, or there is no such
            target.
    """
    target = ctx.params.get("target") or _offered(ctx)[0]
    if target not in _TARGETS:
        raise TargetError(f"target={target!r} is none of {', '.join(_TARGETS)}")
    if target == "selected":
        if not ctx.selected:
            raise TargetError("no samples are selected; select some, or choose the view")
        view = ctx.view
        # Of groups that somebody made of a field, the samples alone that were chosen.
        if view._is_dynamic_groups:  # noqa: SLF001 - no public name
            view = view.flatten()
        return view.select(ctx.selected)
    return ctx.dataset if target == "dataset" else ctx.view


def why_no_predictions(ctx: Any) -> str:
    """Explain why there are no predictions to work on; empty where there are."""
    missing = "nothing was predicted yet; run “Detect forgeries” first"
    return why_no_target(ctx) or ("" if prediction_fields(ctx.dataset) else missing)


def warn(inputs: Any, name: str, message: str) -> None:
    """Show a warning in a form."""
    inputs.view(name, types.Warning(label=message))


def refuse(inputs: Any, name: str, message: str) -> None:
    """Show why a form cannot be sent, and keep it from being sent."""
    view = inputs.view(name, types.Error(label=message))
    view.invalid = True
    view.error_message = message


def require_known(settings: Mapping[str, Any], config_class: type[Config]) -> None:
    """Check that settings that somebody wrote are settings, and not misspelt.

    Raises:
        ConfigError: One is unknown, out of bounds, or at odds with another.
    """
    config_class.read({k: v for k, v in settings.items() if k != "target" and v not in (None, "")})


def refuse_invalid(ctx: Any, inputs: Any, config_class: type[Config]) -> None:
    """Show in a form what is wrong with it, before it is sent."""
    try:
        read(ctx.params, config_class)
    except ConfigError as error:
        refuse(inputs, "invalid", str(error))


def _offered(ctx: Any) -> list[str]:
    targets = ["selected"] if ctx.selected else []
    return [*targets, "view", "dataset"] if ctx.has_custom_view else [*targets, "dataset"]


def _json_default(default: Any) -> Any:
    """Return a default as JSON has it; a path that is left to say is no default."""
    if isinstance(default, Path):
        return None if default == Path() else str(default)
    return default


def _kind(annotation: object) -> tuple[object, bool]:
    """Return the type of a field's value, and whether it can be left out."""
    if get_origin(annotation) in (Union, builtin_types.UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return _kind(kinds[0])[0], True
    if hasattr(annotation, "__metadata__"):
        return get_args(annotation)[0], False
    return annotation, False
