"""Stored face traces of source clips."""

import numpy as np

from mmmsba_plugin.forge.source_clip import FaceTraceStore
from mmmsba_plugin.forge.sources import find_sources

from .clips import UNTOUCHED


def test_a_trace_that_was_half_written_is_made_anew(real, tmp_path):
    (source, *_), _ = find_sources(real, seed=4, min_clip_s=1.0)
    store = FaceTraceStore(tmp_path, UNTOUCHED.tracks, 540)
    first = store.load(source)
    (path,) = tmp_path.rglob("*.npz")
    np.testing.assert_array_equal(store.load(source).points, first.points)
    path.write_bytes(path.read_bytes()[:1000])
    np.testing.assert_array_equal(store.load(source).points, first.points)
