"""What every audio forger keeps to, and what each of them does."""

import os
import pickle
import stat
import sys
from functools import cache

import librosa
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.signal import get_window, lfilter

from mmmsba_plugin.errors import ConfigError, ForgeError, MissingExtraError
from mmmsba_plugin.forge.audio import tts_voices
from mmmsba_plugin.forge.audio.crossfade import (
    CrossfadeConfig,
    compute_fade_weights,
    crossfade,
    crossfade_concat,
    find_disjoint_starts,
    overlay,
    slice_padded,
)
from mmmsba_plugin.forge.audio.delete_insert import (
    DeleteConfig,
    DeleteWord,
    InsertConfig,
    InsertSyllable,
)
from mmmsba_plugin.forge.audio.loudness import (
    PEAK,
    compute_rms,
    compute_speech_rms,
    compute_speech_share,
)
from mmmsba_plugin.forge.audio.mel_vocoder import (
    Recode,
    RecodeConfig,
    Resynth,
    ResynthConfig,
    pass_through_mel,
)
from mmmsba_plugin.forge.audio.pitch_tempo import (
    ChangeTempo,
    PitchConfig,
    ShiftPitch,
    TempoConfig,
    shift_pitch,
)
from mmmsba_plugin.forge.audio.repeat import RepeatAudio, RepeatConfig
from mmmsba_plugin.forge.audio.room_tone import room_tone
from mmmsba_plugin.forge.audio.source_filter_vocoder import (
    Vocode,
    VocodeConfig,
    flatten_pitch,
    track_pitch,
)
from mmmsba_plugin.forge.audio.splice import SpliceAudio
from mmmsba_plugin.forge.audio.stft import (
    compute_spectral_envelope,
    compute_stft,
    invert_stft,
    window_size,
)
from mmmsba_plugin.forge.audio.tts import SpeakAudio, SpeakConfig
from mmmsba_plugin.forge.audio.voice_conversion import ConvertVoice, convert_voice
from mmmsba_plugin.forge.talking_head.formant_speech import SPEAKERS, compose, sing
from mmmsba_plugin.forger import AudioJob
from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.testing import ForgerContract

RATE_HZ = 16_000
NAMES = (
    "splice",
    "repeat",
    "shift",
    "delete",
    "insert",
    "pitch",
    "tempo",
    "resynth",
    "recode",
    "vocode",
    "voice",
    "speak",
)
#: Those that make the new audio of the stretch itself, and so need something in it.
OF_THE_STRETCH = ("delete", "pitch", "tempo", "resynth", "recode", "vocode", "voice")
#: An editor's fade, which all of them have if not told otherwise.
FADE = 160


@cache
def talk(speaker=0, seconds=4.0, rate_hz=RATE_HZ):
    """Syllables of one of the crude voices; not to be written to."""
    rng = np.random.default_rng(speaker)
    score = compose(SPEAKERS[speaker], seconds=seconds, rng=rng)
    audio = sing(score, SPEAKERS[speaker], sample_rate_hz=rate_hz, rng=rng)
    audio.flags.writeable = False
    return audio


def job_at(start_s, length_s, *, audio=None, rate_hz=RATE_HZ):
    audio = talk(rate_hz=rate_hz) if audio is None else audio
    start, end = round(start_s * rate_hz), round((start_s + length_s) * rate_hz)
    return AudioJob(audio, start, end, rate_hz, donor=talk(3, rate_hz=rate_hz))


@pytest.fixture(scope="session")
def build():
    """Return a forger of ours by name; the crude voice speaks, whatever is installed."""

    def built(name, **given_):
        entry = lookup("forgers", name)
        chosen = {"voice": "formant"} | given_ if name == "speak" else given_
        return entry.build(entry.config.read(chosen))

    return built


def forge(forger, job, seed=0):
    return forger.forge_audio(job, np.random.default_rng(seed))


def in_place(job, fake):
    whole = job.audio.copy()
    whole[job.start : job.end] = fake
    return whole


def apart_db(one, other):
    """Return how far two sounds are from each other on the log-mel, where either is heard."""
    mels = [
        librosa.feature.melspectrogram(y=s, sr=RATE_HZ, n_fft=512, hop_length=160, n_mels=64)
        for s in (one, other)
    ]
    floor = max(mel.max() for mel in mels) * 1e-4
    first, second = (10 * np.log10(mel + floor) for mel in mels)
    return float(np.abs(first - second)[np.maximum(*mels) > floor].mean())


def tone(hz, seconds=4.0, level=0.3):
    times_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (level * np.sin(2 * np.pi * hz * times_s)).astype(np.float32)


# --- all of them ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@given(
    seed=st.integers(0, 2**32),
    where=st.tuples(st.floats(0.6, 2.2), st.floats(0.1, 1.2)),
    level=st.sampled_from([np.float32(0.02), np.float32(1.0), np.float32(1.8)]),
)
@settings(max_examples=8, deadline=None)
def test_all_of_the_stretch_becomes_another_audio(build, name, seed, where, level):
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
def test_no_forger_clicks_where_its_stretch_begins_or_ends(build, name, seed, start_s):
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
def test_a_forgery_is_a_difference_that_one_can_argue_about(build, name):
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
def test_a_forgery_is_as_loud_as_what_it_replaces(build, name):
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


@pytest.mark.parametrize("name", OF_THE_STRETCH)
@pytest.mark.parametrize("silent", ["pause", "clip", "moment"])
def test_where_nothing_is_heard_there_is_nothing_to_alter(build, name, silent):
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
def test_real_speech_is_altered_where_it_is_said_to_be(build, shared, name):
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


# --- splice, repeat ------------------------------------------------------------------------


def test_a_repeat_is_another_moment_of_the_same_clip(build):
    # Ramps that never come twice: each sample says where it was taken from.
    rng = np.random.default_rng(0)
    audio = (0.3 * rng.uniform(-1, 1, 4 * RATE_HZ)).astype(np.float32)
    job = job_at(1.5, 0.5, audio=audio)
    fake = forge(RepeatAudio(), job)
    inner = fake[FADE:-FADE]
    found = np.correlate(audio, inner, mode="valid") / np.sum(inner**2)
    taken = int(np.argmax(found)) - FADE
    clear = round(0.1 * RATE_HZ)
    assert found.max() > 0.9
    assert taken + job.span.size + clear <= job.start or taken >= job.end + clear


def test_a_clip_without_another_moment_says_so():
    with pytest.raises(ForgeError, match=r"has no other 32000 that are clear .* longer clip"):
        forge(RepeatAudio(), job_at(1.0, 2.0))


@pytest.mark.parametrize(
    ("forger", "message"),
    [
        (RepeatAudio(), "nothing is said at another moment .* more speech"),
        (InsertSyllable(), "no syllable is heard at another moment .* more speech"),
    ],
)
def test_a_clip_that_is_silent_elsewhere_lends_nothing(forger, message):
    audio = np.zeros(4 * RATE_HZ, dtype=np.float32)
    audio[RATE_HZ : 2 * RATE_HZ] = talk()[RATE_HZ : 2 * RATE_HZ]
    with pytest.raises(ForgeError, match=message):
        forge(forger, job_at(0.9, 1.2, audio=audio))


# --- pitch, tempo --------------------------------------------------------------------------


def strongest_hz(audio):
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(audio.size), 1 << 18))
    return float(np.argmax(spectrum)) * RATE_HZ / (1 << 18)


@given(semitones=st.floats(1, 4), seed=st.integers(0, 100))
@settings(max_examples=10, deadline=None)
def test_pitch_moves_by_as_many_semitones(semitones, seed):
    job = job_at(1.0, 1.0, audio=tone(300))
    forger = ShiftPitch(PitchConfig(semitones=(semitones, semitones)))
    ratio = strongest_hz(forge(forger, job, seed)[FADE:-FADE]) / 300
    assert abs(12 * np.log2(ratio)) == pytest.approx(semitones, abs=0.1)


def test_pitch_goes_up_and_down():
    job = job_at(1.0, 0.5, audio=tone(300))
    heard = {strongest_hz(forge(ShiftPitch(), job, seed)) > 300 for seed in range(10)}
    assert heard == {True, False}


@pytest.mark.parametrize("factor", [1.2, 1.5])
def test_tempo_moves_beats_closer_or_apart(factor):
    rng = np.random.default_rng(0)
    times_s = np.arange(4 * RATE_HZ) / RATE_HZ
    beats = 0.2 * rng.standard_normal(times_s.size) * (np.mod(times_s, 0.2) < 0.08)
    job = job_at(1.0, 1.2, audio=(beats + 1e-4).astype(np.float32))
    found = set()
    for seed in range(8):
        fake = forge(ChangeTempo(TempoConfig(factor=(factor, factor))), job, seed)
        swell = np.convolve(fake.astype(np.float64) ** 2, np.hanning(800), mode="same")
        swell -= swell.mean()
        self_similarity = np.correlate(swell[::40], swell[::40], mode="full")[swell[::40].size :]
        # 2.5 ms a step; the first beat apart lies between 0.1 and 0.35 s.
        found.add(0.0025 * (40 + int(np.argmax(self_similarity[39:140]))))
    closer, wider = min(found), max(found)
    assert closer == pytest.approx(0.2 / factor, rel=0.06)
    assert wider == pytest.approx(0.2 * factor, rel=0.06)


def test_what_is_hurried_ends_in_the_audio_of_the_room():
    audio = talk() + np.random.default_rng(0).normal(0, 1e-3, talk().size).astype(np.float32)
    job = job_at(1.2, 1.0, audio=audio)
    rests = []
    for seed in range(8):
        fake = forge(ChangeTempo(TempoConfig(factor=(1.6, 1.6))), job, seed)
        rests.append(compute_rms(fake[-4000:-FADE]))
    # Drawn out, speech goes on to the end; hurried, there is a rest as loud as the room.
    assert min(rests) == pytest.approx(1.1e-3, rel=0.3)
    assert max(rests) > 0.02


# --- delete, insert ------------------------------------------------------------------------


def noise(seconds=4.0, seed=0):
    rng = np.random.default_rng(seed)
    return (0.1 * rng.standard_normal(round(seconds * RATE_HZ))).astype(np.float32)


@given(share=st.floats(0.05, 0.9), seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_what_follows_a_deleted_word_moves_forward(share, seed):
    job = job_at(1.0, 0.8, audio=noise())
    fake = forge(DeleteWord(DeleteConfig(share=(share, share))), job, seed)
    cut = round(share * job.span.size)
    rest = job.span.size - cut
    inside = slice(FADE, rest - FADE)
    np.testing.assert_array_equal(fake[inside], job.span[cut:][inside])


def test_a_word_may_be_deleted_whole():
    audio = talk() + np.random.default_rng(0).normal(0, 1e-3, talk().size).astype(np.float32)
    job = job_at(1.2, 0.6, audio=audio)
    fake = forge(DeleteWord(DeleteConfig(share=(1, 1))), job)
    assert compute_speech_share(fake[FADE:-FADE], RATE_HZ, like=audio) == 0
    assert compute_rms(fake[FADE:-FADE]) == pytest.approx(1.1e-3, rel=0.3)


@given(length_s=st.floats(0.08, 0.6), seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_what_follows_an_inserted_syllable_is_pushed_back(length_s, seed):
    job = job_at(1.0, 0.8, audio=noise())
    fake = forge(InsertSyllable(InsertConfig(length_s=(length_s, length_s))), job, seed)
    size = min(round(length_s * RATE_HZ), job.span.size // 2)
    pushed = fake[size:-FADE]
    np.testing.assert_array_equal(pushed, job.span[FADE:][: pushed.size])
    syllable = fake[FADE : size - FADE]
    found = np.correlate(job.audio, syllable, mode="valid") / np.sum(syllable**2)
    taken = int(np.argmax(found)) - FADE
    assert taken + size < job.start or taken > job.end


# --- resynth, recode, vocode ---------------------------------------------------------------


def test_resynthesis_keeps_the_bands_and_loses_the_wave():
    job = job_at(1.2, 1.0)
    fake = forge(Resynth(ResynthConfig(num_mels=(80, 80), num_rounds=(32, 32))), job)
    assert apart_db(job.span, fake) < 5
    # The wave itself is another one: its phases were guessed.
    assert abs(np.corrcoef(fake, job.span)[0, 1]) < 0.9


def test_more_bands_and_rounds_come_closer():
    job = job_at(1.2, 1.0)
    coarse, fine = (
        Resynth(ResynthConfig(num_mels=(mels, mels), num_rounds=(rounds, rounds)))
        for mels, rounds in ((30, 4), (100, 32))
    )
    assert apart_db(job.span, forge(fine, job)) < apart_db(job.span, forge(coarse, job))


@given(num_mels=st.integers(10, 120), level=st.floats(1e-3, 10))
@settings(max_examples=20, deadline=None)
def test_a_flat_spectrum_stays_flat_in_bands(num_mels, level):
    magnitudes = np.full((513, 3), level, dtype=np.float32)
    banded = pass_through_mel(magnitudes, num_mels, RATE_HZ)
    # Outside the middles of the first and the last band it falls off.
    middles_hz = librosa.mel_frequencies(num_mels + 2, fmin=0, fmax=RATE_HZ / 2)[1:-1]
    bins_hz = np.arange(513) * RATE_HZ / 1024
    inside = (bins_hz >= middles_hz[0]) & (bins_hz <= middles_hz[-1])
    np.testing.assert_allclose(banded[inside], level, rtol=1e-4)


def test_a_codec_s_treble_is_a_copy_of_its_middle():
    # Below the cut a tone, above it noise: what is regrown from a tone is tones again.
    rng = np.random.default_rng(0)
    audio = tone(1500, level=0.1) + 0.01 * rng.standard_normal(4 * RATE_HZ).astype(np.float32)
    config = RecodeConfig(
        low_band_share=(0.3, 0.3), phase_error_rad=(1e-6, 1e-6), level_error_db=(1e-6, 1e-6)
    )
    job = job_at(1.0, 1.0, audio=audio)
    fake = forge(Recode(config), job)

    def peaks(part):
        spectrum = np.abs(np.fft.rfft(part * get_window("hann", part.size)))
        treble = spectrum[spectrum.size // 2 :]
        return float(treble.max() / np.median(treble))

    assert peaks(fake) > 3 * peaks(job.span)
    # Below the cut nothing was done.
    low_now, low_was = (np.fft.rfft(s)[:2000] for s in (fake[800:-800], job.span[800:-800]))
    assert np.linalg.norm(low_now - low_was) < 0.05 * np.linalg.norm(low_was)


@given(hz=st.floats(80, 380))
@settings(max_examples=30, deadline=None)
def test_a_melody_is_found(hz):
    pulses = np.diff(np.floor(np.arange(RATE_HZ) * hz / RATE_HZ), prepend=0.0)
    voice = lfilter([1.0], [1.0, -0.95], pulses - pulses.mean()).astype(np.float32)
    pitch_track = track_pitch(voice, RATE_HZ)
    assert np.median(pitch_track.pitch_hz[5:-5]) == pytest.approx(hz, rel=0.03)
    assert np.median(pitch_track.voicing[5:-5]) > 0.8


def test_noise_and_silence_have_no_melody():
    for audio in (noise(1.0), np.zeros(RATE_HZ, np.float32)):
        assert np.median(track_pitch(audio, RATE_HZ).voicing) < 0.45


def test_a_melody_is_drawn_to_its_middle():
    pitch_track = track_pitch(talk(), RATE_HZ)
    spread = lambda m: np.std(np.log(m.pitch_hz[m.voicing > 0.45]))  # noqa: E731
    assert spread(flatten_pitch(pitch_track, 0.5)) == pytest.approx(0.5 * spread(pitch_track))
    assert spread(flatten_pitch(pitch_track, 1.0)) == pytest.approx(0.0, abs=1e-9)


def test_a_vocoder_keeps_the_melody_and_loses_the_wave():
    job = job_at(1.2, 1.0)
    config = VocodeConfig(breath=(0.01, 0.01), flatness=(0.001, 0.001))
    fake = forge(Vocode(config), job)
    was, now = (track_pitch(s, RATE_HZ) for s in (job.span, fake))
    voiced = (was.voicing > 0.6) & (now.voicing > 0.6)
    assert voiced.mean() > 0.4
    error = np.abs(np.log2(now.pitch_hz[voiced] / was.pitch_hz[voiced]))
    assert np.median(error) < 0.03
    assert abs(np.corrcoef(fake, job.span)[0, 1]) < 0.8


# --- voice ---------------------------------------------------------------------------------


def vowel(formant_hz, pitch_hz=110.0):
    """One resonance over pulses."""
    pulses = np.diff(np.floor(np.arange(2 * RATE_HZ) * pitch_hz / RATE_HZ), prepend=0.0)
    radius = np.exp(-np.pi * 120 / RATE_HZ)
    angle = 2 * np.pi * formant_hz / RATE_HZ
    audio = lfilter([1.0], [1.0, -2 * radius * np.cos(angle), radius**2], pulses)
    return (0.3 * audio / np.abs(audio).max()).astype(np.float32)


def formant_of(audio):
    shape = compute_spectral_envelope(compute_stft(audio, 512), RATE_HZ).mean(axis=1)
    return float(np.argmax(shape[10:]) + 10) * RATE_HZ / 512


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.25])
@pytest.mark.parametrize("semitones", [-4, 4])
def test_another_voice_has_other_formants_and_another_pitch(factor, semitones):
    audio = vowel(1600)
    moved = convert_voice(audio, RATE_HZ, factor=factor, semitones=semitones)
    assert moved.shape == audio.shape
    # A harmonic is up to 140 Hz from the next, and the formant lies between two of them.
    assert formant_of(moved) == pytest.approx(1600 * factor, abs=100)
    pitch_hz = np.median(track_pitch(moved, RATE_HZ).pitch_hz)
    assert pitch_hz == pytest.approx(110 * 2 ** (semitones / 12), rel=0.03)


def test_pitch_alone_carries_the_formants_along():
    assert formant_of(shift_pitch(vowel(1600), 4, RATE_HZ)) == pytest.approx(
        1600 * 2 ** (4 / 12), abs=100
    )


def test_another_voice_is_in_time():
    job = job_at(1.2, 1.0)
    fake = forge(ConvertVoice(), job)
    was, now = (librosa.feature.rms(y=s, hop_length=160)[0] for s in (job.span, fake))
    self_similarity = np.correlate(now - now.mean(), was - was.mean(), mode="full")
    assert abs(int(np.argmax(self_similarity)) - (was.size - 1)) <= 1


# --- speak ---------------------------------------------------------------------------------

SCRIPT = """#!{python}
import sys, wave, math, struct
text = sys.stdin.buffer.read()
open({log!r}, "a").write(repr((sys.argv[1:], text)) + "\\n")
with wave.open(sys.argv[sys.argv.index({flag!r}) + 1], "wb") as out:
    out.setnchannels({channels}), out.setsampwidth(2), out.setframerate(22050)
    wavy = [int(9000 * math.sin(i / 9) * (i % 4000 > 500)) for i in range({size})]
    out.writeframes(b"".join(struct.pack("<h", w) * {channels} for w in wavy))
"""
EIGHT_BITS = """
import sys, wave
out = wave.open(sys.argv[-1], "wb")
out.setparams((1, 1, 8000, 0, "NONE", "none"))
out.writeframes(bytes(99))
"""
FLAGS = {"espeak-ng": "-w", "flite": "-o", "piper": "--output_file"}


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put programs on an otherwise empty PATH; returns what does it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(tts_voices, "find_spec", lambda name: None)
    tts_voices.run_cached.cache_clear()

    def put(name, text=None, *, size=60_000, channels=1):
        script = folder / name
        log = str(tmp_path / f"{name}.log")
        script.write_text(
            text
            or SCRIPT.format(
                python=sys.executable, log=log, flag=FLAGS[name], size=size, channels=channels
            )
        )
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        return tmp_path / f"{name}.log"

    return put


@pytest.fixture
def piper_model(tmp_path):
    model = tmp_path / "voice.onnx"
    model.write_bytes(b"a network")
    return model


def test_where_nothing_is_installed_the_crude_voice_speaks(install):
    job = job_at(1.2, 0.5)
    fake = forge(SpeakAudio(), job)
    np.testing.assert_array_equal(fake, forge(SpeakAudio(SpeakConfig(voice="formant")), job))
    assert compute_speech_share(fake, RATE_HZ, like=job.audio) > 0.3


@pytest.mark.parametrize("name", ["espeak-ng", "flite", "piper"])
@pytest.mark.parametrize("channels", [1, 2])
def test_an_installed_program_says_one_of_our_passages(install, piper_model, name, channels):
    log = install(name, channels=channels)
    forger = SpeakAudio(SpeakConfig(voice=name, piper_model=piper_model))
    job = job_at(1.2, 0.5)
    fake = forge(forger, job)
    assert compute_speech_share(fake, RATE_HZ, like=job.audio) > 0.5
    # The tone of the script: 22,050 / (2 pi 9) Hz, whatever rate the clip has.
    assert strongest_hz(fake) == pytest.approx(390, abs=5)
    (arguments, text) = eval(log.read_text().splitlines()[0])  # noqa: S307 - our own script's
    assert text.decode().strip() in tts_voices.PASSAGES
    assert (str(piper_model) in arguments) == (name == "piper")


def test_any_voice_means_those_that_are_installed(install, piper_model):
    logs = [install(name) for name in ("espeak-ng", "flite", "piper")]
    forger = SpeakAudio(SpeakConfig(piper_model=piper_model))
    for seed in range(12):
        forge(forger, job_at(1.2, 0.3), seed)
    assert all(log.exists() for log in logs)


def test_what_piper_said_once_is_kept(install, piper_model):
    log = install("piper")
    forger = SpeakAudio(SpeakConfig(voice="piper", piper_model=piper_model))
    for _ in range(3):
        forge(forger, job_at(1.2, 0.3), seed=5)
    assert len(log.read_text().splitlines()) == 1


def test_any_other_program_is_run_by_its_command(install):
    log = install("flite")
    forger = SpeakAudio(SpeakConfig(command=("flite", "--loud", "-o", "{out}")))
    assert strongest_hz(forge(forger, job_at(1.2, 0.5))) == pytest.approx(390, abs=5)
    (arguments, text) = eval(log.read_text().splitlines()[0])  # noqa: S307 - our own script's
    assert arguments[:2] == ["--loud", "-o"]
    assert text.decode().strip() in tts_voices.PASSAGES


def test_a_program_that_says_little_is_asked_again(install):
    log = install("flite", size=9_000)
    job = job_at(1.2, 1.0)
    assert forge(SpeakAudio(SpeakConfig(voice="flite")), job).size == job.span.size
    assert len(log.read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("espeak-ng", "'espeak-ng' is not installed; install espeak-ng, or let the voice be any"),
        ("flite", "'flite' is not installed; install flite"),
        ("piper", "'piper' is not installed; install piper-tts, and name the file of a voice"),
    ],
)
def test_a_voice_that_is_not_there_is_named_with_what_to_install(install, name, message):
    with pytest.raises(MissingExtraError, match=message):
        SpeakAudio(SpeakConfig(voice=name))


def test_piper_without_a_voice_is_not_there(install, tmp_path):
    install("piper")
    for model in (None, tmp_path / "lost.onnx"):
        with pytest.raises(MissingExtraError, match="name the file of a voice as piper_model"):
            SpeakAudio(SpeakConfig(voice="piper", piper_model=model))
    assert tts_voices.find_programs("any") == []


def test_piper_is_found_as_a_package_and_so_is_its_voice(install, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    model = tmp_path / "data/somebody.onnx"
    model.touch()

    class Spec:
        submodule_search_locations = (str(tmp_path),)

    monkeypatch.setattr(tts_voices, "find_spec", lambda name: Spec)
    (piper,) = tts_voices.find_programs("any")
    assert piper.command[:3] == (sys.executable, "-m", "piper")
    assert piper.command[piper.command.index("--model") + 1] == "{model}"
    assert piper.choices["{model}"] == (str(model),)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (f"#!{sys.executable}\nraise SystemExit(3)", "CalledProcessError"),
        (f"#!{sys.executable}\n", "FileNotFoundError"),
        (f"#!{sys.executable}\nimport sys\nopen(sys.argv[-1], 'w')", "EOFError"),
        ("#!/nowhere/at/all\n", "FileNotFoundError"),
        (f"#!{sys.executable}\n{EIGHT_BITS}", "Error: not a file of 16-bit samples"),
    ],
)
def test_a_program_that_fails_is_named(install, script, reason):
    install("flite", script)
    forger = SpeakAudio(SpeakConfig(voice="flite"))
    with pytest.raises(ForgeError, match=rf"'flite' said nothing \({reason}.*try it by hand"):
        forge(forger, job_at(1.2, 0.3))


def test_the_crude_voice_is_never_one_speaker():
    speech = [
        tts_voices.synthesize_formants(RATE_HZ, RATE_HZ, np.random.default_rng(s)) for s in range(6)
    ]
    assert all(s.size >= RATE_HZ for s in speech)
    pitches = {round(float(np.median(track_pitch(s, RATE_HZ).pitch_hz)), -1) for s in speech}
    assert len(pitches) > 2


# --- settings ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "given_", "message"),
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
def test_settings_out_of_bounds_are_refused(build, name, given_, message):
    with pytest.raises(ConfigError, match=message):
        build(name, **given_)


@pytest.mark.parametrize("kept", [1e-6, 1.0])
def test_a_codec_may_keep_next_to_nothing_or_all(kept):
    fake = forge(Recode(RecodeConfig(low_band_share=(kept, kept))), job_at(1.2, 0.4))
    assert np.isfinite(fake).all()


# --- seams ---------------------------------------------------------------------------------


@given(size=st.integers(0, 500), seed=st.integers(0, 100))
def test_a_audio_faded_into_itself_is_that_audio(size, seed):
    audio = np.random.default_rng(seed).standard_normal(size).astype(np.float32)
    np.testing.assert_allclose(crossfade(audio, audio), audio, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("alike", [0.0, 0.5, 0.9])
def test_a_fade_keeps_the_power_whatever_two_audio_share(alike):
    rng = np.random.default_rng(0)
    one, other = rng.standard_normal((2, 200_000))
    other = alike * one + np.sqrt(1 - alike**2) * other
    middle = crossfade(one.astype(np.float32), other.astype(np.float32))[95_000:105_000]
    assert np.mean(middle**2) == pytest.approx(1.0, abs=0.05)


@given(first=st.integers(0, 300), second=st.integers(0, 300), fade=st.integers(0, 200))
def test_a_chain_loses_only_what_is_heard_twice(first, second, fade):
    one, other = np.full(first, 0.5, np.float32), np.full(second, 0.5, np.float32)
    chained = crossfade_concat(one, other, fade)
    assert chained.size == first + second - min(first, second, fade)
    np.testing.assert_allclose(chained, 0.5, rtol=1e-5)


@given(size=st.integers(1, 900), fade_s=st.floats(0, 0.1), seed=st.integers(0, 100))
def test_a_laid_piece_is_untouched_between_its_fades(size, fade_s, seed):
    rng = np.random.default_rng(seed)
    audio, piece = (0.1 * rng.standard_normal(n).astype(np.float32) for n in (1000, size))
    job = AudioJob(audio, 50, 50 + size, RATE_HZ)
    laid = overlay(job, piece, CrossfadeConfig(fade_s=fade_s))
    fade = min(round(fade_s * RATE_HZ), size // 2)
    np.testing.assert_allclose(laid[fade : size - fade], piece[fade : size - fade], rtol=1e-6)
    assert laid.size == size


def test_nothing_that_is_laid_clips():
    job = AudioJob(tone(100, level=1.0), 1000, 9000, RATE_HZ)
    assert np.abs(overlay(job, tone(90, level=3.0)[:8000], CrossfadeConfig())).max() <= PEAK + 1e-6


@given(start=st.integers(-50, 150), size=st.integers(0, 120))
def test_beyond_a_clip_there_is_silence(start, size):
    audio = np.arange(1, 101, dtype=np.float32)
    heard = slice_padded(audio, start, start + size)
    expected = [audio[i] if 0 <= i < 100 else 0.0 for i in range(start, start + size)]
    np.testing.assert_array_equal(heard, expected)


@given(
    start=st.integers(0, 90),
    length=st.integers(1, 10),
    size=st.integers(1, 40),
    clear=st.integers(0, 20),
)
def test_elsewhere_is_clear_of_the_stretch_and_complete(start, length, size, clear):
    job = AudioJob(np.zeros(100, np.float32), start, start + length, RATE_HZ)
    near = set(range(start - clear, start + length + clear))
    expected = [s for s in range(101 - size) if not near & set(range(s, s + size))]
    if expected:
        assert find_disjoint_starts(job, size, clear=clear).tolist() == expected
    else:
        with pytest.raises(ForgeError, match="give a longer clip or shorter segments"):
            find_disjoint_starts(job, size, clear=clear)


@given(size=st.integers(0, 5000), fade=st.integers(0, 5000))
def test_plain_fades_never_leave_a_audio_alone_at_the_ends(size, fade):
    new, old = compute_fade_weights(size, fade)
    np.testing.assert_allclose(new**2 + old**2, 1.0, rtol=1e-12)
    assert (new > 0).all()
    np.testing.assert_allclose(new, new[::-1], atol=1e-12)


# --- spectra and rooms ---------------------------------------------------------------------


@given(size=st.integers(1024, 9000), window=st.sampled_from([512, 1024]))
@settings(max_examples=15, deadline=None)
def test_spectra_are_undone(size, window):
    audio = noise(1.0)[:size]
    np.testing.assert_allclose(invert_stft(compute_stft(audio, window), size), audio, atol=1e-5)


@given(window_s=st.floats(0.01, 0.1), rate_hz=st.sampled_from([8_000, 16_000, 44_100]))
def test_a_window_is_a_power_of_two_near_what_was_asked(window_s, rate_hz):
    size = window_size(window_s, rate_hz)
    assert size & (size - 1) == 0
    assert 2**-0.51 < size / (window_s * rate_hz) < 2**0.51


def test_a_throat_is_where_its_resonance_is():
    assert formant_of(vowel(1200)) == pytest.approx(1200, abs=70)


@pytest.mark.parametrize("size", [80, 1000, 40_000])
def test_a_room_audio_like_its_pauses(size):
    rng = np.random.default_rng(0)
    # Brown noise under speech: the room hums more than it hisses.
    hum = lfilter([0.01], [1.0, -0.95], rng.standard_normal(4 * RATE_HZ))
    audio = hum.astype(np.float32)
    audio[: 3 * RATE_HZ] += talk()[: 3 * RATE_HZ]
    tones = [room_tone(audio, size, RATE_HZ, np.random.default_rng(s)) for s in range(20)]
    assert all(t.shape == (size,) for t in tones)
    level = np.sqrt(np.mean(np.square(tones)))
    assert level == pytest.approx(compute_rms(audio[-RATE_HZ:]), rel=0.4)
    low, high = (
        np.mean([np.abs(np.fft.rfft(t))[part].mean() for t in tones])
        for part in (slice(1, size // 16), slice(size // 4, None))
    )
    assert low > 3 * high


def test_the_silence_that_an_encoder_adds_is_not_the_room():
    audio = noise(2.0)
    padded = np.concatenate([np.zeros(4000, np.float32), audio, np.zeros(9000, np.float32)])
    plain, of_padded = (
        room_tone(s, RATE_HZ, RATE_HZ, np.random.default_rng(0)) for s in (audio, padded)
    )
    np.testing.assert_allclose(of_padded, plain, atol=0.01)
    assert compute_rms(of_padded) > 0.08


def test_a_silent_clip_has_a_silent_room():
    tone_ = room_tone(np.zeros(RATE_HZ, np.float32), 500, RATE_HZ, np.random.default_rng(0))
    np.testing.assert_array_equal(tone_, 0)


# --- contracts -----------------------------------------------------------------------------


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
