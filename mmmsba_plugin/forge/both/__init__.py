"""Forgers that alter the audio and the frames of a segment together."""

from collections.abc import Iterator

from mmmsba_plugin.hookspecs import Forger


def forgers() -> Iterator[Forger]:
    """Offer the forgers of both; their modules are imported no earlier."""
    from mmmsba_plugin.forge.both import counterpart_cut, frame_copy

    yield Forger(
        name="counterpart",
        modality="both",
        summary="A cut to what a real generator made of the same clip: some words of it altered.",
        config=counterpart_cut.CounterpartCutConfig,
        build=counterpart_cut.CounterpartCut,
    )
    yield Forger(
        name="frame-copy",
        modality="both",
        summary="A few frames and their audio copied from a similar moment: a repaired word.",
        config=frame_copy.FrameCopyConfig,
        build=frame_copy.FrameCopy,
    )
