"""Pairs of a real clip and a fake of the whole of it, aligned frame by frame."""

import json

import numpy as np

from mmmsba_plugin.config import TracksConfig
from mmmsba_plugin.forge.face_trace import trace_face
from mmmsba_plugin.forge.talking_head.clips import make_talking_clip
from mmmsba_plugin.forge.visual import face_regions
from mmmsba_plugin.forge.visual.blend import Patch
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.structures import Frame

from .clips import talk

SECONDS = 3.0


def real_entry(file, split, identity, **more):
    return {
        "file": file, "n_fakes": 0, "fake_periods": [], "duration": SECONDS, "split": split,
        "identity": identity, "original": None, "use": "all", **more,
    }  # fmt: skip


def fake_entry(file, split, identity, original, *, audio=False, generator="Dubber", **more):
    whole = [[0.0, SECONDS]]
    return {
        "file": file, "n_fakes": 1, "fake_periods": whole, "duration": SECONDS, "split": split,
        "identity": identity, "original": original, "modify_video": True, "modify_audio": audio,
        "visual_fake_segments": whole, "audio_fake_segments": whole if audio else [],
        "kind": "fake_full", "generator": generator, "attack": "lip-sync", "use": "all", **more,
    }  # fmt: skip


def write_pair(folder, name, seed, *, audio=False, still_from=None):
    """Write a real clip and a fake of it whose face is inverted, from which on it is not."""
    real = make_talking_clip(folder / f"{name}.mp4", seconds=SECONDS, seed=seed, size_px=160).path
    frames = list(FrameReader(probe(real)))
    face = trace_face(frames, fps_hz=25, config=TracksConfig())
    new = []
    for index, frame in enumerate(frames):
        rgb = frame.rgb
        if still_from is None or index < still_from:
            shot = face.face_frame(index, frame)
            patch = Patch(shot, face_regions.whole_face(shot, size=0.8), 2.0)
            rgb = patch.lay(255 - patch.here)
        new.append(Frame(frame.pts_s, rgb))
    voice = talk(np.random.default_rng(seed), SECONDS) if audio else None
    # Little compression, so that the frames that were left alone are known by their looks.
    write_clip(folder / f"{name}_fake.mp4", new, fps_hz=25, audio=voice, crf=10)


def write_metadata(folder, *entries):
    (folder / "metadata.json").write_text(json.dumps(entries))
