"""The whole way in two minutes, on clips that the package makes itself.

A portrait is made to talk, stretches of its clips are forged, a small network learns from
some voices, and a clip of a voice that it never heard is judged. Everything is the real
thing but the footage: the network learned from one drawn face and must not be used for any
other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mmmsba_plugin.config import FitConfig, TrainConfig
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.datasets.record import Record
from mmmsba_plugin.detector import MmmsbaDetector
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.evaluation.measure import Evaluation, measure
from mmmsba_plugin.evaluation.protocol import run, tables
from mmmsba_plugin.features.store import FeatureStore
from mmmsba_plugin.forge.corpus import forge_corpus
from mmmsba_plugin.forge.layout import METADATA
from mmmsba_plugin.forge.puppet import make_talking_corpus
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.schema import Report

_NUM_CLIPS = 24
_CLIP_S = 4.0
_VARIANTS = 3
#: Small enough to learn in seconds; the rest is the paper's.
_SMALL = {"gru_units": 64, "dense_units": 32}


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo leaves.

    Attributes:
        checkpoint: The trained weights.
        record: The held-out clip that was judged, and its truth.
        report: What was said about it.
        evaluation: How all held-out clips went.
    """

    checkpoint: Path
    record: Record
    report: Report
    evaluation: Evaluation


def run_demo(
    folder: Path,
    *,
    seed: int = 0,
    max_epochs: int = 40,
    say: Callable[[str], None] = lambda _: None,
) -> Demo:
    """Make clips, forge them, learn from some and judge the others.

    Args:
        folder: Where everything goes; a second run takes up what is there.
        seed: Of everything random.
        max_epochs: Most passes over the data.
        say: Hears what is being done.

    Raises:
        MissingExtraError: What the ``demo`` extra installs is not there.
        DatasetError: No held-out clip was forged.
    """
    say("making talking clips")
    genuine, corpus = folder / "genuine", folder / "corpus"
    # Written last, so without it the clips are not all there.
    if not (genuine / METADATA).is_file():
        make_talking_corpus(genuine, num_clips=_NUM_CLIPS, seconds=_CLIP_S, seed=seed)
    say("forging stretches of them")
    forgers = [lookup("forgers", name) for name in ("splice", "mouth")]
    forge_corpus(genuine, corpus, per_clip=_VARIANTS, seed=seed, forgers=forgers)
    say("learning from them")
    checkpoint = _learn(corpus, folder, seed=seed, max_epochs=max_epochs)
    say("judging a voice it never heard")
    detector = MmmsbaDetector.from_pretrained(checkpoint, store=_store(folder))
    judged = run(detector, read_lavdf(corpus, split="test"))
    shown = next((one for one in judged if one.record.forged), None)
    if shown is None:
        raise DatasetError(f"no held-out clip was forged; remove {folder} and try another --seed")
    return Demo(checkpoint, shown.record, shown.report, measure(*tables(judged, name="demo")))


def _learn(corpus: Path, folder: Path, *, seed: int, max_epochs: int) -> Path:
    from mmmsba_plugin.training.fit import fit

    config = FitConfig(
        network=_SMALL, train=TrainConfig(batch_size=8, max_epochs=max_epochs, seed=seed)
    )
    return fit(
        read_lavdf(corpus),
        config,
        folder / "checkpoint",
        store=_store(folder),
        workers=2,
        trained_on="one drawn face with a few synthetic voices (mmmsba demo)",
    ).checkpoint


def _store(folder: Path) -> FeatureStore:
    return FeatureStore(folder / "features")
