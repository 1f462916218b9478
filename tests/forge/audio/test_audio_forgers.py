"""Every audio forger keeps these promises."""

import os
import pickle

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mmmsba_plugin.errors import (
    ConfigError,
    ForgeError,
)
from mmmsba_plugin.forge.audio.loudness import (
    compute_rms,
    compute_speech_rms,
    compute_speech_share,
)
from mmmsba_plugin.forge.audio.repeat import RepeatConfig
from mmmsba_plugin.forge.audio.splice import SpliceAudio
from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.testing import ForgerContract

from .speech import (
    FADE,
    NAMES,
    OF_THE_SEGMENT,
    RATE_HZ,
    apart_db,
    forge,
    in_place,
    job_at,
    talk,
    tone,
)


@pytest.mark.parametrize("name", NAMES)
@given(
    seed=st.integers(0, 2**32),
    where=st.tuples(st.floats(0.6, 2.2), st.floats(0.1, 1.2)),
    level=st.sampled_from([np.float32(0.02), np.float32(1.0), np.float32(1.8)]),
)
@settings(max_examples=8, deadline=None)
def test_all_of_the_segment_becomes_another_audio(build, name, seed, where, level):
    audio = level * talk()
    audio.flags.writeable = False
    job = job_at(*where, audio=audio)
    # A pause cannot be altered by those who alter what is there; this is tested below.
    assume(compute_speech_share(job.span, RATE_HZ, like=audio) > 0)
    fake = forge(build(name), job, seed)
    assert fake.shape == job.span.shape
    assert fake.dtype == np.float32
    assert np.isfinite(fake).all()
    assert np.abs(fake).max() <= 1
    # A sample in a thousand may be what it was by chance, or by rounding where a fade begins.
    assert np.mean(fake != job.span) > 0.999


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 2**32), start_s=st.floats(0.5, 2.0))
@settings(max_examples=6, deadline=None)
def test_no_forger_clicks_where_its_segment_begins_or_ends(build, name, seed, start_s):
    job = job_at(start_s, 0.8)
    fake = forge(build(name), job, seed)
    # What is new rises as a sine over the fade, and what is old sinks no faster than it; so
    # sample i can be off by no more than twice that share of full scale.
    allowed = 2 * np.sin((np.arange(FADE) + 1) / (FADE + 1) * np.pi / 2)
    off = np.abs(fake.astype(np.float64) - job.span)
    assert (off[:FADE] <= allowed).all()
    assert (off[::-1][:FADE] <= allowed).all()
    assert off[0] < 0.02
    assert off[-1] < 0.02


@pytest.mark.parametrize("name", ["repeat", "shift", "delete", "insert", "tempo", "pitch"])
def test_a_cut_tone_has_no_step_that_the_tone_has_not(build, name):
    # Two waves of one frequency, each at most as loud as the whole: whatever their phases,
    # their sum rises by no more than the square root of two of one of them.
    audio = tone(200) * np.clip(np.arange(4 * RATE_HZ) / 800 - 8, 0, 1).astype(np.float32)
    # The first 0.4 s are the pause that tells how the room sounds.
    audio += np.random.default_rng(0).normal(0, 1e-4, 4 * RATE_HZ).astype(np.float32)
    job = job_at(1.5, 0.8, audio=audio)
    for seed in range(5):
        steps = np.abs(np.diff(in_place(job, forge(build(name), job, seed))))
        # Four semitones up a tone rises 1.26 times as fast.
        assert steps.max() < 1.26 * 1.5 * np.abs(np.diff(audio)).max()


@pytest.mark.parametrize("name", NAMES)
def test_a_forger_is_what_its_seed_makes_it(build, name):
    job = job_at(1.3, 0.7)
    first, again, other = (forge(build(name), job, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("name", NAMES)
def test_a_manipulation_is_a_difference_that_one_can_argue_about(build, name):
    # Sending this speech through AAC at 64 kbit/s moves it by about 0.1 dB, at 24 by 1 dB;
    # that is no forgery, so a forgery must be more.
    forger, job = build(name), job_at(1.2, 1.0)
    for seed in range(5):
        assert apart_db(job.span, forge(forger, job, seed)) > 1.2


@pytest.mark.parametrize("name", NAMES)
def test_the_difference_reaches_both_ends(build, name):
    forger = build(name)
    changes = []
    for seed in range(6):
        job = job_at(0.7 + 0.3 * seed, 0.6)
        off, was = forge(forger, job, seed) - job.span, compute_rms(job.span)
        # The 40 ms behind the fade at the start, and those before the fade at the end.
        ends = off[FADE : FADE + 640], off[-FADE - 640 : -FADE]
        changes.append([compute_rms(end) / was for end in ends])
    assert (np.median(changes, axis=0) > 0.1).all()


# What is left of a deletion is as loud as it was said, and no more is to be asked of it.
@pytest.mark.parametrize("name", sorted(set(NAMES) - {"delete"}))
def test_a_manipulation_is_as_loud_as_what_it_replaces(build, name):
    forger, job = build(name), job_at(1.2, 1.0)
    was = compute_speech_rms(job.span, RATE_HZ, like=job.audio)
    for seed in range(5):
        fake = forge(forger, job, seed)
        # What is lost in a pause or won in a fade: no more than 3 dB.
        assert abs(20 * np.log10(compute_speech_rms(fake, RATE_HZ, like=job.audio) / was)) < 3


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("name", NAMES)
def test_any_sample_rate_is_welcome(build, name, rate_hz):
    job = job_at(1.2, 0.5, rate_hz=rate_hz)
    fake = forge(build(name), job)
    assert fake.shape == job.span.shape
    assert np.mean(fake != job.span) > 0.999


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("start_s", "length_s"), [(0.0, 0.4), (3.6, 0.4), (1.0, 0.1)])
def test_the_clip_s_ends_and_short_words_are_no_trouble(build, name, start_s, length_s):
    voice = talk()[RATE_HZ : RATE_HZ + RATE_HZ // 4]
    job = job_at(start_s, length_s, audio=np.tile(voice, 16))
    fake = forge(build(name), job)
    assert fake.shape == job.span.shape
    assert not np.array_equal(fake, job.span)


@pytest.mark.parametrize("name", OF_THE_SEGMENT)
@pytest.mark.parametrize("silent", ["pause", "clip", "moment"])
def test_inaudible_segments_cannot_be_altered(build, name, silent):
    audio = talk().copy()
    if silent != "moment":
        audio[RATE_HZ : 2 * RATE_HZ] *= 0.0
    if silent == "clip":
        audio *= 0.0
    # A moment is shorter than the shortest piece that can be speech.
    job = job_at(1.0, 0.01 if silent == "moment" else 1.0, audio=audio)
    with pytest.raises(ForgeError, match=r"nothing is said in a segment of .* somebody speaks"):
        forge(build(name), job)


@pytest.mark.parametrize("name", ["splice", "repeat", "insert", "speak"])
def test_words_laid_into_a_pause_are_as_loud_as_the_rest(build, name):
    audio = talk().copy()
    audio[2 * RATE_HZ : 3 * RATE_HZ] *= 1e-3
    job = job_at(2.0, 0.6, audio=audio)
    fake = forge(build(name), job)
    usual = compute_speech_rms(audio, RATE_HZ, like=audio)
    assert compute_speech_rms(fake, RATE_HZ, like=audio) == pytest.approx(usual, rel=0.4)


@pytest.mark.parametrize("name", NAMES)
def test_a_forger_can_be_sent_to_another_process(build, name):
    forger, job = build(name), job_at(1.3, 0.3)
    sent = pickle.loads(pickle.dumps(forger))  # noqa: S301 - our own
    np.testing.assert_array_equal(forge(sent, job, 1), forge(forger, job, 1))


@pytest.mark.needs_shared
@pytest.mark.parametrize("name", NAMES)
def test_real_speech_is_altered_in_its_segment(build, shared, name):
    audio = read_audio(
        probe(shared / "footage/train/grid_swiz3n.mp4"), sample_rate_hz=RATE_HZ
    ).samples
    spoken = [
        s
        for s in np.arange(0.5, 2.0, 0.1)
        if compute_speech_share(audio[int(s * RATE_HZ) :][:8000], RATE_HZ, like=audio) > 0.9
    ]
    job = job_at(spoken[0], 0.5, audio=audio)
    assert apart_db(job.span, forge(build(name), job)) > 1.2


@pytest.mark.parametrize("name", NAMES)
def test_a_hard_cut_is_possible_too(build, name):
    job = job_at(1.3, 0.4)
    fake = forge(build(name, fade_s=0), job)
    assert fake.shape == job.span.shape
    assert np.isfinite(fake).all()


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("pitch", {"semitones": (4, 1)}, "two positive numbers, the smaller first, are needed"),
        ("pitch", {"semitones": (0, 1)}, "two positive numbers"),
        ("resynth", {"num_mels": (80, 40)}, "two positive numbers"),
        ("delete", {"share": (0.5, 1.2)}, "a share is at most 1, got 1.2"),
        ("vocode", {"breath": [0.5, 2]}, "a share is at most 1"),
        ("speak", {"voice": "hal"}, "voice: Input should be"),
        ("speak", {"command": ("say", "-o", "a.wav")}, "names no file to write to"),
        ("tempo", {"fade": 1}, "Allowed keys: fade_s, factor"),
    ],
)
def test_settings_out_of_bounds_are_refused(build, name, values, message):
    with pytest.raises(ConfigError, match=message):
        build(name, **values)


class TestAudioForgers(ForgerContract):
    @pytest.fixture(autouse=True, params=NAMES)
    def _each(self, request, monkeypatch):
        # The same forgery on every machine, whatever speaks there.
        monkeypatch.setenv("PATH", os.devnull)
        self._current = lookup("forgers", request.param)

    @property
    def entry(self):
        return self._current


def test_a_splice_needs_another_clip_and_no_other_forger_does(build):
    assert [name for name in NAMES if build(name).needs_donor] == ["splice"]
    assert SpliceAudio.needs_donor


def test_every_forger_says_which_attack_it_stands_for(build):
    for name in set(NAMES) - {"shift"}:
        assert "Stands for" in type(build(name)).__doc__
    assert RepeatConfig().clear_s > 0
