import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmsba_plugin.config import Chapter, TracksConfig
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.datasets.reading import refuse
from mmmsba_plugin.errors import ConfigError, DatasetError, FeatureError
from mmmsba_plugin.evidence import Picture
from mmmsba_plugin.forge import corpus as corpus_module
from mmmsba_plugin.forge.base import PictureJob, Shot, SoundJob
from mmmsba_plugin.forge.corpus import build_recipes, forge_corpus
from mmmsba_plugin.forge.mouth import MouthConfig, MouthSwap, fit_anchors
from mmmsba_plugin.forge.plan import (
    Stretch,
    StretchConfig,
    find_donor,
    plan_stretches,
    propose_pictures,
    propose_sound,
)
from mmmsba_plugin.forge.puppet import make_talking_clip, make_talking_corpus
from mmmsba_plugin.forge.sources import Skipped, deal_splits, find_sources
from mmmsba_plugin.forge.splice import SpliceConfig, SpliceSound, fades, speech_rms, speech_share
from mmmsba_plugin.forge.studio import ForgeConfig, Studio
from mmmsba_plugin.forge.trace import Trace, fetch, replaced, trace
from mmmsba_plugin.hookspecs import Forger
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import PictureReader
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.tracks.mesh import LIPS_INNER, LIPS_OUTER

RATE_HZ = 16_000
SPLICE = Forger("splice", "audio", "Words.", SpliceConfig, SpliceSound)
MOUTH = Forger("mouth", "visual", "Lips.", MouthConfig, MouthSwap)


def talk(rng, seconds, *, level=0.1):
    """Noise that comes and goes four times a second: speech, as far as loudness goes."""
    times_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    swell = np.clip(np.sin(2 * np.pi * 2 * times_s), 0, None)
    return (level * swell * rng.standard_normal(times_s.size)).astype(np.float32)


# --- sound ---------------------------------------------------------------------------------


@given(
    seed=st.integers(0, 2**32),
    start_s=st.floats(0, 2.5),
    length_s=st.floats(0.2, 1.5),
    fade_s=st.floats(0, 0.1),
)
@settings(max_examples=40, deadline=None)
def test_a_splice_changes_every_sample_of_its_stretch(seed, start_s, length_s, fade_s):
    rng = np.random.default_rng(seed)
    sound, donor = (rng.normal(0, 0.1, 4 * RATE_HZ).astype(np.float32) for _ in range(2))
    start, end = round(start_s * RATE_HZ), round((start_s + length_s) * RATE_HZ)
    job = SoundJob(sound, start, end, RATE_HZ, donor)
    forged = SpliceSound(SpliceConfig(fade_s=fade_s)).forge_sound(job, rng)
    assert forged.size == end - start
    assert forged.dtype == np.float32
    # Two noises agree on a sample about once in a million; a fade may round to the old one
    # where it has hardly begun.
    assert np.mean(forged != job.stretch) > 0.999
    assert np.abs(forged).max() <= 1


@pytest.mark.parametrize("donor_level", [0.01, 0.05, 0.3])
def test_a_splice_is_as_loud_as_the_speech_it_replaces(donor_level):
    rng = np.random.default_rng(0)
    sound, donor = talk(rng, 4, level=0.05), talk(rng, 4, level=donor_level)
    job = SoundJob(sound, RATE_HZ, 2 * RATE_HZ, RATE_HZ, donor)
    forged = SpliceSound().forge_sound(job, rng)
    was, now = (speech_rms(s, RATE_HZ, like=sound) for s in (job.stretch, forged))
    # Half a dB: what fading and drawing another stretch of noise changes.
    assert abs(20 * np.log10(now / was)) < 0.5


def test_a_splice_into_a_pause_is_as_loud_as_the_clip_s_speech():
    rng = np.random.default_rng(0)
    sound = talk(rng, 4, level=0.05)
    sound[RATE_HZ : 2 * RATE_HZ] = 0
    job = SoundJob(sound, RATE_HZ, 2 * RATE_HZ, RATE_HZ, talk(rng, 4))
    forged = SpliceSound().forge_sound(job, rng)
    now, usual = (speech_rms(s, RATE_HZ, like=sound) for s in (forged, sound))
    assert now == pytest.approx(usual, rel=0.1)


def test_a_splice_never_clicks_at_its_ends():
    # A steady tone in the clip, another in the donor: without fades the seam would jump by
    # up to their sum. With them no step is larger than the faster tone's own.
    times_s = np.arange(4 * RATE_HZ) / RATE_HZ
    sound = (0.3 * np.sin(2 * np.pi * 200 * times_s)).astype(np.float32)
    donor = (0.3 * np.cos(2 * np.pi * 310 * times_s)).astype(np.float32)
    whole = sound.copy()
    whole[20_000:30_000] = SpliceSound().forge_sound(
        SoundJob(sound, 20_000, 30_000, RATE_HZ, donor), np.random.default_rng(2)
    )
    steps = np.abs(np.diff(whole))
    own_step = np.abs(np.diff(donor)).max()
    for seam in (20_000, 30_000):
        assert steps[seam - 200 : seam + 200].max() < 1.3 * own_step


def test_a_splice_takes_speech_rather_than_silence():
    rng = np.random.default_rng(0)
    donor = np.zeros(10 * RATE_HZ, dtype=np.float32)
    donor[6 * RATE_HZ : 9 * RATE_HZ] = 0.1 * rng.standard_normal(3 * RATE_HZ)
    job = SoundJob(talk(rng, 4), 0, RATE_HZ // 2, RATE_HZ, donor)
    forged = SpliceSound().forge_sound(job, rng)
    assert speech_share(forged, RATE_HZ, like=job.sound) > 0.9


def test_a_splice_never_clips():
    rng = np.random.default_rng(0)
    sound = np.sign(talk(rng, 3)) * np.float32(0.98)
    donor = 0.01 * talk(rng, 3)
    donor[:: RATE_HZ // 4] = 0.5
    forged = SpliceSound().forge_sound(SoundJob(sound, 0, RATE_HZ, RATE_HZ, donor), rng)
    assert np.abs(forged).max() <= 0.99


@pytest.mark.parametrize(("donor", "got"), [(None, "got none"), (np.zeros(9, np.float32), "got 9")])
def test_a_splice_says_which_donor_it_needs(donor, got):
    job = SoundJob(np.zeros(RATE_HZ, np.float32), 0, 3200, RATE_HZ, donor)
    with pytest.raises(FeatureError, match=f"3200 samples needs a donor at least as long, {got}"):
        SpliceSound().forge_sound(job, np.random.default_rng(0))


@given(size=st.integers(2, 5000), fade=st.integers(0, 5000))
def test_fades_keep_the_power_of_two_sounds(size, fade):
    new, old = fades(size, fade)
    np.testing.assert_allclose(new**2 + old**2, 1.0, rtol=1e-12)
    assert (new > 0).all()
    np.testing.assert_allclose(new, new[::-1], atol=1e-12)


# --- pictures ------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def talking(tmp_path_factory):
    """Pictures of a talking puppet and where its face is."""
    path = tmp_path_factory.mktemp("forge") / "talking.mp4"
    make_talking_clip(path, seconds=3, seed=11)
    pictures = list(PictureReader(probe(path)))
    return pictures, trace(pictures, fps_hz=25, config=TracksConfig())


def shots(talking, indices):
    pictures, face = talking
    return [face.shot(i, pictures[i]) for i in indices]


def test_the_mouth_of_another_moment_shows_in_every_picture(talking):
    _, face = talking
    here = range(10, 16)
    there = find_donor(face, here, gap_s=0.3, rng=np.random.default_rng(0))
    job = PictureJob(shots(talking, here), 25, shots(talking, there))
    forged = MouthSwap().forge_pictures(job, np.random.default_rng(0))
    seen = trace(
        [Picture(p.pts_s, rgb) for p, rgb in zip(job.shots, forged, strict=True)],
        fps_hz=25,
        config=TracksConfig(),
    )
    opening = lambda points: np.linalg.norm(points[:, 13] - points[:, 14], axis=1)  # noqa: E731
    was, lent, now = (opening(p) for p in (face.points[here], face.points[there], seen.points))
    assert np.abs(now - lent).mean() < 0.5 * np.abs(now - was).mean()
    for shot, rgb in zip(job.shots, forged, strict=True):
        assert not np.array_equal(shot.rgb, rgb)


def test_nothing_but_the_mouth_changes(talking):
    job = PictureJob(shots(talking, [10]), 25, shots(talking, [50]))
    (forged,) = MouthSwap().forge_pictures(job, np.random.default_rng(0))
    shot = job.shots[0]
    rows, columns = np.nonzero((forged != shot.rgb).any(axis=-1))
    lips = shot.points_px[list(LIPS_OUTER)]
    width = np.ptp(lips[:, 0])
    # The patch is 1.35 times the lips and starts below the nose; its edge is a Gaussian of 8 %
    # of their width, whose last visible trace is some 2.5 of that away.
    assert rows.min() > shot.points_px[2, 1] - 0.2 * width
    assert columns.min() > lips[:, 0].min() - 0.5 * width
    assert columns.max() < lips[:, 0].max() + 0.5 * width


def test_a_mouth_laid_over_itself_hardly_shows(talking):
    same = shots(talking, [20, 21])
    forged = MouthSwap().forge_pictures(PictureJob(same, 25, same), np.random.default_rng(0))
    for shot, rgb in zip(same, forged, strict=True):
        assert np.abs(rgb.astype(int) - shot.rgb).max() <= 1


def test_another_light_is_matched(talking):
    here, there = shots(talking, [20]), shots(talking, [20])
    dim = replace(there[0], rgb=(0.6 * there[0].rgb).astype(np.uint8))
    (forged,) = MouthSwap().forge_pictures(PictureJob(here, 25, [dim]), np.random.default_rng(0))
    lips = here[0].points_px[list(LIPS_OUTER)]
    low, high = lips.min(axis=0).astype(int), lips.max(axis=0).astype(int)
    mouth = (slice(low[1], high[1]), slice(low[0], high[0]))
    # Dimmed by 40 % it would be darker by 60; what remains is contrast, not light.
    assert abs(forged[mouth].mean() - here[0].rgb[mouth].mean()) < 12


def test_an_affine_move_of_the_face_is_undone(talking):
    (shot,) = shots(talking, [5])
    move = np.array([[1.1, -0.2, 14.0], [0.15, 0.9, -3.0]])
    moved = replace(shot, points_px=shot.points_px @ move[:, :2].T + move[:, 2])
    np.testing.assert_allclose(fit_anchors(shot, moved), move, atol=1e-6)


def test_a_mouth_at_the_picture_s_border_is_no_error(talking):
    (shot,) = shots(talking, [5])
    cut = int(shot.points_px[14, 1])
    low = Shot(0.0, np.ascontiguousarray(shot.rgb[:cut]), shot.points_px)
    (forged,) = MouthSwap().forge_pictures(PictureJob([low], 25, [low]), np.random.default_rng(0))
    assert forged.shape == low.rgb.shape


def test_a_swap_says_how_many_donors_it_needs(talking):
    job = PictureJob(shots(talking, [1, 2]), 25, shots(talking, [9]))
    with pytest.raises(FeatureError, match="2 pictures need as many donors, got 1"):
        MouthSwap().forge_pictures(job, np.random.default_rng(0))


# --- where ---------------------------------------------------------------------------------


def face_at(indices, num_pictures, *, fps_hz=25.0, seed=0):
    """A trace whose face is seen in some pictures, with lips that differ from each to each."""
    rng = np.random.default_rng(seed)
    points = np.zeros((num_pictures, 468, 2), dtype=np.float32)
    points[:, [*LIPS_OUTER, *LIPS_INNER]] += rng.normal(0, 3, (num_pictures, 40, 2))
    track = np.full(num_pictures, -1)
    track[list(indices)] = 0
    to_face = np.tile(np.eye(2, 3), (num_pictures, 1, 1))
    return Trace(np.arange(num_pictures + 1) / fps_hz, track, points, to_face)


@given(
    seed=st.integers(0, 2**32),
    num_pictures=st.integers(25, 300),
    fps_hz=st.sampled_from([12.0, 25.0, 29.97, 60.0]),
    gone=st.integers(0, 20),
    with_sound=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_planned_pictures_keep_every_promise(seed, num_pictures, fps_hz, gone, with_sound):
    face = face_at(range(gone, num_pictures), num_pictures, fps_hz=fps_hz)
    config, rng = StretchConfig(), np.random.default_rng(seed)
    duration_s = num_pictures / fps_hz
    sound = talk(rng, duration_s) if with_sound else None
    propose = propose_pictures(face, config, needs_donor=True, sound=sound, rate_hz=RATE_HZ)
    planned = plan_stretches(propose, duration_s=duration_s, config=config, rng=rng)
    assert len(planned) <= 3
    assert sum(s.time.duration_s for s in planned) <= 0.5 * duration_s + 1e-6
    for one, other in pairwise(planned):
        assert other.time.start_s - one.time.end_s >= 0.3 - 1e-5
    for stretch in planned:
        here, there = stretch.pictures, stretch.donors
        assert stretch.time == Segment(face.edges_s[here.start], face.edges_s[here.stop])
        assert 0.2 - 1e-5 <= stretch.time.duration_s <= 1.6 + 1e-5
        assert len(there) == len(here)
        assert not set(here) & set(there)
        assert (face.track[here] == 0).all()
        assert (face.track[there] == 0).all()
        if with_sound:
            assert stretch.time.end_s * RATE_HZ <= sound.size + 1


@given(seed=st.integers(0, 2**32), seconds=st.floats(1.0, 12.0))
@settings(max_examples=40, deadline=None)
def test_planned_sound_keeps_every_promise(seed, seconds):
    config, rng = StretchConfig(), np.random.default_rng(seed)
    sound = talk(rng, seconds)
    planned = plan_stretches(
        propose_sound(sound, RATE_HZ), duration_s=seconds, config=config, rng=rng
    )
    assert 1 <= len(planned) <= 3
    for one, other in pairwise(planned):
        assert other.time.start_s - one.time.end_s >= 0.3 - 1e-5
    for stretch in planned:
        # Rounding to a sample may take half a sample off.
        assert 0.2 - 1e-4 <= stretch.time.duration_s <= 1.6 + 1e-4
        assert stretch.time.start_s >= 0
        assert stretch.time.end_s * RATE_HZ <= sound.size + 1e-6


def test_lengths_are_those_of_the_field():
    rng = np.random.default_rng(0)
    sound = talk(rng, 20)
    planned = [
        s.time.duration_s
        for _ in range(200)
        for s in plan_stretches(
            propose_sound(sound, RATE_HZ), duration_s=20, config=StretchConfig(), rng=rng
        )
    ]
    # LAV-DF: 0.65 s on average. 400 draws of spread 0.4 s have a mean known to 0.02 s.
    assert np.mean(planned) == pytest.approx(0.67, abs=0.06)


def test_a_clip_that_is_too_short_gets_no_stretch():
    propose = propose_sound(np.zeros(1600, np.float32), RATE_HZ)
    planned = plan_stretches(
        propose, duration_s=0.1, config=StretchConfig(), rng=np.random.default_rng(0)
    )
    assert planned == []


def test_a_donor_is_far_off_where_the_clip_allows():
    face = face_at(range(100), 100)
    for seed in range(20):
        there = find_donor(face, range(40, 50), gap_s=0.3, rng=np.random.default_rng(seed))
        assert there.stop <= 40 - 7 or there.start >= 50 + 7


def test_a_short_clip_s_donor_may_be_near_but_never_the_stretch():
    face = face_at(range(22), 22)
    there = find_donor(face, range(8, 14), gap_s=0.3, rng=np.random.default_rng(0))
    assert len(there) == 6
    assert not set(there) & set(range(8, 14))


def test_a_head_that_is_turned_lends_no_mouth():
    face = face_at(range(100), 100)
    face.points[50:] += 20
    face.points[50:, [*LIPS_OUTER, *LIPS_INNER]] -= 20
    for seed in range(20):
        there = find_donor(face, range(60, 70), gap_s=0.3, rng=np.random.default_rng(seed))
        assert len(there) == 0 or there.start >= 50


def test_nobody_else_lends_a_mouth():
    face = face_at(range(60), 60)
    face.track[30:] = 1
    there = find_donor(face, range(10), gap_s=0.3, rng=np.random.default_rng(0))
    assert there.stop <= 30


# --- whose ---------------------------------------------------------------------------------


@given(st.sets(st.text(min_size=1), max_size=40), st.integers(0, 1000))
def test_every_split_gets_somebody_if_there_are_three(identities, seed):
    dealt = deal_splits(identities, seed=seed)
    assert dealt.keys() == identities
    if len(identities) >= 3:
        assert set(dealt.values()) == {"train", "dev", "test"}
        assert list(dealt.values()).count("train") >= len(identities) // 3


def test_splits_are_the_same_in_every_process():
    # Python's own hash of a string is not; these came from another run.
    dealt = deal_splits({"ann", "bob", "cyd", "dan"}, seed=0)
    assert dealt == {"dan": "dev", "ann": "test", "cyd": "train", "bob": "train"}
    assert deal_splits(set(dealt), seed=1) != dealt


def still(path, seconds, *, sound=True):
    """Write a grey clip without a face."""
    rng = np.random.default_rng(0)
    pictures = [np.full((64, 64, 3), 90 + i, np.uint8) for i in range(round(seconds * 25))]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_clip(path, pictures, fps_hz=25, sound=talk(rng, seconds) if sound else None)


def test_clips_that_cannot_be_used_are_named_with_the_reason(tmp_path):
    still(tmp_path / "good.mp4", 2)
    still(tmp_path / "short.mp4", 0.5)
    (tmp_path / "broken.mp4").write_bytes(b"\0" * 5000)
    (tmp_path / "notes.txt").write_text("not a clip")
    write_clip(tmp_path / "deaf.mp4", [], fps_hz=25, sound=talk(np.random.default_rng(0), 2))
    sources, skipped = find_sources(tmp_path, seed=0, min_clip_s=1.0)
    assert [s.candidate.key for s in sources] == ["good.mp4"]
    reasons = {s.name: s.reason for s in skipped}
    assert reasons.keys() == {"short.mp4", "broken.mp4", "deaf.mp4"}
    assert "lasts 0.5" in reasons["short.mp4"]
    assert "at least 1 s" in reasons["short.mp4"]
    assert "no pictures" in reasons["deaf.mp4"]
    assert "broken.mp4" in reasons["broken.mp4"]


def test_clips_of_one_name_in_two_folders_stay_apart(tmp_path):
    for folder in ("a", "b"):
        still(tmp_path / folder / "clip.mp4", 1.2)
    sources, _ = find_sources(tmp_path, seed=0, min_clip_s=1.0)
    assert len({s.name for s in sources}) == 2
    # The same stem is the same person as far as anybody can tell, so never in two splits.
    assert len({s.candidate.split for s in sources}) == 1


def described(folder, *entries):
    (folder / "metadata.json").write_text(json.dumps(list(entries)))


def test_metadata_says_who_is_genuine_and_where_they_serve(tmp_path):
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
        (lambda folder: None, "holds no genuine clip"),
        (lambda folder: described(folder, {"n_fakes": 0}), r"entry 0: KeyError\('file'\)"),
        (lambda folder: described(folder, {"file": "a.mp4", "n_fakes": 2}), "no genuine clip"),
        (lambda folder: (folder / "metadata.json").write_text("{"), "cannot be read as JSON"),
        (lambda folder: (folder / "metadata.json").write_text("{}"), "must hold a list"),
    ],
)
def test_a_folder_without_genuine_clips_is_refused(tmp_path, prepare, message):
    folder = tmp_path / "genuine"
    folder.mkdir()
    prepare(folder)
    with pytest.raises(DatasetError, match=message):
        find_sources(folder, seed=0, min_clip_s=1.0)


# --- the corpus ----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def genuine(tmp_path_factory):
    """Five speakers with a clip each, of whom two share the training split with a third."""
    folder = tmp_path_factory.mktemp("genuine")
    make_talking_corpus(folder, num_clips=5, seconds=2.4, seed=1, size_px=160)
    return folder


@pytest.fixture(scope="session")
def forged(genuine, tmp_path_factory):
    out = tmp_path_factory.mktemp("forged")
    return out, forge_corpus(genuine, out, per_clip=3, seed=4, forgers=[SPLICE, MOUTH])


def test_a_corpus_is_read_back_as_what_was_made(forged):
    out, summary = forged
    records = list(read_lavdf(out, on_error=refuse))
    assert (summary.num_genuine, summary.num_forged) == (5, 15)
    assert summary.skipped == ()
    assert sum(r.forged for r in records) == summary.num_forged
    assert {r.kind for r in records} == {"real", "splice", "mouth", "splice+mouth"}
    for record in records:
        assert bool(record.audio_truth) == ("splice" in record.kind)
        assert bool(record.visual_truth) == ("mouth" in record.kind)
        assert record.forged == (record.original is not None)
        assert record.media.parent.name == record.split
    both = [r for r in records if r.kind == "splice+mouth"]
    assert all(r.audio_truth == r.visual_truth for r in both)


def test_nobody_is_in_two_splits(forged):
    records = list(read_lavdf(forged[0]))
    assert {r.split for r in records} == {"train", "dev", "test"}
    for identity in {r.identity for r in records}:
        assert len({r.split for r in records if r.identity == identity}) == 1


def test_genuine_and_forged_are_written_alike(forged):
    out, _ = forged
    entries = json.loads((out / "metadata.json").read_text())
    of_original = {e["file"]: e for e in entries if e["original"] is None}
    for entry in entries:
        media = probe(out / entry["file"])
        assert (media.video.codec, media.audio.codec) == ("h264", "aac")
        if entry["original"]:
            like = of_original[entry["original"]]
            other = probe(out / like["file"])
            assert media.video == other.video
            assert media.audio == other.audio
            for key in ("duration", "video_frames", "audio_frames", "audio_channels"):
                assert entry[key] == like[key]


def test_truth_begins_and_ends_with_a_picture(forged):
    out, _ = forged
    for record in read_lavdf(out):
        if record.visual_truth:
            pts_s = np.array([p.pts_s for p in PictureReader(probe(record.media))])
            for segment in record.visual_truth:
                # The file's clock ticks 90,000 times a second.
                assert np.abs(pts_s - segment.start_s).min() < 2e-5
                ends_s = np.append(pts_s, pts_s[-1] + 0.04)
                assert np.abs(ends_s - segment.end_s).min() < 2e-5


def test_truth_is_exactly_what_differs_before_encoding(genuine, tmp_path, monkeypatch):
    written = {}

    def keep(path, pictures, *, sound, **_):
        written[Path(path).name] = ([(p.pts_s, p.rgb) for p in pictures], sound)

    monkeypatch.setattr("mmmsba_plugin.forge.studio.write_clip", keep)
    sources, _ = find_sources(genuine, seed=4, min_clip_s=1.0)
    lender = np.random.default_rng(0).normal(0, 0.1, 4 * RATE_HZ).astype(np.float32)
    studio = Studio(sources[0], tmp_path, config=ForgeConfig(), seed=4)
    name = Path(studio.copy()["file"]).name
    real_pictures, real_sound = written[name]
    for number, recipe in enumerate(build_recipes([SPLICE, MOUTH], {}), start=1):
        entry = studio.forge(number, recipe, lambda size, rng: lender)
        pictures, sound = written[Path(entry["file"]).name]
        changed_s = [
            pts_s
            for (pts_s, rgb), (_, old) in zip(pictures, real_pictures, strict=True)
            if not np.array_equal(rgb, old)
        ]
        said_s = [
            pts_s
            for pts_s, _ in real_pictures
            if any(s - 1e-6 <= pts_s < e - 1e-6 for s, e in entry["visual_fake_segments"])
        ]
        assert changed_s == said_s
        outside = np.ones(sound.size, dtype=bool)
        for start_s, end_s in entry["audio_fake_segments"]:
            inside = slice(round(start_s * RATE_HZ), round(end_s * RATE_HZ))
            outside[inside] = False
            assert np.mean(sound[inside] != real_sound[inside]) > 0.99
            assert sound[inside][0] != real_sound[inside][0]
            assert sound[inside][-1] != real_sound[inside][-1]
        np.testing.assert_array_equal(sound[outside], real_sound[outside])


def corpus_files(out):
    return {
        p.relative_to(out).as_posix(): p.read_bytes()
        for p in sorted(out.rglob("*"))
        if p.is_file() and ".progress" not in p.parts
    }


def test_the_same_seed_gives_the_same_corpus_and_another_does_not(genuine, forged, tmp_path):
    again = tmp_path / "again"
    forge_corpus(genuine, again, per_clip=3, seed=4, forgers=[SPLICE, MOUTH])
    assert corpus_files(again) == corpus_files(forged[0])
    other = forge_corpus(
        genuine, tmp_path / "other", per_clip=1, seed=5, forgers=[SPLICE], split=None
    )
    told = [e["audio_fake_segments"] for e in json.loads(other.metadata.read_text())]
    was = [e["audio_fake_segments"] for e in json.loads(forged[1].metadata.read_text())]
    assert not [t for t in told if t and t in was]


def test_an_interrupted_run_goes_on_and_ends_with_the_same_corpus(genuine, forged, tmp_path):
    def interrupt(done, total, name):
        assert total == 5
        if done == 2:
            raise KeyboardInterrupt

    options = {"per_clip": 3, "seed": 4, "forgers": [SPLICE, MOUTH]}
    with pytest.raises(KeyboardInterrupt):
        forge_corpus(genuine, tmp_path, **options, on_progress=interrupt)
    assert not (tmp_path / "metadata.json").exists()
    summary = forge_corpus(genuine, tmp_path, **options)
    assert summary.num_resumed == 2
    assert summary.num_forged == forged[1].num_forged
    assert corpus_files(tmp_path) == corpus_files(forged[0])


def test_a_clip_that_was_lost_is_made_again(genuine, tmp_path):
    options = {"per_clip": 1, "seed": 0, "forgers": [MOUTH], "split": "dev"}
    first = forge_corpus(genuine, tmp_path, **options)
    before = corpus_files(tmp_path)
    lost = next(tmp_path.rglob("*forged1.mp4"))
    lost.unlink()
    again = forge_corpus(genuine, tmp_path, **options)
    assert (first.num_genuine, again.num_resumed) == (1, 0)
    assert corpus_files(tmp_path) == before


def test_two_corpora_are_not_mixed(genuine, tmp_path):
    options = {"forgers": [MOUTH], "split": "dev"}
    forge_corpus(genuine, tmp_path, per_clip=1, seed=0, **options)
    with pytest.raises(DatasetError, match=r"forged with other settings \(per_clip, seed\)"):
        forge_corpus(genuine, tmp_path, per_clip=2, seed=1, **options)


def test_somebody_else_s_corpus_is_not_overwritten(genuine, tmp_path):
    described(tmp_path)
    with pytest.raises(DatasetError, match=r"already holds a metadata\.json of unknown making"):
        forge_corpus(genuine, tmp_path, per_clip=1, seed=0, forgers=[MOUTH])


def test_only_the_wanted_split_is_forged(genuine, tmp_path):
    summary = forge_corpus(
        genuine, tmp_path, per_clip=1, seed=4, forgers=[SPLICE, MOUTH], split="test"
    )
    assert {r.split for r in read_lavdf(tmp_path)} == {"test"}
    assert summary.num_genuine == 1
    with pytest.raises(DatasetError, match="no split 'val'; it has: dev, test, train"):
        forge_corpus(genuine, tmp_path / "other", per_clip=1, seed=4, forgers=[MOUTH], split="val")


def test_a_missing_modality_is_part_of_the_job(tmp_path):
    folder = tmp_path / "genuine"
    still(folder / "faceless1.mp4", 2)
    still(folder / "faceless2.mp4", 2)
    still(folder / "nothing.mp4", 2, sound=False)
    make_talking_clip(folder / "voice.mp4", seconds=2, seed=0, size_px=160)
    mute = make_talking_clip(folder / "mute.mp4", seconds=2, seed=1, size_px=160)
    write_clip(mute.path, list(PictureReader(probe(mute.path))), fps_hz=25)
    names = ("faceless1", "faceless2", "nothing", "voice", "mute")
    described(folder, *({"file": f"{n}.mp4", "n_fakes": 0, "split": "train"} for n in names))
    out = tmp_path / "out"
    summary = forge_corpus(folder, out, per_clip=2, seed=0, forgers=[SPLICE, MOUTH])
    assert [str(s) for s in summary.skipped] == ["train/nothing: neither a face nor sound to forge"]
    kinds = {}
    for record in read_lavdf(out, on_error=refuse):
        kinds.setdefault(record.identity, set()).add(record.kind)
    assert kinds["faceless1"] == {"real", "splice"}
    assert kinds["mute"] == {"real", "mouth"}
    mute_entry = next(e for e in json.loads(summary.metadata.read_text()) if "mute" in e["file"])
    assert (mute_entry["audio_channels"], mute_entry["audio_frames"]) == (0, 0)


def test_a_lonely_voice_gets_no_donor_and_is_named(tmp_path):
    still(tmp_path / "genuine/only.mp4", 2)
    with pytest.raises(DatasetError, match=r"nothing could be forged .*variant 1: no room"):
        forge_corpus(tmp_path / "genuine", tmp_path / "out", per_clip=1, seed=0, forgers=[SPLICE])


def test_one_clip_that_fails_does_not_stop_the_rest(genuine, tmp_path, monkeypatch):
    copy = Studio.copy

    def fail_once(self):
        if "speaker2" in self._source.name:
            raise FeatureError("the pictures ran away")
        return copy(self)

    monkeypatch.setattr(corpus_module.Studio, "copy", fail_once)
    summary = forge_corpus(genuine, tmp_path, per_clip=1, seed=0, forgers=[SPLICE, MOUTH])
    assert summary.num_genuine == 4
    assert [s.reason for s in summary.skipped] == ["the pictures ran away"]


class Loud(Chapter):
    level: float = 0.5


class Shouting:
    """A forger of another distribution: needs no donor, and has a setting."""

    needs_donor = False

    def __init__(self, config):
        self.level = config.level

    def forge_sound(self, job, rng):
        return np.full(job.stretch.size, self.level, dtype=np.float32)


class Cutting(Shouting):
    """A forger that closes the gap: a stretch becomes shorter."""

    def forge_sound(self, job, rng):
        return job.stretch[::2]


def test_a_stranger_s_forger_enters_by_the_same_door(genuine, tmp_path):
    shout = Forger("shout", "audio", "Loud.", Loud, Shouting)
    summary = forge_corpus(
        genuine,
        tmp_path,
        per_clip=1,
        seed=0,
        forgers=[shout],
        split="test",
        settings={"shout": {"level": 0.9}},
    )
    assert summary.num_forged == 1
    assert {r.kind for r in read_lavdf(tmp_path)} == {"real", "shout"}


def test_a_forger_that_changes_the_length_is_named(genuine, tmp_path):
    cut = Forger("cut", "audio", "Shorter.", Loud, Cutting)
    with pytest.raises(DatasetError, match=r"the forger 'cut' returned .* cannot be run yet"):
        forge_corpus(genuine, tmp_path, per_clip=1, seed=0, forgers=[cut], split="test")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"per_clip": 0}, "at least one variant and one forger, got 0 and 1"),
        ({"forgers": []}, "at least one variant and one forger, got 1 and 0"),
        ({"settings": {"mouht": {}}}, r"unknown forgers \['mouht'\]; there are: mouth"),
        ({"settings": {"mouth": {"spred": 1}}}, "Allowed keys: spread, feather"),
        (
            {"forgers": [Forger("odd", "audio", "Lips.", MouthConfig, MouthSwap)]},
            "'odd' says it alters 'audio', but MouthSwap lacks",
        ),
    ],
)
def test_wrong_settings_are_refused_before_anything_is_written(genuine, tmp_path, options, message):
    given_ = {"per_clip": 1, "seed": 0, "forgers": [MOUTH]} | options
    with pytest.raises(ConfigError, match=message):
        forge_corpus(genuine, tmp_path / "out", **given_)
    assert not (tmp_path / "out").exists()


def test_recipes_are_each_alone_and_every_pair():
    kinds = [r.kind for r in build_recipes([SPLICE, MOUTH, replace(SPLICE, name="tts")], {})]
    assert kinds == ["splice", "tts", "mouth", "splice+mouth", "tts+mouth"]


def test_fetching_stops_behind_the_last_picture_that_is_needed():
    read = []

    def pictures():
        for i in range(100):
            read.append(i)
            yield Picture(i / 25, np.zeros((2, 2, 3), np.uint8))

    assert fetch(pictures(), {3, 5}).keys() == {3, 5}
    assert len(read) == 6
    assert fetch(pictures(), set()) == {}
    new = Picture(0.04, np.ones((2, 2, 3), np.uint8))
    assert [p.rgb.max() for p in list(replaced(pictures(), {1: new}))[:3]] == [0, 1, 0]


@pytest.mark.needs_shared
def test_a_mouth_is_swapped_in_real_footage(shared):
    media = probe(shared / "footage/train/grid_swiz3n.mp4")
    pictures = list(PictureReader(media))
    face = trace(pictures, fps_hz=25, config=TracksConfig())
    rng = np.random.default_rng(0)
    propose = propose_pictures(face, StretchConfig(), needs_donor=True, sound=None, rate_hz=RATE_HZ)
    stretches = plan_stretches(propose, duration_s=3.0, config=StretchConfig(), rng=rng)
    assert stretches
    stretch: Stretch = stretches[0]
    seen = (pictures, face)
    job = PictureJob(shots(seen, stretch.pictures), 25, shots(seen, stretch.donors))
    forged = MouthSwap().forge_pictures(job, rng)
    for shot, rgb in zip(job.shots, forged, strict=True):
        changed = (rgb != shot.rgb).any(axis=-1)
        assert 0 < changed.mean() < 0.1, "a mouth is a small part of the picture"


def test_what_was_skipped_reads_as_a_line():
    assert str(Skipped("a.mp4", "it is too short")) == "a.mp4: it is too short"
