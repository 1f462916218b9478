"""``mmmsba plugins``: what is on offer, from whom, and what is wrong with the rest."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mmmsba_plugin.plugins import Offer, PluginState

#: Fields of entries that JSON shows, null where one has not got them.
_TRAITS = ("needs_api", "license", "devices", "cpu_s_per_s")


def plugins(
    *,
    kind: Annotated[
        str | None, typer.Option(help="Only entries of this kind, such as forgers.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, not a table.")] = False,
) -> None:
    """List plug-ins and what they offer; broken ones with the reason."""
    from json import dumps

    from mmmsba_plugin.plugins import ENTRY_TYPES, entries, states

    if kind is not None and kind not in ENTRY_TYPES:
        raise typer.BadParameter(f"{kind} is none of {', '.join(ENTRY_TYPES)}", param_hint="--kind")
    plugin_states = states()
    kinds = list(ENTRY_TYPES) if kind is None else [kind]
    offers = [offer for of_kind in kinds for offer in entries(of_kind)]
    if json:
        text = {
            "plugins": [asdict(state) for state in plugin_states],
            "entries": [
                {
                    "kind": offer.kind,
                    "name": offer.name or None,
                    "summary": offer.entry.summary if offer.entry else None,
                    **{name: getattr(offer.entry, name, None) for name in _TRAITS},
                    "plugin": offer.plugin.name,
                    "distribution": offer.plugin.distribution,
                    "version": offer.plugin.version,
                    "state": offer.state,
                    "reason": offer.reason,
                }
                for offer in offers
            ],
        }
        typer.echo(dumps(text, indent=2))
    else:
        _print_table(plugin_states if kind is None else (), offers)


def _print_table(plugin_states: "tuple[PluginState, ...]", offers: "list[Offer]") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("kind", "name", "from", "state", "what it is, or what is wrong", box=None)
    for offer in offers:
        text = offer.reason or (offer.entry.summary if offer.entry else "")
        row = (offer.kind, offer.name or "?", offer.plugin.origin, offer.state, text)
        table.add_row(*map(Text, row))
    # Plug-ins that no entry speaks for.
    givers = {offer.plugin.name for offer in offers}
    for state in plugin_states:
        if state.state != "loaded" or state.name not in givers:
            text = state.reason or "it offers nothing that can be looked up"
            table.add_row(*map(Text, ("plug-in", state.name, state.origin, state.state, text)))
    Console().print(table)
