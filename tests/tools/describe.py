"""Describe models of settings, classes and functions as Markdown, by their own words."""

import inspect
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import fields, is_dataclass
from types import ModuleType
from typing import Any, get_args

from pdoc import docstrings
from pydantic import BaseModel

from .markdown import table

Model = type[BaseModel]

_JSON_TYPES = {
    "boolean": "true or false",
    "integer": "whole number",
    "null": "none",
    "number": "number",
    "object": "object",
    "string": "text",
}

_BOUNDS = {
    "minimum": "from {:g}",
    "exclusiveMinimum": "above {:g}",
    "maximum": "to {:g}",
    "exclusiveMaximum": "below {:g}",
}


def table_of(model: Model, *, without: Collection[str] = ()) -> str:
    """Return the table of a model's fields."""
    schema_of_fields = model.model_json_schema()["properties"]
    rows = (
        (f"`{name}`", _values(schema_of_fields[name]), _default(model, name), field.description)
        for name, field in model.model_fields.items()
        if name not in without
    )
    return table(("key", "values", "if not given", "what it is"), rows)


def _values(schema: Mapping[str, Any]) -> str:
    """Describe in words the values that a JSON Schema allows."""
    match schema:
        case {"anyOf": choices}:
            words = " or ".join(map(_values, choices))
        case {"enum": choices}:
            words = ", ".join(f"`{choice}`" for choice in choices)
        case {"const": choice}:
            words = f"`{choice}`"
        case {"$ref": reference}:
            words = f"`{reference.rpartition('/')[2]}`"
        case {"type": "array", "items": {**items}}:
            words = f"list of {_values(items)}"
        case {"type": "array", "prefixItems": items}:
            words = f"list of {len(items)}"
        case {"format": "path"}:
            words = "path"
        case {"additionalProperties": {**values}} if values:
            words = f"object of {_values(values)}"
        case {"patternProperties": {**patterns}}:
            words = f"object of {' or '.join(map(_values, patterns.values()))}"
        case {"type": kind}:
            bounds = (text.format(schema[name]) for name, text in _BOUNDS.items() if name in schema)
            words = " ".join([_JSON_TYPES[kind], *bounds])
        case _:
            words = "any"
    return words


def _default(model: Model, name: str) -> str:
    """Return the default of a field, as JSON if it is a plain value."""
    field = model.model_fields[name]
    if field.is_required():
        return "must be given"
    value = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, BaseModel):
        return "its defaults"
    text = json.dumps(model.model_construct(**{name: value}).model_dump(mode="json")[name])
    return "none" if value is None else f"`{text}`"


def nested(model: Model) -> list[Model]:
    """List a model and those that its fields name, each once, in the order of the fields."""
    models = [model]
    for outer in models:
        annotations = [field.annotation for field in outer.model_fields.values()]
        inner = (m for a in annotations for m in _models_in(a) if m not in models)
        models += dict.fromkeys(inner)
    return models


def _models_in(annotation: object) -> Iterator[Model]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def classes_of(module: ModuleType) -> list[type]:
    """List the public classes that a module defines, in the order of its text."""
    classes = (c for name, c in vars(module).items() if isinstance(c, type) and name[0] != "_")
    return [c for c in classes if c.__module__ == module.__name__]


def models_of(module: ModuleType) -> list[Model]:
    """List the public models that a module defines."""
    return [cls for cls in classes_of(module) if issubclass(cls, BaseModel)]


def summary(documented: object) -> str:
    """Return the first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(documented) or "").partition("\n\n")[0].split())


def attributes(documented: object) -> list[str]:
    """List the attributes that a docstring describes."""
    _, _, text = (inspect.getdoc(documented) or "").partition("Attributes:\n")
    return re.findall(r"^    (\w+): ", text, flags=re.MULTILINE)


def describe_class(cls: type) -> Iterator[str]:
    """Yield heading, docstring and public methods of a class."""
    yield f"### `{cls.__name__}`"
    if is_dataclass(cls):
        names = ", ".join(field.name for field in fields(cls))
        yield f"`{cls.__module__}.{cls.__name__}({names})`"
    yield docstring_of(cls)
    for name, value in vars(cls).items():
        function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        if inspect.isfunction(function) and not name.startswith("_"):
            yield from describe_function(function, level=4, is_property=isinstance(value, property))


def describe_function(
    function: Callable[..., Any], *, level: int, is_property: bool = False
) -> list[str]:
    """Return heading and docstring of a function, a hook or a property."""
    parameters = inspect.signature(function).parameters.values()
    names = ", ".join(
        str(p.replace(annotation=p.empty)) for p in parameters if p.name not in {"self", "cls"}
    )
    signature = "" if is_property else f"({names})"
    return [f"{'#' * level} `{function.__name__}{signature}`", docstring_of(function)]


def docstring_of(documented: object) -> str:
    """Return a docstring as Markdown; its sections are bold lines, not headings."""
    text = re.sub(r":\w+:`~?\.?([^`]+)`", r"`\1`", inspect.getdoc(documented) or "")
    text = docstrings.convert(text.replace("``", "`"), "google", None)
    text = re.sub(r"^#+ (\w+):\n", r"**\1**\n\n", text, flags=re.MULTILINE)
    text = re.sub(r"(^> .*\n?)+", _fenced, text, flags=re.MULTILINE)
    return re.sub(r"^ - \*\*(\w+):\*\*  ", r"- `\1`: ", text, flags=re.MULTILINE)


def _fenced(quote: re.Match[str]) -> str:
    """Return a quoted example as a block of code; a quoted sentence without its mark."""
    text = re.sub(r"^> ", "", quote[0], flags=re.MULTILINE).strip()
    return f"```pycon\n{text}\n```\n" if text.startswith(">>>") else f"{text}\n"
