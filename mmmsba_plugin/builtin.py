"""Built-in entries, offered through the same hooks as any plug-in's.

This module is an entry point of our distribution like any stranger's of theirs. It stays
light: what an entry needs is imported when the entry is used.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from mmmsba_plugin.features.embedded import EmbeddingConfig, FaceEmbedding, LipsEmbedding
from mmmsba_plugin.features.face import FaceTexture, FaceTextureConfig
from mmmsba_plugin.features.lips import LipsTexture, LipsTextureConfig
from mmmsba_plugin.features.log_mel import LogMel, LogMelConfig
from mmmsba_plugin.features.precomputed import Precomputed, PrecomputedConfig
from mmmsba_plugin.features.voice import Voice, VoiceConfig
from mmmsba_plugin.hookspecs import (
    DatasetReader,
    Detector,
    DetectorEntry,
    Forger,
    FrontEnd,
    Writer,
    hookimpl,
)
from mmmsba_plugin.report import benchmark_formats, writers

if TYPE_CHECKING:
    from mmmsba_plugin.record import Record
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
        summary="Log-mel spectrogram every 10 ms and their changes, stacked into the snippet.",
        inputs=frozenset({"audio"}),
        config=LogMelConfig,
        build=LogMel,
    )
    yield FrontEnd(
        name="voice",
        modality="audio",
        summary="Levels, speaker self-similarity, and anti-spoofing embeddings.",
        inputs=frozenset({"audio"}),
        config=VoiceConfig,
        build=Voice,
    )
    yield FrontEnd(
        name="face-texture",
        modality="face",
        summary="Detail, change and colour over the face, and how the head is held.",
        inputs=frozenset({"faces"}),
        config=FaceTextureConfig,
        build=FaceTexture,
        version=2,
    )
    yield FrontEnd(
        name="lips-texture",
        modality="lips",
        summary="The mouth's shape, movement, appearance, and detail against the face.",
        inputs=frozenset({"faces"}),
        config=LipsTextureConfig,
        build=LipsTexture,
        version=2,
    )
    yield FrontEnd(
        name="face-embedding",
        modality="face",
        summary="face-texture, and an image encoder's view of the whole face.",
        inputs=frozenset({"faces"}),
        config=EmbeddingConfig,
        build=FaceEmbedding,
    )
    yield FrontEnd(
        name="lips-embedding",
        modality="lips",
        summary="lips-texture, and an image encoder's view of the lower face.",
        inputs=frozenset({"faces"}),
        config=EmbeddingConfig,
        build=LipsEmbedding,
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
    yield Writer("json", ".json", "The report, whole; see its JSON Schema.", writers.write_json)
    yield Writer("csv", ".csv", "One row a fake segment.", writers.write_csv)
    yield Writer("vtt", ".vtt", "Fake segments as WebVTT cues for a player.", writers.write_vtt)
    yield Writer(
        "curves", ".curves.csv", "Scores along time, one row a snippet.", writers.write_curves
    )
    yield Writer("html", ".html", "A page to read offline, with time line and frames.", _write_html)
    yield Writer(
        "av-deepfake1m",
        ".prediction.json",
        "Ranked segments, as AV-Deepfake1M's evaluation reads them.",
        benchmark_formats.write_av_deepfake1m,
    )
    yield Writer(
        "activitynet",
        ".activitynet.json",
        "Ranked segments, as OpenTAD and UMMAFormer read them.",
        benchmark_formats.write_activitynet,
    )


@hookimpl
def forensics_dataset_readers() -> Iterator[DatasetReader]:
    """Offer readers of datasets."""
    from mmmsba_plugin.datasets import avdeepfake1m, fakeavceleb, folder, lavdf, tvil

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


@hookimpl
def forensics_forgers() -> Iterator[Forger]:
    """Offer forgers."""
    from mmmsba_plugin.forge.both import counterpart_cut, frame_copy

    yield from _audio_forgers()
    yield from _frame_forgers()
    yield Forger(
        name="counterpart",
        modality="both",
        summary="A cut to what a real generator made of the same clip: some words of it altered.",
        config=counterpart_cut.CounterpartCutConfig,
        build=counterpart_cut.CounterpartCut,
    )
    yield Forger(
        name="frame-copy",
        modality="both",
        summary="A few frames and their audio copied from a similar moment: a repaired word.",
        config=frame_copy.FrameCopyConfig,
        build=frame_copy.FrameCopy,
    )


def _audio_forgers() -> Iterator[Forger]:
    from mmmsba_plugin.forge.audio import (
        delete_insert,
        mel_vocoder,
        pitch_tempo,
        repeat,
        self_mix,
        shift,
        source_filter_vocoder,
        splice,
        tts,
        voice_conversion,
    )

    yield Forger(
        name="splice",
        modality="audio",
        summary="Speech of another clip spliced in: words put into somebody's mouth.",
        config=splice.SpliceConfig,
        build=splice.SpliceAudio,
    )
    yield Forger(
        name="repeat",
        modality="audio",
        summary="Speech of another moment of the same clip: a rearranged quote.",
        config=repeat.RepeatConfig,
        build=repeat.RepeatAudio,
    )
    yield Forger(
        name="shift",
        modality="audio",
        summary="The clip's own audio shifted in time: words out of sync with the lips.",
        config=shift.ShiftConfig,
        build=shift.ShiftAudio,
    )
    yield Forger(
        name="delete",
        modality="audio",
        summary="Speech cut out and the gap closed: a deleted word.",
        config=delete_insert.DeleteConfig,
        build=delete_insert.DeleteWord,
    )
    yield Forger(
        name="insert",
        modality="audio",
        summary="A syllable inserted and the rest pushed back: another word, or a stutter.",
        config=delete_insert.InsertConfig,
        build=delete_insert.InsertSyllable,
    )
    yield Forger(
        name="pitch",
        modality="audio",
        summary="Pitch shifted up or down: a disguised voice, or a word tuned to fit.",
        config=pitch_tempo.PitchConfig,
        build=pitch_tempo.ShiftPitch,
    )
    yield Forger(
        name="tempo",
        modality="audio",
        summary="Tempo changed: speech made to sound drunk, or to fit the lips.",
        config=pitch_tempo.TempoConfig,
        build=pitch_tempo.ChangeTempo,
    )
    yield Forger(
        name="resynth",
        modality="audio",
        summary="Speech resynthesized from a mel spectrogram: the losses of a neural vocoder.",
        config=mel_vocoder.ResynthConfig,
        build=mel_vocoder.Resynth,
    )
    yield Forger(
        name="recode",
        modality="audio",
        summary="Treble regrown and phases blurred: the losses of a neural codec.",
        config=mel_vocoder.RecodeConfig,
        build=mel_vocoder.Recode,
    )
    yield Forger(
        name="vocode",
        modality="audio",
        summary="Pulses and noise through the spectral envelope: a source-filter vocoder.",
        config=source_filter_vocoder.VocodeConfig,
        build=source_filter_vocoder.Vocode,
    )
    yield Forger(
        name="voice",
        modality="audio",
        summary="Other formants and another pitch: voice conversion.",
        config=voice_conversion.VoiceConfig,
        build=voice_conversion.ConvertVoice,
    )
    yield Forger(
        name="self-mix",
        modality="audio",
        summary="Audio mixed with itself a little later: phones blurred by a synthetic voice.",
        config=self_mix.SelfMixConfig,
        build=self_mix.SelfMix,
    )
    yield Forger(
        name="speak",
        modality="audio",
        summary="Words of a text-to-speech program; a crude formant voice where none is installed.",
        config=tts.SpeakConfig,
        build=tts.SpeakAudio,
    )
    yield Forger(
        name="speak-neural",
        modality="audio",
        summary="Words of a neural text-to-speech voice, from the extra 'speech'.",
        config=tts.SpeakNeuralConfig,
        build=tts.SpeakAudio,
    )


def _frame_forgers() -> Iterator[Forger]:
    from mmmsba_plugin.forge.visual import (
        face_swap,
        freeze,
        inpaint,
        lowres_mouth,
        morph,
        mouth_swap,
        repaint,
        self_blend,
        self_shift_blend,
    )

    yield Forger(
        name="mouth",
        modality="visual",
        summary="The mouth of another moment of the clip: lips that say something else.",
        config=mouth_swap.MouthConfig,
        build=mouth_swap.MouthSwap,
    )
    yield Forger(
        name="lowres-mouth",
        modality="visual",
        summary="The lower face through the narrow waist of a lip-sync generator, as Wav2Lip's.",
        config=lowres_mouth.LowresMouthConfig,
        build=lowres_mouth.LowresMouth,
    )
    yield Forger(
        name="repaint",
        modality="visual",
        summary="The lower face through a super-resolution network, as enhancers leave it.",
        config=repaint.RepaintConfig,
        build=repaint.Repaint,
    )
    yield Forger(
        name="self-blend",
        modality="visual",
        summary="The face blended into itself: the traces of any face swap, and no others.",
        config=self_blend.SelfBlendConfig,
        build=self_blend.SelfBlend,
    )
    yield Forger(
        name="self-shift-blend",
        modality="visual",
        summary="The face blended with itself two frames off: flicker of a frame-wise generator.",
        config=self_shift_blend.SelfShiftBlendConfig,
        build=self_shift_blend.SelfShiftBlend,
    )
    yield Forger(
        name="stranger-mouth",
        modality="visual",
        summary="The mouth of somebody else: dubbing with another speaker's lips.",
        config=face_swap.OtherMouthConfig,
        build=face_swap.OtherMouth,
    )
    yield Forger(
        name="stranger-face",
        modality="visual",
        summary="The face of somebody else with the expression of now: face swap.",
        config=face_swap.OtherFaceConfig,
        build=face_swap.OtherFace,
    )
    yield Forger(
        name="freeze",
        modality="visual",
        summary="The segment's own face or mouth held, dropped, reversed or warped in time.",
        config=freeze.FreezeConfig,
        build=freeze.Freeze,
    )
    yield Forger(
        name="inpaint",
        modality="visual",
        summary="The mouth painted away from its border: lips removed or smeared.",
        config=inpaint.InpaintConfig,
        build=inpaint.Inpaint,
    )
    yield Forger(
        name="flow",
        modality="visual",
        summary="The face morphed between two moments: morph cuts and interpolated frames.",
        config=morph.FlowConfig,
        build=morph.Flow,
    )


def _load_detector(checkpoint: Path | None) -> Detector:
    from mmmsba_plugin.detector import MmmsbaDetector

    return MmmsbaDetector.from_pretrained(checkpoint)


def _fit_detector(records: "Iterable[Record]", settings: Mapping[str, Any], out: Path) -> Path:
    from mmmsba_plugin.config import FitConfig
    from mmmsba_plugin.training.fit import fit

    return fit(records, FitConfig.read(dict(settings)), out).checkpoint


def _write_html(report: "Report", stream: IO[str]) -> None:
    from mmmsba_plugin.report.html import render

    stream.write(render(report))
