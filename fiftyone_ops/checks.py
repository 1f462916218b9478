"""Checks of FiftyOne for ``mmmsba doctor``: the plugin that it finds, and its database.

FiftyOne is not imported for it: that takes seconds, and starts a database.
"""

import json
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from mmmsba_plugin.cli.doctor import Check

from . import install, versions

_WAIT_MS: Final = 2000


def checks() -> Iterator[Check]:
    """Check the plugin and the database, where FiftyOne is installed."""
    if find_spec("fiftyone") is not None:
        yield from check_plugin(plugins_dir())
        yield check_database()


def check_plugin(directory: Path) -> Iterator[Check]:
    """Check whether FiftyOne finds the plugin, this version of it, and no other copy.

    Args:
        directory: Where FiftyOne looks for plugins.
    """
    name, own = "FiftyOne plugin", versions.plugin_version()
    copies = install.copies(directory)
    others = [folder for folder in copies if folder != install.HERE]
    is_linked = install.HERE in copies or (directory / install.NAME).resolve() == install.HERE
    if _is_disabled():
        remedy = f"enable it with: fiftyone plugins enable {install.NAME}"
        yield Check(name, "optional", f"it is disabled; {remedy}")
    elif is_linked:
        yield Check(name, "ok", f"{own}, found in {directory}")
    elif not others:
        remedy = "run `mmmsba fiftyone install`"
        yield Check(name, "optional", f"FiftyOne finds none in {directory}; {remedy}")
    for folder in others:
        version = versions.plugin_version(folder)
        if version == own and len(others) == 1 and not is_linked:
            yield Check(name, "ok", f"{version}, a copy in {folder}")
        else:
            remedy = "move it away, then run `mmmsba fiftyone install`"
            detail = f"{folder} holds another copy, of version {version}, where this is {own}"
            yield Check(name, "optional", f"{detail}; the App may load that one: {remedy}")


def check_database() -> Check:
    """Check whether FiftyOne's database answers, or, where it starts its own, whether it can."""
    name, uri = "FiftyOne database", _setting("database_uri")
    if not uri:
        spec = find_spec("fiftyone")
        folder = Path(spec.origin).parent / "db" / "bin" if spec and spec.origin else Path()
        if any(folder.glob("mongod*")):
            return Check(name, "ok", f"FiftyOne starts its own, of {folder}")
        remedy = "name a running MongoDB with the environment variable FIFTYONE_DATABASE_URI"
        return Check(name, "optional", f"FiftyOne brought no MongoDB to {folder}; {remedy}")
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    try:
        with MongoClient(uri, serverSelectionTimeoutMS=_WAIT_MS) as client:
            version = client.server_info()["version"]
    except PyMongoError as error:
        reason = str(error).split(",")[0]
        remedy = "start it, or let FIFTYONE_DATABASE_URI name one that runs"
        return Check(name, "optional", f"it cannot be reached: {reason}; {remedy}")
    return Check(name, "ok", f"MongoDB {version} answers")


def plugins_dir() -> Path:
    """Return the directory that FiftyOne looks for plugins in, as its own settings say."""
    datasets = _setting("default_dataset_dir") or Path.home() / "fiftyone"
    stated = _setting("plugins_dir") or Path(datasets, "__plugins__")
    return Path(stated).expanduser().resolve()


def _setting(name: str) -> Any:
    """Return a setting of FiftyOne's: of the environment, or else of its file."""
    return os.environ.get(f"FIFTYONE_{name.upper()}") or _file("config").get(name)


def _is_disabled() -> bool:
    plugins = _file("app_config").get("plugins") or {}
    return (plugins.get(install.NAME) or {}).get("enabled") is False


def _file(name: str) -> dict[str, Any]:
    """Read a file of FiftyOne's settings; empty where there is none."""
    own = Path.home() / ".fiftyone" / f"{name}.json"
    path = Path(os.environ.get(f"FIFTYONE_{name.upper()}_PATH") or own)
    if not path.is_file():
        return {}
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return values
