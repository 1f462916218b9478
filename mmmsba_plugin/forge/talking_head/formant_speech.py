"""Synthesize speech together with the mouth that says it.

Source and filter, as in Klatt's synthesizers: pulses of a glottis and noise go through
resonators whose frequencies glide from vowel to vowel. The syllables that move the
resonators also move the mouth, so lips and audio are truly in step. Nobody's voice is in it.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.timebase import s_to_samples, samples_to_s

#: How often the mouth and the resonators are set anew. A consonant lasts about 60 ms.
CONTROL_HZ = 200
_GLIDE_S = 0.05
_FULL_VOICE = 0.5
_FORMANT_WIDTHS_HZ = (80.0, 100.0, 140.0, 220.0)

#: Opening, width, voice, hiss, then four formants in Hz.
_Row = tuple[float, ...]


class Vowel(NamedTuple):
    """Vowel: formants, and shape of the lips.

    Formants follow the order of Peterson and Barney's averages (1952), rounded; opening and
    width of the mouth, in [0, 1], follow from the first and the second.
    """

    formants_hz: tuple[float, float, float, float]
    opening: float
    width: float


class Consonant(NamedTuple):
    """Consonant before a vowel: mouth opening, and loudness of voice and hiss."""

    opening: float
    voice: float
    hiss: float


VOWELS = (
    Vowel((750, 1200, 2500, 3500), 1.0, 0.6),
    Vowel((530, 1850, 2500, 3500), 0.6, 0.8),
    Vowel((290, 2250, 3000, 3700), 0.3, 1.0),
    Vowel((550, 900, 2450, 3400), 0.7, 0.25),
    Vowel((320, 850, 2250, 3300), 0.25, 0.0),
)
CONSONANTS = (
    Consonant(0.0, 0.35, 0.0),  # m, b: lips shut, voice through the nose
    Consonant(0.0, 0.0, 0.02),  # p
    Consonant(0.2, 0.0, 0.35),  # s
    Consonant(0.2, 0.1, 0.1),  # d, t
)
_REST = Vowel((500, 1500, 2500, 3500), 0.0, 0.5)


@dataclass(frozen=True, slots=True)
class Speaker:
    """A voice.

    Attributes:
        pitch_hz: Middle of its melody.
        formant_scale: Above 1 for a shorter throat than a grown man's.
        breath: Noise mixed into the voice, as a share of it.
        syllables_hz: Syllables a second.
    """

    pitch_hz: float = 115.0
    formant_scale: float = 1.0
    breath: float = 0.05
    syllables_hz: float = 4.2


SPEAKERS = (
    Speaker(),
    Speaker(pitch_hz=205.0, formant_scale=1.17, breath=0.1, syllables_hz=4.8),
    Speaker(pitch_hz=92.0, formant_scale=0.94, breath=0.03, syllables_hz=3.6),
    Speaker(pitch_hz=250.0, formant_scale=1.24, breath=0.08, syllables_hz=4.4),
    Speaker(pitch_hz=150.0, formant_scale=1.06, breath=0.15, syllables_hz=5.2),
    Speaker(pitch_hz=108.0, formant_scale=1.02, breath=0.12, syllables_hz=4.0),
    Speaker(pitch_hz=225.0, formant_scale=1.12, breath=0.05, syllables_hz=3.9),
    Speaker(pitch_hz=82.0, formant_scale=0.9, breath=0.09, syllables_hz=4.5),
    Speaker(pitch_hz=180.0, formant_scale=1.2, breath=0.04, syllables_hz=5.0),
    Speaker(pitch_hz=135.0, formant_scale=0.97, breath=0.02, syllables_hz=4.9),
    Speaker(pitch_hz=270.0, formant_scale=1.15, breath=0.13, syllables_hz=4.2),
    Speaker(pitch_hz=165.0, formant_scale=1.1, breath=0.07, syllables_hz=3.7),
)


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """Control track of mouth and voice, one row every 1 / CONTROL_HZ s.

    Attributes:
        opening: How far the lips are apart, in [0, 1], shape ``(row,)``.
        width: How wide the mouth is, in [0, 1], shape ``(row,)``.
        voice: Loudness of the voice, in [0, 1], shape ``(row,)``.
        hiss: Loudness of noise at the teeth, in [0, 1], shape ``(row,)``.
        formants_hz: Shape ``(row, 4)``.
    """

    opening: NDArray[np.float64]
    width: NDArray[np.float64]
    voice: NDArray[np.float64]
    hiss: NDArray[np.float64]
    formants_hz: NDArray[np.float64]

    def at(self, times_s: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return opening and width of the mouth at some times, each of their shape."""
        rows_s = np.arange(self.opening.size) / CONTROL_HZ
        return np.interp(times_s, rows_s, self.opening), np.interp(times_s, rows_s, self.width)


def compose(speaker: Speaker, *, seconds: float, rng: np.random.Generator) -> Score:
    """Draw syllables in phrases, with pauses between them, for ``seconds``."""
    num_rows = s_to_samples(seconds, CONTROL_HZ) + 1
    rows: list[_Row] = []
    while len(rows) < num_rows:
        for _ in range(rng.integers(3, 9)):
            vowel = VOWELS[rng.integers(len(VOWELS))]
            consonant = CONSONANTS[rng.integers(len(CONSONANTS))]
            num_syllable = s_to_samples(rng.uniform(0.8, 1.25) / speaker.syllables_hz, CONTROL_HZ)
            num_before = s_to_samples(0.07, CONTROL_HZ)
            stress, mouth = rng.uniform(0.7, 1.0), (consonant.opening, vowel.width)
            before: _Row = (*mouth, consonant.voice, consonant.hiss, *vowel.formants_hz)
            core: _Row = (stress * vowel.opening, vowel.width, stress, 0.0, *vowel.formants_hz)
            rows += [before] * num_before + [core] * (num_syllable - num_before)
        pause: _Row = (_REST.opening, _REST.width, 0.0, 0.0, *_REST.formants_hz)
        rows += [pause] * s_to_samples(rng.uniform(0.15, 0.4), CONTROL_HZ)
    # Corners are rounded: tongue and lips have mass.
    window = np.hanning(s_to_samples(2 * _GLIDE_S, CONTROL_HZ) + 2)[1:-1]
    ends = (window.size // 2, (window.size - 1) // 2)
    opening, width, voice, hiss, *formants_hz = (
        np.convolve(np.pad(column, ends, mode="edge"), window / window.sum(), mode="valid")
        for column in np.array(rows[:num_rows]).T
    )
    return Score(opening, width, voice, hiss, np.column_stack(formants_hz))


def sing(
    score: Score, speaker: Speaker, *, sample_rate_hz: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Synthesize the audio of a score, shape ``(sample,)``, in [-1, 1].

    Args:
        score: Motion of mouth and voice.
        speaker: The voice.
        sample_rate_hz: Sample rate, in Hz; a multiple of ``CONTROL_HZ``.
        rng: Source of melody and noise.
    """
    per_row = sample_rate_hz // CONTROL_HZ
    num_samples = (score.voice.size - 1) * per_row
    rows = np.arange(num_samples) / per_row
    voice, hiss = (np.interp(rows, np.arange(c.size), c) for c in (score.voice, score.hiss))
    noise = rng.standard_normal(num_samples)
    source = voice * (
        _make_pulses(speaker, num_samples, sample_rate_hz, rng) + speaker.breath * noise
    )
    audio = filter_formants(source, score.formants_hz * speaker.formant_scale, sample_rate_hz)
    loud = audio[voice > _FULL_VOICE]
    audio = audio / max(1e-9, float(np.sqrt(np.mean(loud**2))) if loud.size else 0.0)
    # First difference: the hiss of an s lies above the formants. A little room noise under
    # everything, because digital silence is a clue that no microphone leaves.
    mix = 0.12 * audio + 0.1 * hiss * np.diff(noise, prepend=0.0) + 4e-4 * noise
    return np.clip(mix, -0.99, 0.99).astype(np.float32)


def _make_pulses(
    speaker: Speaker, num_samples: int, sample_rate_hz: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the breath pulses of a glottis whose pitch wanders."""
    from scipy.signal import lfilter

    num_knots = 2 + int(3 * samples_to_s(num_samples, sample_rate_hz))
    knots = rng.normal(0.0, 0.08, size=num_knots)
    melody = np.interp(np.linspace(0, knots.size - 1, num_samples), np.arange(knots.size), knots)
    phase = np.cumsum(speaker.pitch_hz * np.exp(melody) / sample_rate_hz)
    pulses = np.diff(np.floor(phase), prepend=0.0)
    # Two leaky integrators: the -12 dB an octave of a glottal pulse.
    glottis: NDArray[np.float64] = lfilter([1.0], np.convolve([1.0, -0.96], [1.0, -0.6]), pulses)
    return np.asarray(glottis - glottis.mean())


def filter_formants(
    source: NDArray[np.float64], formants_hz: NDArray[np.float64], sample_rate_hz: int
) -> NDArray[np.float64]:
    """Filter a source by resonators in a row, which are set anew every control row.

    Args:
        source: Shape ``(sample,)``.
        formants_hz: Centres of the resonators, in Hz, shape ``(row, formant)``.
        sample_rate_hz: Sample rate, in Hz.
    """
    from scipy.signal import sosfilt

    per_row = sample_rate_hz // CONTROL_HZ
    # Second-order sections of unit gain at zero, shape ``(row, formant, 6)``.
    radius = np.exp(-np.pi * np.array(_FORMANT_WIDTHS_HZ) / sample_rate_hz)
    angle = 2 * np.pi * np.minimum(formants_hz, 0.45 * sample_rate_hz) / sample_rate_hz
    sections = np.zeros((*formants_hz.shape, 6))
    sections[..., 3] = 1.0
    sections[..., 4] = -2 * radius * np.cos(angle)
    sections[..., 5] = radius**2
    sections[..., 0] = sections[..., 3:].sum(axis=-1)
    state = np.zeros((formants_hz.shape[1], 2))
    audio = np.empty_like(source)
    for row in range(source.size // per_row):
        block = slice(row * per_row, (row + 1) * per_row)
        audio[block], state = sosfilt(sections[row], source[block], zi=state)
    return audio
