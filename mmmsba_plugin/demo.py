"""Demonstrate the package on clips that it makes itself.

A portrait is made to talk and a segment of it is fake; trained weights then look for it. In
the longer story a small network learns from some voices first, and evaluates one that it never
heard. Everything is the real thing but the clips: one drawn face, which proves nothing about
any other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mmmsba_plugin.config import FitConfig, TrainConfig
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.datasets.lavdf_metadata import METADATA
from mmmsba_plugin.detector import MmmsbaDetector
from mmmsba_plugin.errors import ForgeError
from mmmsba_plugin.evaluation.evaluate import Evaluation, measure
from mmmsba_plugin.evaluation.run import run, tables
from mmmsba_plugin.features.cache import FeatureCache
from mmmsba_plugin.forge.augment.pipeline import NO_PROCESSING
from mmmsba_plugin.forge.dataset import forge_dataset
from mmmsba_plugin.forge.talking_head.clips import make_talking_head_dataset
from mmmsba_plugin.forge.variants import ForgeConfig
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.record import Record
from mmmsba_plugin.report.text import ALTERED
from mmmsba_plugin.schema import Report
from mmmsba_plugin.timebase import clock

_NUM_CLIPS = 16
_CLIP_S = 4.0
_VARIANTS = 2
_FORGERS = ("splice", "mouth")
#: Small enough to learn in seconds; the rest is the paper's.
_SMALL = {"gru_units": 64, "dense_units": 32}

#: Of the one clip that trained weights are shown: long enough for its lips to be seen at rest
#: and at work.
_SHOWN_S = 6.0
#: What it is forged with: a mouth as lip-sync generators leave it.
_SHOWN_FORGER = "lowres-mouth"

#: What is to be known about what trained weights find in a drawing.
DRAWN_FACE_NOTE = (
    "This face is drawn, and the weights learned from filmed ones: what they find in it, or "
    "miss, says nothing about real footage"
)

OnStep = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Demo:
    """Result of the demo.

    Attributes:
        record: The clip that was evaluated, and its ground truth.
        report: Its report, with the ground truth among its warnings.
        untouched: Report of the same clip before it was forged.
        evaluation: Metrics of all held-out clips, where a network was trained.
    """

    record: Record
    report: Report
    untouched: Report | None = None
    evaluation: Evaluation | None = None


def show(folder: Path, *, seed: int = 0, on_step: OnStep = lambda _: None) -> Demo:
    """Make one clip, forge a segment of it, and look for it with the default weights.

    Args:
        folder: Folder of clips, features and checkpoint; a second run resumes there.
        seed: Random seed of all steps.
        on_step: Called with a description of each step.

    Raises:
        CheckpointNotFoundError: There are no default weights.
        MissingExtraError: The ``demo`` extra is not installed.
        ForgeError: The clip could not be forged.
    """
    detector = MmmsbaDetector.from_pretrained(cache=_cache(folder))
    on_step("making a talking clip")
    real = _talking(folder / "shown" / "genuine", num_clips=1, seconds=_SHOWN_S, seed=seed)
    on_step("forging a segment of it")
    dataset = folder / "shown" / "dataset"
    config = ForgeConfig(processing=NO_PROCESSING)
    forgers = [lookup("forgers", _SHOWN_FORGER)]
    forge_dataset(real, dataset, per_clip=1, seed=seed, forgers=forgers, config=config)
    on_step("looking for it")
    by_truth = {record.fake: record for record in read_lavdf(dataset)}
    untouched, report = (detector.detect(by_truth[fake].media) for fake in (False, True))
    return Demo(
        by_truth[True], _with_notes(report, by_truth[True], DRAWN_FACE_NOTE), untouched=untouched
    )


def learn_and_show(
    folder: Path, *, seed: int = 0, max_epochs: int = 40, on_step: OnStep = lambda _: None
) -> Demo:
    """Make clips, forge them, learn from some and evaluate the others.

    Args:
        folder: Folder of clips, features and checkpoint; a second run resumes there.
        seed: Random seed of all steps.
        max_epochs: Largest number of epochs.
        on_step: Called with a description of each step.

    Raises:
        MissingExtraError: The ``demo`` extra is not installed.
        ForgeError: No held-out clip could be forged.
    """
    from mmmsba_plugin.training.fit import fit

    on_step("making talking clips")
    real = _talking(folder / "genuine", num_clips=_NUM_CLIPS, seconds=_CLIP_S, seed=seed)
    on_step("forging segments of them")
    dataset = folder / "dataset"
    forgers = [lookup("forgers", name) for name in _FORGERS]
    forge_dataset(real, dataset, per_clip=_VARIANTS, seed=seed, forgers=forgers)
    on_step("learning from them")
    config = FitConfig(
        network=_SMALL,
        train=TrainConfig(
            batch_size=8,
            max_epochs=max_epochs,
            seed=seed,
            modality_dropout=0.2,
            labels_of="present",
            stop_by="snippet_auc",
            keep_by="snippet_auc",
        ),
    )
    checkpoint = fit(
        read_lavdf(dataset),
        config,
        folder / "checkpoint",
        cache=_cache(folder),
        workers=2,
        trained_on="one drawn face with a few synthetic voices (mmmsba demo)",
    ).checkpoint
    on_step("evaluating a voice it never heard")
    detector = MmmsbaDetector.from_pretrained(checkpoint, cache=_cache(folder))
    results = run(detector, read_lavdf(dataset, split="test"))
    example = next((result for result in results if result.record.fake), None)
    if example is None:
        raise ForgeError(
            f"no held-out clip could be forged; remove {folder} and try another --seed"
        )
    evaluation = measure(*tables(results, name="demo"))
    return Demo(example.record, _with_notes(example.report, example.record), evaluation=evaluation)


def truth_of(record: Record) -> str:
    """Format the ground truth of a clip: where and how it is fake."""
    altered = {ALTERED["audio"]: record.audio_truth, ALTERED["visual"]: record.visual_truth}
    return ", ".join(
        f"{clock(segment.start_s)} to {clock(segment.end_s)} ({modality})"
        for modality, truth in altered.items()
        for segment in truth or ()
    )


def _talking(folder: Path, *, num_clips: int, seconds: float, seed: int) -> Path:
    # Written last, so without it the clips are not all there.
    if not (folder / METADATA).is_file():
        make_talking_head_dataset(folder, num_clips=num_clips, seconds=seconds, seed=seed)
    return folder


def _with_notes(report: Report, record: Record, *more: str) -> Report:
    """Return a report that also says what is known of the clip, for whoever reads its page."""
    truth = f"This clip was made by mmmsba demo; what is fake in it: {truth_of(record)}"
    return report.model_copy(update={"warnings": (*report.warnings, truth, *more)})


def _cache(folder: Path) -> FeatureCache:
    return FeatureCache(folder / "features")
