"""Pages that are written from the code are up to date, and leave nothing out."""

import inspect
import re
import subprocess
import sys
from dataclasses import is_dataclass
from pathlib import Path

import pytest
import typer

import fiftyone_ops
import mmmsba_plugin
from mmmsba_plugin import errors, hookspecs
from mmmsba_plugin.cli import app
from mmmsba_plugin.config import Config
from mmmsba_plugin.docs import GENERATED, path_of
from mmmsba_plugin.plugins import ENTRY_TYPES, entries

from ..test_light import every_module
from ..tools import reference
from ..tools.command_lines import options

ROOT = Path(__file__).resolve().parents[2]

#: Models that are no settings by themselves: bases, and what only our own files hold.
INNER = {"Decision", "OperatingPointConfig", "Processing", "ReaderConfig", "RunConfig"}


def text_of(name: str) -> str:
    return path_of(name).read_text(encoding="utf-8")


def all_subclasses(cls: type) -> set[type]:
    return {inner for sub in cls.__subclasses__() for inner in (sub, *all_subclasses(sub))}


def test_every_generated_page_has_its_generator():
    assert reference.PAGES.keys() == set(GENERATED)


@pytest.mark.parametrize("name", GENERATED)
def test_a_page_is_what_its_generator_writes(name):
    assert text_of(name) == reference.PAGES[name](), "run `python -m tests.tools.reference`"


def test_every_command_and_option_is_documented():
    page = text_of("commands")
    for command in app.registered_commands:
        assert f"`mmmsba {command.callback.__name__.replace('_', '-')}`" in page
    names_in_page = set(re.findall(r"(?<![\w-])--?[a-zA-Z][a-z-]*", page))
    of_every_command = {"--help", "-h", "--install-completion", "--show-completion"}
    assert options() - of_every_command - names_in_page == set()


def test_every_command_and_option_is_explained():
    command = typer.main.get_command(app)
    context = typer.Context(command)
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner.help, name
        for parameter in inner.get_params(context):
            assert getattr(parameter, "help", None), f"{name} {parameter.name}"


def test_every_hook_is_documented_with_its_signature():
    page = text_of("hooks")
    for name, hook in vars(hookspecs).items():
        if name.startswith("forensics_"):
            arguments = ", ".join(inspect.signature(hook).parameters)
            assert f"### `{name}({arguments})`" in page


def test_every_field_of_an_entry_is_documented():
    page = text_of("hooks")
    for cls in {
        cls for entry in ENTRY_TYPES.values() for cls in entry.__mro__ if is_dataclass(cls)
    }:
        section = page.partition(f"### `{cls.__name__}`")[2].partition("\n### ")[0]
        for name in inspect.get_annotations(cls):
            assert f"- `{name}`: " in section, f"{cls.__name__}.{name}"


def test_every_error_is_documented():
    page = text_of("errors")
    for name, value in vars(errors).items():
        if isinstance(value, type) and issubclass(value, errors.MmmsbaError):
            assert f"| `{name}` |" in page


def test_every_setting_is_documented():
    from importlib import import_module

    import fiftyone_ops.settings  # noqa: F401 - defines the settings of forms

    for name in every_module():
        import_module(name)
    page = text_of("settings")
    for model in all_subclasses(Config):
        is_ours = model.__module__.startswith(("mmmsba_plugin.", "fiftyone_ops."))
        if not is_ours or model.__name__ in INNER or model.__name__.startswith("_"):
            continue
        for field_name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{field_name}"
            assert f"| `{field_name}` |" in page or field_name == "dims"


def test_every_entry_of_ours_with_settings_is_documented():
    page = text_of("settings")
    for kind in ("front_ends", "dataset_readers", "forgers"):
        for offer in entries(kind):
            if offer.plugin.name == "mmmsba":
                assert f"| `{offer.name}` |" in page


def test_every_file_format_is_documented():
    page = text_of("formats")
    for offer in entries("writers"):
        if offer.plugin.name == "mmmsba":
            assert f"| `{offer.name}` | `{offer.entry.suffix}` |" in page


def test_every_environment_variable_is_documented():
    names = set()
    for package in (mmmsba_plugin, fiftyone_ops):
        for path in Path(package.__file__).parent.rglob("*.py"):
            names |= set(re.findall(r"\bMMMSBA_[A-Z_]+\b", path.read_text(encoding="utf-8")))
    assert names == set(reference.ENVIRONMENT)


def test_the_pages_of_the_interface_are_built_without_a_warning(tmp_path):
    result = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.tools.api_pages", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    page = (tmp_path / "mmmsba_plugin.html").read_text(encoding="utf-8")
    for name in mmmsba_plugin.__all__:
        assert f'id="{name}"' in page
