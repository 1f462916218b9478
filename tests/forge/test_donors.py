"""Donors of other clips."""

import pytest

from mmmsba_plugin.config import Config
from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.forge.dataset import forge_dataset
from mmmsba_plugin.hookspecs import Forger

from .clips import SPLICE, still


class Borrowing:
    """A frame forger that asks for a stranger and takes a corner of him."""

    needs_donor = False
    needs_other_clip = True

    def __init__(self, config):
        pass

    def forge_frames(self, job, rng):
        assert len(job.other_clip_donors) == len(job.frames)
        fake = []
        for shot, stranger in zip(job.frames, job.other_clip_donors, strict=True):
            rgb = shot.rgb.copy()
            rgb[:40, :40] = stranger.rgb[-40:, -40:]
            fake.append(rgb)
        return fake


BORROW = Forger("borrow", "visual", "Corner.", Config, Borrowing)


def test_a_stranger_lends_his_face(real, tmp_path):
    made = forge_dataset(real, tmp_path, per_clip=1, seed=0, forgers=[BORROW], split="train")
    assert (made.num_fake, made.skipped) == (3, ())
    assert not (tmp_path / ".progress/traces").exists()


def test_nobody_lends_a_face_from_another_split(real, tmp_path):
    with pytest.raises(ForgeError, match="no other clip of the split has a face"):
        forge_dataset(real, tmp_path, per_clip=1, seed=0, forgers=[BORROW], split="test")


def test_a_lonely_voice_gets_no_donor_and_is_named(tmp_path):
    still(tmp_path / "genuine/only.mp4", 2)
    with pytest.raises(ForgeError, match=r"nothing could be forged .*no other clip of the split"):
        forge_dataset(tmp_path / "genuine", tmp_path / "out", per_clip=1, seed=0, forgers=[SPLICE])
    assert not (tmp_path / "out/metadata.json").exists()
