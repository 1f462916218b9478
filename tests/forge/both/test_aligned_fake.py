"""Whole-clip fakes, and whether they are aligned with their original."""

import collections

import numpy as np
import pytest

from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.datasets.reader import refuse
from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.evaluation.leakage import leak_report
from mmmsba_plugin.forge.augment.pipeline import NO_PROCESSING
from mmmsba_plugin.forge.both.aligned_fake import load_aligned
from mmmsba_plugin.forge.dataset import forge_dataset
from mmmsba_plugin.forge.source_clip import FaceTraceStore
from mmmsba_plugin.forge.sources import find_sources
from mmmsba_plugin.forge.variants import ForgeConfig, VariantWriter
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.plugins import lookup

from ..clips import MOUTH, SPLICE, UNTOUCHED, metadata
from ..pairs import fake_entry, real_entry, write_metadata, write_pair

COUNTERPART = lookup("forgers", "counterpart")


@pytest.fixture(scope="session")
def pairs(tmp_path_factory):
    """Two identities in pairs, one of them dubbed too, and one without a fake."""
    folder = tmp_path_factory.mktemp("pairs")
    write_pair(folder, "ann", 1, audio=True)
    write_pair(folder, "bob", 2, still_from=50)
    write_pair(folder, "cyd", 3)
    write_metadata(
        folder,
        real_entry("ann.mp4", "train", "ann") | {"corpus": "talks", "language": "en"},
        real_entry("bob.mp4", "train", "bob"),
        real_entry("cyd.mp4", "train", "cyd"),
        fake_entry("ann_fake.mp4", "train", "ann", "ann.mp4", audio=True),
        fake_entry("bob_fake.mp4", "train", "bob", "bob.mp4", generator="Swapper"),
    )
    return folder


def writers(folder, tmp_path, config=UNTOUCHED):
    sources, _ = find_sources(folder, seed=0, min_clip_s=1.0)
    traces = FaceTraceStore(tmp_path / "traces", config.tracks, config.max_short_side_px)
    return {
        s.candidate.identity: VariantWriter(s, tmp_path, traces=traces, config=config, seed=0)
        for s in sources
    }


def load(writer):
    (counterpart,) = writer.source.candidate.counterparts
    return load_aligned(counterpart, writer.clip, max_short_side_px=540, max_bytes=2**26)


def test_a_frame_that_the_generator_left_alone_is_known(pairs, tmp_path):
    clips = writers(pairs, tmp_path)
    dubbed, swapped = load(clips["ann"]), load(clips["bob"])
    assert dubbed.changed.all()
    assert dubbed.clip.audio.size == clips["ann"].clip.audio.size
    assert swapped.changed[:50].all()
    assert not swapped.changed[50:].any()
    assert swapped.clip.audio.size == 0
    cut = swapped.without(range(40, 60))
    assert cut.changed.size == cut.clip.face.num_frames == swapped.changed.size - 20


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frames: frames[:-2], "more frames"),
        (lambda frames: [255 - f for f in frames], "outside the face it differs by"),
        (lambda frames: [f[:-8] for f in frames], "frames are of 160x160 and 160x152 px"),
    ],
)
def test_a_fake_that_is_not_aligned_is_refused(pairs, tmp_path, change, message):
    writer = writers(pairs, tmp_path)["bob"]
    frames = [f.rgb for f in FrameReader(probe(pairs / "bob.mp4"))]
    other = tmp_path / "other.mp4"
    write_clip(other, change(frames), fps_hz=25)
    (counterpart,) = writer.source.candidate.counterparts
    moved = type(counterpart)(other, "other.mp4", None, visual=True, audio=False)
    with pytest.raises(ForgeError, match=message):
        load_aligned(moved, writer.clip, max_short_side_px=540, max_bytes=0)


@pytest.fixture(scope="session")
def cut(pairs, tmp_path_factory):
    out = tmp_path_factory.mktemp("cut")
    config = ForgeConfig(processing=NO_PROCESSING, recut_share=1)
    summary = forge_dataset(
        pairs, out, per_clip=6, real_per_clip=2, seed=0, forgers=[COUNTERPART], config=config
    )
    return out, summary


def test_cuts_state_the_generator_and_what_it_altered(cut):
    out, summary = cut
    assert [s.name for s in summary.skipped] == ["train/cyd"]
    assert "no forger applies" in summary.skipped[0].reason
    fakes = [e for e in metadata(out) if e["n_fakes"]]
    generators = {"ann": "Dubber", "bob": "Swapper"}
    types = collections.defaultdict(set)
    for entry in fakes:
        assert entry["kind"] == "counterpart"
        assert entry["generator"] == generators[entry["identity"]]
        assert entry["counterpart"] == f"{entry['identity']}_fake.mp4"
        assert {o["generator"] for o in entry["operations"]} == {entry["generator"]}
        types[entry["identity"]].add(entry["modify_type"])
        if entry["identity"] == "bob":
            assert max(end for _, end in entry["fake_periods"]) <= 50 / 25
    assert types["ann"] == {"audio_modified", "visual_modified", "both_modified"}
    assert types["bob"] == {"visual_modified"}
    assert {e.get("corpus") for e in metadata(out) if e["identity"] == "ann"} == {"talks"}
    (record, *_) = (r for r in read_lavdf(out, on_error=refuse) if r.fake)
    assert record.extra["generator"] in generators.values()


def test_real_files_are_cut_to_a_copy_of_themselves(cut, pairs, tmp_path):
    out, _ = cut
    real = [e for e in metadata(out) if not e["n_fakes"]]
    assert all(e["recut_segments"] for e in real)
    assert all(e["kind"] == "real" and not e["operations"] for e in real)
    assert not list(out.rglob("*.recut.mp4"))
    # Nothing but a little compression tells such a segment from the clip.
    writer = writers(pairs, tmp_path)["bob"]
    for entry in real:
        if entry["identity"] == "bob":
            frames = [f.rgb.astype(int) for f in FrameReader(probe(out / entry["file"]))]
            for frame, other in zip(frames, writer.clip.frames(), strict=True):
                assert np.abs(frame - other.rgb).mean() < 6


def test_neither_size_nor_encoding_tells_a_cut_from_a_real_file(cut):
    report = leak_report(list(read_lavdf(cut[0], on_error=refuse)))
    assert not report.leaks


def test_other_forgers_work_beside_it_and_where_there_is_no_counterpart(pairs, tmp_path):
    forgers = [SPLICE, MOUTH, COUNTERPART]
    summary = forge_dataset(pairs, tmp_path, per_clip=3, seed=1, forgers=forgers)
    assert not summary.skipped
    kinds = {e["kind"] for e in metadata(tmp_path) if e["identity"] == "cyd"}
    assert kinds == {"real", "splice", "mouth", "splice+mouth"}


def test_a_pair_that_is_not_aligned_is_skipped_with_the_reason(pairs, tmp_path):
    folder = tmp_path / "pairs"
    folder.mkdir()
    for name in ("bob.mp4", "ann.mp4", "ann_fake.mp4"):
        (folder / name).symlink_to(pairs / name)
    write_clip(folder / "bob_fake.mp4", list(FrameReader(probe(pairs / "bob.mp4")))[:-2], fps_hz=25)
    write_metadata(
        folder,
        real_entry("bob.mp4", "train", "bob"),
        real_entry("ann.mp4", "train", "ann"),
        fake_entry("bob_fake.mp4", "train", "bob", "bob.mp4"),
        fake_entry("ann_fake.mp4", "train", "ann", "ann.mp4"),
    )
    summary = forge_dataset(folder, tmp_path / "out", per_clip=1, seed=0, forgers=[COUNTERPART])
    (skip,) = summary.skipped
    assert (skip.name, "not aligned" in skip.reason) == ("train/bob", True)
    assert summary.num_fake == 1


def test_whole_fakes_are_written_beside_their_real_clip(pairs, tmp_path):
    folder, out = tmp_path / "pairs", tmp_path / "out"
    folder.mkdir()
    for path in pairs.glob("*.mp4"):
        (folder / path.name).symlink_to(path)
    write_metadata(
        folder,
        real_entry("ann.mp4", "train", "ann"),
        real_entry("bob.mp4", "train", "bob"),
        fake_entry("ann_fake.mp4", "train", "ann", "ann.mp4", audio=True),
        fake_entry("cyd_fake.mp4", "train", "cyd", None, generator="Talker"),
    )
    options = {"per_clip": 1, "seed": 0, "forgers": [MOUTH], "per_fake": 2}
    summary = forge_dataset(folder, out, **options)
    assert not summary.skipped
    records = {r.key: r for r in read_lavdf(out, on_error=refuse)}
    whole = [r for r in records.values() if r.kind == "fake_full"]
    assert sorted(r.identity for r in whole) == ["ann", "ann", "cyd", "cyd"]
    for record in whole:
        (segment,) = record.truth
        assert (segment.start_s, segment.end_s) == (0, pytest.approx(record.duration_s, abs=0.1))
        if record.identity == "ann":
            assert records[record.original].kind == "real"
            assert record.audio_truth == record.visual_truth == record.truth
            assert record.extra["generator"] == "Dubber"
        else:
            assert (record.original, record.audio_truth) == (None, ())
            assert record.extra["generator"] == "Talker"
    # Without the option they are passed over.
    forge_dataset(folder, tmp_path / "none", **options | {"per_fake": 0})
    assert {e["kind"] for e in metadata(tmp_path / "none")} == {"real", "mouth"}


def test_a_whole_fake_has_no_audio_where_its_real_clip_has_none(pairs, tmp_path):
    folder = tmp_path / "pairs"
    folder.mkdir()
    write_clip(folder / "ann.mp4", list(FrameReader(probe(pairs / "ann.mp4"))), fps_hz=25)
    (folder / "ann_fake.mp4").symlink_to(pairs / "ann_fake.mp4")
    write_metadata(
        folder,
        real_entry("ann.mp4", "train", "ann"),
        fake_entry("ann_fake.mp4", "train", "ann", "ann.mp4"),
    )
    forge_dataset(folder, tmp_path / "out", per_clip=1, seed=0, forgers=[COUNTERPART], per_fake=1)
    assert {e["kind"] for e in metadata(tmp_path / "out")} == {"real", "counterpart", "fake_full"}
    assert not any(e["audio_channels"] for e in metadata(tmp_path / "out"))
