"""Find plug-ins, isolate broken ones, list them, and look entries up by name.

A toolkit that hosts these hooks needs three lines:

    from mmmsba_plugin.plugins import entries, lookup
    names = [offer.name for offer in entries("detectors") if offer.state == "ok"]
    detector = lookup("detectors", names[0]).load(None)

Faulty plug-ins are listed with what is wrong, and cost the others nothing. The detectors announce
their reports. ``manager().hook.forensics_detectors()`` is the same hook by pluggy's own call.
"""

from mmmsba_plugin.plugins.announcing import announce, announced_detector, unannounced
from mmmsba_plugin.plugins.capabilities import (
    at_false_positive_rate,
    load_with,
    require_option,
    with_ignored_options,
    with_threshold,
)
from mmmsba_plugin.plugins.loading import (
    DISABLE_VARIABLE,
    PluginState,
    forget,
    load_file,
    manager,
    states,
)
from mmmsba_plugin.plugins.offers import (
    ENTRY_TYPES,
    OWN_NAME,
    Kind,
    Offer,
    entries,
    is_name,
    lookup,
)

__all__ = [
    "DISABLE_VARIABLE",
    "ENTRY_TYPES",
    "OWN_NAME",
    "Kind",
    "Offer",
    "PluginState",
    "announce",
    "announced_detector",
    "at_false_positive_rate",
    "entries",
    "forget",
    "is_name",
    "load_file",
    "load_with",
    "lookup",
    "manager",
    "require_option",
    "states",
    "unannounced",
    "with_ignored_options",
    "with_threshold",
]
