"""Speaker embeddings by the encoder that ships with the package."""

import numpy as np
import pytest

from mmmsba_plugin.errors import ModelFileError
from mmmsba_plugin.features.embeddings import image, quality, speaker, spoofing, sync


@pytest.mark.parametrize("module", [speaker, spoofing, quality, image, sync])
def test_an_encoder_file_that_was_changed_is_refused(module, monkeypatch):
    module.load_encoder.cache_clear()
    monkeypatch.setattr(module, "SHA256", "0" * 64)
    with pytest.raises(ModelFileError, match="differs from the file that was bundled"):
        module.load_encoder()


def test_one_embedding_a_snippet_of_length_one_whatever_the_loudness():
    mels = np.random.default_rng(0).uniform(size=(90, speaker.NUM_MELS)).astype(np.float32)
    loud, soft = (
        speaker.speaker_embeddings(mels * gain, mean_square=gain, window=40, every=10)
        for gain in (1.0, 1e-4)
    )
    assert loud.shape == (9, 256)
    assert np.linalg.norm(loud, axis=1) == pytest.approx(np.ones(9), abs=1e-5)
    assert loud == pytest.approx(soft, abs=1e-4)


@pytest.mark.parametrize("every", [4, 10, 39, 40, 41, 100, 1000])
def test_there_is_an_embedding_a_snippet_however_long_it_is(every):
    mels = np.random.default_rng(0).uniform(size=(3 * every, speaker.NUM_MELS))
    embeddings = speaker.speaker_embeddings(
        mels.astype(np.float32), mean_square=1.0, window=40, every=every
    )
    assert embeddings.shape == (3, 256)


def test_the_bands_are_those_of_librosa():
    import librosa

    expected = librosa.filters.mel(sr=speaker.RATE_HZ, n_fft=512, n_mels=speaker.NUM_MELS)
    assert speaker.mel_bands() == pytest.approx(expected, abs=1e-7)
