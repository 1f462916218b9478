"""Built-in entries, offered through the same hooks as any plug-in's.

This module is an entry point of our distribution like any stranger's of theirs. It stays
light: what an entry needs is imported when the entry is used.
"""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from mmmsba_plugin.detector_entry import WITH_BORROWED_WEIGHTS, mmms_ba
from mmmsba_plugin.features.embedded import EmbeddingConfig, FaceEmbedding, LipsEmbedding
from mmmsba_plugin.features.face import FaceTexture, FaceTextureConfig
from mmmsba_plugin.features.lips import LipsTexture, LipsTextureConfig
from mmmsba_plugin.features.log_mel import LogMel, LogMelConfig
from mmmsba_plugin.features.precomputed import Precomputed, PrecomputedConfig
from mmmsba_plugin.features.pseudo_words import PseudoWords, PseudoWordsConfig
from mmmsba_plugin.features.sync import Sync, SyncConfig
from mmmsba_plugin.features.voice import Voice, VoiceConfig
from mmmsba_plugin.features.words import Words, WordsConfig
from mmmsba_plugin.hookspecs import (
    DatasetReader,
    DetectorEntry,
    Forger,
    FrontEnd,
    HeadEntry,
    Writer,
    hookimpl,
)
from mmmsba_plugin.report import (
    annotation_formats,
    annotation_json,
    benchmark_formats,
    cvat,
    writers,
)

if TYPE_CHECKING:
    from mmmsba_plugin.model.heads import BaseHead


@hookimpl
def forensics_detectors() -> Iterator[DetectorEntry]:
    """Offer MMMS-BA; its ablations are configurations of the same."""
    yield mmms_ba()


@hookimpl
def forensics_front_ends() -> Iterator[FrontEnd]:
    """Offer the front-ends that need no downloaded weights.

    Their costs were measured on the clip that their contract makes up.
    """
    yield FrontEnd(
        name="log-mel",
        modality="audio",
        summary="Log-mel spectrogram every 10 ms and their changes, stacked into the snippet.",
        inputs=frozenset({"audio"}),
        config=LogMelConfig,
        build=LogMel,
        cpu_s_per_s=0.0005,
    )
    yield FrontEnd(
        name="voice",
        modality="audio",
        summary="Levels, speaker self-similarity, and anti-spoofing embeddings.",
        inputs=frozenset({"audio"}),
        license=WITH_BORROWED_WEIGHTS,
        config=VoiceConfig,
        build=Voice,
        cpu_s_per_s=0.09,
    )
    yield FrontEnd(
        name="face-texture",
        modality="face",
        summary="Detail, change and colour over the face, and how the head is held.",
        inputs=frozenset({"faces"}),
        config=FaceTextureConfig,
        build=FaceTexture,
        cpu_s_per_s=0.005,
        version=2,
    )
    yield FrontEnd(
        name="lips-texture",
        modality="lips",
        summary="The mouth's shape, movement, appearance, and detail against the face.",
        inputs=frozenset({"faces"}),
        config=LipsTextureConfig,
        build=LipsTexture,
        cpu_s_per_s=0.02,
        version=2,
    )
    yield FrontEnd(
        name="face-embedding",
        modality="face",
        summary="face-texture, and an image encoder's view of the whole face.",
        inputs=frozenset({"faces"}),
        license="Apache-2.0",
        config=EmbeddingConfig,
        build=FaceEmbedding,
        cpu_s_per_s=0.08,
    )
    yield FrontEnd(
        name="lips-embedding",
        modality="lips",
        summary="lips-texture, and an image encoder's view of the lower face.",
        inputs=frozenset({"faces"}),
        license="Apache-2.0",
        config=EmbeddingConfig,
        build=LipsEmbedding,
        cpu_s_per_s=0.1,
    )
    yield FrontEnd(
        name="sync",
        modality="sync",
        summary="Agreement of mouth and audio, and the lag at which they agree best.",
        inputs=frozenset({"audio", "faces"}),
        config=SyncConfig,
        build=Sync,
        cpu_s_per_s=0.006,
        version=2,
    )
    yield FrontEnd(
        name="words",
        modality="text",
        summary="Words and their times, from a transcript beside the clip.",
        inputs=frozenset(),
        config=WordsConfig,
        build=Words,
        cpu_s_per_s=0.0005,
    )
    yield FrontEnd(
        name="pseudo-words",
        modality="text",
        summary="Where words may begin and end, by the level of the audio; no transcript.",
        inputs=frozenset({"audio"}),
        config=PseudoWordsConfig,
        build=PseudoWords,
        cpu_s_per_s=0.002,
    )
    yield FrontEnd(
        name="precomputed",
        modality=None,
        summary="Features of another tool, one .npy file a clip, with a declared hop.",
        inputs=frozenset(),
        config=PrecomputedConfig,
        build=Precomputed,
    )


@hookimpl
def forensics_writers() -> Iterator[Writer]:
    """Offer the formats of reports."""
    yield Writer(
        name="json",
        suffix=".json",
        summary="The report, whole; see its JSON Schema.",
        write=writers.write_json,
    )
    yield Writer(
        name="csv", suffix=".csv", summary="One row a fake segment.", write=writers.write_csv
    )
    yield Writer(
        name="vtt",
        suffix=".vtt",
        summary="Fake segments as WebVTT cues for a player.",
        write=writers.write_vtt,
    )
    yield Writer(
        name="curves",
        suffix=".curves.csv",
        summary="Scores along time, one row a snippet.",
        write=writers.write_curves,
    )
    yield Writer(
        name="html",
        suffix=".html",
        summary="A page to read offline, with time line and frames.",
        write=writers.write_html,
    )
    yield Writer(
        name="av-deepfake1m",
        suffix=".prediction.json",
        summary="Ranked segments, as AV-Deepfake1M's evaluation reads them.",
        write=benchmark_formats.write_av_deepfake1m,
    )
    yield Writer(
        name="activitynet",
        suffix=".activitynet.json",
        summary="Ranked segments, as OpenTAD and UMMAFormer read them.",
        write=benchmark_formats.write_activitynet,
    )
    yield Writer(
        name="audacity",
        suffix=".labels.txt",
        summary="A label track for Audacity.",
        write=annotation_formats.write_audacity,
    )
    yield Writer(
        name="elan",
        suffix=".eaf",
        summary="Tiers for ELAN: fake segments by stream, and opt-outs.",
        write=annotation_formats.write_elan,
    )
    yield Writer(
        name="cvat",
        suffix=".cvat.xml",
        summary="Tracks for CVAT, of video alone.",
        write=cvat.write_cvat,
    )
    yield Writer(
        name="label-studio",
        suffix=".label-studio.json",
        summary="A task with its prediction, to import into Label Studio.",
        write=annotation_json.write_labelstudio,
    )
    yield Writer(
        name="medifor",
        suffix=".medifor.json",
        summary="A detection of DARPA MediFor's interface, in JSON.",
        write=annotation_json.write_medifor,
    )
    yield Writer(
        name="rttm",
        suffix=".rttm",
        summary="Rows of NIST's RTTM, as tools for speakers read them.",
        write=annotation_formats.write_rttm,
    )
    yield Writer(
        name="srt",
        suffix=".srt",
        summary="SubRip subtitles: verdict, fake segments and opt-outs.",
        write=annotation_formats.write_srt,
    )
    yield Writer(
        name="web-annotation",
        suffix=".annotations.jsonld",
        summary="W3C Web Annotations with media fragments, in JSON-LD.",
        write=annotation_json.write_web_annotation,
    )


@hookimpl
def forensics_dataset_readers() -> Iterator[DatasetReader]:
    """Offer readers of datasets."""
    from mmmsba_plugin.datasets import avdeepfake1m, fakeavceleb, folder, lavdf, tvil
    from mmmsba_plugin.review import reader

    yield DatasetReader(
        name="lav-df",
        summary="A folder in LAV-DF's layout: metadata.json beside the clips.",
        config=lavdf.LavDfConfig,
        build=lavdf.read_as_set,
        recognise=lavdf.is_lavdf,
    )
    yield DatasetReader(
        name="av-deepfake1m",
        summary="AV-Deepfake1M: train_metadata.json and val_metadata.json beside the clips.",
        config=avdeepfake1m.AvDeepfake1mConfig,
        build=avdeepfake1m.read_avdeepfake1m,
        recognise=avdeepfake1m.is_avdeepfake1m,
    )
    yield DatasetReader(
        name="av-deepfake1m-plusplus",
        summary="AV-Deepfake1M++: as AV-Deepfake1M, from three sources, with perturbations.",
        config=avdeepfake1m.AvDeepfake1mConfig,
        build=avdeepfake1m.read_avdeepfake1m,
        recognise=avdeepfake1m.is_avdeepfake1m_plusplus,
    )
    yield DatasetReader(
        name="tvil",
        summary="TVIL: annotations/metadata.json of inpainted videos; video alone.",
        config=tvil.TvilConfig,
        build=tvil.read_tvil,
        recognise=tvil.is_tvil,
    )
    yield DatasetReader(
        name="fakeavceleb",
        summary="FakeAVCeleb v1.2: meta_data.csv beside RealVideo-RealAudio and its kin.",
        config=fakeavceleb.FakeAvCelebConfig,
        build=fakeavceleb.read_fakeavceleb,
        recognise=fakeavceleb.is_fakeavceleb,
    )
    yield DatasetReader(
        name="folder",
        summary="Clips of one's own: a CSV with path and label, or folders real and fake.",
        config=folder.FolderConfig,
        build=folder.read_folder,
        recognise=folder.is_labelled_folder,
    )
    yield DatasetReader(
        name="reviewed",
        summary="Clips whose review by `mmmsba review` is finished.",
        config=reader.ReviewedConfig,
        build=reader.read_reviewed,
    )


@hookimpl
def forensics_forgers() -> Iterator[Forger]:
    """Offer the forgers of audio, of frames, and of both."""
    from mmmsba_plugin.forge import audio, both, visual

    yield from audio.forgers()
    yield from visual.forgers()
    yield from both.forgers()


@hookimpl
def forensics_heads() -> Iterator[HeadEntry]:
    """Offer the heads of the paper."""
    yield HeadEntry(
        name="classify",
        summary="Real or fake, for each snippet; the scores are its own.",
        load=partial(_head, "classify"),
    )
    yield HeadEntry(
        name="regress",
        summary="Distances from a snippet to both ends of its fake segment.",
        load=partial(_head, "regress"),
    )


def _head(name: str) -> "type[BaseHead]":
    from mmmsba_plugin.model.heads import HEADS

    return HEADS[name]
