"""Recipes: which modality is altered, and by which forgers."""

import collections

import numpy as np
import pytest

from mmmsba_plugin.errors import ConfigError, MissingExtraError
from mmmsba_plugin.forge.dataset import forge_dataset
from mmmsba_plugin.forge.recipes import build_forgers
from mmmsba_plugin.hookspecs import Forger

from .clips import Loud, Shouting, forger_set, names_of


def test_a_third_each_has_its_audio_its_frames_or_both_altered():
    forgers = forger_set(4, 3)
    altered, counts = collections.Counter(), collections.Counter()
    for clip in range(200):
        for number in range(3):
            audios, frames = names_of(forgers, clip, number)
            altered[len(audios), len(frames)] += 1
            counts.update([*audios, *frames])
    assert altered == {(1, 0): 200, (0, 1): 200, (1, 1): 200}
    # 400 draws among four are 100 each, give or take 9.
    assert all(70 <= counts[f"audio{i}"] <= 130 for i in range(4))
    assert all(100 <= counts[f"frames{i}"] <= 167 for i in range(3))


def test_some_variants_are_the_work_of_two():
    forgers = forger_set(4, 0)
    sizes = [len(names_of(forgers, clip, 0, mixed_share=0.3)[0]) for clip in range(300)]
    assert 60 <= sizes.count(2) <= 120
    assert set(sizes) == {1, 2}
    assert len(names_of(forger_set(1, 0), 0, 0, mixed_share=1.0)[0]) == 1


def test_what_a_clip_lacks_is_not_cast():
    assert not list(
        forger_set(2, 2)
        .select(audio=False, frames=False)
        .recipes(0, mixed_share=0, rng=np.random.default_rng(0))
    )
    for number in range(3):
        audios, frames = names_of(forger_set(2, 2).select(audio=False, frames=True), 0, number)
        assert not audios
        assert frames


def never_built(config):
    raise MissingExtraError("no voice is installed; install one")


def audio(name, build):
    return Forger(name=name, modality="audio", summary="Words.", config=Loud, build=build)


def test_a_forger_that_lacks_something_here_is_left_out_and_named(real, tmp_path):
    forgers = [audio("speak", never_built), audio("shout", Shouting)]
    summary = forge_dataset(real, tmp_path, per_clip=1, seed=0, split="dev", forgers=forgers)
    (left_out,) = summary.left_out
    assert str(left_out) == "the forger 'speak': no voice is installed; install one"
    with pytest.raises(ConfigError, match=r"no forger can be used here .*no voice is installed"):
        build_forgers(forgers[:1], {})
