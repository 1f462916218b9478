"""Make talking clips that anyone may keep: for the demo, for tests, for a first try.

A portrait speaks invented syllables. What its lips do and what its throat does come from
one score, so the clips are real in the only sense that matters here: audio and video
belong together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.datasets.lavdf_metadata import METADATA, entry, write_json
from mmmsba_plugin.errors import ConfigError, MissingExtraError
from mmmsba_plugin.forge.talking_head.formant_speech import SPEAKERS, compose, sing
from mmmsba_plugin.forge.talking_head.portrait import Portrait, Pose
from mmmsba_plugin.structures import Rgb
from mmmsba_plugin.timebase import Grid, frames_to_s, s_to_samples

_SAMPLE_RATE_HZ = 16_000
_BLINK_S = 0.15
_BLINK_EVERY_S = 3.0
_NOISE_SIGMA = 1.5
#: Below it the mouth is a handful of pixels, and its tracker guesses.
_MIN_SIZE_PX = 96


@dataclass(frozen=True, slots=True, eq=False)
class TalkingClip:
    """A clip of a talking head, and the motion of its mouth.

    Attributes:
        path: The file.
        speaker: Number of the voice, which is also the identity.
        pts_s: Presentation times of the frames, in seconds, shape ``(frame,)``.
        opening: How far the lips are apart there, in [0, 1], shape ``(frame,)``.
        width: How wide the mouth is there, in [0, 1], shape ``(frame,)``.
    """

    path: Path
    speaker: int
    pts_s: NDArray[np.float64]
    opening: NDArray[np.float64]
    width: NDArray[np.float64]


def make_talking_clip(
    path: Path,
    *,
    seconds: float,
    seed: int,
    speaker: int = 0,
    look: int | None = None,
    fps_hz: int | Fraction = 25,
    size_px: int = 320,
    sample_rate_hz: int = _SAMPLE_RATE_HZ,
) -> TalkingClip:
    """Write a clip of a portrait that speaks, lips and audio in step.

    Args:
        path: The file to write; the suffix names the container.
        seconds: Duration, in seconds.
        seed: Random seed of the syllables, the melody and the motion of the head.
        speaker: Number of the voice from 0; a dozen voices take turns.
        look: Number of the light and the side from which it is seen; the speaker's if not
            given.
        fps_hz: Frames per second.
        size_px: Side of the square frames; even.
        sample_rate_hz: Sample rate of the audio, in Hz; a multiple of 200.

    Raises:
        ConfigError: The clip would be too short or too small to show a mouth.
        MissingExtraError: scikit-image or SciPy is not installed.
    """
    from mmmsba_plugin.media.encode import write_clip

    if not seconds > 0:
        raise ConfigError(f"a clip must last longer than 0 s, got {seconds:g}")
    if size_px < _MIN_SIZE_PX or size_px % 2:
        raise ConfigError(f"size_px must be even and at least {_MIN_SIZE_PX}, got {size_px}")
    if missing := [name for name in ("scipy", "skimage") if find_spec(name) is None]:
        raise MissingExtraError(
            f"talking clips need {' and '.join(missing)}; install what the demo needs with: "
            "pip install 'mmmsba-plugin[demo]'"
        )
    voice = SPEAKERS[speaker % len(SPEAKERS)]
    rng = np.random.default_rng([seed, speaker])
    score = compose(voice, seconds=seconds, rng=rng)
    audio = sing(score, voice, sample_rate_hz=sample_rate_hz, rng=rng)
    num_frames = Grid(stride_s=frames_to_s(1, fps_hz)).num_snippets(seconds)
    pts_s = np.array([frames_to_s(i, fps_hz) for i in range(num_frames)])
    opening, width = score.at(pts_s)
    portrait = Portrait(size_px=size_px, look=speaker if look is None else look)
    frames = draw_frames(portrait, pts_s, opening=opening, width=width, rng=rng)
    write_clip(path, frames, fps_hz=fps_hz, audio=audio, sample_rate_hz=sample_rate_hz)
    return TalkingClip(path, speaker, pts_s, opening, width)


def make_talking_head_dataset(
    folder: Path, *, num_clips: int, seconds: float, seed: int, size_px: int = 320
) -> list[TalkingClip]:
    """Write clips of several speakers into ``folder``, with a ``metadata.json`` that names them.

    Args:
        folder: The dataset; made if need be.
        num_clips: Number of clips; the speakers take turns.
        seconds: Duration of each, in seconds.
        seed: Random seed of all clips.
        size_px: Side of the square frames, in px.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clips = [
        make_talking_clip(
            folder / f"speaker{i % len(SPEAKERS)}_{i // len(SPEAKERS):03d}.mp4",
            seconds=seconds,
            seed=seed + i,
            speaker=i % len(SPEAKERS),
            look=i,
            size_px=size_px,
        )
        for i in range(num_clips)
    ]
    entries = [
        entry(
            file=clip.path.name,
            split=None,
            identity=f"speaker{clip.speaker}",
            kind="real",
            duration_s=seconds,
            num_frames=clip.pts_s.size,
            num_audio_samples=s_to_samples(seconds, _SAMPLE_RATE_HZ),
        )
        for clip in clips
    ]
    write_json(folder / METADATA, entries)
    return clips


def draw_frames(
    portrait: Portrait,
    pts_s: NDArray[np.float64],
    *,
    opening: NDArray[np.float64],
    width: NDArray[np.float64],
    rng: np.random.Generator,
) -> Iterator[Rgb]:
    """Yield the frames of a portrait that moves its mouth, its head and its eyes.

    Args:
        portrait: The face.
        pts_s: Presentation times of the frames, in seconds, shape ``(frame,)``.
        opening: How far the lips are apart there, in [0, 1], shape ``(frame,)``.
        width: How wide the mouth is there, in [0, 1], shape ``(frame,)``.
        rng: Source of the motion and of the camera's noise.
    """
    poses, blinks = draw_poses(pts_s, rng), draw_blinks(pts_s, rng)
    for i in range(pts_s.size):
        frame = portrait.draw(
            opening=float(opening[i]), width=float(width[i]), blink=float(blinks[i]), pose=poses[i]
        )
        # The noise of a camera: a drawing without any is a clue.
        noise = _NOISE_SIGMA * rng.standard_normal((*frame.shape[:2], 1), dtype=np.float32)
        yield np.clip(frame + noise, 0, 255).astype(np.uint8)


def draw_poses(pts_s: NDArray[np.float64], rng: np.random.Generator) -> list[Pose]:
    """Draw the poses of a head that is not held still: it sways slowly, never the same."""
    rates_hz = rng.uniform(0.1, 0.45, size=(4, 2))
    phases = rng.uniform(0, 2 * np.pi, size=(4, 2))
    waves = np.sin(2 * np.pi * rates_hz * pts_s[:, None, None] + phases).mean(axis=-1)
    return [
        Pose(turn_deg=2.5 * w[0], scale=1.0 + 0.03 * w[1], shift=(0.02 * w[2], 0.015 * w[3]))
        for w in waves
    ]


def draw_blinks(pts_s: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw how far the lids are down at each time, in [0, 1], shape of ``pts_s``."""
    end_s = float(pts_s[-1])
    middles_s = np.cumsum(rng.uniform(0.5, 1.5, size=2 + int(2 * end_s)) * _BLINK_EVERY_S)
    away_s = np.abs(pts_s[:, None] - middles_s).min(axis=1)
    return np.asarray(np.clip(1.5 - away_s / (_BLINK_S / 2), 0.0, 1.0))
