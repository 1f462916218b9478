"""What happens to a clip on its way, and that no time is moved by it."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmmsba_plugin.forge.augment.audio import filter_taps, mix
from mmmsba_plugin.forge.augment.pipeline import (
    NO_PROCESSING,
    Processing,
    ProcessingConfig,
    draw_processing,
)
from mmmsba_plugin.forge.augment.video import at_rate, develop, scaled_px, shown_at_rate
from mmmsba_plugin.forge.face_trace import FaceTrace
from mmmsba_plugin.forge.source_clip import FrameCache, SourceClip, cut_audio
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.structures import Frame
from mmmsba_plugin.timebase import frames_to_s

from ...clips import number_of, numbered, numbered_frames

RATE_HZ = 16_000


def rng(seed=0):
    return np.random.default_rng(seed)


# --- the dice ------------------------------------------------------------------------------


def test_each_step_is_drawn_as_often_as_said():
    config, dice = ProcessingConfig(), rng()
    drawn = [draw_processing(config, fps_hz=29.97, rng=dice) for _ in range(2000)]
    found = {
        "cut": np.mean([p.cut is not None for p in drawn]),
        "scale": np.mean([p.scale < 1 for p in drawn]),
        "blur": np.mean([p.blur_px > 0 for p in drawn]),
        "grain": np.mean([p.grain > 0 for p in drawn]),
        "light": np.mean([p.gamma != 1 for p in drawn]),
        "fps": np.mean([p.fps_hz is not None for p in drawn]),
        "pitch": np.mean([p.pitch_semitones != 0 for p in drawn]),
        "equalise": np.mean([bool(p.eq_db) for p in drawn]),
        "band": np.mean([p.band_hz is not None for p in drawn]),
        "hiss": np.mean([p.hiss_db is not None for p in drawn]),
        "gain": np.mean([p.gain_db != 0 for p in drawn]),
        "twice": np.mean([p.first_crf is not None for p in drawn]),
        "mirror": np.mean([p.mirror for p in drawn]),
    }
    for step, share in found.items():
        # 2000 draws are known to 0.011 at worst.
        assert share == pytest.approx(getattr(config, step), abs=0.04), step
    assert {p.crf for p in drawn} == set(range(18, 29))
    assert {p.fps_hz for p in drawn} == {None, 24, 25}, "30 is what 29.97 is already"


def test_a_share_that_is_changed_moves_no_other_draw():
    calm = draw_processing(ProcessingConfig(scale=0, twice=0), fps_hz=25, rng=rng(3))
    wild = draw_processing(ProcessingConfig(scale=1, twice=1), fps_hz=25, rng=rng(3))
    moved = {"scale", "first_crf"}
    assert calm.model_dump(exclude=moved) == wild.model_dump(exclude=moved)


def test_plain_processing_is_the_encoder_alone():
    told = draw_processing(NO_PROCESSING, fps_hz=25, rng=rng()).to_metadata()
    assert told.keys() <= {"crf", "audio_bit_rate", "key_every", "b_frames", "preset"}
    assert "crf" in told


# --- frames ------------------------------------------------------------------------------


def grey(level=100, width=240, height=180):
    return np.full((height, width, 3), level, np.uint8)


def developed(processing, *rgbs, seed=0):
    frames = [Frame(i / 25, rgb) for i, rgb in enumerate(rgbs)]
    return list(develop(frames, processing, rng(seed)))


@pytest.mark.parametrize(
    ("processing", "claim"),
    [
        ({"gamma": 1.15}, lambda rgb: rgb.mean() < 95),
        ({"gamma": 0.85}, lambda rgb: rgb.mean() > 105),
        ({"scale": 0.9}, lambda rgb: rgb.shape == (162, 216, 3)),
        ({"grain": 3.0}, lambda rgb: 2.7 < rgb[..., 0].std() < 3.3),
        ({"grain": 3.0}, lambda rgb: abs(rgb.mean() - 100) < 0.1),
        ({"grain": 3.0}, lambda rgb: (rgb[..., 0] == rgb[..., 2]).all()),
    ],
)
def test_a_step_does_what_it_says(processing, claim):
    for frame in developed(Processing(**processing), grey(), grey()):
        assert claim(frame.rgb)
        assert frame.rgb.dtype == np.uint8


def test_a_mirror_changes_left_and_right_over():
    rgb = np.random.default_rng(0).integers(256, size=(180, 240, 3), dtype=np.uint8)
    (mirrored,) = developed(Processing(mirror=True), rgb)
    np.testing.assert_array_equal(mirrored.rgb, rgb[:, ::-1])


def test_softening_and_sharpening_are_opposites():
    edge = np.where(np.arange(240)[None, :, None] < 120, 80, 160).astype(np.uint8)
    rgb = np.broadcast_to(edge, (180, 240, 3)).copy()
    (soft,), (sharp,) = (
        developed(Processing(**p), rgb) for p in ({"blur_px": 1}, {"sharpen": 0.5})
    )
    steepest = [int(np.abs(np.diff(p.rgb[90, :, 0].astype(int))).max()) for p in (soft, sharp)]
    assert steepest[0] < 80 < steepest[1]


def test_noise_moves_from_frame_to_frame_and_back_with_the_seed():
    first, second = developed(Processing(grain=2.0), grey(), grey())
    again, _ = developed(Processing(grain=2.0), grey(), grey())
    assert not np.array_equal(first.rgb, second.rgb)
    np.testing.assert_array_equal(first.rgb, again.rgb)


@given(width=st.integers(16, 2000), height=st.integers(16, 2000), scale=st.floats(0.1, 1.0))
def test_scaled_frames_keep_their_form_and_a_face_s_worth_of_pixels(width, height, scale):
    like = np.empty((height, width, 3), np.uint8)
    wide, high = scaled_px(like, scale)
    assert wide <= width + 1
    assert high <= height + 1
    assert min(wide, high) >= min(width, height, 160)
    assert wide / width == pytest.approx(high / height, abs=2 / min(wide, high))


@given(
    old_hz=st.sampled_from([12, 24, 25, Fraction(30000, 1001), 30, 50]),
    new_hz=st.sampled_from([24, 25, 30]),
    num_frames=st.integers(2, 120),
    start=st.integers(0, 5),
    stretch=st.tuples(st.integers(0, 118), st.integers(1, 60)),
)
@settings(max_examples=80)
def test_another_rate_shows_what_was_shown_then(old_hz, new_hz, num_frames, start, stretch):
    frames = list(numbered_frames(num_frames, fps_hz=old_hz, start_s=start / 10, width=16))
    end_s = start / 10 + frames_to_s(num_frames, old_hz)
    shown = list(at_rate(frames, new_hz, end_s))
    first = min(stretch[0], num_frames - 1)
    behind = min(first + stretch[1], num_frames)
    edges_s = [p.pts_s for p in frames] + [end_s]
    told = shown_at_rate(Segment(edges_s[first], edges_s[behind]), new_hz)
    for before, after in pairwise(shown):
        assert after.pts_s - before.pts_s == pytest.approx(1 / new_hz)
    assert len(shown) == pytest.approx((end_s - start / 10) * new_hz, abs=1.01)
    for frame in shown:
        # Independent of how it is done: the last frame that was due by then.
        due = max(i for i, p in enumerate(frames) if p.pts_s <= frame.pts_s + 1e-6)
        assert np.array_equal(frame.rgb, frames[due].rgb)
        inside = bool(told) and told.start_s - 1e-6 <= frame.pts_s < told.end_s - 1e-6
        assert inside == (first <= due < behind)


# --- audio ---------------------------------------------------------------------------------


def noise(seconds=2.0, level=0.1):
    return (level * rng(9).standard_normal(round(seconds * RATE_HZ))).astype(np.float32)


def mixed(audio, seed=0, **processing):
    return mix(audio, Processing(**processing), sample_rate_hz=RATE_HZ, rng=rng(seed))


def level_db(audio, low_hz=0, high_hz=8000):
    spectrum = np.abs(np.fft.rfft(audio.astype(np.float64))) ** 2
    freqs_hz = np.fft.rfftfreq(audio.size, 1 / RATE_HZ)
    return 10 * np.log10(spectrum[(freqs_hz >= low_hz) & (freqs_hz < high_hz)].mean())


def test_audio_that_nothing_is_done_to_stays_as_it_is():
    np.testing.assert_allclose(mixed(noise()), noise(), atol=1e-7)
    assert mixed(np.zeros(0, np.float32), gain_db=3.0).size == 0


def test_a_band_is_shut_and_the_rest_stays():
    audio = noise()
    shut = mixed(audio, band_hz=4000.0)
    assert level_db(shut, 4500) < level_db(audio, 4500) - 50
    assert level_db(shut, 200, 3700) == pytest.approx(level_db(audio, 200, 3700), abs=0.2)


def test_frequencies_are_turned_as_told():
    audio = noise(8)
    turned = mixed(audio, eq_db=(5.0, 5.0, 5.0, -5.0, -5.0, -5.0))
    assert level_db(turned, 120, 400) - level_db(audio, 120, 400) == pytest.approx(5, abs=0.7)
    assert level_db(turned, 3000, 7000) - level_db(audio, 3000, 7000) == pytest.approx(-5, abs=0.7)


def test_nothing_moves_against_the_lips():
    click = np.zeros(RATE_HZ, np.float32)
    click[5000] = 0.5
    heard = mixed(click, eq_db=(3.0, -3.0, 3.0, 0.0, 2.0, -2.0), band_hz=5000.0)
    assert np.argmax(np.abs(heard)) == 5000
    taps = filter_taps(Processing(band_hz=5000.0), RATE_HZ)
    np.testing.assert_allclose(taps, taps[::-1], atol=1e-12)


def test_a_higher_voice_says_the_same_at_the_same_time():
    times_s = np.arange(2 * RATE_HZ) / RATE_HZ
    bursts = (np.floor(times_s * 4) % 2 == 0) & (times_s > 0.1)
    audio = (0.2 * bursts * np.sin(2 * np.pi * 440 * times_s)).astype(np.float32)
    higher = mixed(audio, pitch_semitones=2.0)
    assert higher.size == audio.size
    spectrum = np.abs(np.fft.rfft(higher))
    peak_hz = np.fft.rfftfreq(higher.size, 1 / RATE_HZ)[np.argmax(spectrum)]
    assert peak_hz == pytest.approx(440 * 2 ** (2 / 12), rel=0.01)
    loud = [np.abs(s).reshape(-1, 320).max(axis=1) > 0.05 for s in (audio, higher)]
    assert np.mean(loud[0] == loud[1]) > 0.9


@given(hiss_db=st.floats(20, 45))
@settings(max_examples=10)
def test_noise_lies_as_far_below_the_voice_as_told(hiss_db):
    audio = noise()
    added = mixed(audio, hiss_db=hiss_db) - audio
    assert level_db(audio) - level_db(added) == pytest.approx(hiss_db, abs=0.5)


@given(gain_db=st.floats(-9, 20), level=st.floats(0.01, 0.5))
@settings(max_examples=30)
def test_louder_audio_is_never_clipped(gain_db, level):
    audio = np.clip(noise(0.5, level), -1, 1)
    louder = mixed(audio, gain_db=gain_db)
    assert np.abs(louder).max() <= 0.99 + 1e-6
    gain = np.abs(louder).max() / np.abs(audio).max()
    np.testing.assert_allclose(louder, gain * audio, atol=1e-5)


# --- a clean cut ---------------------------------------------------------------------------


@pytest.fixture
def reel(tmp_path):
    write_clip(tmp_path / "a.mp4", numbered_frames(50), fps_hz=25, crf=10)
    return FrameCache(probe(tmp_path / "a.mp4"), max_short_side_px=540)


def footage_of(reel, num_frames=50):
    edges_s = np.arange(num_frames + 1) / 25
    points, to_face = np.zeros((num_frames, 468, 2), np.float32), np.zeros((num_frames, 2, 3))
    points[:, 0, 0] = np.arange(num_frames)
    face = FaceTrace(edges_s, np.zeros(num_frames, np.int64), points, to_face)
    audio = np.repeat(np.arange(num_frames, dtype=np.float32) / 100, 640)
    return SourceClip(reel, face, audio, Fraction(25), RATE_HZ)


def test_a_cut_takes_the_same_time_from_frames_audio_and_trace(reel):
    cut = footage_of(reel).without(range(20, 30))
    assert cut.duration_s == pytest.approx(1.6)
    assert cut.audio.size == 40 * 640
    left = [*range(20), *range(30, 50)]
    frames = list(cut.frames())
    assert [number_of(p.rgb) for p in frames] == left
    np.testing.assert_allclose([p.pts_s for p in frames], np.arange(40) / 25)
    np.testing.assert_allclose(cut.face.edges_s, np.arange(41) / 25)
    assert cut.face.points[:, 0, 0].tolist() == left
    heard = cut.audio[320::640]
    np.testing.assert_allclose(heard, np.array(left) / 100, atol=1e-6)


def test_no_stretch_reaches_over_a_cut(reel):
    cut = footage_of(reel).without(range(20, 30))
    assert cut.face.runs_end.tolist() == [20] * 20 + [40] * 20


@given(st.integers(0, 2000), st.integers(1, 1000), st.integers(0, 400))
def test_a_joint_has_no_step(start, size, fade):
    times = np.arange(4000)
    audio = np.sin(times / 40).astype(np.float32)
    whole = cut_audio(audio, start, start + size, fade=fade)
    assert whole.size == audio.size - size
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(whole[start:], audio[start + size :])
    used = min(fade, start, size)
    np.testing.assert_array_equal(whole[: start - used], audio[: start - used])
    if used > 100:
        assert np.abs(np.diff(whole)).max() < 0.08


def test_few_frames_are_decoded_once_and_many_each_time(tmp_path):
    path, size = tmp_path / "a.mp4", numbered(0).nbytes
    write_clip(path, (numbered(i) for i in range(10)), fps_hz=25)
    for room, again in ((10 * size, False), (10 * size - 1, True)):
        reel = FrameCache(probe(path), max_short_side_px=540, max_bytes=room)
        first, second, third = list(reel), list(reel), list(reel)
        assert [number_of(p.rgb) for p in first] == list(range(10))
        for one, two, three in zip(first, second, third, strict=True):
            np.testing.assert_array_equal(one.rgb, two.rgb)
            # Decoded anew it is another array; kept it is the same.
            assert (two.rgb is three.rgb) != again
