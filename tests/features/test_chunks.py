"""A long clip is cut into chunks, and what is found is that of the whole clip."""

from dataclasses import replace
from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.config import FeaturesConfig
from mmmsba_plugin.features import chunks
from mmmsba_plugin.features.cache import FeatureCache
from mmmsba_plugin.features.chunks import num_chunks, plan_chunks
from mmmsba_plugin.features.extract import NOTHING_TRIMMED, extract, extract_chunks
from mmmsba_plugin.features.face import FaceTexture
from mmmsba_plugin.features.front_ends import bind_front_ends
from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.structures import ClipFeatures, Frame

WHOLE = FeaturesConfig()
CUT = FeaturesConfig(chunk_s=1.0)


@pytest.fixture(autouse=True)
def short_context(monkeypatch):
    monkeypatch.setattr(chunks, "CONTEXT_S", 0.4)


@pytest.fixture(scope="module")
def gappy_clip(talking_clip, tmp_path_factory):
    """A talking clip, silent and black across joints of chunks; its audio ends early."""
    media = probe(talking_clip)
    audio = read_audio(media).samples[: round(2.6 * 16_000)].copy()
    audio[round(0.5 * 16_000) : round(1.7 * 16_000)] = 0.0
    path = tmp_path_factory.mktemp("chunks") / "gaps.mkv"
    frames = [
        Frame(f.pts_s, np.zeros_like(f.rgb)) if 1.9 <= f.pts_s < 2.3 else f
        for f in FrameReader(media)
    ]
    write_clip(path, frames, fps_hz=25, audio=audio, audio_codec="pcm_s16le")
    return probe(path)


def features_of(media, config, cache=None) -> ClipFeatures:
    return extract(media, bind_front_ends(config), config, cache=cache)


@given(
    st.floats(0.0, 4_000.0),
    st.sampled_from([0.04, 0.08, 0.2, 1.0]),
    st.floats(1.0, 400.0),
    st.integers(1, 12),
)
def test_the_kept_cells_of_chunks_tile_time(duration_s, stride_s, chunk_s, num):
    plan = [*islice(plan_chunks(duration_s, stride_s=stride_s, chunk_s=chunk_s), num)]
    assert plan[0].start == plan[0].keep_start == 0
    for before, after in pairwise(plan):
        assert after.keep_start == before.keep_stop
        assert after.start < after.keep_start < before.stop
    assert all(chunk.keep_start < chunk.keep_stop < chunk.stop for chunk in plan)


@given(st.floats(0.0, 4_000.0), st.floats(1.0, 400.0))
def test_planned_chunks_cover_the_clip_and_none_is_much_longer_than_asked(duration_s, chunk_s):
    count = num_chunks(duration_s, chunk_s=chunk_s)
    planned = [*islice(plan_chunks(duration_s, stride_s=0.1, chunk_s=chunk_s), count)]
    assert planned[-1].whole.cell(planned[-1].keep_stop)[0] >= duration_s
    for chunk in planned:
        kept_s = (chunk.keep_stop - chunk.keep_start) * 0.1
        assert kept_s <= chunk_s + chunks.CONTEXT_S + 0.3
        assert count == 1 or kept_s >= chunk_s / 2 - 0.1


def test_a_clip_that_is_not_long_is_one_chunk_and_its_rows_are_all_kept(talking_clip):
    [chunk] = extract_chunks(probe(talking_clip), bind_front_ends(WHOLE), WHOLE)
    assert chunk.own == slice(0, chunk.features.num_snippets)


def test_rows_that_look_at_their_own_moment_alone_are_those_of_the_whole_clip(gappy_clip):
    whole, cut = features_of(gappy_clip, WHOLE), features_of(gappy_clip, CUT)
    assert len([*extract_chunks(gappy_clip, bind_front_ends(CUT), CUT)]) > 2
    assert (cut.grid, cut.end_s) == (whole.grid, whole.end_s)
    for modality, rows in whole.rows.items():
        assert (cut.rows[modality].present == rows.present).all()
    # The deviation from what is usual behind them is of a chunk or of the clip.
    alone = slice(0, FaceTexture.num_values)
    assert (cut.rows["face"].values[:, alone] == whole.rows["face"].values[:, alone]).all()
    assert (cut.rows["face"].values != whole.rows["face"].values).any()


def test_opt_outs_and_warnings_are_those_of_the_whole_clip(gappy_clip):
    whole, cut = features_of(gappy_clip, WHOLE), features_of(gappy_clip, CUT)
    assert {o.reason for o in whole.opt_outs["audio"]} == {"silence", "the audio has ended"}
    for modality, opt_outs in whole.opt_outs.items():
        assert [o.reason for o in cut.opt_outs[modality]] == [o.reason for o in opt_outs]
        for ours, theirs in zip(cut.opt_outs[modality], opt_outs, strict=True):
            assert (ours.start_s, ours.end_s) == pytest.approx((theirs.start_s, theirs.end_s))
    assert cut.warnings == whole.warnings


def test_a_stream_that_comes_back_in_a_later_chunk_had_not_ended(talking_clip, tmp_path):
    frames = [f for f in FrameReader(probe(talking_clip)) if not 0.5 <= f.pts_s < 2.5]
    path = tmp_path / "hole.mkv"
    write_clip(path, frames, fps_hz=25, audio=read_audio(probe(talking_clip)).samples)
    [hole, *_] = features_of(probe(path), CUT).opt_outs["face"]
    assert hole.reason == "no frame decoded"
    assert (hole.start_s, hole.end_s) == pytest.approx((0.5, 2.5), abs=0.2)


@pytest.mark.parametrize("stated_s", [None, 0.5, 2.0, 60.0])
def test_whatever_length_a_header_states_no_row_is_lost(gappy_clip, stated_s, tmp_path):
    media, cache = gappy_clip.model_copy(update={"duration_s": stated_s}), FeatureCache(tmp_path)
    whole = features_of(gappy_clip, WHOLE)
    for _ in ("computed", "from the cache"):
        cut = features_of(media, CUT, cache)
        assert cut.end_s == whole.end_s
        assert len(cut.rows["face"]) == len(whole.rows["face"])


def test_chunks_in_the_cache_are_not_computed_again(gappy_clip, tmp_path, monkeypatch):
    cache = FeatureCache(tmp_path)
    computed = features_of(gappy_clip, CUT, cache)
    monkeypatch.setattr("mmmsba_plugin.features.cached_walk.walk", None)
    stored = features_of(gappy_clip, CUT, cache)
    assert stored.opt_outs == computed.opt_outs
    assert stored.warnings == computed.warnings
    for modality, rows in computed.rows.items():
        assert (stored.rows[modality].values == rows.values).all()


def test_leading_silence_is_left_out_of_chunks_too(talking_clip, tmp_path):
    media = probe(talking_clip)
    audio = read_audio(media).samples
    audio[: round(1.5 * 16_000)] = 0.0
    path = tmp_path / "late.mkv"
    write_clip(path, FrameReader(media), fps_hz=25, audio=audio, audio_codec="pcm_s16le")
    trimmed = [c.model_copy(update={"trim_silence": True}) for c in (WHOLE, CUT)]
    whole, cut = (features_of(probe(path), config) for config in trimmed)
    assert whole.grid.start_s == cut.grid.start_s > 1.4
    assert whole.opt_outs == cut.opt_outs
    for modality, rows in whole.rows.items():
        assert (cut.rows[modality].present == rows.present).all()


def test_of_a_mute_clip_chunks_warn_once_that_nothing_was_trimmed(talking_clip, tmp_path):
    frames, path = FrameReader(probe(talking_clip)), tmp_path / "mute.mkv"
    write_clip(path, frames, fps_hz=25, audio=np.zeros(48_000, np.float32))
    config = CUT.model_copy(update={"trim_silence": True})
    assert features_of(probe(path), config).warnings.count(NOTHING_TRIMMED) == 1


def test_without_rows_a_chunk_still_says_when_and_why(gappy_clip):
    chunk = next(extract_chunks(gappy_clip, bind_front_ends(CUT), CUT))
    bare = chunk.without_rows()
    assert bare.features.rows == {}
    assert bare == replace(chunk, features=bare.features)
    assert bare.features.opt_outs == chunk.features.opt_outs
