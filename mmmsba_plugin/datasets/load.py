"""Opens the dataset that ``DIR``, ``READER=DIR`` or ``NAME:READER[KEY=VALUE,…]=DIR`` names.

Every ``--data`` takes this, and so does the import into FiftyOne. A reader is named where it is
not to be guessed. Its settings stand in brackets behind its name, such as
``fakeavceleb[protocol=five-fold,fold=2]=DIR``; a shell may want quotes around that. What the
dataset shall be called stands before it with a colon, such as ``lav-df:folder=DIR`` for clips of
one's own in the place of LAV-DF.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mmmsba_plugin.errors import ConfigError, DatasetError

if TYPE_CHECKING:
    from mmmsba_plugin.datasets.check import Examples
    from mmmsba_plugin.hookspecs import DatasetReader
    from mmmsba_plugin.record import Record

#: A reader, with or without a name before it and brackets behind it, and a place.
_SPEC = re.compile(
    r"(?:(?P<name>[^=\[\]/\\:]+):)?(?P<reader>[^=\[\]/\\:]+(?:\[[^\]]*\])?)=(?P<place>.*)",
    re.DOTALL,
)
#: A reader at the head of a place, where it stood in ``NAME=READER:DIR``.
_READER_IN_PLACE = re.compile(r"(?P<reader>[^=\[\]/\\:]+):(?P<place>.*)", re.DOTALL)

_log = logging.getLogger(__name__)


class DatasetSpec(NamedTuple):
    """A dataset as it was asked for.

    Attributes:
        root: Where it lies.
        reader: Name of who shall read it; None if that is to be guessed.
        settings: What the reader shall do otherwise than by itself.
        name: What it shall be called; None for the name of its folder.
    """

    root: Path
    reader: str | None = None
    settings: Mapping[str, Any] = {}
    name: str | None = None


@dataclass(frozen=True, slots=True)
class DatasetSource:
    """A dataset to read.

    Attributes:
        name: What it is called: as was asked for, else what its folder, or file, is called.
        reader: Name of who reads it.
        root: Where it lies.
        settings: What the reader shall do otherwise than by itself.
    """

    name: str
    reader: str
    root: Path
    settings: Mapping[str, Any] = field(default_factory=dict)

    def records(self) -> "Iterator[Record]":
        """Return its records, read lazily, anew at each call.

        Where a reader splits people by one of several protocols, ``extra["protocol"]`` of each
        record names it.

        Raises:
            DatasetError: There are records, and none of them can be used: the dataset must not
                seem to be empty then.
        """
        from mmmsba_plugin.datasets.check import Examples
        from mmmsba_plugin.datasets.reader import warn
        from mmmsba_plugin.plugins import lookup

        entry = lookup("dataset_readers", self.reader)
        left_out = Examples()

        def on_error(error: DatasetError) -> None:
            warn(error)
            left_out.add(str(error))

        # Not lazily: a reader may refuse at once, before anything is made of its records.
        settings = {"root": str(self.root), **self.settings}
        return self._usable(entry.read(settings, on_error=on_error), left_out)

    def _usable(self, records: "Iterable[Record]", left_out: "Examples") -> "Iterator[Record]":
        is_empty = True
        for record in records:
            is_empty = False
            yield record
        if left_out.count and is_empty:
            raise DatasetError(
                f"none of the {left_out.count} records of {self.root} can be used; the first: "
                f"{left_out.first[0]}"
            )


def parse_spec(argument: str, reader: str | None = None) -> DatasetSpec:
    """Parse a dataset argument into name, reader, settings and folder.

    Args:
        argument: ``DIR``, ``READER=DIR``, ``READER[KEY=VALUE,…]=DIR``, or one of the latter two
            with ``NAME:`` before it. What is there under the whole name is a ``DIR``, though
            there be a ``=`` in it.
        reader: ``READER`` or ``READER[KEY=VALUE,…]``, who reads a plain ``DIR``.

    Raises:
        ConfigError: What stands in brackets makes no sense, or the reader stands at the head of
            the folder.

    Example:
        >>> parse_spec("fakeavceleb[protocol=five-fold,fold=2]=there").settings
        {'protocol': 'five-fold', 'fold': '2'}
        >>> parse_spec("lav-df:folder=clips").name
        'lav-df'
    """
    match = None if Path(argument).exists() else _SPEC.fullmatch(argument)
    if match is None:
        name, settings = _parse_reader(reader) if reader else (None, {})
        return DatasetSpec(Path(argument), name, settings)
    place = match["place"]
    swapped = None if Path(place).exists() else _READER_IN_PLACE.fullmatch(place)
    if swapped and swapped["reader"] in {entry.name for entry in readers()}:
        raise ConfigError(
            f"{argument!r} names its reader behind the sign; write NAME:READER=DIR, here "
            f"{match['reader']}:{swapped['reader']}={swapped['place']}"
        )
    return DatasetSpec(Path(place), *_parse_reader(match["reader"]), match["name"])


def open_dataset(
    argument: str | DatasetSpec,
    reader: str | None = None,
    *,
    split: str | None = None,
    need_media: bool = True,
    **settings: Any,
) -> DatasetSource:
    """Return the dataset that is meant.

    Args:
        argument: As for :func:`parse_spec`, or what that returns.
        reader: Who reads a plain ``DIR``. If not given, whoever recognises it does.
        split: Only records of this split; all if not given.
        need_media: Whether a record whose clip is not there is left out. A reader that knows
            no such setting leaves it out in any case.
        **settings: Other settings of the reader.

    Raises:
        PluginNotFoundError: No reader has that name.
        DatasetError: No reader, or several, recognise the folder.
        ConfigError: The reader has no such setting, or is told it twice.
    """
    from mmmsba_plugin.plugins import lookup

    spec = parse_spec(argument, reader) if isinstance(argument, str) else argument
    entry = lookup("dataset_readers", spec.reader) if spec.reader else recognise(spec.root)
    if split is not None:
        settings["split"] = split
    if twice := sorted(settings.keys() & spec.settings.keys()):
        raise ConfigError(
            f"{', '.join(twice)} is said in brackets and by an option; leave one of them out"
        )
    keys = entry.config.model_fields.keys() - {"root"}
    if not need_media and "need_media" in keys:
        settings["need_media"] = False
    settings |= spec.settings
    # That a reader which knows nothing of splits would yield all must not go unsaid.
    if unknown := sorted(settings.keys() - keys):
        raise ConfigError(
            f"the reader {entry.name!r} has no setting {', '.join(unknown)}, but: "
            f"{', '.join(sorted(keys)) or 'none'}; leave that out, or name another reader as "
            "READER=DIR"
        )
    entry.config.read({"root": str(spec.root), **settings})
    return DatasetSource(spec.name or spec.root.resolve().name, entry.name, spec.root, settings)


def readers() -> "list[DatasetReader]":
    """Return the readers that plug-ins offer, as they stand."""
    from mmmsba_plugin.hookspecs import DatasetReader
    from mmmsba_plugin.plugins import entries

    offered = (offer.entry for offer in entries("dataset_readers"))
    return [entry for entry in offered if isinstance(entry, DatasetReader)]


def recognise(root: Path, entries: "Iterable[DatasetReader] | None" = None) -> "DatasetReader":
    """Return the one reader that takes a folder for a dataset of its kind.

    Args:
        root: The folder, or a file that stands for one.
        entries: The readers to ask; all that plug-ins offer if not given.

    Raises:
        DatasetError: There is no such folder, or none or several of them do; the message lists
            the readers, with what each needs.
    """
    from mmmsba_plugin.plugins.loading import isolated

    if not root.exists():
        raise DatasetError(f"there is no {root}; give the folder of a dataset")
    candidates = [
        entry
        for entry in (readers() if entries is None else entries)
        if entry.recognise is not None
    ]
    matches = []
    for entry in candidates:
        # A reader of another package can raise anything over a folder that is not its dataset.
        with isolated() as failures:
            if entry.recognise is not None and entry.recognise(root):
                matches.append(entry)
        for error in failures:
            _log.error("the reader %r cannot say whether it knows %s: %s", entry.name, root, error)
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise DatasetError(
            f"{root} looks like several datasets: {', '.join(entry.name for entry in matches)}; "
            f"say which it is, such as {matches[0].name}={root}"
        )
    needs = (
        ", ".join(f"{entry.name} ({entry.summary.rstrip('.')})" for entry in candidates) or "none"
    )
    raise DatasetError(
        f"no reader knows the layout of {root}; name one as READER={root}, or lay it out as one "
        f"of them needs it: {needs}"
    )


def _parse_reader(text: str) -> tuple[str, dict[str, str]]:
    """Return the name of a reader, and the settings in brackets behind it."""
    name, bracket, rest = text.partition("[")
    if not bracket:
        return name, {}
    pairs = [pair.partition("=") for pair in rest.removesuffix("]").split(",")]
    settings = {key.strip(): value.strip() for key, _, value in pairs}
    whole = name and rest.endswith("]") and all(key.strip() and equals for key, equals, _ in pairs)
    if not whole or len(settings) < len(pairs):
        raise ConfigError(
            f"{text!r} does not say what its reader shall do; write each setting once, as in "
            "fakeavceleb[protocol=five-fold,fold=2]"
        )
    return name, settings
