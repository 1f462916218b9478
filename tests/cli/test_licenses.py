"""``mmmsba licenses``: what is bundled and used, and under which licence."""

import json
from importlib import metadata

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from typer.testing import CliRunner

from mmmsba_plugin.cli import _exit_codes, app
from mmmsba_plugin.cli.licenses import installed_libraries, license_of
from mmmsba_plugin.files import sha256_of
from mmmsba_plugin.weights.licenses import BUNDLED_WEIGHTS


def run(*words: str):
    return CliRunner().invoke(app, ["licenses", *words], env={"COLUMNS": "250"})


def test_all_weights_and_libraries_are_printed_with_their_licences():
    result = run()
    assert result.exit_code == _exit_codes.OK
    lines = result.stdout.splitlines()
    for weights in BUNDLED_WEIGHTS:
        assert any(weights.path in line and weights.license in line for line in lines)
    for library in installed_libraries():
        assert any(library.name in line and library.version in line for line in lines)


def test_libraries_are_what_the_package_always_needs_and_what_that_needs():
    names = {library.name.lower().replace("_", "-") for library in installed_libraries()}
    assert {"torch", "numpy", "pluggy", "pydantic"} <= names  # our own
    assert {"sympy", "pydantic-core"} <= names  # of torch, of pydantic
    assert not {"pytest", "lightning", "fiftyone", "mmmsba-plugin"} & names  # of extras


def test_a_licence_is_one_line():
    assert license_of(metadata.distribution("pluggy")) == "MIT License"
    assert all("\n" not in license_of(library) for library in installed_libraries())


def test_the_bill_of_materials_is_valid_and_has_the_hash_of_each_file_of_weights(tmp_path):
    path = tmp_path / "mmmsba.cdx.json"
    result = run("--sbom", str(path))
    assert result.exit_code == _exit_codes.OK
    text = path.read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    components = {component["name"]: component for component in json.loads(text)["components"]}
    for weights in BUNDLED_WEIGHTS:
        (digest,) = components[weights.path]["hashes"]
        assert digest == {"alg": "SHA-256", "content": sha256_of(weights.file)}
    assert components["torch"]["version"] == metadata.version("torch")
