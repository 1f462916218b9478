"""Visual forgers and what they share."""

from collections.abc import Iterator

from mmmsba_plugin.hookspecs import Forger


def forgers() -> Iterator[Forger]:
    """Offer the visual forgers; their modules are imported no earlier."""
    from mmmsba_plugin.forge.visual import (
        face_swap,
        freeze,
        inpaint,
        lowres_mouth,
        morph,
        mouth_swap,
        repaint,
        self_blend,
        self_shift_blend,
    )

    yield Forger(
        name="mouth",
        modality="visual",
        summary="The mouth of another moment of the clip: lips that say something else.",
        config=mouth_swap.MouthConfig,
        build=mouth_swap.MouthSwap,
    )
    yield Forger(
        name="lowres-mouth",
        modality="visual",
        summary="The lower face through the narrow waist of a lip-sync generator, as Wav2Lip's.",
        config=lowres_mouth.LowresMouthConfig,
        build=lowres_mouth.LowresMouth,
    )
    yield Forger(
        name="repaint",
        modality="visual",
        summary="The lower face through a super-resolution network, as enhancers leave it.",
        config=repaint.RepaintConfig,
        build=repaint.Repaint,
    )
    yield Forger(
        name="self-blend",
        modality="visual",
        summary="The face blended into itself: the traces of any face swap, and no others.",
        config=self_blend.SelfBlendConfig,
        build=self_blend.SelfBlend,
    )
    yield Forger(
        name="self-shift-blend",
        modality="visual",
        summary="The face blended with itself two frames off: flicker of a frame-wise generator.",
        config=self_shift_blend.SelfShiftBlendConfig,
        build=self_shift_blend.SelfShiftBlend,
    )
    yield Forger(
        name="stranger-mouth",
        modality="visual",
        summary="The mouth of somebody else: dubbing with another speaker's lips.",
        config=face_swap.OtherMouthConfig,
        build=face_swap.OtherMouth,
    )
    yield Forger(
        name="stranger-face",
        modality="visual",
        summary="The face of somebody else with the expression of now: face swap.",
        config=face_swap.OtherFaceConfig,
        build=face_swap.OtherFace,
    )
    yield Forger(
        name="freeze",
        modality="visual",
        summary="The segment's own face or mouth held, dropped, reversed or warped in time.",
        config=freeze.FreezeConfig,
        build=freeze.Freeze,
    )
    yield Forger(
        name="inpaint",
        modality="visual",
        summary="The mouth painted away from its border: lips removed or smeared.",
        config=inpaint.InpaintConfig,
        build=inpaint.Inpaint,
    )
    yield Forger(
        name="flow",
        modality="visual",
        summary="The face morphed between two moments: morph cuts and interpolated frames.",
        config=morph.FlowConfig,
        build=morph.Flow,
    )
