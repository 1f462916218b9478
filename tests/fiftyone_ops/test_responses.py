"""Tests of the responses of panels: both halves know the same keys, and the script is current."""

import hashlib
import importlib.util
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from fiftyone_ops.responses import RESPONSES, Problem

PLUGIN = Path(__file__).resolve().parents[2] / "fiftyone_ops"


@pytest.fixture(scope="module")
def generator():
    """The script that generates the browser's types."""
    path = PLUGIN / "panel" / "generate_types.py"
    spec = importlib.util.spec_from_file_location("generate_types", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_types_of_the_browser_are_those_of_the_responses(generator):
    # Else: npm run types && npm run build, in fiftyone_ops/panel.
    assert generator.TYPES.read_text(encoding="utf-8") == generator.types()


def test_each_key_of_a_response_becomes_a_key_of_its_interface(generator):
    text = generator.types()
    for response in RESPONSES:
        interface = text.partition(f"export interface {response.__name__} {{")[2].partition("}")[0]
        assert re.findall(r"^  (\w+):", interface, re.MULTILINE) == list(response.model_fields)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "integer"}, "number"),
        ({"$ref": "#/$defs/Bar"}, "Bar"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string | null"),
        ({"type": "array", "items": {"type": "string"}}, "string[]"),
        (
            {"type": "array", "items": {"anyOf": [{"type": "number"}, {"type": "null"}]}},
            "(number | null)[]",
        ),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "Record<string, string>"),
    ],
)
def test_a_schema_becomes_the_type_of_its_values(generator, schema, expected):
    assert generator.type_of(schema) == expected


def test_a_response_refuses_a_key_that_the_browser_does_not_know():
    with pytest.raises(ValidationError, match="Extra inputs"):
        Problem(problem="none", reason="none")


def test_the_script_was_built_of_the_sources_beside_it():
    # Else: npm ci && npm run build, in fiftyone_ops/panel.
    digest = hashlib.sha256()
    for source in sorted((PLUGIN / "panel" / "src").iterdir()):
        digest.update(source.read_bytes())
    first, _ = (PLUGIN / "dist" / "index.umd.js").read_text(encoding="utf-8").split("\n", 1)
    assert first == f"/* built of src/ {digest.hexdigest()} */"
