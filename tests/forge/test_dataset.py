"""From a folder of real clips to a forged dataset."""

import collections

import numpy as np
import pytest

from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.datasets.reader import refuse
from mmmsba_plugin.errors import (
    ConfigError,
    DatasetError,
    ForgeError,
)
from mmmsba_plugin.forge import dataset as dataset_module
from mmmsba_plugin.forge.apply import Refusal
from mmmsba_plugin.forge.dataset import forge_dataset
from mmmsba_plugin.forge.talking_head.clips import make_talking_clip
from mmmsba_plugin.forge.variants import VariantWriter
from mmmsba_plugin.forge.visual.mouth_swap import MouthConfig, MouthSwap
from mmmsba_plugin.hookspecs import Forger
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader

from .clips import MOUTH, OPTIONS, RATE_HZ, SPLICE, dataset_files, described, metadata, still


def test_a_dataset_is_read_back_as_what_was_made(fake):
    out, summary = fake
    records = list(read_lavdf(out, on_error=refuse))
    assert (summary.num_real, summary.num_fake) == (10, 15)
    assert summary.skipped == summary.left_out == ()
    assert summary.written_s == pytest.approx(sum(e["duration"] for e in metadata(out)))
    assert sum(r.fake for r in records) == summary.num_fake
    assert {r.kind for r in records} == {"real", "splice", "mouth", "splice+mouth"}
    for record in records:
        assert bool(record.audio_truth) == ("splice" in record.kind)
        assert bool(record.visual_truth) == ("mouth" in record.kind)
        assert record.fake == (record.original is not None)
        assert record.media.parent.name == record.split


def test_each_segment_is_recorded_with_its_forger(fake):
    forgers = {"audio": "splice", "visual": "mouth"}
    for entry in metadata(fake[0]):
        times = collections.defaultdict(list)
        for operation in entry["operations"]:
            times[operation["modality"]].append([operation["start"], operation["end"]])
            assert operation["forger"] == forgers[operation["modality"]]
        for modality in ("audio", "visual"):
            segments = entry[f"{modality}_fake_segments"]
            np.testing.assert_allclose(times[modality], segments, atol=1e-5)
        words = {(0, 0): "real", (1, 0): "audio_modified", (0, 1): "visual_modified"}
        modify_type = words.get((bool(times["audio"]), bool(times["visual"])), "both_modified")
        assert entry["modify_type"] == modify_type


def test_an_original_is_a_real_file_of_the_same_clip(fake):
    by_file = {entry["file"]: entry for entry in metadata(fake[0])}
    for entry in by_file.values():
        if entry["original"]:
            original = by_file[entry["original"]]
            assert original["kind"] == "real"
            assert original["source"] == entry["source"]


def test_nobody_is_in_two_splits(fake):
    records = list(read_lavdf(fake[0]))
    assert {r.split for r in records} == {"train", "dev", "test"}
    for identity in {r.identity for r in records}:
        assert len({r.split for r in records if r.identity == identity}) == 1


def test_the_metadata_of_a_file_describe_its_streams(fake):
    for entry in metadata(fake[0]):
        media = probe(fake[0] / entry["file"])
        assert (media.video.codec, media.audio.codec) == ("h264", "aac")
        pts_s = [p.pts_s for p in FrameReader(media)]
        assert entry["video_frames"] == len(pts_s)
        assert entry["duration"] == pytest.approx(pts_s[-1] + 1 / media.video.fps_hz, abs=1e-3)
        # A frame of AAC may be left over at the end.
        assert media.audio.duration_s == pytest.approx(entry["audio_frames"] / RATE_HZ, abs=0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"per_clip": 0}, "at least one variant, .* got 0, 1, 1, 1 and 0"),
        ({"real_per_clip": 0}, "one real file, .* got 1, 0, 1, 1 and 1"),
        ({"workers": 0}, "one worker, .* got 1, 1, 1, 0 and 1"),
        ({"forgers": []}, "one forger .* got 1, 1, 0, 1 and 1"),
        ({"per_identity": 0}, "each person one variant, got 1, 1, 1, 1 and 0"),
        ({"settings": {"mouht": {}}}, r"unknown forgers \['mouht'\]; there are: mouth"),
        ({"settings": {"mouth": {"spred": 1}}}, "Allowed keys: spread, feather"),
        (
            {
                "forgers": [
                    Forger(
                        name="odd",
                        modality="audio",
                        summary="Lips.",
                        config=MouthConfig,
                        build=MouthSwap,
                    )
                ]
            },
            "'odd' says it alters 'audio', but MouthSwap lacks",
        ),
    ],
)
def test_wrong_settings_are_refused_before_anything_is_written(real, tmp_path, options, message):
    arguments = {"per_clip": 1, "seed": 0, "forgers": [MOUTH]} | options
    with pytest.raises(ConfigError, match=message):
        forge_dataset(real, tmp_path / "out", **arguments)
    assert not (tmp_path / "out").exists()


def test_nobody_who_was_filmed_often_outweighs_the_rest(tmp_path):
    folder = tmp_path / "genuine"
    identities = {"often1": "often", "often2": "often", "often3": "often", "once": "once"}
    for name in identities:
        still(folder / f"{name}.mp4", 2)
    described(
        folder,
        *(
            {"file": f"{name}.mp4", "n_fakes": 0, "split": "train", "identity": identity}
            for name, identity in identities.items()
        ),
    )
    sizes = {"per_clip": 4, "real_per_clip": 2, "per_identity": 6}
    forge_dataset(folder, tmp_path / "out", seed=0, forgers=[SPLICE], **sizes)
    counts = collections.Counter((e["identity"], e["kind"]) for e in metadata(tmp_path / "out"))
    assert counts == {
        ("often", "splice"): 6,
        ("often", "real"): 3,
        ("once", "splice"): 4,
        ("once", "real"): 2,
    }


def test_a_clip_that_is_hard_to_forge_is_not_often_seen_as_real(real, tmp_path, monkeypatch):
    forge = VariantWriter.write_fake
    left = iter([True, False, False, False])

    def forge_once(self, *arguments, **options):
        if next(left, False):
            return forge(self, *arguments, **options)
        return Refusal("it is too short")

    monkeypatch.setattr(dataset_module.VariantWriter, "write_fake", forge_once)
    summary = forge_dataset(
        real, tmp_path, per_clip=4, real_per_clip=4, seed=0, forgers=[MOUTH], split="dev"
    )
    assert (summary.num_real, summary.num_fake) == (1, 1)
    assert [s.reason for s in summary.skipped] == ["it is too short"] * 3


def test_a_missing_modality_is_part_of_the_job(tmp_path):
    folder = tmp_path / "genuine"
    still(folder / "faceless1.mp4", 2)
    still(folder / "faceless2.mp4", 2)
    still(folder / "nothing.mp4", 2, audio=False)
    make_talking_clip(folder / "voice.mp4", seconds=2, seed=0, size_px=160)
    mute = make_talking_clip(folder / "mute.mp4", seconds=2, seed=1, size_px=160)
    write_clip(mute.path, list(FrameReader(probe(mute.path))), fps_hz=25)
    names = ("faceless1", "faceless2", "nothing", "voice", "mute")
    described(folder, *({"file": f"{n}.mp4", "n_fakes": 0, "split": "train"} for n in names))
    out = tmp_path / "out"
    summary = forge_dataset(folder, out, per_clip=2, seed=0, forgers=[SPLICE, MOUTH])
    (skip,) = summary.skipped
    assert str(skip).startswith("train/nothing: it has neither a face nor audio to forge")
    kinds = collections.defaultdict(set)
    for record in read_lavdf(out, on_error=refuse):
        kinds[record.identity].add(record.kind)
    assert kinds["faceless1"] == {"real", "splice"}
    assert kinds["mute"] == {"real", "mouth"}
    mute_entry = next(e for e in metadata(out) if "mute" in e["file"])
    assert (mute_entry["audio_channels"], mute_entry["audio_frames"]) == (0, 0)


def test_the_same_seed_gives_the_same_dataset_in_any_number_of_processes(real, fake, tmp_path):
    forge_dataset(real, tmp_path / "again", workers=2, **OPTIONS)
    assert dataset_files(tmp_path / "again") == dataset_files(fake[0])
    other = OPTIONS | {"seed": 5, "per_clip": 1}
    forge_dataset(real, tmp_path / "other", **other)
    was = [e["fake_periods"] for e in metadata(fake[0])]
    segments = [e["fake_periods"] for e in metadata(tmp_path / "other")]
    assert not [t for t in segments if t and t in was]


def test_only_the_wanted_split_is_fake(real, tmp_path):
    summary = forge_dataset(
        real, tmp_path, per_clip=1, seed=4, forgers=[SPLICE, MOUTH], split="test"
    )
    assert {r.split for r in read_lavdf(tmp_path)} == {"test"}
    assert summary.num_real == 1
    with pytest.raises(DatasetError, match="no split 'val'; it has: dev, test, train"):
        forge_dataset(real, tmp_path / "other", per_clip=1, seed=4, forgers=[MOUTH], split="val")


def test_one_clip_that_fails_does_not_stop_the_rest(real, tmp_path, monkeypatch):
    copy = VariantWriter.write_real

    def fail_once(self, number):
        if "speaker2" in self.source.name:
            raise ForgeError("the frames ran away")
        return copy(self, number)

    monkeypatch.setattr(dataset_module.VariantWriter, "write_real", fail_once)
    summary = forge_dataset(real, tmp_path, per_clip=1, seed=0, forgers=[SPLICE, MOUTH])
    assert summary.num_real == 4
    assert [s.reason for s in summary.skipped] == ["the frames ran away"]
