"""Fixtures that all tests share."""

from itertools import islice
from pathlib import Path

import pytest
from hypothesis import settings

# How long one example takes says more about what else runs on the machine than about us.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real footage and golden files beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("the folder shared/ with real footage is not beside this checkout")
    return SHARED


@pytest.fixture(scope="session")
def talking_clip(tmp_path_factory) -> Path:
    """A real clip of 3 s: a portrait that talks."""
    from mmmsba_plugin.forge.talking_head.clips import make_talking_clip

    path = tmp_path_factory.mktemp("talking") / "talking.mp4"
    return make_talking_clip(path, seconds=3.0, seed=1).path


@pytest.fixture(scope="session")
def silent_clip(talking_clip) -> Path:
    """The same clip without its audio."""
    from mmmsba_plugin.media.encode import write_clip
    from mmmsba_plugin.media.probe import probe
    from mmmsba_plugin.media.video import FrameReader

    path = talking_clip.with_name("silent.mp4")
    write_clip(path, FrameReader(probe(talking_clip)), fps_hz=25)
    return path


@pytest.fixture(scope="session")
def pair_clip(talking_clip, tmp_path_factory):
    """The talking clip, and beside it from the second second on the same, smaller and still."""
    import cv2
    import numpy as np

    from mmmsba_plugin.media.audio import read_audio
    from mmmsba_plugin.media.encode import write_clip
    from mmmsba_plugin.media.probe import probe
    from mmmsba_plugin.media.video import FrameReader
    from mmmsba_plugin.structures import Frame

    media = probe(talking_clip)
    frames = list(FrameReader(media))
    height, width = frames[0].rgb.shape[:2]
    still = cv2.resize(frames[0].rgb, None, fx=0.8, fy=0.8)
    composed = []
    for frame in frames:
        right = np.full((height, width, 3), 90, np.uint8)
        if frame.pts_s >= 1.0:
            right[: still.shape[0], : still.shape[1]] = still
        composed.append(Frame(frame.pts_s, np.concatenate([frame.rgb, right], axis=1)))
    path = tmp_path_factory.mktemp("pair") / "pair.mkv"
    audio = read_audio(media).samples
    write_clip(path, composed, fps_hz=25, audio=audio, audio_codec="pcm_s16le")
    return path


@pytest.fixture(scope="session")
def talking_head_dataset(tmp_path_factory) -> Path:
    """Forged and real clips of five voices of the portrait, in LAV-DF's layout."""
    from mmmsba_plugin.forge.dataset import forge_dataset
    from mmmsba_plugin.forge.talking_head.clips import make_talking_head_dataset
    from mmmsba_plugin.plugins import lookup

    folder = tmp_path_factory.mktemp("dataset")
    make_talking_head_dataset(folder / "genuine", num_clips=5, seconds=2.5, seed=3)
    forge_dataset(
        folder / "genuine",
        folder / "forged",
        per_clip=2,
        seed=0,
        forgers=[lookup("forgers", name) for name in ("splice", "mouth")],
    )
    return folder / "forged"


@pytest.fixture(scope="session")
def feature_cache(tmp_path_factory):
    """Cache of the features of the fixtures' clips, so that each is walked once."""
    from mmmsba_plugin.features.cache import FeatureCache

    return FeatureCache(tmp_path_factory.mktemp("cache") / "features")


@pytest.fixture(scope="session")
def checkpoint(talking_head_dataset, feature_cache, tmp_path_factory) -> Path:
    """A tiny network that was trained in earnest, but for two epochs and on one drawn face."""
    from mmmsba_plugin.config import FitConfig, TrainConfig
    from mmmsba_plugin.datasets.lavdf import read_lavdf
    from mmmsba_plugin.training.fit import fit

    config = FitConfig(
        network={"gru_units": 12, "dense_units": 8}, train=TrainConfig(batch_size=8, max_epochs=2)
    )
    out = tmp_path_factory.mktemp("trained") / "tiny"
    records = read_lavdf(talking_head_dataset)
    return fit(records, config, out, cache=feature_cache, trained_on="a talking head").checkpoint


@pytest.fixture
def bundled(checkpoint, monkeypatch) -> Path:
    """That network in the place of the bundled one."""
    from mmmsba_plugin import weights

    monkeypatch.delenv(weights.VARIABLE, raising=False)
    monkeypatch.setattr(weights, "HERE", checkpoint)
    return checkpoint


@pytest.fixture
def unbundled(monkeypatch, tmp_path_factory) -> Path:
    """An empty folder in the place of the bundled network."""
    from mmmsba_plugin import weights

    folder = tmp_path_factory.mktemp("nothing")
    monkeypatch.delenv(weights.VARIABLE, raising=False)
    monkeypatch.setattr(weights, "HERE", folder)
    return folder


@pytest.fixture(scope="session")
def detector(checkpoint, feature_cache):
    """The detector of that network. It is shared: change a copy."""
    from mmmsba_plugin.detector import MmmsbaDetector

    return MmmsbaDetector.from_pretrained(checkpoint, cache=feature_cache)


@pytest.fixture(scope="session")
def with_config(detector, feature_cache):
    """Function that copies the detector with other settings, and shares its cached features."""

    def make(**settings):
        config = detector.config.model_copy(update=settings)
        return type(detector)(detector.network, config, checkpoint="changed", cache=feature_cache)

    return make


@pytest.fixture(scope="session")
def at_score(detector, with_config):
    """Function that copies the detector with its thresholds of clips and segments at a score."""

    from mmmsba_plugin.schema import ScoreThreshold

    def make(score: float, **settings):
        localization = detector.config.localization
        thresholds = {"onset": score, "offset": min(score, localization.offset)}
        return with_config(
            score_threshold=ScoreThreshold(value=score),
            localization=localization.model_copy(update=thresholds),
            **settings,
        )

    return make


@pytest.fixture(scope="session")
def reports(detector, talking_head_dataset):
    """Reports on the first six clips of the dataset."""
    from mmmsba_plugin.datasets.lavdf import read_lavdf

    records = islice(read_lavdf(talking_head_dataset), 6)
    return list(detector.detect_many(record.media for record in records))


@pytest.fixture(scope="session")
def chromium():
    """A browser; a process can drive only one."""
    from . import browser

    with browser.browser() as running:
        yield running
