"""Text-to-speech: installed programs, commands, and the formant voice."""

import stat
import sys

import numpy as np
import pytest

from mmmsba_plugin.errors import (
    ForgeError,
    MissingExtraError,
)
from mmmsba_plugin.forge.audio import tts_voices
from mmmsba_plugin.forge.audio.loudness import (
    compute_speech_share,
)
from mmmsba_plugin.forge.audio.source_filter_vocoder import (
    track_pitch,
)
from mmmsba_plugin.forge.audio.tts import SpeakAudio, SpeakConfig

from .speech import RATE_HZ, forge, job_at, strongest_hz

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
