"""Opens the dataset that ``DIR``, ``READER=DIR`` or ``READER[KEY=VALUE,…]=DIR`` names.

``--data`` of the commands says so, and so does whoever imports one into FiftyOne.

A reader is named where it is not to be guessed. What it shall do otherwise than by itself
stands in brackets behind its name, such as ``fakeavceleb[protocol=five-fold,fold=2]=DIR``; a
shell may want quotes around that.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mmmsba_plugin.errors import ConfigError, DatasetError

if TYPE_CHECKING:
    from mmmsba_plugin.config import Config
    from mmmsba_plugin.hookspecs import DatasetReader
    from mmmsba_plugin.record import Record

#: Reads whatever no reader recognises: its layout is that of ``mmmsba forge``.
_FALLBACK = "lav-df"
#: A reader, with or without brackets, and a place.
_READER_AND_PLACE = re.compile(r"(?P<reader>[^=\[\]/]+(?:\[[^\]]*\])?)=(?P<place>.*)", re.DOTALL)

_log = logging.getLogger(__name__)


class DatasetSpec(NamedTuple):
    """A dataset as it was asked for.

    Attributes:
        root: Where it lies.
        reader: Name of who shall read it; None if that is to be guessed.
        settings: What the reader shall do otherwise than by itself.
    """

    root: Path
    reader: str | None
    settings: Mapping[str, str]


class DatasetSource(NamedTuple):
    """A dataset to read.

    Attributes:
        reader: Name of who reads it.
        name: What its folder, or file, is called.
        records: Its records, read lazily. Where a reader splits people by one of several
            protocols, ``extra["protocol"]`` of each names it.
    """

    reader: str
    name: str
    records: "Iterable[Record]"


def parse_spec(argument: str, reader: str | None = None) -> DatasetSpec:
    """Parse a dataset argument into reader, settings and folder.

    Args:
        argument: ``DIR``, ``READER=DIR`` or ``READER[KEY=VALUE,…]=DIR``. What is there under the
            whole name is a ``DIR``, though there be a ``=`` in it.
        reader: ``READER`` or ``READER[KEY=VALUE,…]``, who reads a plain ``DIR``.

    Raises:
        ConfigError: What stands in brackets makes no sense.

    Example:
        >>> parse_spec("fakeavceleb[protocol=five-fold,fold=2]=there").settings
        {'protocol': 'five-fold', 'fold': '2'}
    """
    match = None if Path(argument).exists() else _READER_AND_PLACE.fullmatch(argument)
    word, place = (match["reader"], match["place"]) if match else (reader, argument)
    name, settings = _parse_reader(word) if word else (None, {})
    return DatasetSpec(Path(place), name, settings)


def open_dataset(
    argument: str,
    reader: str | None = None,
    *,
    split: str | None = None,
    need_media: bool = True,
    **settings: Any,
) -> DatasetSource:
    """Return the dataset that is meant.

    Args:
        argument: As for :func:`parse_spec`.
        reader: Who reads a plain ``DIR``. If not given, whoever recognises it does.
        split: Only records of this split; all if not given.
        need_media: Whether a record whose clip is not there is left out. A reader that knows
            no such setting leaves it out in any case.
        **settings: Other settings of the reader.

    Raises:
        PluginNotFoundError: No reader has that name.
        ConfigError: Several readers recognise the folder, or the reader has no such setting,
            or is told it twice.
    """
    from mmmsba_plugin.plugins import lookup

    root, reader_name, options = parse_spec(argument, reader)
    entry = lookup("dataset_readers", reader_name or _recognised(root))
    if split is not None:
        settings["split"] = split
    if twice := sorted(settings.keys() & options.keys()):
        raise ConfigError(
            f"{', '.join(twice)} is said in brackets and by an option; leave one of them out"
        )
    keys = entry.config.model_fields.keys() - {"root"}
    if not need_media and "need_media" in keys:
        settings["need_media"] = False
    settings |= options
    # That a reader which knows nothing of splits would yield all must not go unsaid.
    if unknown := sorted(settings.keys() - keys):
        raise ConfigError(
            f"the reader {entry.name!r} has no setting {', '.join(unknown)}, but: "
            f"{', '.join(sorted(keys)) or 'none'}; leave that out, or name another reader as "
            "READER=DIR"
        )
    config = entry.config.read({"root": root, **settings})
    return DatasetSource(entry.name, root.resolve().name, _records(entry, config, root))


def _parse_reader(word: str) -> tuple[str, dict[str, str]]:
    """Return the name of a reader, and what it is told in brackets behind it."""
    name, bracket, rest = word.partition("[")
    if not bracket:
        return name, {}
    pairs = [pair.partition("=") for pair in rest.removesuffix("]").split(",")]
    settings = {key.strip(): value.strip() for key, _, value in pairs}
    whole = name and rest.endswith("]") and all(key.strip() and equals for key, equals, _ in pairs)
    if not whole or len(settings) < len(pairs):
        raise ConfigError(
            f"{word!r} does not say what its reader shall do; write each setting once, as in "
            "fakeavceleb[protocol=five-fold,fold=2]"
        )
    return name, settings


def _records(entry: "DatasetReader", config: "Config", root: Path) -> "Iterator[Record]":
    """Yield the records of a dataset.

    Raises:
        DatasetError: There are some, and none of them can be used: the dataset must not seem to
            be empty then.
    """
    from mmmsba_plugin.datasets.check import Examples
    from mmmsba_plugin.datasets.reader import warn

    left_out = Examples()

    def on_error(error: DatasetError) -> None:
        warn(error)
        left_out.add(str(error))

    records = entry.build(config) if entry.audit is None else entry.audit(config, on_error)
    anything = False
    for record in records:
        anything = True
        yield record
    if left_out.count and not anything:
        raise DatasetError(
            f"none of the {left_out.count} records of {root} can be used; the first: "
            f"{left_out.first[0]}"
        )


def _recognised(root: Path) -> str:
    """Return the name of the reader that recognises a dataset."""
    from mmmsba_plugin.hookspecs import DatasetReader
    from mmmsba_plugin.plugins import entries

    offered = [offer.entry for offer in entries("dataset_readers")]
    readers = [entry for entry in offered if isinstance(entry, DatasetReader)]
    names = [entry.name for entry in readers if _recognises(entry, root)]
    if len(names) > 1:
        raise ConfigError(
            f"{root} looks like several datasets: {', '.join(names)}; say which it is, such as "
            f"{names[0]}={root}"
        )
    return names[0] if names else _FALLBACK


def _recognises(entry: "DatasetReader", root: Path) -> bool:
    from mmmsba_plugin.plugins.loading import isolated

    # A stranger's reader can raise anything over a folder that is none of its datasets.
    with isolated() as failures:
        return entry.recognise is not None and bool(entry.recognise(root))
    _log.error("the reader %r cannot say whether it knows %s: %s", entry.name, root, failures[0])
    return False
