"""Contracts of plug-ins, as tests that their authors can inherit.

A contract is a plain class; a subclass that names the entry is a test for pytest:

    from mmmsba_plugin.testing import FrontEndContract
    from my_package import LOUDNESS

    class TestLoudness(FrontEndContract):
        entry = LOUDNESS

Or three lines test all that a package offers; see :mod:`mmmsba_plugin.testing.plugin`.
:mod:`mmmsba_plugin.testing.samples` makes the frames, audio and reports they are fed.
"""

from mmmsba_plugin.testing.dataset_reader import DatasetReaderContract
from mmmsba_plugin.testing.detector import DetectorContract
from mmmsba_plugin.testing.forger import ForgerContract
from mmmsba_plugin.testing.front_end import FrontEndContract
from mmmsba_plugin.testing.head import HeadContract
from mmmsba_plugin.testing.writer import WriterContract

__all__ = [
    "DatasetReaderContract",
    "DetectorContract",
    "ForgerContract",
    "FrontEndContract",
    "HeadContract",
    "WriterContract",
]
