"""The entry of MMMS-BA: how it is loaded, trained, tuned and measured. It imports nothing heavy."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmmsba_plugin.hookspecs import Detector, DetectorEntry
from mmmsba_plugin.run_control import Cancel, OnProgress, run_control

if TYPE_CHECKING:
    from mmmsba_plugin.config import Runtime
    from mmmsba_plugin.evaluation.evaluate import Evaluation
    from mmmsba_plugin.features.cache import FeatureCache
    from mmmsba_plugin.record import Record

#: Of the encoders in ``features/embeddings``, whose NOTICE files say which is whose.
WITH_BORROWED_WEIGHTS = "Apache-2.0 AND MIT"


def mmms_ba() -> DetectorEntry:
    """Build the entry."""
    return DetectorEntry(
        name="mmms-ba",
        summary="Bi-modal attention over face, audio and lips (Katamneni & Rattani 2024).",
        modalities=("face", "audio", "lips"),
        license=WITH_BORROWED_WEIGHTS,
        load=_load,
        fit=_fit,
        finetune=_finetune,
        evaluate=_evaluate,
        devices=("cpu", "cuda"),
        # A minute of 360p25 by `mmmsba detect`, with its start and the page, on a quiet machine.
        cpu_s_per_s=0.32,
    )


def _load(
    checkpoint: Path | None,
    *,
    cache: "FeatureCache | None" = None,
    runtime: "Runtime" = "auto",
    device: str = "cpu",
    threads: int | None = None,
) -> Detector:
    from mmmsba_plugin.detector import MmmsbaDetector

    return MmmsbaDetector.from_pretrained(
        checkpoint, cache=cache, runtime=runtime, device=device, threads=threads
    )


def _fit(
    records: "Iterable[Record]",
    settings: Mapping[str, Any],
    folder: Path,
    *,
    cache: "FeatureCache | None" = None,
    workers: int = 1,
    cancel: Cancel | None = None,
    on_progress: OnProgress | None = None,
) -> Path:
    from mmmsba_plugin.config import FitConfig
    from mmmsba_plugin.training.fit import fit

    config = FitConfig.read(dict(settings))
    with run_control(cancel=cancel, on_progress=on_progress):
        return fit(records, config, folder, cache=cache, workers=workers).checkpoint


def _finetune(
    records: "Iterable[Record]",
    settings: Mapping[str, Any],
    folder: Path,
    *,
    checkpoint: Path | None = None,
    cache: "FeatureCache | None" = None,
    workers: int = 1,
    cancel: Cancel | None = None,
    on_progress: OnProgress | None = None,
) -> Path:
    from mmmsba_plugin.config import TuneConfig
    from mmmsba_plugin.training.finetune import finetune

    config = TuneConfig.read(dict(settings))
    with run_control(cancel=cancel, on_progress=on_progress):
        tuned = finetune(
            records, folder, config, checkpoint=checkpoint, cache=cache, workers=workers
        )
    return tuned.checkpoint


def _evaluate(
    detector: Detector,
    records: "Iterable[Record]",
    *,
    cancel: Cancel | None = None,
    on_progress: OnProgress | None = None,
    **settings: Any,
) -> "Evaluation":
    from mmmsba_plugin.evaluation.evaluate import measure
    from mmmsba_plugin.evaluation.run import run, tables

    with run_control(cancel=cancel, on_progress=on_progress):
        results = run(detector, records)
    return measure(*tables(results, name=detector.info["name"]), **settings)
