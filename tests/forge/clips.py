"""Forgers, clips and face traces for the tests of the forging pipeline."""

import json

import numpy as np

from mmmsba_plugin.config import Config
from mmmsba_plugin.forge.audio.shift import ShiftAudio, ShiftConfig
from mmmsba_plugin.forge.audio.splice import SpliceAudio, SpliceConfig
from mmmsba_plugin.forge.augment.pipeline import NO_PROCESSING
from mmmsba_plugin.forge.face_trace import FaceTrace
from mmmsba_plugin.forge.recipes import ForgerSet
from mmmsba_plugin.forge.variants import ForgeConfig
from mmmsba_plugin.forge.visual.mouth_swap import MouthConfig, MouthSwap
from mmmsba_plugin.hookspecs import Forger
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.tracks.mesh import LIPS_INNER, LIPS_OUTER

RATE_HZ = 16_000
SPLICE = Forger(
    name="splice", modality="audio", summary="Words.", config=SpliceConfig, build=SpliceAudio
)
SHIFT = Forger(
    name="shift", modality="audio", summary="Late words.", config=ShiftConfig, build=ShiftAudio
)
MOUTH = Forger(
    name="mouth", modality="visual", summary="Lips.", config=MouthConfig, build=MouthSwap
)
UNTOUCHED = ForgeConfig(processing=NO_PROCESSING, mixed_share=0)
OPTIONS = {"per_clip": 3, "real_per_clip": 2, "seed": 4, "forgers": [SPLICE, MOUTH]}


def metadata(out):
    return json.loads((out / "metadata.json").read_text())


def described(folder, *entries):
    (folder / "metadata.json").write_text(json.dumps(list(entries)))


def dataset_files(out):
    return {
        p.relative_to(out).as_posix(): p.read_bytes()
        for p in sorted(out.rglob("*"))
        if p.is_file() and ".progress" not in p.parts
    }


def names_of(forgers, rng_seed, number, mixed_share=0.0):
    recipe = next(
        forgers.recipes(number, mixed_share=mixed_share, rng=np.random.default_rng(rng_seed))
    )
    return [n for n, _ in recipe.audios], [n for n, _ in recipe.frames]


def forger_set(num_audios, num_frames):
    forger = Shouting(Loud())
    return ForgerSet(
        tuple((f"audio{i}", forger) for i in range(num_audios)),
        tuple((f"frames{i}", forger) for i in range(num_frames)),
    )


class Loud(Config):
    level: float = 0.5


class Shouting:
    """A forger of another distribution: needs no donor, and has a setting."""

    needs_donor = False

    def __init__(self, config):
        self.level = config.level

    def forge_audio(self, job, rng):
        return np.full(job.span.size, self.level, dtype=np.float32)


def talk(rng, seconds, *, level=0.1):
    """Noise that comes and goes four times a second: speech, as far as loudness goes."""
    times_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    swell = np.clip(np.sin(2 * np.pi * 2 * times_s), 0, None)
    return (level * swell * rng.standard_normal(times_s.size)).astype(np.float32)


def still(path, seconds, *, audio=True):
    """Write a grey clip without a face."""
    rng = np.random.default_rng(0)
    frames = [np.full((64, 64, 3), 90 + i, np.uint8) for i in range(round(seconds * 25))]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_clip(path, frames, fps_hz=25, audio=talk(rng, seconds) if audio else None)


def face_at(indices, num_frames, *, fps_hz=25.0, seed=0):
    """A trace whose face is seen in some frames, with lips that differ from each to each."""
    rng = np.random.default_rng(seed)
    points = np.zeros((num_frames, 468, 2), dtype=np.float32)
    points[:, [*LIPS_OUTER, *LIPS_INNER]] += rng.normal(0, 3, (num_frames, 40, 2))
    track = np.full(num_frames, -1)
    track[list(indices)] = 0
    to_face = np.tile(np.eye(2, 3), (num_frames, 1, 1))
    return FaceTrace(np.arange(num_frames + 1) / fps_hz, track, points, to_face)


def shots(talking, indices):
    frames, face = talking
    return [face.face_frame(i, frames[i]) for i in indices]
