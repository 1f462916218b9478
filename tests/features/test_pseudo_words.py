"""Pseudo-words: speech cut at pauses and at deep minima of its level."""

import numpy as np
import pytest

from mmmsba_plugin.features.pseudo_words import PseudoWords, PseudoWordsConfig, pseudo_words
from mmmsba_plugin.features.words import BEGINS, SPOKEN
from mmmsba_plugin.schema import Media
from mmmsba_plugin.structures import AudioBlock
from mmmsba_plugin.timebase import Grid

RATE_HZ = 16_000


def levels(*parts):
    """Levels every 10 ms: durations in seconds, and dB."""
    return np.concatenate([np.full(round(100 * length_s), float(db)) for length_s, db in parts])


def spans(levels_db):
    return [(round(w.start_s, 2), round(w.end_s, 2)) for w in pseudo_words(levels_db)]


def test_a_pause_ends_a_word():
    cut = spans(levels((0.5, -70), (0.4, -20), (0.3, -70), (0.5, -20), (0.3, -70)))
    assert cut == [pytest.approx((0.5, 0.9), abs=0.04), pytest.approx((1.2, 1.7), abs=0.04)]


def test_a_deep_minimum_cuts_a_word_and_a_shallow_one_does_not():
    deep = spans(levels((0.4, -20), (0.06, -35), (0.4, -20)))
    assert deep == [pytest.approx((0, 0.43), abs=0.04), pytest.approx((0.43, 0.86), abs=0.04)]
    assert spans(levels((0.4, -20), (0.06, -23), (0.4, -20))) == [(0.0, 0.86)]


def test_cuts_are_not_nearer_than_a_short_syllable():
    trembling = levels(*((0.05, -20), (0.05, -40)) * 20)
    lengths_s = [end_s - start_s for start_s, end_s in spans(trembling)]
    assert min(lengths_s[1:-1]) >= 0.15


def test_rows_say_where_tones_begin():
    time_s = np.arange(2 * RATE_HZ) / RATE_HZ
    is_on = ((time_s >= 0.4) & (time_s < 0.8)) | ((time_s >= 1.2) & (time_s < 1.6))
    tone = np.where(is_on, 0.3 * np.sin(2 * np.pi * 200 * time_s), 0).astype(np.float32)
    extractor = PseudoWords(PseudoWordsConfig())
    extractor.start(Media(path="clip.mp4"), Grid(stride_s=0.1))
    extractor.add(AudioBlock(0.0, tone, RATE_HZ))
    rows = extractor.finish(20)
    assert rows.present.all()
    spoken = rows.values[:, SPOKEN] > 0
    assert spoken[5:7].all()
    assert spoken[13:15].all()
    assert not spoken[[0, 1, 2, 9, 10, 18, 19]].any()
    assert rows.values[:, BEGINS].sum() == 2
