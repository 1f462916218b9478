"""Files with random bytes changed are read, or refused with an error of ours."""

import numpy as np
import pytest

from mmmsba_plugin.errors import MmmsbaError
from mmmsba_plugin.media.audio import AudioReader
from mmmsba_plugin.media.frame_index import glance
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader

from .. import clips
from ..mutants import mutate
from .streams import SUFFIXES

NUM_MUTANTS = 40
#: A file of two seconds can seem to last half an hour by its gaps, and a little longer.
LONGEST_S = 2 * 1800.0


@pytest.mark.parametrize("suffix", [*SUFFIXES, "ts", "flv"])
def test_no_mutant_costs_more_than_an_error_of_ours(tmp_path, suffix):
    source = clips.clip(tmp_path / "source.mp4")
    if suffix in SUFFIXES:
        source = clips.clip(tmp_path / f"source.{suffix}")
    else:
        muxer = {"ts": "mpegts"}.get(suffix, suffix)
        source = clips.copied(source, tmp_path / f"source.{suffix}", muxer=muxer)
    data, rng = source.read_bytes(), np.random.default_rng(len(suffix))
    path = tmp_path / f"mutant.{suffix}"
    num_read = 0
    for _ in range(NUM_MUTANTS):
        path.write_bytes(mutate(data, rng))
        try:
            media = probe(path)
            ends_s = [frame.pts_s for frame in FrameReader(media)]
            ends_s += [block.start_s for block in AudioReader(media)]
            glance(path)
        except MmmsbaError:
            continue
        num_read += 1
        assert np.isfinite(ends_s).all()
        assert max(ends_s, default=0.0) < LONGEST_S
        assert (media.duration_s or 0.0) < LONGEST_S
    assert num_read > 0
