"""Text-to-speech programs: found on this machine, and run as commands."""

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

EIGHT_BITS = """
import sys, wave
out = wave.open(sys.argv[-1], "wb")
out.setparams((1, 1, 8000, 0, "NONE", "none"))
out.writeframes(bytes(99))
"""


@pytest.mark.parametrize("name", ["espeak-ng", "flite", "piper"])
@pytest.mark.parametrize("channels", [1, 2])
def test_an_installed_program_says_one_of_our_passages(install, piper_model, name, channels):
    log = install(name, channels=channels)
    forger = SpeakAudio(SpeakConfig(voice=name, piper_model=piper_model))
    job = job_at(1.2, 0.5)
    fake = forge(forger, job)
    assert compute_speech_share(fake, RATE_HZ, like=job.audio) > 0.5
    # The tone of the script: 22,050 / (2 pi 9) Hz, whatever rate the clip has; a neural voice
    # is tuned.
    assert strongest_hz(fake) == pytest.approx(390, rel=0.17 if name == "piper" else 0.02)
    (arguments, text) = eval(log.read_text().splitlines()[0])  # noqa: S307 - our own script's
    assert text.decode().strip() in tts_voices.PASSAGES
    assert (str(piper_model) in arguments) == (name == "piper")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("espeak-ng", "'espeak-ng' is not installed; install espeak-ng, or let the voice be any"),
        ("flite", "'flite' is not installed; install flite"),
        ("piper", "'piper' is not installed; install piper-tts, and name the file of a voice"),
        ("hibari", "'hibari' is not installed; pip install 'mmmsba-plugin"),
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
    (piper,) = tts_voices.find_programs("piper")
    (hibari,) = tts_voices.find_programs("hibari")
    assert hibari.command[:3] == (sys.executable, "-m", "hibari.cli")
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
