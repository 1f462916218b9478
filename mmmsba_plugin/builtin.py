"""Our own parts, handed through the doors that anyone's come through.

This module is an entry point of our distribution like any stranger's of theirs. It stays
light: what an entry needs is imported when the entry is used.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from mmmsba_plugin.features.audio import LogMel, LogMelConfig
from mmmsba_plugin.features.face import FaceTexture, FaceTextureConfig
from mmmsba_plugin.features.lips import LipsTexture, LipsTextureConfig
from mmmsba_plugin.features.precomputed import Precomputed, PrecomputedConfig
from mmmsba_plugin.hookspecs import (
    DatasetReader,
    Detector,
    DetectorEntry,
    Forger,
    FrontEnd,
    Writer,
    hookimpl,
)
from mmmsba_plugin.report import exchange, writers

if TYPE_CHECKING:
    from mmmsba_plugin.datasets.record import Record
    from mmmsba_plugin.schema import Report


@hookimpl
def forensics_detectors() -> Iterator[DetectorEntry]:
    """Offer MMMS-BA; its ablations are configurations of the same."""
    yield DetectorEntry(
        name="mmms-ba",
        summary="Bi-modal attention over face, audio and lips (Katamneni & Rattani 2024).",
        modalities=("face", "audio", "lips"),
        load=_load_detector,
        fit=_fit_detector,
    )


@hookimpl
def forensics_front_ends() -> Iterator[FrontEnd]:
    """Offer the front-ends that need no downloaded weights."""
    yield FrontEnd(
        name="log-mel",
        modality="audio",
        summary="Log-mel columns every 10 ms and their changes, stacked into the snippet.",
        reads="sound",
        config=LogMelConfig,
        build=LogMel,
    )
    yield FrontEnd(
        name="face-texture",
        modality="face",
        summary="Detail, change and colour over the face, and how the head is held.",
        reads="faces",
        config=FaceTextureConfig,
        build=FaceTexture,
    )
    yield FrontEnd(
        name="lips-texture",
        modality="lips",
        summary="The mouth's shape, movement, appearance, and detail against the face.",
        reads="faces",
        config=LipsTextureConfig,
        build=LipsTexture,
    )
    yield FrontEnd(
        name="precomputed",
        modality="any",
        summary="Features of another tool, one .npy file a clip, with a declared hop.",
        reads="nothing",
        config=PrecomputedConfig,
        build=Precomputed,
    )


@hookimpl
def forensics_writers() -> Iterator[Writer]:
    """Offer the formats of reports."""
    yield Writer("json", ".json", "The report, whole; see its JSON Schema.", writers.write_json)
    yield Writer("csv", ".csv", "One row a forged segment.", writers.write_csv)
    yield Writer("vtt", ".vtt", "Forged segments as WebVTT cues for a player.", writers.write_vtt)
    yield Writer(
        "curves", ".curves.csv", "Scores along time, one row a snippet.", writers.write_curves
    )
    yield Writer(
        "html", ".html", "A page to read offline, with time line and pictures.", _write_html
    )
    yield Writer(
        "av-deepfake1m",
        ".prediction.json",
        "Ranked stretches, as AV-Deepfake1M's evaluation reads them.",
        exchange.write_av_deepfake1m,
    )
    yield Writer(
        "activitynet",
        ".activitynet.json",
        "Ranked stretches, as OpenTAD and UMMAFormer read them.",
        exchange.write_activitynet,
    )


@hookimpl
def forensics_dataset_readers() -> Iterator[DatasetReader]:
    """Offer readers of corpora."""
    from mmmsba_plugin.datasets import avdeepfake1m, fakeavceleb, folder, lavdf, tvil

    yield DatasetReader(
        name="lav-df",
        summary="A folder in LAV-DF's layout: metadata.json beside the clips.",
        config=lavdf.LavDfConfig,
        build=lavdf.read_as_set,
        recognise=lavdf.is_lavdf,
        audit=lavdf.read_as_set,
    )
    yield DatasetReader(
        name="av-deepfake1m",
        summary="AV-Deepfake1M: train_metadata.json and val_metadata.json beside the clips.",
        config=avdeepfake1m.AvDeepfake1mConfig,
        build=avdeepfake1m.read_avdeepfake1m,
        recognise=avdeepfake1m.is_avdeepfake1m,
        audit=avdeepfake1m.read_avdeepfake1m,
    )
    yield DatasetReader(
        name="av-deepfake1m-plusplus",
        summary="AV-Deepfake1M++: as AV-Deepfake1M, from three sources, with perturbations.",
        config=avdeepfake1m.AvDeepfake1mConfig,
        build=avdeepfake1m.read_avdeepfake1m,
        recognise=avdeepfake1m.is_avdeepfake1m_plusplus,
        audit=avdeepfake1m.read_avdeepfake1m,
    )
    yield DatasetReader(
        name="tvil",
        summary="TVIL: annotations/metadata.json of inpainted videos; the picture alone.",
        config=tvil.TvilConfig,
        build=tvil.read_tvil,
        recognise=tvil.is_tvil,
        audit=tvil.read_tvil,
    )
    yield DatasetReader(
        name="fakeavceleb",
        summary="FakeAVCeleb v1.2: meta_data.csv beside RealVideo-RealAudio and its kin.",
        config=fakeavceleb.FakeAvCelebConfig,
        build=fakeavceleb.read_fakeavceleb,
        recognise=fakeavceleb.is_fakeavceleb,
        audit=fakeavceleb.read_fakeavceleb,
    )
    yield DatasetReader(
        name="folder",
        summary="Clips of one's own: a CSV with path and label, or folders genuine and forged.",
        config=folder.FolderConfig,
        build=folder.read_folder,
        recognise=folder.is_labelled_folder,
        audit=folder.read_folder,
    )


@hookimpl
def forensics_forgers() -> Iterator[Forger]:
    """Offer ways to forge a stretch of a genuine clip."""
    from mmmsba_plugin.forge.mouth import MouthConfig, MouthSwap
    from mmmsba_plugin.forge.splice import SpliceConfig, SpliceSound

    yield Forger(
        name="splice",
        modality="audio",
        summary="A stretch of another clip's speech: words put into somebody's mouth.",
        config=SpliceConfig,
        build=SpliceSound,
    )
    yield Forger(
        name="mouth",
        modality="visual",
        summary="The mouth of another moment of the clip: lips that say something else.",
        config=MouthConfig,
        build=MouthSwap,
    )


def _load_detector(checkpoint: Path | None) -> Detector:
    from mmmsba_plugin.detector import MmmsbaDetector

    return MmmsbaDetector.from_pretrained(checkpoint)


def _fit_detector(records: "Iterable[Record]", settings: Mapping[str, Any], out: Path) -> Path:
    from mmmsba_plugin.config import FitConfig
    from mmmsba_plugin.training.fit import fit

    return fit(records, FitConfig.read(dict(settings)), out).checkpoint


def _write_html(report: "Report", stream: IO[str]) -> None:
    from mmmsba_plugin.report.page import render

    stream.write(render(report))
