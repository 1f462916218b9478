"""Tests of the compatibility of the plugin's folder and the installed package."""

import importlib.metadata

import pytest

from fiftyone_ops import versions
from fiftyone_ops.errors import VersionError


def test_the_manifest_and_the_package_are_of_one_version():
    assert versions.plugin_version() == importlib.metadata.version("mmmsba-plugin")
    assert versions.why_unfit() == ""
    versions.require_fit()


def test_another_version_is_refused_with_the_next_step(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "9.9")
    with pytest.raises(VersionError, match="mmmsba fiftyone install"):
        versions.require_fit()


def test_a_package_that_is_not_installed_is_named(monkeypatch):
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert "pip install mmmsba-plugin" in versions.why_unfit()
