"""A stranger's head."""

from mmmsba_plugin import hookimpl
from mmmsba_plugin.hookspecs import HeadEntry


def load_head():
    from toyhead.edges import EdgeHead

    return EdgeHead


@hookimpl
def forensics_heads():
    yield HeadEntry(name="edges", summary="Where a fake begins or ends.", load=load_head)
