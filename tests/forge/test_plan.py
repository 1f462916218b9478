import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmsba_plugin.config import TracksConfig
from mmmsba_plugin.datasets.splits import deal
from mmmsba_plugin.errors import DatasetError, ForgeError
from mmmsba_plugin.forge.audio.crossfade import compute_fade_weights
from mmmsba_plugin.forge.audio.loudness import compute_speech_rms, compute_speech_share
from mmmsba_plugin.forge.audio.splice import SpliceAudio, SpliceConfig
from mmmsba_plugin.forge.face_trace import FaceTrace, fetch_frames, replace_frames, trace_face
from mmmsba_plugin.forge.plan import (
    PlannedSegment,
    SegmentConfig,
    draw_length_s,
    find_donor,
    plan_segments,
    propose_audio,
    propose_frames,
)
from mmmsba_plugin.forge.sources import HELD_OUT, Skipped, find_sources
from mmmsba_plugin.forge.talking_head.clips import make_talking_clip
from mmmsba_plugin.forge.visual.mouth_swap import MouthConfig, MouthSwap, fit_anchors
from mmmsba_plugin.forger import AudioJob, FaceFrame, FrameJob
from mmmsba_plugin.hookspecs import Forger
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.structures import Frame
from mmmsba_plugin.tracks.mesh import LIPS_INNER, LIPS_OUTER

RATE_HZ = 16_000
SPLICE = Forger("splice", "audio", "Words.", SpliceConfig, SpliceAudio)
MOUTH = Forger("mouth", "visual", "Lips.", MouthConfig, MouthSwap)


def talk(rng, seconds, *, level=0.1):
    """Noise that comes and goes four times a second: speech, as far as loudness goes."""
    times_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    swell = np.clip(np.sin(2 * np.pi * 2 * times_s), 0, None)
    return (level * swell * rng.standard_normal(times_s.size)).astype(np.float32)


# --- audio ---------------------------------------------------------------------------------


@given(
    seed=st.integers(0, 2**32),
    start_s=st.floats(0, 2.5),
    length_s=st.floats(0.2, 1.5),
    fade_s=st.floats(0, 0.1),
)
@settings(max_examples=40, deadline=None)
def test_a_splice_changes_every_sample_of_its_stretch(seed, start_s, length_s, fade_s):
    rng = np.random.default_rng(seed)
    audio, donor = (rng.normal(0, 0.1, 4 * RATE_HZ).astype(np.float32) for _ in range(2))
    start, end = round(start_s * RATE_HZ), round((start_s + length_s) * RATE_HZ)
    job = AudioJob(audio, start, end, RATE_HZ, donor)
    fake = SpliceAudio(SpliceConfig(fade_s=fade_s)).forge_audio(job, rng)
    assert fake.size == end - start
    assert fake.dtype == np.float32
    # Two noises agree on a sample about once in a million; a fade may round to the old one
    # where it has hardly begun.
    assert np.mean(fake != job.span) > 0.999
    assert np.abs(fake).max() <= 1


@pytest.mark.parametrize("donor_level", [0.01, 0.05, 0.3])
def test_a_splice_is_as_loud_as_the_speech_it_replaces(donor_level):
    rng = np.random.default_rng(0)
    audio, donor = talk(rng, 4, level=0.05), talk(rng, 4, level=donor_level)
    job = AudioJob(audio, RATE_HZ, 2 * RATE_HZ, RATE_HZ, donor)
    fake = SpliceAudio().forge_audio(job, rng)
    was, now = (compute_speech_rms(s, RATE_HZ, like=audio) for s in (job.span, fake))
    # Half a dB: what fading and drawing another stretch of noise changes.
    assert abs(20 * np.log10(now / was)) < 0.5


def test_a_splice_into_a_pause_is_as_loud_as_the_clip_s_speech():
    rng = np.random.default_rng(0)
    audio = talk(rng, 4, level=0.05)
    audio[RATE_HZ : 2 * RATE_HZ] = 0
    job = AudioJob(audio, RATE_HZ, 2 * RATE_HZ, RATE_HZ, talk(rng, 4))
    fake = SpliceAudio().forge_audio(job, rng)
    now, usual = (compute_speech_rms(s, RATE_HZ, like=audio) for s in (fake, audio))
    assert now == pytest.approx(usual, rel=0.1)


def test_a_splice_never_clicks_at_its_ends():
    # A steady tone in the clip, another in the donor: without fades the seam would jump by
    # up to their sum. With them no step is larger than the faster tone's own.
    times_s = np.arange(4 * RATE_HZ) / RATE_HZ
    audio = (0.3 * np.sin(2 * np.pi * 200 * times_s)).astype(np.float32)
    donor = (0.3 * np.cos(2 * np.pi * 310 * times_s)).astype(np.float32)
    whole = audio.copy()
    whole[20_000:30_000] = SpliceAudio().forge_audio(
        AudioJob(audio, 20_000, 30_000, RATE_HZ, donor), np.random.default_rng(2)
    )
    steps = np.abs(np.diff(whole))
    own_step = np.abs(np.diff(donor)).max()
    for seam in (20_000, 30_000):
        assert steps[seam - 200 : seam + 200].max() < 1.3 * own_step


def test_a_splice_takes_speech_rather_than_silence():
    rng = np.random.default_rng(0)
    donor = np.zeros(10 * RATE_HZ, dtype=np.float32)
    donor[6 * RATE_HZ : 9 * RATE_HZ] = 0.1 * rng.standard_normal(3 * RATE_HZ)
    job = AudioJob(talk(rng, 4), 0, RATE_HZ // 2, RATE_HZ, donor)
    fake = SpliceAudio().forge_audio(job, rng)
    assert compute_speech_share(fake, RATE_HZ, like=job.audio) > 0.9


def test_a_splice_never_clips():
    rng = np.random.default_rng(0)
    audio = np.sign(talk(rng, 3)) * np.float32(0.98)
    donor = 0.01 * talk(rng, 3)
    donor[:: RATE_HZ // 4] = 0.5
    fake = SpliceAudio().forge_audio(AudioJob(audio, 0, RATE_HZ, RATE_HZ, donor), rng)
    assert np.abs(fake).max() <= 0.99


@pytest.mark.parametrize(("donor", "got"), [(None, "got none"), (np.zeros(9, np.float32), "got 9")])
def test_a_splice_says_which_donor_it_needs(donor, got):
    job = AudioJob(np.zeros(RATE_HZ, np.float32), 0, 3200, RATE_HZ, donor)
    with pytest.raises(ForgeError, match=f"3200 samples needs a donor at least as long, {got}"):
        SpliceAudio().forge_audio(job, np.random.default_rng(0))


@given(size=st.integers(2, 5000), fade=st.integers(0, 5000))
def test_fades_keep_the_power_of_two_audio(size, fade):
    new, old = compute_fade_weights(size, fade)
    np.testing.assert_allclose(new**2 + old**2, 1.0, rtol=1e-12)
    assert (new > 0).all()
    np.testing.assert_allclose(new, new[::-1], atol=1e-12)


# --- frames ------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def talking(tmp_path_factory):
    """Frames of a talking puppet and where its face is."""
    path = tmp_path_factory.mktemp("forge") / "talking.mp4"
    make_talking_clip(path, seconds=3, seed=11)
    frames = list(FrameReader(probe(path)))
    return frames, trace_face(frames, fps_hz=25, config=TracksConfig())


def shots(talking, indices):
    frames, face = talking
    return [face.face_frame(i, frames[i]) for i in indices]


def test_the_mouth_of_another_moment_shows_in_every_frame(talking):
    _, face = talking
    here = range(10, 16)
    there = find_donor(face, here, gap_s=0.3, rng=np.random.default_rng(0))
    job = FrameJob(shots(talking, here), 25, shots(talking, there))
    fake = MouthSwap().forge_frames(job, np.random.default_rng(0))
    seen = trace_face(
        [Frame(p.pts_s, rgb) for p, rgb in zip(job.frames, fake, strict=True)],
        fps_hz=25,
        config=TracksConfig(),
    )
    opening = lambda points: np.linalg.norm(points[:, 13] - points[:, 14], axis=1)  # noqa: E731
    was, lent, now = (opening(p) for p in (face.points[here], face.points[there], seen.points))
    assert np.abs(now - lent).mean() < 0.5 * np.abs(now - was).mean()
    for shot, rgb in zip(job.frames, fake, strict=True):
        assert not np.array_equal(shot.rgb, rgb)


def test_nothing_but_the_mouth_changes(talking):
    job = FrameJob(shots(talking, [10]), 25, shots(talking, [50]))
    (fake,) = MouthSwap().forge_frames(job, np.random.default_rng(0))
    shot = job.frames[0]
    rows, columns = np.nonzero((fake != shot.rgb).any(axis=-1))
    lips = shot.points_px[list(LIPS_OUTER)]
    width = np.ptp(lips[:, 0])
    # The patch is 1.35 times the lips and starts below the nose; its edge is a Gaussian of 8 %
    # of their width, whose last visible trace is some 2.5 of that away.
    assert rows.min() > shot.points_px[2, 1] - 0.2 * width
    assert columns.min() > lips[:, 0].min() - 0.5 * width
    assert columns.max() < lips[:, 0].max() + 0.5 * width


def test_a_mouth_laid_over_itself_hardly_shows(talking):
    same = shots(talking, [20, 21])
    fake = MouthSwap().forge_frames(FrameJob(same, 25, same), np.random.default_rng(0))
    for shot, rgb in zip(same, fake, strict=True):
        assert np.abs(rgb.astype(int) - shot.rgb).max() <= 1


def test_another_light_is_matched(talking):
    here, there = shots(talking, [20]), shots(talking, [20])
    dim = replace(there[0], rgb=(0.6 * there[0].rgb).astype(np.uint8))
    (fake,) = MouthSwap().forge_frames(FrameJob(here, 25, [dim]), np.random.default_rng(0))
    lips = here[0].points_px[list(LIPS_OUTER)]
    low, high = lips.min(axis=0).astype(int), lips.max(axis=0).astype(int)
    mouth = (slice(low[1], high[1]), slice(low[0], high[0]))
    # Dimmed by 40 % it would be darker by 60; what remains is contrast, not light.
    assert abs(fake[mouth].mean() - here[0].rgb[mouth].mean()) < 12


def test_an_affine_move_of_the_face_is_undone(talking):
    (shot,) = shots(talking, [5])
    move = np.array([[1.1, -0.2, 14.0], [0.15, 0.9, -3.0]])
    moved = replace(shot, points_px=shot.points_px @ move[:, :2].T + move[:, 2])
    np.testing.assert_allclose(fit_anchors(shot, moved), move, atol=1e-6)


def test_a_mouth_at_the_frame_s_border_is_no_error(talking):
    (shot,) = shots(talking, [5])
    cut = int(shot.points_px[14, 1])
    low = FaceFrame(0.0, np.ascontiguousarray(shot.rgb[:cut]), shot.points_px)
    (fake,) = MouthSwap().forge_frames(FrameJob([low], 25, [low]), np.random.default_rng(0))
    assert fake.shape == low.rgb.shape


def test_a_swap_says_how_many_donors_it_needs(talking):
    job = FrameJob(shots(talking, [1, 2]), 25, shots(talking, [9]))
    with pytest.raises(ForgeError, match="2 frames need as many donors, got 1"):
        MouthSwap().forge_frames(job, np.random.default_rng(0))


# --- where ---------------------------------------------------------------------------------


def face_at(indices, num_frames, *, fps_hz=25.0, seed=0):
    """A trace whose face is seen in some frames, with lips that differ from each to each."""
    rng = np.random.default_rng(seed)
    points = np.zeros((num_frames, 468, 2), dtype=np.float32)
    points[:, [*LIPS_OUTER, *LIPS_INNER]] += rng.normal(0, 3, (num_frames, 40, 2))
    track = np.full(num_frames, -1)
    track[list(indices)] = 0
    to_face = np.tile(np.eye(2, 3), (num_frames, 1, 1))
    return FaceTrace(np.arange(num_frames + 1) / fps_hz, track, points, to_face)


@given(
    seed=st.integers(0, 2**32),
    num_frames=st.integers(25, 300),
    fps_hz=st.sampled_from([12.0, 25.0, 29.97, 60.0]),
    gone=st.integers(0, 20),
    with_audio=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_planned_frames_keep_every_promise(seed, num_frames, fps_hz, gone, with_audio):
    face = face_at(range(gone, num_frames), num_frames, fps_hz=fps_hz)
    config, rng = SegmentConfig(), np.random.default_rng(seed)
    duration_s = num_frames / fps_hz
    audio = talk(rng, duration_s) if with_audio else None
    propose = propose_frames(face, config, needs_donor=True, audio=audio, rate_hz=RATE_HZ)
    planned = plan_segments(propose, duration_s=duration_s, config=config, rng=rng)
    assert len(planned) <= 3
    assert sum(s.time.duration_s for s in planned) <= 0.5 * duration_s + 1e-6
    for one, other in pairwise(planned):
        assert other.time.start_s - one.time.end_s >= 0.3 - 1e-5
    for stretch in planned:
        here, there = stretch.frames, stretch.donors
        assert stretch.time == Segment(face.edges_s[here.start], face.edges_s[here.stop])
        assert 0.1 - 1e-5 <= stretch.time.duration_s <= 1.6 + 1e-5
        assert len(there) == len(here)
        assert not set(here) & set(there)
        assert (face.track[here] == 0).all()
        assert (face.track[there] == 0).all()
        if with_audio:
            assert stretch.time.end_s * RATE_HZ <= audio.size + 1


@given(seed=st.integers(0, 2**32), seconds=st.floats(1.0, 12.0))
@settings(max_examples=40, deadline=None)
def test_planned_audio_keeps_every_promise(seed, seconds):
    config, rng = SegmentConfig(), np.random.default_rng(seed)
    audio = talk(rng, seconds)
    planned = plan_segments(
        propose_audio(audio, RATE_HZ), duration_s=seconds, config=config, rng=rng
    )
    assert 1 <= len(planned) <= 3
    for one, other in pairwise(planned):
        assert other.time.start_s - one.time.end_s >= 0.3 - 1e-5
    for stretch in planned:
        # Rounding to a sample may take half a sample off.
        assert 0.1 - 1e-4 <= stretch.time.duration_s <= 1.6 + 1e-4
        assert stretch.time.start_s >= 0
        assert stretch.time.end_s * RATE_HZ <= audio.size + 1e-6


@pytest.mark.parametrize(
    ("short_share", "mean_s", "median_s", "low_s", "high_s"),
    [(0.0, 0.65, 0.66, 0.1, 1.6), (1.0, 0.36, 0.35, 0.2, 0.6)],
    ids=["lav-df", "av-deepfake1m"],
)
def test_lengths_are_those_of_the_field(short_share, mean_s, median_s, low_s, high_s):
    config, rng = SegmentConfig(short_share=short_share), np.random.default_rng(0)
    lengths_s = np.array([draw_length_s(config, rng) for _ in range(4000)])
    # 4000 draws of spread 0.3 s have a mean known to 0.005 s.
    assert lengths_s.mean() == pytest.approx(mean_s, abs=0.02)
    assert np.median(lengths_s) == pytest.approx(median_s, abs=0.02)
    assert low_s <= lengths_s.min() < lengths_s.max() <= high_s


def test_a_pause_is_not_fake():
    rng = np.random.default_rng(0)
    audio = np.concatenate([talk(rng, 2), np.zeros(8 * RATE_HZ, np.float32)])
    config = SegmentConfig()
    face = face_at(range(250), 250)
    for propose in (
        propose_audio(audio, RATE_HZ),
        propose_frames(face, config, needs_donor=False, audio=audio, rate_hz=RATE_HZ),
    ):
        planned = plan_segments(propose, duration_s=10, config=config, rng=rng)
        assert planned
        assert all(stretch.time.start_s < 2 for stretch in planned)


def test_a_clip_that_is_too_short_gets_no_stretch():
    propose = propose_audio(np.zeros(1600, np.float32), RATE_HZ)
    planned = plan_segments(
        propose, duration_s=0.1, config=SegmentConfig(), rng=np.random.default_rng(0)
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


def still(path, seconds, *, audio=True):
    """Write a grey clip without a face."""
    rng = np.random.default_rng(0)
    frames = [np.full((64, 64, 3), 90 + i, np.uint8) for i in range(round(seconds * 25))]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_clip(path, frames, fps_hz=25, audio=talk(rng, seconds) if audio else None)


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


def described(folder, *entries):
    (folder / "metadata.json").write_text(json.dumps(list(entries)))


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
        (lambda folder: described(folder, {"n_fakes": 0}), r"entry 0: KeyError\('file'\)"),
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


# --- frames of a clip ----------------------------------------------------------------------


def test_fetching_stops_behind_the_last_frame_that_is_needed():
    read = []

    def frames():
        for i in range(100):
            read.append(i)
            yield Frame(i / 25, np.zeros((2, 2, 3), np.uint8))

    assert fetch_frames(frames(), {3, 5}).keys() == {3, 5}
    assert len(read) == 6
    assert fetch_frames(frames(), set()) == {}
    new = Frame(0.04, np.ones((2, 2, 3), np.uint8))
    assert [p.rgb.max() for p in list(replace_frames(frames(), {1: new}))[:3]] == [0, 1, 0]


@pytest.mark.needs_shared
def test_a_mouth_is_swapped_in_real_footage(shared):
    media = probe(shared / "footage/train/grid_swiz3n.mp4")
    frames = list(FrameReader(media))
    face = trace_face(frames, fps_hz=25, config=TracksConfig())
    rng = np.random.default_rng(0)
    propose = propose_frames(face, SegmentConfig(), needs_donor=True, audio=None, rate_hz=RATE_HZ)
    stretches = plan_segments(propose, duration_s=3.0, config=SegmentConfig(), rng=rng)
    assert stretches
    stretch: PlannedSegment = stretches[0]
    seen = (frames, face)
    job = FrameJob(shots(seen, stretch.frames), 25, shots(seen, stretch.donors))
    fake = MouthSwap().forge_frames(job, rng)
    for shot, rgb in zip(job.frames, fake, strict=True):
        changed = (rgb != shot.rgb).any(axis=-1)
        assert 0 < changed.mean() < 0.1, "a mouth is a small part of the frame"


def test_what_was_skipped_reads_as_a_line():
    assert str(Skipped("a.mp4", "it is too short")) == "a.mp4: it is too short"
