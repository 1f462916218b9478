"""Forgers applied to the segments of a clip."""

import numpy as np
import pytest

from mmmsba_plugin import plugins
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.errors import ForgeError, MissingExtraError
from mmmsba_plugin.forge.apply import Refusal, assign_modalities
from mmmsba_plugin.forge.dataset import forge_dataset
from mmmsba_plugin.forge.recipes import Recipe, build_forgers
from mmmsba_plugin.hookspecs import Forger

from .clips import Loud, Shouting, forger_set


def audio(name, build):
    return Forger(name=name, modality="audio", summary="Words.", config=Loud, build=build)


def test_both_modalities_are_mostly_fake_at_the_same_time():
    forgers, rng = forger_set(1, 1), np.random.default_rng(0)
    both = Recipe(forgers.audios, forgers.frames)
    num_same = 0
    for _ in range(500):
        audio_turns, frame_turns = assign_modalities(3, both, rng)
        assert set(audio_turns) | set(frame_turns) == {0, 1, 2}
        assert set(audio_turns) & set(frame_turns), "both are fake somewhere"
        num_same += audio_turns == frame_turns
    # Two of three segments keep both in four of five draws each.
    assert 280 <= num_same <= 360
    assert assign_modalities(3, Recipe(audios=forgers.audios), rng) == ([0, 1, 2], [])
    assert assign_modalities(2, Recipe(frames=forgers.frames), rng) == ([], [0, 1])


class Cutting(Shouting):
    """A forger that closes the gap: a segment becomes shorter."""

    def forge_audio(self, job, rng):
        return job.span[::2]


class Idle(Shouting):
    """A forger that leaves a segment as it is."""

    def forge_audio(self, job, rng):
        return job.span.copy()


class Stumbling(Shouting):
    """A forger with a bug."""

    def forge_audio(self, job, rng):
        return job.span[[job.audio.size]]


class Voiceless(Shouting):
    """A forger that finds out late that it lacks something."""

    def forge_audio(self, job, rng):
        raise MissingExtraError("no voice is installed; install one")


def test_a_plug_in_s_forger_enters_by_the_same_door(real, tmp_path):
    summary = forge_dataset(
        real,
        tmp_path,
        per_clip=1,
        seed=0,
        forgers=[audio("shout", Shouting)],
        split="test",
        settings={"shout": {"level": 0.9}},
    )
    assert summary.num_fake == 1
    assert {r.kind for r in read_lavdf(tmp_path)} == {"real", "shout"}


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (Cutting, "the forger 'odd' returned .* samples for a segment of .* cannot be run yet"),
        (Idle, "the forger 'odd' left a segment as it was"),
        (Stumbling, r"the forger 'odd' failed \(IndexError: .*\); leave it out"),
        (Voiceless, "the forger 'odd' cannot work here: no voice is installed"),
    ],
)
def test_a_forger_that_does_not_do_its_work_is_named(real, tmp_path, build, message):
    options = {"per_clip": 1, "seed": 0, "split": "test"}
    with pytest.raises(ForgeError, match=f"nothing could be forged .*{message}"):
        forge_dataset(real, tmp_path / "alone", forgers=[audio("odd", build)], **options)
    both = [audio("odd", build), audio("shout", Shouting)]
    summary = forge_dataset(real, tmp_path / "both", forgers=both, **options)
    assert summary.num_fake == 1, "another one steps in"


def test_every_forger_there_is_finds_something_to_alter(variant_writer, encoded_streams):
    summary, donors = variant_writer
    forgers = [plugins.lookup("forgers", o.name) for o in plugins.entries("forgers") if o.entry]
    forgers = build_forgers(forgers, {})
    alone = [Recipe(audios=(forger,)) for forger in forgers.audios]
    alone += [Recipe(frames=(forger,)) for forger in forgers.frames]
    for recipe in alone:
        if recipe.needs_counterpart:
            assert isinstance(summary.write_fake(0, recipe, donors, original=1), Refusal)
            continue
        entry = summary.write_fake(0, recipe, donors, original=1)
        assert entry["kind"] == str(recipe)
        assert entry["n_fakes"] >= 1
    assert encoded_streams
