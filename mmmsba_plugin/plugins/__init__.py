"""Find plug-ins, isolate broken ones, list them, and look entries up by name.

A toolkit that hosts these hooks needs three lines:

    from mmmsba_plugin.plugins import manager
    pm = manager()
    pm.hook.forensics_detectors()
"""

from mmmsba_plugin.plugins.capabilities import (
    at_false_positive_rate,
    load_with,
    require_option,
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
    announce,
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
    "with_threshold",
]
