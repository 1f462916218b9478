"""``mmmsba licenses``: licences of the bundled weights and of the libraries that are used."""

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import typer

from mmmsba_plugin.files import atomic_write, sha256_of
from mmmsba_plugin.weights.licenses import BUNDLED_WEIGHTS

_OWN = "mmmsba-plugin"


def licenses(
    *,
    sbom: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write a software bill of materials (CycloneDX 1.6, JSON) instead of printing.",
        ),
    ] = None,
) -> None:
    """Print the licences of all bundled weights and of the installed libraries."""
    if sbom is None:
        _print_tables()
    else:
        import json

        from mmmsba_plugin.cli import _console

        with atomic_write(sbom) as file:
            json.dump(bill_of_materials(), file, indent=2)
        _console.print_written([sbom], _console.console())


def _print_tables() -> None:
    from rich.console import Console
    from rich.table import Table

    weights = Table("licence", "weights", "what for", "origin", box=None)
    for bundled in BUNDLED_WEIGHTS:
        weights.add_row(bundled.license, bundled.path, bundled.purpose, bundled.origin)
    # A path that is cut off finds no file.
    weights.columns[1].overflow = "fold"
    libraries = Table("library", "version", "licence, as its package states it", box=None)
    for library in installed_libraries():
        libraries.add_row(library.name, library.version, license_of(library))
    notices = "Notices and model cards lie beside the weights."
    Console().print(weights, "", notices, "", libraries)


def bill_of_materials() -> dict[str, Any]:
    """Build the software bill of materials of this installation.

    Returns:
        A document in CycloneDX 1.6: the package with its bundled weights, their hashes and
        licences, and every library that is installed for it.
    """
    own = {
        "type": "application",
        "bom-ref": _OWN,
        "name": _OWN,
        "version": metadata.version(_OWN),
        "purl": f"pkg:pypi/{_OWN}@{metadata.version(_OWN)}",
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }
    weights = [
        {
            "type": "machine-learning-model",
            "bom-ref": bundled.path,
            "name": bundled.path,
            "description": f"{bundled.purpose}, from {bundled.origin}",
            "hashes": [{"alg": "SHA-256", "content": sha256_of(bundled.file)}],
            "licenses": [{"license": {"id": bundled.license}}],
        }
        for bundled in BUNDLED_WEIGHTS
    ]
    libraries = [
        {
            "type": "library",
            "bom-ref": f"pkg:pypi/{library.name.lower()}@{library.version}",
            "name": library.name,
            "version": library.version,
            "purl": f"pkg:pypi/{library.name.lower()}@{library.version}",
            "licenses": [{"license": {"name": license_of(library)}}],
        }
        for library in installed_libraries()
    ]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": own},
        "components": [*weights, *libraries],
    }


def installed_libraries() -> list[metadata.Distribution]:
    """List the libraries that are installed for the package, theirs included, by name."""
    reached: dict[str, metadata.Distribution] = {}
    waiting = [_OWN]
    while waiting:
        library = metadata.distribution(waiting.pop())
        for name in _required_by(library):
            if name not in reached:
                reached[name] = metadata.distribution(name)
                waiting.append(name)
    return [reached[name] for name in sorted(reached)]


def license_of(library: metadata.Distribution) -> str:
    """Return the licence that a library's metadata state, in one line."""
    stated = library.metadata.json
    if expression := stated.get("license_expression"):
        return str(expression)
    classes = [line for line in stated.get("classifier", ()) if line.startswith("License")]
    names = [line.rpartition(" :: ")[2] for line in classes]
    # Some packages put the whole text there.
    text = str(stated.get("license", "")).strip().partition("\n")[0]
    return ", ".join(names) or text or "not stated"


def _required_by(library: metadata.Distribution) -> Iterator[str]:
    """Yield the normalized names of the installed libraries that one always needs here."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    for line in library.requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield canonicalize_name(requirement.name)
