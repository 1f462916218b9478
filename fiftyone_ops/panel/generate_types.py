"""Generate ``src/types.ts`` from the JSON Schema of the panels' responses.

Run ``npm run types`` here, in an environment that has the package.
"""

# ruff: noqa: INP001 - a script beside the sources that it writes to

from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from fiftyone_ops.responses import RESPONSES

TYPES = Path(__file__).with_name("src") / "types.ts"
HEADER = "// Generated from fiftyone_ops/responses.py by `npm run types`; do not edit.\n"
SCALARS = {
    "string": "string",
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
    "null": "null",
}


def type_of(schema: dict[str, Any]) -> str:
    """Return the TypeScript type of values of a JSON Schema.

    Raises:
        KeyError: The schema has a type that no response uses yet.

    Example:
        >>> type_of({"type": "array", "items": {"anyOf": [{"type": "number"}, {"type": "null"}]}})
        '(number | null)[]'
    """
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(map(type_of, schema["anyOf"]))
    if schema["type"] == "array":
        item = type_of(schema["items"])
        return f"({item})[]" if "|" in item else f"{item}[]"
    if schema["type"] == "object":
        return f"Record<string, {type_of(schema['additionalProperties'])}>"
    return SCALARS[schema["type"]]


def interface_of(name: str, schema: dict[str, Any]) -> str:
    """Return the TypeScript interface of a model, descriptions as comments."""
    lines = [f"/** {schema['description']} */"] if "description" in schema else []
    lines.append(f"export interface {name} {{")
    for key, field in schema["properties"].items():
        if "description" in field:
            lines.append(f"  /** {field['description']} */")
        lines.append(f"  {key}: {type_of(field)};")
    return "\n".join([*lines, "}", ""])


def types() -> str:
    """Return the TypeScript of every response."""
    _, schema = models_json_schema([(model, "serialization") for model in RESPONSES])
    interfaces = [interface_of(*definition) for definition in schema["$defs"].items()]
    return "\n".join([HEADER, *interfaces])


if __name__ == "__main__":
    TYPES.write_text(types(), encoding="utf-8")
