"""Networks that tables need: trained, run on test clips and measured, each of it once.

Everything lies in one folder. ``runs/`` holds training runs, ``answers/`` what each network
says about each dataset, ``silence/`` how long its clips are silent at first, one line a clip.
All are named by a hash of what decides them, so other settings are another run beside the
first, and never a mixture.
"""

import functools
import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from mmmsba_plugin.config import FitConfig
from mmmsba_plugin.datasets.load import DatasetSource
from mmmsba_plugin.errors import DatasetError, MissingExtraError
from mmmsba_plugin.evaluation.evaluate import Evaluation, measure
from mmmsba_plugin.evaluation.run import ClipPrediction, leading_silences, run_resumable, table_of
from mmmsba_plugin.evaluation.silence_audit import silence_auc
from mmmsba_plugin.evaluation.tables import GroundTruth, Predictions
from mmmsba_plugin.features.cache import FeatureCache
from mmmsba_plugin.features.extract import extract, media_of
from mmmsba_plugin.features.front_ends import bind_front_ends
from mmmsba_plugin.files import atomic_write
from mmmsba_plugin.media.silence import SILENT_DB
from mmmsba_plugin.record import Record
from mmmsba_plugin.reproduce.datasets import (
    SPLIT_NOTES,
    TEST_CLIPS,
    Tested,
    TrainingSet,
    clips_to_learn,
    clips_to_test,
    digest_of,
    is_stand_in,
    title,
)
from mmmsba_plugin.reproduce.missing import COMPLETE, Missing, PartialDetector
from mmmsba_plugin.reproduce.plan import Training
from mmmsba_plugin.reproduce.result import Run, Silence

_TIOUS = (0.5, 0.75, 0.95)
_NUM_PROPOSALS = (10, 20, 50, 100)
_TRAINED_FILE = "made.json"


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings that all tables of a run have in common.

    Attributes:
        fit: How networks are trained; each table's methods are put over it.
        seeds: One training run of each.
        limit: At most as many clips of each split; all if None.
        num_resamples: Draws for the intervals.
        workers: Clips read at a time.
    """

    fit: FitConfig = field(default_factory=FitConfig)
    seeds: tuple[int, ...] = (0, 1, 2)
    limit: int | None = None
    num_resamples: int = 1000
    workers: int = 1


@dataclass(frozen=True, slots=True)
class _Trained:
    """A finished training run."""

    name: str
    folder: Path
    state: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Measured:
    """A network of one seed, tested on the test clips of a dataset.

    Attributes:
        evaluation: Its metrics.
        run: What stands behind them.
        notes: What a reader must know, a sentence each.
        predictions: Its scores, which others are compared with.
    """

    evaluation: Evaluation
    run: Run
    notes: tuple[str, ...]
    predictions: Predictions


class Networks:
    """Train, run and measure networks; what several tables need is done once.

    Args:
        datasets: Those there are, by name.
        settings: What all networks have in common.
        out: Where everything goes.
        cache: Where features are kept; the user's cache if not given.
        on_step: Called with what is being done.
        on_clip: Called with ``read`` for training, ``evaluated``, or ``checked for silence`` at
            its start, and the name of each clip.
        progress: Whether training shows a progress bar.
    """

    def __init__(
        self,
        datasets: Mapping[str, DatasetSource],
        settings: Settings,
        out: Path,
        *,
        cache: FeatureCache | None = None,
        on_step: Callable[[str], None] = lambda _: None,
        on_clip: Callable[[str, str], None] = lambda _what, _clip: None,
        progress: bool = False,
    ) -> None:
        self.datasets = datasets
        self.settings = settings
        self.out = out
        self.on_step = on_step
        self._cache = cache or FeatureCache()
        self._on_clip = on_clip
        self._progress = progress
        self.tested = functools.cache(
            lambda name: clips_to_test(datasets[name], limit=settings.limit)
        )
        self.measured = functools.cache(self.evaluate)
        self.silence = functools.cache(self.leading_silence)
        self._training_set = functools.cache(self._read_training_set)
        self._trained = functools.cache(self._train)

    def evaluate(
        self,
        training: Training,
        test: str,
        seed: int,
        *,
        localizes: bool,
        missing: Missing = COMPLETE,
    ) -> Measured:
        """Train a network, run it on the test clips of a dataset, and measure it.

        Args:
            training: What it is trained on, and how.
            test: Name of the dataset that it is tested on.
            seed: Random seed of its training.
            localizes: Whether localization is measured.
            missing: What is taken away from the test clips.

        Raises:
            DatasetError: Clips of training and test overlap, or the test does not say where its
                clips are fake and localization is asked for.
        """
        dataset, tested = self.datasets[test], self.tested(test)
        if localizes and any(record.whole_clip for record in tested.records):
            raise DatasetError(
                f"{title(dataset)} does not say where its clips are fake, so localization cannot "
                "be measured on it; give a dataset with segments"
            )
        _, training_set = self._training_set(training.dataset, seed)
        num_shared = training_set.shared_with(dataset, tested.records)
        trained = self._trained(training, seed)
        clip_predictions = self._predict(trained, dataset, tested, missing)
        predictions = table_of(clip_predictions, name=training.method.name)
        scores = replace(predictions, proposals=None)
        evaluation = measure(
            predictions if localizes else scores,
            GroundTruth.of(tested.records),
            tious=_TIOUS if localizes else (),
            num_proposals=_NUM_PROPOSALS if localizes else (),
            num_resamples=self.settings.num_resamples,
        )
        run = Run(
            seed=seed,
            run=trained.name,
            num_train=trained.state["num_train"],
            num_validation=trained.state["num_validation"],
            num_skipped=len(trained.state["skipped"]),
            threshold=predictions.threshold,
            num_real=evaluation.num_real,
            num_fake=evaluation.num_fake,
            not_evaluated={
                key: clip_predictions[key].problem or "" for key in evaluation.not_evaluated
            },
        )
        notes = tuple(self._notes(dataset, tested, run, num_shared))
        return Measured(evaluation, run, notes, scores)

    def _notes(
        self, dataset: DatasetSource, tested: Tested, run: Run, num_shared: int
    ) -> Iterator[str]:
        """Yield notes on how a dataset was tested on."""
        num_tested, limit = len(tested.records), self.settings.limit
        if limit is not None:
            yield f"limited to {limit} clips of each split"
        if not is_stand_in(dataset):
            if dataset.name in SPLIT_NOTES:
                yield SPLIT_NOTES[dataset.name]
            whole = TEST_CLIPS.get(dataset.name)
            if whole is not None and not limit and num_tested != whole:
                yield f"{num_tested} of the {whole} test clips of the whole dataset"
        if tested.split != "test":
            yield f"tested on split {tested.split!r}, as there is no test split with truth"
        if run.not_evaluated:
            yield f"{len(run.not_evaluated)} of {num_tested} test clips could not be evaluated"
        if num_shared:
            yield f"{num_shared} people of the test clips were learned from, in other footage"

    def _predict(
        self, trained: _Trained, dataset: DatasetSource, tested: Tested, missing: Missing
    ) -> dict[str, ClipPrediction]:
        detector = PartialDetector.of_checkpoint(trained.folder, missing, cache=self._cache)
        settings = {"by": dict(detector.info), "reader": dataset.reader, "root": str(dataset.root)}
        if missing != COMPLETE:
            settings["missing"] = asdict(missing)
        file = f"{_file_name(dataset)}-{_hash(settings)}.jsonl"
        self.on_step(f"evaluating {title(dataset)} by {trained.name}")

        def prepare(record: Record) -> None:
            media = media_of(record.media, detector.front_ends, duration_s=record.duration_s)
            extract(media, detector.front_ends, detector.config.features, cache=self._cache)

        return run_resumable(
            detector,
            tested.records,
            self.out / "answers" / trained.name / file,
            prepare=prepare,
            workers=self.settings.workers,
            on_clip=lambda clip: self._on_clip("evaluated", clip),
        )

    def leading_silence(self, name: str) -> Silence | None:
        """Compute the AUC of leading silence alone on the test clips of a dataset.

        Returns:
            None if it is not defined, as where no clip has audio.
        """
        dataset, tested = self.datasets[name], self.tested(name)
        settings = {"reader": dataset.reader, "root": str(dataset.root), "silent_db": SILENT_DB}
        self.on_step(f"measuring the leading silence of {title(dataset)}")
        lengths_s = leading_silences(
            tested.records,
            self.out / "silence" / f"{_file_name(dataset)}-{_hash(settings)}.jsonl",
            workers=self.settings.workers,
            on_clip=lambda clip: self._on_clip("checked for silence", clip),
        )
        auc = silence_auc(
            lengths_s, GroundTruth.of(tested.records), num_resamples=self.settings.num_resamples
        )
        num_audible = sum(length_s is not None for length_s in lengths_s.values())
        return None if math.isnan(auc.value) else Silence(auc, num_audible)

    def _read_training_set(self, name: str, seed: int) -> tuple[str, TrainingSet]:
        """Read the training set of a dataset; return a hash of its clips, and who is in them."""
        records = clips_to_learn(self.datasets[name], seed=seed, limit=self.settings.limit)
        return digest_of(records), TrainingSet.of(self.datasets[name], records)

    def _train(self, training: Training, seed: int) -> _Trained:
        dataset = self.datasets[training.dataset]
        config = training.settings(self.settings.fit, seed)
        clips, _ = self._training_set(training.dataset, seed)
        name = _run_name(training, dataset, config, clips)
        folder = self.out / "runs" / name
        if not (folder / _TRAINED_FILE).is_file():
            # Read once more, so that a dataset is not held in memory while others are evaluated.
            records = clips_to_learn(dataset, seed=seed, limit=self.settings.limit)
            self.on_step(f"training {name} on {len(records)} clips")
            _fit(
                records,
                config,
                folder,
                cache=self._cache,
                workers=self.settings.workers,
                trained_on=title(dataset),
                progress=self._progress,
                on_clip=lambda clip: self._on_clip("read", clip.record.name),
            )
        state = json.loads((folder / _TRAINED_FILE).read_text(encoding="utf-8"))
        return _Trained(name, folder, state)


def _fit(records: list[Record], config: FitConfig, folder: Path, **options: Any) -> None:
    """Train, and note what came of it, last: a folder without that note is not finished."""
    try:
        from mmmsba_plugin.training.fit import fit
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"training needs {error.name}; install it with: pip install 'mmmsba-plugin[train]'"
        ) from error
    fitted = fit(records, config, folder, **options)
    state = {
        "num_train": fitted.num_train,
        "num_validation": fitted.num_validation,
        "epochs": fitted.epochs,
        "skipped": {str(skip.record.media): skip.reason for skip in fitted.skipped},
    }
    with atomic_write(folder / _TRAINED_FILE) as file:
        json.dump(state, file, indent=2)


def _run_name(training: Training, dataset: DatasetSource, config: FitConfig, clips: str) -> str:
    """Name a training run by all that decides it."""
    bound = bind_front_ends(config.features)
    decisive = {
        "settings": config.model_dump(mode="json"),
        "front_ends": {
            m: (front_end.entry.name, front_end.entry.version) for m, front_end in bound.items()
        },
        "dataset": (dataset.name, dataset.reader, str(dataset.root)),
        "clips": clips,
    }
    modalities = "+".join(training.method.modalities)
    kind = training.method.attention or "enc-dec"
    return f"{_file_name(dataset)}_{kind}_{modalities}_seed{config.train.seed}_{_hash(decisive)}"


def _file_name(dataset: DatasetSource) -> str:
    return f"stand-in-{dataset.name}" if is_stand_in(dataset) else dataset.name


def _hash(value: Mapping[str, Any]) -> str:
    canonical = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:10]
