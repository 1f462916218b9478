"""Write a distribution that offers a plug-in, with its tests, for its author to go on from.

Templates are files beside this module with ``$placeholders``; what they become is installed and
tested as it is by our own tests, so it works before a line of it is changed.
"""

import keyword
import re
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Literal, get_args

from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.files import ensure_dir, writing_to
from mmmsba_plugin.hookspecs import API_VERSION
from mmmsba_plugin.plugins import is_name

#: Kinds of plug-in, as the command line has them.
PluginKind = Literal["detector", "front-end", "dataset-reader", "writer", "forger", "head"]


def write_plugin(name: str, kind: PluginKind, folder: Path) -> list[Path]:
    """Write a distribution that offers one entry.

    Args:
        name: Name of the distribution and of its entry, such as ``my-detector``.
        kind: What it offers.
        folder: Where to; its folder in there has the same name.

    Returns:
        The files.

    Raises:
        ConfigError: The name cannot be one of an entry and of a new Python package, there is no
            such kind, or the folder is there already.
        OutputError: A file cannot be written.
    """
    package = re.sub(r"[-.]", "_", name)
    if not is_name(name) or not package.isidentifier():
        raise ConfigError(
            f"a plug-in cannot be called {name!r}; use small letters and digits, joined by '-' or "
            "'_', and begin with a letter"
        )
    if keyword.iskeyword(package) or find_spec(package) is not None:
        raise ConfigError(
            f"a plug-in cannot be called {name!r}: its package would be called as a word of "
            "Python, or as a module that is installed; choose another name"
        )
    if kind not in get_args(PluginKind):
        raise ConfigError(f"there is no kind {kind!r}; kinds: {', '.join(get_args(PluginKind))}")
    root = folder / name
    if root.exists():
        raise ConfigError(f"{root} is there already; choose another name or folder")
    values = {"name": name, "package": package, "kind": kind, "api_version": API_VERSION}
    targets = {
        "pyproject.toml": root / "pyproject.toml",
        "README.md": root / "README.md",
        f"{kind}.py": root / package / "__init__.py",
        f"test_{kind}.py": root / "tests" / "test_contract.py",
    }
    for template, path in targets.items():
        text = (files(__package__) / "templates" / f"{template}.txt").read_text("utf-8")
        ensure_dir(path.parent)
        with writing_to(path):
            path.write_text(Template(text).substitute(values), encoding="utf-8")
    return list(targets.values())
