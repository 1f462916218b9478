"""Donors of other clips."""

import pytest

from mmmsba_plugin.config import Config
from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.dataset import forge_dataset
from mmmsba_plugin.hookspecs import Forger

from .clips import SPLICE, still


class Borrowing:
    """A frame forger that asks for another clip and takes a corner of its frames."""

    needs_donor = False
    needs_other_clip = True

    def __init__(self, config):
        pass

    def forge_frames(self, job, rng):
        assert len(job.other_clip_donors) == len(job.frames)
        fake = []
        for frame, donor in zip(job.frames, job.other_clip_donors, strict=True):
            rgb = frame.rgb.copy()
            rgb[:40, :40] = donor.rgb[-40:, -40:]
            fake.append(rgb)
        return fake


BORROW = Forger(name="borrow", modality="visual", summary="Corner.", config=Config, build=Borrowing)


def test_a_clip_of_another_identity_is_the_donor_of_a_face(real, tmp_path):
    summary = forge_dataset(real, tmp_path, per_clip=1, seed=0, forgers=[BORROW], split="train")
    assert (summary.num_fake, summary.skipped) == (3, ())
    assert not (tmp_path / ".progress/traces").exists()


def test_no_donor_face_comes_from_another_split(real, tmp_path):
    with pytest.raises(ForgeError, match="no other clip of the split has a face"):
        forge_dataset(real, tmp_path, per_clip=1, seed=0, forgers=[BORROW], split="test")


def test_a_lonely_voice_gets_no_donor_and_is_named(tmp_path):
    still(tmp_path / "genuine/only.mp4", 2)
    with pytest.raises(ForgeError, match=r"nothing could be forged .*no other clip of the split"):
        forge_dataset(tmp_path / "genuine", tmp_path / "out", per_clip=1, seed=0, forgers=[SPLICE])
    assert not (tmp_path / "out/metadata.json").exists()
