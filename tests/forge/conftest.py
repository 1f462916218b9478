"""Real and forged datasets, and a clip of a talking head."""

from pathlib import Path

import pytest

from mmmsba_plugin.config import TracksConfig
from mmmsba_plugin.forge.dataset import forge_dataset
from mmmsba_plugin.forge.donors import Donors
from mmmsba_plugin.forge.face_trace import trace_face
from mmmsba_plugin.forge.source_clip import FaceTraceStore
from mmmsba_plugin.forge.sources import find_sources
from mmmsba_plugin.forge.talking_head.clips import make_talking_clip, make_talking_head_dataset
from mmmsba_plugin.forge.variants import VariantWriter
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader

from .clips import OPTIONS, RATE_HZ, UNTOUCHED


@pytest.fixture(scope="session")
def real(tmp_path_factory):
    """Five speakers with a clip each, of whom three share the training split."""
    folder = tmp_path_factory.mktemp("genuine")
    make_talking_head_dataset(folder, num_clips=5, seconds=2.4, seed=1, size_px=160)
    return folder


@pytest.fixture(scope="session")
def fake(real, tmp_path_factory):
    out = tmp_path_factory.mktemp("forged")
    return out, forge_dataset(real, out, **OPTIONS)


@pytest.fixture
def encoded_streams(monkeypatch):
    """The frames and the audio of each file before encoding, by its name."""
    streams = {}

    def keep(path, frames, *, audio, **_):
        streams[Path(path).name] = ([(p.pts_s, p.rgb) for p in frames], audio)

    monkeypatch.setattr("mmmsba_plugin.forge.variants.write_clip", keep)
    return streams


@pytest.fixture
def variant_writer(real, tmp_path):
    """The variant writer of one clip, and its donors."""
    sources, _ = find_sources(real, seed=4, min_clip_s=1.0, split="train")
    traces = FaceTraceStore(tmp_path / "traces", UNTOUCHED.tracks, UNTOUCHED.max_short_side_px)
    donors = Donors(sources[0], sources, traces, RATE_HZ)
    writer = VariantWriter(sources[0], tmp_path, traces=traces, config=UNTOUCHED, seed=4)
    return writer, donors


@pytest.fixture(scope="session")
def talking(tmp_path_factory):
    """Frames of a talking head and its face trace."""
    path = tmp_path_factory.mktemp("forge") / "talking.mp4"
    make_talking_clip(path, seconds=3, seed=11)
    frames = list(FrameReader(probe(path)))
    return frames, trace_face(frames, fps_hz=25, config=TracksConfig())
