"""Audio forgers and what they share."""

from collections.abc import Iterator

from mmmsba_plugin.hookspecs import Forger


def forgers() -> Iterator[Forger]:
    """Offer the audio forgers; their modules are imported no earlier."""
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
