"""The front-end ``words``: rows of a transcript, and a network of four modalities."""

import os
from dataclasses import replace

import numpy as np
import pytest

from mmmsba_plugin.config import FitConfig
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.detector import MmmsbaDetector
from mmmsba_plugin.features.words import (
    NUM_TIMES,
    Words,
    WordsConfig,
    letter_hashes,
    word_rows,
)
from mmmsba_plugin.media.transcript import Word
from mmmsba_plugin.model.checkpoint import load_checkpoint
from mmmsba_plugin.schema import Media
from mmmsba_plugin.timebase import Grid
from mmmsba_plugin.training.fit import fit

from ..training.runs import TINY
from ..transcripts import put_srt, put_whisperx

#: Two words of one length, and one that takes twice as long for its letters.
WORDS = (Word("ab", 0.2, 0.4), Word("Cd!", 0.4, 0.6, 0.5), Word("ef", 1.0, 1.4, 7.0))
GRID = Grid(stride_s=0.2)


def times(words=WORDS, num_snippets=8, grid=GRID):
    return word_rows(words, grid, num_snippets, num_hashes=4)[:, :NUM_TIMES]


def test_rows_say_where_words_begin_end_and_pause():
    rows = times()
    np.testing.assert_array_equal(rows[:, 0], [0, 1, 1, 0, 0, 1, 1, 0])
    np.testing.assert_array_equal(rows[:, 1], [0, 1, 1, 0, 0, 1, 0, 0])
    np.testing.assert_array_equal(rows[:, 2], [0, 0, 1, 1, 0, 0, 0, 1])
    np.testing.assert_allclose(rows[:, 6], [0, 0.1, 0.1, 0, 0, 0.1, 0.3, 0], atol=1e-6)
    np.testing.assert_allclose(rows[:, 7], [0, 0.1, 0.1, 0, 0, 0.3, 0.1, 0], atol=1e-6)
    np.testing.assert_allclose(rows[:, 8], [2, 0, 0, 0.1, 0.3, 0, 0, 0.1], atol=1e-6)
    np.testing.assert_allclose(rows[:, 9], [0.1, 0, 0, 0.3, 0.1, 0, 0, 2], atol=1e-6)


def test_rows_tell_a_word_that_is_slower_than_the_clips_others():
    rows = times()
    np.testing.assert_allclose(rows[[1, 2, 5], 3], [0.2, 0.2, 0.4], atol=1e-6)
    np.testing.assert_array_equal(rows[[1, 2, 5], 4], [2, 2, 2])
    np.testing.assert_allclose(rows[[1, 2, 5], 5], [0, 0, np.log(2)], atol=1e-6)


def test_rows_have_the_rate_around_and_the_confidence_within_bounds():
    rows = times()
    np.testing.assert_allclose(rows[:, 10], [1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.0, 0.5])
    np.testing.assert_allclose(rows[:, 11], [0, 0, 0.5, 0, 0, 1, 1, 0])


def test_rows_are_the_same_however_the_clip_is_cut():
    whole = times(num_snippets=8)
    later = times(num_snippets=4, grid=Grid(0.8, 0.2))
    np.testing.assert_allclose(later, whole[4:], atol=1e-6)


def test_words_of_the_same_letters_are_near_each_other():
    word, other = letter_hashes("election", 64), letter_hashes("zebra", 64)
    assert np.linalg.norm(word) == pytest.approx(1.0)
    np.testing.assert_array_equal(word, letter_hashes("Election,", 64))
    assert word @ letter_hashes("elections", 64) > 0.6 > word @ other
    assert not letter_hashes("…", 64).any()


def test_a_hash_is_the_same_in_every_process():
    np.testing.assert_allclose(letter_hashes("ab", 8) * np.sqrt(2), [0, 0, -1, 0, 0, 1, 0, 0])


def test_a_clip_without_a_transcript_has_no_rows_present(tmp_path):
    extractor = Words(WordsConfig())
    extractor.start(Media(path=str(tmp_path / "clip.mp4")), GRID)
    rows = extractor.finish(5)
    assert (len(rows), rows.dim, rows.present.any()) == (5, extractor.dim, False)


@pytest.fixture(scope="module")
def with_transcripts(talking_head_dataset, tmp_path_factory):
    """The forged clips, and beside them words that are slow where a clip is fake; one has none."""
    folder = tmp_path_factory.mktemp("transcribed")
    records = []
    for number, record in enumerate(read_lavdf(talking_head_dataset)):
        clip = folder / f"{number}.mp4"
        os.link(record.media, clip)
        records.append(replace(record, media=clip))
        words = [(0.1 * n, 0.1 * n + 0.09, "blah") for n in range(20)]
        words += [(s.start_s, s.end_s, "fake") for s in record.truth]
        if number:
            put_whisperx(clip.with_suffix(".json"), *sorted(words))
    return records


def test_text_is_learned_as_a_fourth_modality_saved_and_missed(
    with_transcripts, feature_cache, tmp_path
):
    front_ends = {m: c.model_dump() for m, c in TINY.features.front_ends.items()}
    settings = {
        **TINY.model_dump(exclude={"features"}),
        "features": {"front_ends": {**front_ends, "text": {"name": "words"}}},
    }
    config = FitConfig.read(settings)
    run = fit(iter(with_transcripts), config, tmp_path / "four", cache=feature_cache)
    (network,), saved = load_checkpoint(run.checkpoint)
    assert network.modalities == ("face", "audio", "lips", "text")
    assert saved.features.front_ends["text"].name == "words"
    detector = MmmsbaDetector.from_pretrained(run.checkpoint, cache=feature_cache)
    without, *others = (detector.detect(record.media) for record in with_transcripts)
    assert without.status == "ok"
    assert (without.modalities["text"].score, without.modalities["audio"].score is None) == (
        None,
        False,
    )
    assert all(report.modalities["text"].score is not None for report in others)


def test_segments_are_named_by_their_words_whichever_network_found_them(detector, with_transcripts):
    record = next(r for r in with_transcripts[1:] if r.fake)
    report = detector.with_threshold(0.0).detect(record.media)
    assert report.segments
    assert "fake" in " ".join(segment.words for segment in report.segments)
    assert detector.info["modalities"] == ["face", "audio", "lips"]
    silent = detector.with_threshold(0.0).detect(with_transcripts[0].media)
    assert [segment.words for segment in silent.segments] == [None] * len(silent.segments)


def test_subtitles_name_segments_too(detector, talking_clip, tmp_path):
    clip = tmp_path / "clip.mp4"
    os.link(talking_clip, clip)
    put_srt(tmp_path / "clip.srt", (0.0, 3.0, "all along"))
    report = detector.with_threshold(0.0).detect(clip)
    assert {segment.words for segment in report.segments} <= {"all", "along", "all along", None}
    assert any(segment.words for segment in report.segments)
