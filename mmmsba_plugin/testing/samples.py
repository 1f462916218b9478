"""Made-up frames, audio and reports that the contracts feed to a plug-in.

All are the same at every call, and their arrays refuse to be written to, as the real ones
may be shared with other plug-ins.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.forger import AudioJob, FaceFrame, FrameJob
from mmmsba_plugin.hookspecs import API_VERSION
from mmmsba_plugin.schema import (
    AudioStream,
    Curves,
    FakeSegment,
    Media,
    ModalityReport,
    OptOut,
    Problem,
    Proposal,
    Provenance,
    Report,
    Status,
    Threshold,
    VideoStream,
)
from mmmsba_plugin.structures import AudioBlock, FaceCrop, Frame, Rgb
from mmmsba_plugin.timebase import frames_to_s, s_to_samples, samples_to_s
from mmmsba_plugin.tracks.mesh import LIPS_INNER, LIPS_OUTER

FPS_HZ = 25
SAMPLE_RATE_HZ = 16_000

_FACE_PX = 128
_MOUTH_XY_PX = (64.0, 96.0)
#: Points of the face mesh that front-ends and forgers name, in the pixels of the face cut.
_NAMED_POINTS = {
    1: (64, 68),  # tip of the nose
    2: (64, 76),  # its foot
    10: (64, 6),  # forehead
    152: (64, 124),  # chin
    234: (10, 66),  # cheeks
    454: (118, 66),
}

Array = TypeVar("Array", bound=NDArray[Any])


def media(duration_s: float, path: str = "sample.mp4") -> Media:
    """Make the media description of a clip of that length."""
    video = VideoStream(codec="h264", width_px=320, height_px=240, fps_hz=FPS_HZ)
    audio = AudioStream(codec="aac", sample_rate_hz=SAMPLE_RATE_HZ, channels=1)
    return Media(path=path, duration_s=duration_s, container="mp4", video=video, audio=audio)


def samples(duration_s: float) -> NDArray[np.float32]:
    """Return a voice-like hum that swells four times a second, shape ``(sample,)``."""
    num_samples = s_to_samples(duration_s, SAMPLE_RATE_HZ)
    times_s = np.arange(num_samples) / SAMPLE_RATE_HZ
    hum = sum(np.sin(2 * np.pi * 120 * k * times_s) / k for k in range(1, 12))
    swell = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * times_s)
    noise = np.random.default_rng(1).normal(0, 0.01, num_samples)
    return _locked((0.2 * swell * hum + noise).astype(np.float32))


def audio(duration_s: float, *, block_s: float = 0.25) -> list[AudioBlock]:
    """Return the same hum cut into blocks."""
    whole, step = samples(duration_s), s_to_samples(block_s, SAMPLE_RATE_HZ)
    return [
        AudioBlock(samples_to_s(i, SAMPLE_RATE_HZ), whole[i : i + step], SAMPLE_RATE_HZ)
        for i in range(0, len(whole), step)
    ]


def frames(duration_s: float) -> list[Frame]:
    """Return the frames of one person whose mouth opens and shuts, each all face."""
    return [Frame(face.pts_s, face.face) for face in _faces(duration_s)]


def faces(duration_s: float) -> list[FaceCrop]:
    """Return one person whose mouth opens and shuts four times a second."""
    return list(_faces(duration_s))


def _faces(duration_s: float) -> Iterator[FaceCrop]:
    for index in range(round(duration_s * FPS_HZ)):
        pts_s = frames_to_s(index, FPS_HZ)
        opening = 0.5 + 0.5 * np.sin(2 * np.pi * 4 * pts_s)
        face = _frame(opening, index)
        yield FaceCrop(
            pts_s=pts_s,
            track=0,
            face=face,
            lips=face[64:, 16:112],
            points=_locked(_points(opening).astype(np.float32)),
            native=face[6:124, 10:118],
            to_native=_locked(np.array([[1.0, 0.0, -10.0], [0.0, 1.0, -6.0]])),
            to_face=_locked(np.array([[1.0, 0.0, -96.0], [0.0, 1.0, -56.0]])),
            box_xyxy_px=(106.0, 62.0, 214.0, 180.0),
            confidence=0.95,
        )


def audio_job(duration_s: float = 4.0) -> AudioJob:
    """Return a job on the second second of the hum, with a donor and a counterpart."""
    start, end = s_to_samples(1.0, SAMPLE_RATE_HZ), s_to_samples(2.0, SAMPLE_RATE_HZ)
    whole = samples(duration_s)
    donor, counterpart = _locked(whole[::-1].copy()), _locked(np.roll(whole, 1_000))
    return AudioJob(whole, start, end, SAMPLE_RATE_HZ, donor, counterpart)


def frame_job(num_frames: int = 8) -> FrameJob:
    """Return a job on a few frames, with donors of both kinds whose mouths stand otherwise."""
    return FrameJob(
        frames=[_shot(0.2, index) for index in range(num_frames)],
        fps_hz=FPS_HZ,
        donors=[_shot(0.9, index + num_frames) for index in range(num_frames)],
        other_clip_donors=[_shot(0.5, index + 2 * num_frames) for index in range(num_frames)],
        counterpart=[_shot(0.7, index) for index in range(num_frames)],
    )


def report(status: Status, path: str = "clips/sample.mp4") -> Report:
    """Return a report of that status, with every part of it filled in."""
    common = {
        "media": media(4.0, path),
        "warnings": ("the audio starts 0.1 s late",),
        "provenance": Provenance(
            package_version="0.1", api_version=API_VERSION, formula_version=1, detector="sample"
        ),
    }
    if status != "ok":
        problem = Problem(kind="SampleError", message=f"nothing to judge in {path}; try another")
        return Report(status=status, problem=problem, **common)
    half = OptOut(start_s=2.0, end_s=4.0, reason="no face")
    return Report(
        status="ok",
        score=0.91,
        threshold=Threshold(value=0.5, false_positive_rate=0.05),
        segments=(FakeSegment(start_s=0.5, end_s=1.25, score=0.91, modality="audio", track=0),),
        modalities={
            "audio": ModalityReport(score=0.93),
            "lips": ModalityReport(score=0.2, opt_outs=(half,)),
        },
        proposals=(Proposal(start_s=0.5, end_s=1.3, score=0.91),),
        curves=Curves(start_s=0.0, stride_s=2.0, score=(0.91, 0.1)),
        **common,
    )


def clip(path: Path, duration_s: float = 2.0) -> Path:
    """Write a clip without a face in it, with the hum, and return its path."""
    from mmmsba_plugin.media.encode import write_clip

    frames = [face.face for face in _faces(duration_s)]
    write_clip(
        path, frames, fps_hz=FPS_HZ, audio=samples(duration_s), sample_rate_hz=SAMPLE_RATE_HZ
    )
    return path


def blank_clip(path: Path, duration_s: float = 2.0) -> Path:
    """Write a clip of black frames and digital silence, and return its path."""
    from mmmsba_plugin.media.encode import write_clip

    black = np.zeros((_FACE_PX, _FACE_PX, 3), dtype=np.uint8)
    frames = [black] * round(duration_s * FPS_HZ)
    silence = np.zeros_like(samples(duration_s))
    write_clip(path, frames, fps_hz=FPS_HZ, audio=silence, sample_rate_hz=SAMPLE_RATE_HZ)
    return path


def blank(observation: AudioBlock | FaceCrop | Frame) -> AudioBlock | FaceCrop | Frame:
    """Return an observation of the same time without anything in it."""
    if isinstance(observation, AudioBlock):
        silence = _locked(np.zeros_like(observation.samples))
        return replace(observation, samples=silence)
    if isinstance(observation, Frame):
        return replace(observation, rgb=_locked(np.zeros_like(observation.rgb)))
    images = {name: getattr(observation, name) for name in ("face", "lips", "native")}
    return replace(
        observation, **{name: _locked(np.zeros_like(image)) for name, image in images.items()}
    )


def _frame(opening: float, seed: int) -> Rgb:
    rows, columns = np.indices((_FACE_PX, _FACE_PX), dtype=np.float64)
    skin = np.stack([170 + rows / 4, 120 + columns / 4, 100 + rows / 8], axis=-1)
    across, down = (columns - _MOUTH_XY_PX[0]) / 24, (rows - _MOUTH_XY_PX[1]) / (4 + 10 * opening)
    skin[across**2 + down**2 < 1] = (70, 20, 25)
    grain = np.random.default_rng(seed).normal(0, 3, skin.shape)
    return _locked(np.clip(skin + grain, 0, 255).astype(np.uint8))


def _points(opening: float) -> NDArray[np.float64]:
    """Return 468 points over the face, those with a name in their place, shape ``(468, 2)``."""
    index = np.arange(468)
    radius, angle = 54 * np.sqrt((index + 0.5) / 468), index * np.pi * (3 - np.sqrt(5))
    around = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points: NDArray[np.float64] = 64.0 + radius[:, None] * around
    points[list(_NAMED_POINTS)] = list(_NAMED_POINTS.values())
    points[list(LIPS_OUTER)] = _ring(len(LIPS_OUTER), 28, 8 + 10 * opening)
    points[list(LIPS_INNER)] = _ring(len(LIPS_INNER), 24, 2 + 10 * opening)
    return points


def _ring(num_points: int, width_px: float, height_px: float) -> NDArray[np.float64]:
    """Return an ellipse about the mouth, from its left end on and down."""
    angle = np.pi - 2 * np.pi * np.arange(num_points) / num_points
    ring = np.stack([width_px * np.cos(angle), height_px * np.sin(angle)], axis=1)
    placed: NDArray[np.float64] = np.array(_MOUTH_XY_PX) + ring
    return placed


def _shot(opening: float, index: int) -> FaceFrame:
    return FaceFrame(frames_to_s(index, FPS_HZ), _frame(opening, index), _locked(_points(opening)))


def _locked(array: Array) -> Array:
    array.flags.writeable = False
    return array
