"""The toy keeps the contracts that its host hands out."""

from toyforensics.offers import JUMPS, LOUDNESS, VERDICT

from mmmsba_plugin.testing import DetectorContract, FrontEndContract, WriterContract


class TestLoudness(FrontEndContract):
    entry = LOUDNESS


class TestVerdict(WriterContract):
    entry = VERDICT


class TestJumps(DetectorContract):
    entry = JUMPS
