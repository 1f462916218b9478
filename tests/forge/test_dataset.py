"""From a folder of real clips to a dataset, whatever the clips and the forgers are like."""

import collections
import json
import os
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mmmsba_plugin import plugins
from mmmsba_plugin.cli import _exit_codes, app
from mmmsba_plugin.config import Config
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.datasets.reader import refuse
from mmmsba_plugin.errors import (
    ConfigError,
    DatasetError,
    ForgeError,
    MissingExtraError,
    WorkerError,
)
from mmmsba_plugin.forge import dataset as dataset_module
from mmmsba_plugin.forge.apply import Refusal, assign_modalities
from mmmsba_plugin.forge.audio.shift import ShiftAudio, ShiftConfig
from mmmsba_plugin.forge.audio.splice import SpliceAudio, SpliceConfig
from mmmsba_plugin.forge.augment.pipeline import PLAIN, ProcessingConfig
from mmmsba_plugin.forge.dataset import forge_dataset
from mmmsba_plugin.forge.donors import Donors
from mmmsba_plugin.forge.recipes import ForgerSet, Recipe, build_forgers
from mmmsba_plugin.forge.source_clip import FaceTraceStore
from mmmsba_plugin.forge.sources import find_sources
from mmmsba_plugin.forge.talking_head.clips import make_talking_clip, make_talking_head_dataset
from mmmsba_plugin.forge.variants import ForgeConfig, VariantWriter
from mmmsba_plugin.forge.visual.mouth_swap import MouthConfig, MouthSwap
from mmmsba_plugin.forge.workers import is_portable, map_unordered
from mmmsba_plugin.hookspecs import Forger
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader

RATE_HZ = 16_000
SPLICE = Forger("splice", "audio", "Words.", SpliceConfig, SpliceAudio)
SHIFT = Forger("shift", "audio", "Late words.", ShiftConfig, ShiftAudio)
MOUTH = Forger("mouth", "visual", "Lips.", MouthConfig, MouthSwap)
UNTOUCHED = ForgeConfig(processing=PLAIN, mixed_share=0)


@pytest.fixture(scope="session")
def real(tmp_path_factory):
    """Five speakers with a clip each, of whom three share the training split."""
    folder = tmp_path_factory.mktemp("genuine")
    make_talking_head_dataset(folder, num_clips=5, seconds=2.4, seed=1, size_px=160)
    return folder


OPTIONS = {"per_clip": 3, "real_per_clip": 2, "seed": 4, "forgers": [SPLICE, MOUTH]}


@pytest.fixture(scope="session")
def fake(real, tmp_path_factory):
    out = tmp_path_factory.mktemp("forged")
    return out, forge_dataset(real, out, **OPTIONS)


def metadata(out):
    return json.loads((out / "metadata.json").read_text())


def described(folder, *entries):
    (folder / "metadata.json").write_text(json.dumps(list(entries)))


def still(path, seconds, *, audio=True):
    """Write a grey clip without a face, with noise that comes and goes like speech."""
    rng = np.random.default_rng(0)
    times_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    swell = np.clip(np.sin(4 * np.pi * times_s), 0, None)
    talk = (0.1 * swell * rng.standard_normal(times_s.size)).astype(np.float32)
    frames = [np.full((64, 64, 3), 90 + i, np.uint8) for i in range(round(seconds * 25))]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_clip(path, frames, fps_hz=25, audio=talk if audio else None)


# --- what is written -----------------------------------------------------------------------


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


def test_each_stretch_is_told_with_its_forger(fake):
    for entry in metadata(fake[0]):
        told = collections.defaultdict(list)
        for done in entry["operations"]:
            told[done["modality"]].append([done["start"], done["end"]])
            assert done["forger"] == {"audio": "splice", "visual": "mouth"}[done["modality"]]
        for modality in ("audio", "visual"):
            segments = entry[f"{modality}_fake_segments"]
            np.testing.assert_allclose(told[modality], segments, atol=1e-5)
        words = {(0, 0): "real", (1, 0): "audio_modified", (0, 1): "visual_modified"}
        said = words.get((bool(told["audio"]), bool(told["visual"])), "both_modified")
        assert entry["modify_type"] == said


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


def test_what_is_told_of_a_file_is_what_is_in_it(fake):
    for entry in metadata(fake[0]):
        media = probe(fake[0] / entry["file"])
        assert (media.video.codec, media.audio.codec) == ("h264", "aac")
        pts_s = [p.pts_s for p in FrameReader(media)]
        assert entry["video_frames"] == len(pts_s)
        assert entry["duration"] == pytest.approx(pts_s[-1] + 1 / media.video.fps_hz, abs=1e-3)
        # A frame of AAC may be left over at the end.
        assert media.audio.duration_s == pytest.approx(entry["audio_frames"] / RATE_HZ, abs=0.1)


@pytest.mark.parametrize("rate", [0.0, 1.0], ids=["as it is", "converted"])
def test_truth_begins_and_ends_with_a_frame(real, tmp_path, rate):
    config = ForgeConfig(processing=PLAIN.model_copy(update={"fps": rate, "cut": 1.0}))
    forge_dataset(real, tmp_path, per_clip=1, seed=0, forgers=[MOUTH], config=config)
    rates_hz = set()
    for record in read_lavdf(tmp_path):
        media = probe(record.media)
        rates_hz.add(media.video.fps_hz)
        pts_s = np.array([p.pts_s for p in FrameReader(media)])
        ends_s = np.append(pts_s, pts_s[-1] + 1 / media.video.fps_hz)
        for segment in record.visual_truth:
            # The file's clock ticks 90,000 times a second.
            assert np.abs(pts_s - segment.start_s).min() < 2e-5
            assert np.abs(ends_s - segment.end_s).min() < 2e-5
    assert rates_hz == ({24.0, 30.0} if rate else {25.0})


@pytest.fixture
def written(monkeypatch):
    """What would have been encoded, by name of the file."""
    found = {}

    def keep(path, frames, *, audio, **_):
        found[Path(path).name] = ([(p.pts_s, p.rgb) for p in frames], audio)

    monkeypatch.setattr("mmmsba_plugin.forge.variants.write_clip", keep)
    return found


@pytest.fixture
def studio(real, tmp_path):
    """The studio of one clip, and who lends to it."""
    sources, _ = find_sources(real, seed=4, min_clip_s=1.0, split="train")
    traces = FaceTraceStore(tmp_path / "traces", UNTOUCHED.tracks, UNTOUCHED.max_short_side_px)
    lenders = Donors(sources[0], sources, traces, RATE_HZ)
    made = VariantWriter(sources[0], tmp_path, traces=traces, config=UNTOUCHED, seed=4)
    return made, lenders


def test_truth_is_exactly_what_differs_before_encoding(studio, written):
    made, lenders = studio
    name = Path(made.write_real(0)["file"]).name
    real_frames, real_audio = written[name]
    forgers = build_forgers([SPLICE, MOUTH], {})
    kinds = set()
    for number in range(1, 4):
        recipe = next(made.recipes(forgers, number))
        entry = made.write_fake(number, recipe, lenders, original=0)
        kinds.add(entry["kind"])
        frames, audio = written[Path(entry["file"]).name]
        changed_s = [
            pts_s
            for (pts_s, rgb), (_, old) in zip(frames, real_frames, strict=True)
            if not np.array_equal(rgb, old)
        ]
        said_s = [
            pts_s
            for pts_s, _ in real_frames
            if any(s - 1e-6 <= pts_s < e - 1e-6 for s, e in entry["visual_fake_segments"])
        ]
        assert changed_s == said_s
        outside = np.ones(audio.size, dtype=bool)
        for start_s, end_s in entry["audio_fake_segments"]:
            inside = slice(round(start_s * RATE_HZ), round(end_s * RATE_HZ))
            outside[inside] = False
            assert np.mean(audio[inside] != real_audio[inside]) > 0.99
        np.testing.assert_array_equal(audio[outside], real_audio[outside])
    assert kinds == {"splice", "mouth", "splice+mouth"}


def test_both_modalities_are_mostly_fake_at_the_same_time():
    forgers, rng = forger_set(1, 1), np.random.default_rng(0)
    both = Recipe(forgers.audios, forgers.frames)
    num_same = 0
    for _ in range(500):
        heard, seen = assign_modalities(3, both, rng)
        assert set(heard) | set(seen) == {0, 1, 2}
        assert set(heard) & set(seen), "both are fake somewhere"
        num_same += heard == seen
    # Two of three stretches keep both in four of five draws each.
    assert 280 <= num_same <= 360
    assert assign_modalities(3, Recipe(audios=forgers.audios), rng) == ([0, 1, 2], [])
    assert assign_modalities(2, Recipe(frames=forgers.frames), rng) == ([], [0, 1])


# --- who forges what -----------------------------------------------------------------------


def names_of(forgers, rng_seed, number, mixed_share=0.0):
    recipe = next(
        forgers.recipes(number, mixed_share=mixed_share, rng=np.random.default_rng(rng_seed))
    )
    return [n for n, _ in recipe.audios], [n for n, _ in recipe.frames]


def forger_set(num_audios, num_frames):
    forger = Shouting(Loud())
    return ForgerSet(
        tuple((f"sound{i}", forger) for i in range(num_audios)),
        tuple((f"picture{i}", forger) for i in range(num_frames)),
    )


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
    assert all(70 <= counts[f"sound{i}"] <= 130 for i in range(4))
    assert all(100 <= counts[f"picture{i}"] <= 167 for i in range(3))


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


class Loud(Config):
    level: float = 0.5


class Shouting:
    """A forger of another distribution: needs no donor, and has a setting."""

    needs_donor = False

    def __init__(self, config):
        self.level = config.level

    def forge_audio(self, job, rng):
        return np.full(job.span.size, self.level, dtype=np.float32)


class Cutting(Shouting):
    """A forger that closes the gap: a stretch becomes shorter."""

    def forge_audio(self, job, rng):
        return job.span[::2]


class Idle(Shouting):
    """A forger that leaves a stretch as it is."""

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


def never_built(config):
    raise MissingExtraError("no voice is installed; install one")


def audio(name, build):
    return Forger(name, "audio", "Words.", Loud, build)


def test_a_stranger_s_forger_enters_by_the_same_door(real, tmp_path):
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
    made = forge_dataset(real, tmp_path / "both", forgers=both, **options)
    assert made.num_fake == 1, "another one steps in"


def test_a_forger_that_lacks_something_here_is_left_out_and_named(real, tmp_path):
    forgers = [audio("speak", never_built), audio("shout", Shouting)]
    made = forge_dataset(real, tmp_path, per_clip=1, seed=0, split="dev", forgers=forgers)
    (left_out,) = made.left_out
    assert str(left_out) == "the forger 'speak': no voice is installed; install one"
    with pytest.raises(ConfigError, match=r"no forger can be used here .*no voice is installed"):
        build_forgers(forgers[:1], {})


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
            {"forgers": [Forger("odd", "audio", "Lips.", MouthConfig, MouthSwap)]},
            "'odd' says it alters 'audio', but MouthSwap lacks",
        ),
    ],
)
def test_wrong_settings_are_refused_before_anything_is_written(real, tmp_path, options, message):
    given_ = {"per_clip": 1, "seed": 0, "forgers": [MOUTH]} | options
    with pytest.raises(ConfigError, match=message):
        forge_dataset(real, tmp_path / "out", **given_)
    assert not (tmp_path / "out").exists()


# --- fairness ------------------------------------------------------------------------------


def test_nobody_who_was_filmed_often_outweighs_the_rest(tmp_path):
    folder = tmp_path / "genuine"
    identities = {"often1": "often", "often2": "often", "often3": "often", "once": "once"}
    for name in identities:
        still(folder / f"{name}.mp4", 2)
    described(
        folder,
        *(
            {"file": f"{name}.mp4", "n_fakes": 0, "split": "train", "identity": who}
            for name, who in identities.items()
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


def test_processing_knows_nothing_of_the_label(real, tmp_path):
    options = {"seed": 4, "forgers": [SHIFT, MOUTH], "split": "dev"}
    forge_dataset(real, tmp_path / "a", per_clip=1, real_per_clip=3, **options)
    forge_dataset(real, tmp_path / "b", per_clip=3, real_per_clip=1, **options)
    first, second = (
        {e["file"]: (e["processing"], e["kind"] == "real") for e in metadata(tmp_path / name)}
        for name in ("a", "b")
    )
    assert first.keys() == second.keys()
    changed_label = 0
    for file, (processing, is_real) in first.items():
        assert processing == second[file][0]
        changed_label += is_real != second[file][1]
    assert changed_label == 2


def test_a_file_s_number_tells_nothing(studio):
    made, _ = studio
    orders = []
    for seed in range(200):
        made._seed = seed
        orders.append(made.file_numbers(4))
    assert all(sorted(order) == [0, 1, 2, 3] for order in orders)
    firsts = collections.Counter(order[0] for order in orders)
    assert all(30 <= firsts[number] <= 70 for number in range(4))


def test_a_clip_that_is_hard_to_forge_is_not_often_seen_as_real(real, tmp_path, monkeypatch):
    forge = VariantWriter.write_fake
    left = iter([True, False, False, False])

    def forge_once(self, *arguments, **options):
        if next(left, False):
            return forge(self, *arguments, **options)
        return Refusal("it is too short")

    monkeypatch.setattr(dataset_module.VariantWriter, "write_fake", forge_once)
    made = forge_dataset(
        real, tmp_path, per_clip=4, real_per_clip=4, seed=0, forgers=[MOUTH], split="dev"
    )
    assert (made.num_real, made.num_fake) == (1, 1)
    assert [s.reason for s in made.skipped] == ["it is too short"] * 3


# --- clips that are not as one would wish --------------------------------------------------


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


@pytest.mark.parametrize("fps_hz", [12, 30000 / 1001])
def test_portraits_and_odd_rates_are_fake_like_any(tmp_path, fps_hz):
    from fractions import Fraction

    rate_hz = Fraction(fps_hz).limit_denominator(1001)
    folder = tmp_path / "genuine"
    clip = make_talking_clip(tmp_path / "wide.mp4", seconds=3, seed=0, size_px=240, fps_hz=rate_hz)
    upright = [p.rgb[:, 41:200] for p in FrameReader(probe(clip.path))]
    write_clip(folder / "tall.mp4", upright, fps_hz=rate_hz)
    every = ProcessingConfig(**dict.fromkeys(_shares(), 1.0))
    config = ForgeConfig(processing=every, segments={"short_share": 0})
    made = forge_dataset(
        folder, tmp_path / "out", per_clip=1, seed=0, forgers=[MOUTH], config=config
    )
    assert made.skipped == ()
    for record in read_lavdf(tmp_path / "out", on_error=refuse):
        media = probe(record.media)
        assert media.video.height_px > media.video.width_px
        assert all(0 <= s.start_s < s.end_s <= media.duration_s + 1e-3 for s in record.truth)


def _shares():
    return ProcessingConfig.model_fields.keys() - {"best_crf", "worst_crf"}


def test_a_lonely_voice_gets_no_donor_and_is_named(tmp_path):
    still(tmp_path / "genuine/only.mp4", 2)
    with pytest.raises(ForgeError, match=r"nothing could be forged .*no other clip of the split"):
        forge_dataset(tmp_path / "genuine", tmp_path / "out", per_clip=1, seed=0, forgers=[SPLICE])
    assert not (tmp_path / "out/metadata.json").exists()


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


def test_a_shift_that_does_not_fit_is_turned_down():
    from mmmsba_plugin.forger import AudioJob

    audio = np.random.default_rng(0).normal(0, 0.1, RATE_HZ).astype(np.float32)
    job = AudioJob(audio, 1000, RATE_HZ - 1000, RATE_HZ)
    with pytest.raises(ForgeError, match=r"too short to be moved by .*; give a longer clip"):
        ShiftAudio().forge_audio(job, np.random.default_rng(0))


@pytest.mark.parametrize("seed", range(8))
def test_a_shift_is_the_clip_s_own_audio_three_to_twelve_frames_off(seed):
    from mmmsba_plugin.forger import AudioJob

    audio = np.random.default_rng(0).normal(0, 0.1, 4 * RATE_HZ).astype(np.float32)
    start, end = 2 * RATE_HZ, 3 * RATE_HZ
    shift = ShiftAudio().forge_audio(
        AudioJob(audio, start, end, RATE_HZ), np.random.default_rng(seed)
    )
    middle = slice(RATE_HZ // 4, 3 * RATE_HZ // 4)
    match = np.correlate(audio, shift[middle], mode="valid")
    moved_s = abs(int(np.argmax(match)) - (start + middle.start)) / RATE_HZ
    assert 0.12 - 1e-4 <= moved_s <= 0.48 + 1e-4
    assert np.mean(shift != audio[start:end]) > 0.999


# --- how it is run -------------------------------------------------------------------------


def dataset_files(out):
    return {
        p.relative_to(out).as_posix(): p.read_bytes()
        for p in sorted(out.rglob("*"))
        if p.is_file() and ".progress" not in p.parts
    }


def test_the_same_seed_gives_the_same_dataset_in_any_number_of_processes(real, fake, tmp_path):
    forge_dataset(real, tmp_path / "again", workers=2, **OPTIONS)
    assert dataset_files(tmp_path / "again") == dataset_files(fake[0])
    other = OPTIONS | {"seed": 5, "per_clip": 1}
    forge_dataset(real, tmp_path / "other", **other)
    was = [e["fake_periods"] for e in metadata(fake[0])]
    told = [e["fake_periods"] for e in metadata(tmp_path / "other")]
    assert not [t for t in told if t and t in was]


def test_an_interrupted_run_can_be_used_goes_on_and_ends_with_the_same_dataset(
    real, fake, tmp_path
):
    def interrupt(done, total, name):
        assert total == 5
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        forge_dataset(real, tmp_path, **OPTIONS, on_progress=interrupt)
    half = list(read_lavdf(tmp_path, on_error=refuse))
    assert len(half) == 10
    summary = forge_dataset(real, tmp_path, **OPTIONS)
    assert summary.num_resumed == 2
    assert summary.num_fake == fake[1].num_fake
    assert summary.written_s == pytest.approx(0.6 * fake[1].written_s, rel=0.05)
    assert dataset_files(tmp_path) == dataset_files(fake[0])


def test_a_clip_that_was_lost_is_made_again(real, tmp_path):
    options = {"per_clip": 1, "seed": 0, "forgers": [MOUTH], "split": "dev"}
    first = forge_dataset(real, tmp_path, **options)
    before = dataset_files(tmp_path)
    next(tmp_path.rglob("*_1.mp4")).unlink()
    again = forge_dataset(real, tmp_path, **options)
    assert (first.num_real, again.num_resumed) == (1, 0)
    assert dataset_files(tmp_path) == before


def test_two_datasets_are_not_mixed(real, tmp_path):
    options = {"forgers": [MOUTH], "split": "dev"}
    forge_dataset(real, tmp_path, per_clip=1, seed=0, **options)
    with pytest.raises(DatasetError, match=r"forged with other settings \(per_clip, seed\)"):
        forge_dataset(real, tmp_path, per_clip=2, seed=1, **options)


def test_a_manifest_of_an_older_version_is_refused(real, tmp_path):
    path = tmp_path / ".progress" / "settings.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"per_clip": 1, "genuine_per_clip": 1, "seed": 0}))
    with pytest.raises(DatasetError, match="has the form of version 1"):
        forge_dataset(real, tmp_path, per_clip=1, seed=0, forgers=[MOUTH])


def test_somebody_else_s_dataset_is_not_overwritten(real, tmp_path):
    described(tmp_path)
    with pytest.raises(DatasetError, match=r"already holds a metadata\.json of unknown making"):
        forge_dataset(real, tmp_path, per_clip=1, seed=0, forgers=[MOUTH])


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


def test_a_process_that_dies_ends_the_run_with_advice():
    with pytest.raises(WorkerError, match="run again with fewer"):
        list(map_unordered(os._exit, [1, 1], workers=2))


def test_work_is_done_in_this_process_where_no_other_could_do_it():
    assert is_portable(MouthSwap(), SpliceAudio())

    class Local:
        pass

    assert not is_portable(Local())
    Local.__module__ = "_video_forensics_mine"
    assert not is_portable(Local())


def test_a_trace_that_was_half_written_is_made_anew(real, tmp_path):
    (source, *_), _ = find_sources(real, seed=4, min_clip_s=1.0)
    store = FaceTraceStore(tmp_path, UNTOUCHED.tracks, 540)
    first = store.load(source)
    (path,) = tmp_path.rglob("*.npz")
    np.testing.assert_array_equal(store.load(source).points, first.points)
    path.write_bytes(path.read_bytes()[:1000])
    np.testing.assert_array_equal(store.load(source).points, first.points)


# --- the command ---------------------------------------------------------------------------


@pytest.fixture
def run():
    plugins.forget()
    yield lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments])
    plugins.forget()


def test_the_command_forges_with_those_that_are_wanted(run, real, tmp_path):
    done = run(
        *("forge", real, "-o", tmp_path / "out", "--split", "dev", "--per-clip", 2),
        *("--forgers", "shift,mouth", "--exclude", "mouth", "--workers", 1),
    )
    assert done.exit_code == _exit_codes.OK, done.output
    assert "wrote 3 real and 2 fake clips" in done.stdout
    assert {r.kind for r in read_lavdf(tmp_path / "out")} == {"real", "shift"}


def test_the_command_tells_of_leaks_and_of_who_was_left_out(run, real, tmp_path):
    plugin = tmp_path / "speaking.py"
    plugin.write_text(
        "from mmmsba_plugin.config import Config\n"
        "from mmmsba_plugin.errors import MissingExtraError\n"
        "from mmmsba_plugin.hookspecs import Forger, hookimpl\n"
        "def build(config):\n"
        "    raise MissingExtraError('no voice is installed; install one')\n"
        "@hookimpl\n"
        "def forensics_forgers():\n"
        "    yield Forger('silent-voice', 'audio', 'Words.', Config, build)\n"
    )
    done = run(
        *("--plugin", plugin, "forge", real, "-o", tmp_path / "out", "--split", "train"),
        *("--per-clip", 1, "--forgers", "shift,silent-voice", "--check-leaks"),
        *("--real-per-clip", 1, "--workers", 1),
    )
    assert done.exit_code == _exit_codes.OK, done.output
    assert "left out the forger 'silent-voice': no voice is installed" in done.stdout
    assert "a guess from size, encoding and loudness alone: AUC" in done.stdout


def test_an_unknown_name_among_the_excluded_is_answered_with_those_there_are(run, tmp_path):
    done = run("forge", tmp_path, "-o", tmp_path / "out", "--exclude", "shft")
    assert done.exit_code == _exit_codes.STOPPED
    assert "did you mean 'shift'?" in done.stderr


def test_every_forger_there_is_finds_something_to_alter(studio, written):
    made, lenders = studio
    forgers = [plugins.lookup("forgers", o.name) for o in plugins.entries("forgers") if o.entry]
    forgers = build_forgers(forgers, {})
    alone = [Recipe(audios=(one,)) for one in forgers.audios]
    alone += [Recipe(frames=(one,)) for one in forgers.frames]
    for recipe in alone:
        entry = made.write_fake(0, recipe, lenders, original=1)
        assert entry["kind"] == str(recipe)
        assert entry["n_fakes"] >= 1
    assert written
