"""What ``--data`` says: ``DIR``, or ``READER=DIR`` where the reader is not to be guessed."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mmmsba_plugin.errors import ConfigError

if TYPE_CHECKING:
    from mmmsba_plugin.datasets.record import Record
    from mmmsba_plugin.hookspecs import DatasetReader

#: Reads whatever no reader recognises: its layout is that of ``mmmsba forge``.
_FALLBACK = "lav-df"

_log = logging.getLogger(__name__)


class Corpus(NamedTuple):
    """A corpus to read.

    Attributes:
        reader: Name of who reads it.
        name: What its folder, or file, is called.
        records: Its records, read lazily.
    """

    reader: str
    name: str
    records: "Iterable[Record]"


def open_corpus(
    said: str,
    reader: str | None = None,
    *,
    split: str | None = None,
    need_media: bool = True,
    **settings: Any,
) -> Corpus:
    """Return the corpus that the command line means.

    Args:
        said: ``DIR`` or ``READER=DIR``. What is there under the whole name is a ``DIR``,
            though there be a ``=`` in it.
        reader: Who reads a plain ``DIR``. If not given, whoever recognises it does.
        split: Only records of this split; all if not given.
        need_media: Whether a record whose clip is not there is left out. A reader that knows
            no such setting leaves it out in any case.
        **settings: Other settings of the reader.

    Raises:
        PluginNotFoundError: No reader has that name.
        ConfigError: Several readers recognise the folder, or the reader has no such setting.
    """
    from mmmsba_plugin.plugins import lookup

    named, root = _told_apart(said)
    entry = lookup("dataset_readers", named or reader or _recognised(root))
    if split is not None:
        settings["split"] = split
    if not need_media and "need_media" in entry.config.model_fields:
        settings["need_media"] = False
    # That a reader which knows nothing of splits would yield all must not go unsaid.
    if unknown := sorted(settings.keys() - entry.config.model_fields.keys()):
        raise ConfigError(
            f"the reader {entry.name!r} has no setting {', '.join(unknown)}; leave that out, or "
            "name another reader as READER=DIR"
        )
    config = entry.config.read({"root": root, **settings})
    return Corpus(entry.name, root.resolve().name, entry.build(config))


def _told_apart(said: str) -> tuple[str | None, Path]:
    """Return the reader, if one is named, and the place."""
    reader, equals, place = said.partition("=")
    if not equals or not reader or "/" in reader or Path(said).exists():
        return None, Path(said)
    return reader, Path(place)


def _recognised(root: Path) -> str:
    """Return the name of the reader that recognises a corpus."""
    from mmmsba_plugin.hookspecs import DatasetReader
    from mmmsba_plugin.plugins import entries

    offered = [offer.entry for offer in entries("dataset_readers")]
    readers = [entry for entry in offered if isinstance(entry, DatasetReader)]
    names = [entry.name for entry in readers if _recognises(entry, root)]
    if len(names) > 1:
        raise ConfigError(
            f"{root} looks like several corpora: {', '.join(names)}; say which it is, such as "
            f"{names[0]}={root}"
        )
    return names[0] if names else _FALLBACK


def _recognises(entry: "DatasetReader", root: Path) -> bool:
    from mmmsba_plugin.plugins.loading import isolated

    # A stranger's reader can raise anything over a folder that is none of its corpora.
    with isolated() as failures:
        return entry.recognise is not None and bool(entry.recognise(root))
    _log.error("the reader %r cannot say whether it knows %s: %s", entry.name, root, failures[0])
    return False
