"""List entries of plug-ins with their faults, and look them up by name."""

import difflib
import re
from dataclasses import dataclass, replace
from itertools import chain
from typing import Literal, Self, overload

from mmmsba_plugin.errors import PluginClashError, PluginNotFoundError
from mmmsba_plugin.hookspecs import (
    DatasetReader,
    DetectorEntry,
    Forger,
    FrontEnd,
    HeadEntry,
    Writer,
)
from mmmsba_plugin.plugins.announcing import announced_entry
from mmmsba_plugin.plugins.loading import (
    DISABLE_VARIABLE,
    PluginState,
    call_alone,
    isolated,
    one_line,
    states,
)

#: Name of the plug-in that offers this package's own parts.
OWN_NAME = "mmmsba"

Entry = DetectorEntry | FrontEnd | DatasetReader | Writer | Forger | HeadEntry
Kind = Literal["detectors", "front_ends", "dataset_readers", "writers", "forgers", "heads"]

#: What the hook ``forensics_<kind>`` yields.
ENTRY_TYPES: dict[Kind, type[Entry]] = {
    "detectors": DetectorEntry,
    "front_ends": FrontEnd,
    "dataset_readers": DatasetReader,
    "writers": Writer,
    "forgers": Forger,
    "heads": HeadEntry,
}

_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Offer:
    """One entry that a plug-in handed over, or why it could not.

    Attributes:
        kind: Which hook it came through.
        entry: The entry; None where ``state`` is ``broken``.
        plugin: Who offers it.
        state: ``clash`` if another offer of this kind has the same name.
        reason: One line: what it clashes with, or how it is broken.
    """

    kind: Kind
    entry: Entry | None
    plugin: PluginState
    state: Literal["ok", "clash", "broken"] = "ok"
    reason: str = ""

    @classmethod
    def from_entry(cls, kind: Kind, entry: object, plugin: PluginState) -> Self:
        """Build the offer of an entry; broken, if its type or its name will not do."""
        entry_type = ENTRY_TYPES[kind]
        if not isinstance(entry, entry_type):
            got = type(entry).__name__
            reason = f"forensics_{kind} must yield entries of {entry_type.__name__}, got {got}"
            return cls(kind, None, plugin, "broken", reason)
        if is_name(entry.name):
            if isinstance(entry, DetectorEntry):
                entry = announced_entry(entry)
            return cls(kind, entry, plugin)
        reason = (
            f"a {_noun(kind)} cannot be called {entry.name!r}; "
            "use small letters and digits, joined by '-', '_' or '.'"
        )
        return cls(kind, None, plugin, "broken", reason)

    @property
    def name(self) -> str:
        """Name of the entry; empty where there is none."""
        return self.entry.name if self.entry else ""


def entries(kind: Kind) -> list[Offer]:
    """List everything that plug-ins offer of one kind, the faulty too.

    Raises:
        PluginNotFoundError: There is no such kind.
    """
    if kind not in ENTRY_TYPES:
        raise PluginNotFoundError(f"no kind is called {kind!r}; kinds: {', '.join(ENTRY_TYPES)}")
    offers: list[Offer] = []
    for plugin in (state for state in states() if state.state == "loaded"):
        with isolated() as failures:
            every = chain.from_iterable(call_alone(plugin, f"forensics_{kind}"))
            offers.extend(Offer.from_entry(kind, entry, plugin) for entry in every)
        offers += [Offer(kind, None, plugin, "broken", one_line(e)) for e in failures]
    return [_with_clash(offer, offers) for offer in offers]


@overload
def lookup(kind: Literal["detectors"], name: str) -> DetectorEntry: ...
@overload
def lookup(kind: Literal["front_ends"], name: str) -> FrontEnd: ...
@overload
def lookup(kind: Literal["dataset_readers"], name: str) -> DatasetReader: ...
@overload
def lookup(kind: Literal["writers"], name: str) -> Writer: ...
@overload
def lookup(kind: Literal["forgers"], name: str) -> Forger: ...
@overload
def lookup(kind: Literal["heads"], name: str) -> HeadEntry: ...
def lookup(kind: Kind, name: str) -> Entry:
    """Look up the one entry of a kind and name.

    Raises:
        PluginNotFoundError: Nothing has that name; the message lists what there is, and
            which plug-ins are missing from the list because they are broken.
        PluginClashError: Two plug-ins offer the name; the message names both.
    """
    offers = entries(kind)
    matches = [offer for offer in offers if offer.entry and offer.name == name]
    if len(matches) > 1:
        raise PluginClashError(
            f"{' and '.join(str(offer.plugin) for offer in matches)} each offer a {_noun(kind)} "
            f"called {name!r}; leave one out with {DISABLE_VARIABLE}={matches[-1].plugin.name}"
        )
    if matches and (entry := matches[0].entry):
        return entry
    names = sorted({offer.name for offer in offers if offer.entry})
    message = f"no {_noun(kind)} is called {name!r}"
    message += f"; there are: {', '.join(names)}" if names else ": no plug-in offers any"
    if close := difflib.get_close_matches(name, names, n=1):
        message += f"; did you mean {close[0]!r}?"
    elif names:
        message += "; install the plug-in that has it, or load its file by `mmmsba --plugin FILE`"
    raise PluginNotFoundError("; ".join([message, *_list_missing(offers)]))


def is_name(name: object) -> bool:
    """Check a name of an entry: it must read well in a command line.

    Example:
        >>> is_name("log-mel"), is_name("Log Mel")
        (True, False)
    """
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def _with_clash(offer: Offer, offers: list[Offer]) -> Offer:
    """Mark an offer that shares its name with another one."""
    namesakes = (other for other in offers if other.entry and other.name == offer.name)
    rivals = [other.plugin for other in namesakes if other is not offer]
    if not offer.entry or not rivals:
        return offer
    names = ", ".join(map(str, rivals))
    return replace(offer, state="clash", reason=f"{names} offers the same name")


def _list_missing(offers: list[Offer]) -> list[str]:
    """List the plug-ins and entries that could not be looked up, in sentences."""
    plugin_states = states()
    notes = [f"{s} is broken: {s.reason}" for s in plugin_states if s.state == "broken"]
    notes += [f"{o.plugin} offers a broken one: {o.reason}" for o in offers if o.state == "broken"]
    own = [state.state for state in plugin_states if state.name == OWN_NAME]
    if not own:
        notes.append(
            "our own parts are missing, because mmmsba-plugin is not installed; "
            "install it with: pip install mmmsba-plugin (in a checkout: pip install -e .)"
        )
    if "disabled" in own:
        notes.append(f"our own parts are disabled: take {OWN_NAME} out of {DISABLE_VARIABLE}")
    return notes


def _noun(kind: Kind) -> str:
    return kind.removesuffix("s").replace("_", "-")
