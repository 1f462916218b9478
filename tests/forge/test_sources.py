"""Real clips of a folder, their identities and splits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.datasets.splits import deal
from mmmsba_plugin.errors import (
    DatasetError,
)
from mmmsba_plugin.forge.sources import HELD_OUT, Skipped, find_sources
from mmmsba_plugin.media.encode import write_clip

from .clips import described, still, talk
from .pairs import fake_entry, real_entry


@given(st.sets(st.text(min_size=1), max_size=40), st.integers(0, 1000))
def test_every_split_gets_somebody_if_there_are_three(identities, seed):
    dealt = deal(identities, HELD_OUT, seed=seed)
    assert dealt.keys() == identities
    if len(identities) >= 3:
        assert set(dealt.values()) == {"train", "dev", "test"}
        assert list(dealt.values()).count("train") >= len(identities) // 3


def test_splits_are_the_same_in_every_process():
    # Python's own hash of a string is not; these came from another run.
    dealt = deal({"ann", "bob", "cyd", "dan"}, HELD_OUT, seed=0)
    assert dealt == {"dan": "dev", "ann": "test", "cyd": "train", "bob": "train"}
    assert deal(set(dealt), HELD_OUT, seed=1) != dealt


def test_clips_that_cannot_be_used_are_named_with_the_reason(tmp_path):
    still(tmp_path / "good.mp4", 2)
    still(tmp_path / "short.mp4", 0.5)
    (tmp_path / "broken.mp4").write_bytes(b"\0" * 5000)
    (tmp_path / "notes.txt").write_text("not a clip")
    write_clip(tmp_path / "deaf.mp4", [], fps_hz=25, audio=talk(np.random.default_rng(0), 2))
    sources, skipped = find_sources(tmp_path, seed=0, min_clip_s=1.0)
    assert [s.candidate.key for s in sources] == ["good.mp4"]
    reasons = {s.name: s.reason for s in skipped}
    assert reasons.keys() == {"short.mp4", "broken.mp4", "deaf.mp4"}
    assert "lasts 0.5" in reasons["short.mp4"]
    assert "at least 1 s" in reasons["short.mp4"]
    assert "no frames" in reasons["deaf.mp4"]
    assert "broken.mp4" in reasons["broken.mp4"]


def test_clips_of_one_name_in_two_folders_stay_apart(tmp_path):
    for folder in ("a", "b"):
        still(tmp_path / folder / "clip.mp4", 1.2)
    sources, _ = find_sources(tmp_path, seed=0, min_clip_s=1.0)
    assert len({s.name for s in sources}) == 2
    # The same stem is the same person as far as anybody can tell, so never in two splits.
    assert len({s.candidate.split for s in sources}) == 1


def test_metadata_says_who_is_real_and_where_they_serve(tmp_path):
    for name in ("a", "b", "c"):
        still(tmp_path / f"x/{name}.mp4", 1.2)
    described(
        tmp_path,
        {"file": "x/a.mp4", "n_fakes": 0, "split": "dev", "identity": "ann"},
        {"file": "x/b.mp4", "n_fakes": 1, "split": "dev", "identity": "ann"},
        {"file": "x/c.mp4", "n_fakes": 0, "identity": "ann"},
    )
    sources, _ = find_sources(tmp_path, seed=0, min_clip_s=1.0)
    assert [s.candidate.key for s in sources] == ["x/a.mp4", "x/c.mp4"]
    assert {s.candidate.split for s in sources} == {"dev"}, "a person keeps the split once said"


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda folder: folder.rmdir(), "there is no folder"),
        (lambda folder: None, "holds no real clip"),
        (lambda folder: described(folder, {"n_fakes": 0}), "record 0: the key 'file' is missing"),
        (lambda folder: described(folder, {"file": "a.mp4", "n_fakes": 2}), "no real clip"),
        (lambda folder: (folder / "metadata.json").write_text("{"), "cannot be read as JSON"),
        (lambda folder: (folder / "metadata.json").write_text("{}"), "must hold a list"),
    ],
)
def test_a_folder_without_real_clips_is_refused(tmp_path, prepare, message):
    folder = tmp_path / "genuine"
    folder.mkdir()
    prepare(folder)
    with pytest.raises(DatasetError, match=message):
        find_sources(folder, seed=0, min_clip_s=1.0)


def test_what_was_skipped_reads_as_a_line():
    assert str(Skipped("a.mp4", "it is too short")) == "a.mp4: it is too short"


def test_whole_fakes_of_the_same_split_are_counterparts(tmp_path):
    for name in ("ann", "bob", "cyd", "a1", "a2", "b1", "c1", "word"):
        still(tmp_path / f"{name}.mp4", 3)
    described(
        tmp_path,
        real_entry("ann.mp4", "train", "ann") | {"corpus": "talks"},
        real_entry("bob.mp4", "train", "bob"),
        real_entry("cyd.mp4", "dev", "cyd"),
        real_entry("word.mp4", "train", "eve", use="sync"),
        fake_entry("a1.mp4", "train", "ann", "ann.mp4", audio=True),
        fake_entry("a2.mp4", "train", "ann", "ann.mp4")
        | {"fake_periods": [[1.0, 1.5]], "visual_fake_segments": [[1.0, 1.5]]},
        fake_entry("b1.mp4", "train", "bob", "bob.mp4", donor_identity="cyd"),
        fake_entry("c1.mp4", "train", "cyd", "cyd.mp4"),
        fake_entry("w1.mp4", "train", "eve", "word.mp4"),
    )
    sources, skipped = find_sources(tmp_path, seed=0, min_clip_s=1.0)
    pairs = {s.candidate.key: [c.key for c in s.candidate.counterparts] for s in sources}
    assert pairs == {"ann.mp4": ["a1.mp4"], "bob.mp4": [], "cyd.mp4": []}
    (dubbed,) = sources[0].candidate.counterparts
    assert (dubbed.generator, dubbed.visual, dubbed.audio) == ("Dubber", True, True)
    assert sources[0].candidate.details == {"corpus": "talks"}
    assert {s.name for s in skipped} == {"b1.mp4", "c1.mp4"}
    assert all("another split" in s.reason for s in skipped)
    assert not find_sources(tmp_path, seed=0, min_clip_s=1.0, split="dev")[0][0].candidate.details


@pytest.mark.parametrize("periods", ["all", [[0.0]], [[2.0, 1.0]], [["a", "b"]]])
def test_malformed_segments_of_a_fake_name_its_entry(tmp_path, periods):
    still(tmp_path / "ann.mp4", 3)
    fake = fake_entry("a1.mp4", "train", "ann", "ann.mp4")
    described(
        tmp_path,
        real_entry("ann.mp4", "train", "ann"),
        fake | {"fake_periods": periods, "visual_fake_segments": periods},
    )
    with pytest.raises(DatasetError, match=r"record 1: .*fake_"):
        find_sources(tmp_path, seed=0, min_clip_s=1.0)


def test_no_pair_of_real_generators_crosses_splits(shared):
    folder = shared / "footage"
    sources, skipped = find_sources(folder, seed=0, min_clip_s=1.0)
    assert not [s for s in skipped if "another split" in s.reason]
    paired = [s for s in sources if s.candidate.counterparts]
    assert sum(len(s.candidate.counterparts) for s in paired) == 65
    for source in paired:
        for counterpart in source.candidate.counterparts:
            assert counterpart.key.startswith(f"{source.candidate.split}/")
