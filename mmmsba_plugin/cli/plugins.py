"""``mmmsba plugins``: what is on offer, from whom, and what is wrong with the rest."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from mmmsba_plugin.plugins import Offer, PluginState


def plugins(
    *, json: Annotated[bool, typer.Option("--json", help="Print JSON, not a table.")] = False
) -> None:
    """List plug-ins and what they offer; broken ones with the reason."""
    from mmmsba_plugin.plugins import ENTRY_TYPES, entries, states

    plugin_states = states()
    offers = [offer for kind in ENTRY_TYPES for offer in entries(kind)]
    if json:
        _print_json(plugin_states, offers)
    else:
        _print_table(plugin_states, offers)


def _print_json(plugin_states: "tuple[PluginState, ...]", offers: "list[Offer]") -> None:
    from json import dumps

    text = {
        "plugins": [asdict(state) for state in plugin_states],
        "entries": [_to_dict(offer) for offer in offers],
    }
    typer.echo(dumps(text, indent=2))


def _to_dict(offer: "Offer") -> dict[str, Any]:
    return {
        "kind": offer.kind,
        "name": offer.name or None,
        "summary": offer.entry.summary if offer.entry else None,
        "plugin": offer.plugin.name,
        "distribution": offer.plugin.distribution,
        "version": offer.plugin.version,
        "state": offer.state,
        "reason": offer.reason,
    }


def _print_table(plugin_states: "tuple[PluginState, ...]", offers: "list[Offer]") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("kind", "name", "from", "state", "what it is, or what is wrong", box=None)
    for row in [*_entry_rows(offers), *_plugin_rows(plugin_states, offers)]:
        table.add_row(*map(Text, row))
    Console().print(table)


def _entry_rows(offers: "list[Offer]") -> Iterator[tuple[str, ...]]:
    for offer in offers:
        text = offer.reason or (offer.entry.summary if offer.entry else "")
        yield offer.kind, offer.name or "?", offer.plugin.origin, offer.state, text


def _plugin_rows(
    plugin_states: "tuple[PluginState, ...]", offers: "list[Offer]"
) -> Iterator[tuple[str, ...]]:
    """Yield the plug-ins that no entry speaks for."""
    givers = {offer.plugin.name for offer in offers}
    for state in plugin_states:
        if state.state != "loaded" or state.name not in givers:
            text = state.reason or "it offers nothing that can be looked up"
            yield "plug-in", state.name, state.origin, state.state, text
