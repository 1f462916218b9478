"""Front-ends that need several media get all of them, in time order, by one walk."""

import itertools

import numpy as np
import pytest

from mmmsba_plugin.config import Config, FeaturesConfig
from mmmsba_plugin.features.cache import CacheEntry
from mmmsba_plugin.features.chunks import plan_chunks
from mmmsba_plugin.features.extract import extract
from mmmsba_plugin.features.front_ends import BoundFrontEnd
from mmmsba_plugin.features.walk import NO_AUDIO, NO_AUDIO_STREAM, NO_FRAME, walk
from mmmsba_plugin.hookspecs import FrontEnd
from mmmsba_plugin.media.audio import AudioReader, read_audio
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.schema import Media
from mmmsba_plugin.structures import AudioBlock, FaceCrop, FeatureRows, Frame
from mmmsba_plugin.timebase import Grid

CONFIG = FeaturesConfig()


class Recorder:
    """A toy extractor that keeps what it was given and counts it by snippet."""

    dim = 1

    def start(self, media: Media, grid: Grid) -> None:
        self.grid, self.observations = grid, []

    def add(self, observation: AudioBlock | FaceCrop | Frame) -> None:
        self.observations.append(observation)

    def times_s(self, *types: type) -> list[float]:
        return [
            o.start_s if isinstance(o, AudioBlock) else o.pts_s
            for o in self.observations
            if isinstance(o, types or object)
        ]

    def finish(self, num_snippets: int) -> FeatureRows:
        counts = np.ones((num_snippets, 1), np.float32)
        return FeatureRows(counts, np.ones(num_snippets, bool))


def recorders(*inputs: set[str]) -> tuple[list[Recorder], dict[str, BoundFrontEnd]]:
    """Return a toy front-end for each set of inputs, under the names m0, m1 …"""
    extractors = [Recorder() for _ in inputs]
    bound = {
        f"m{i}": BoundFrontEnd(
            FrontEnd(
                name=f"toy-{i}",
                modality=None,
                summary="Counts.",
                inputs=needs,
                config=Config,
                build=lambda _, e=extractors[i]: e,
            ),
            Config(),
        )
        for i, needs in enumerate(inputs)
    }
    return extractors, bound


def walked_whole(media: Media, bound: dict[str, BoundFrontEnd]) -> CacheEntry:
    """Walk through a clip that is one chunk, and return the features of the modality m0."""
    [walked] = walk(media, bound, {"m0": 0.0}, CONFIG, plan_chunks(None, stride_s=0.2, chunk_s=60))
    assert walked.is_last
    return walked.entries["m0"]


def test_a_front_end_of_audio_and_faces_gets_both_in_time_order_on_one_clock(talking_clip):
    (both, audio, faces), bound = recorders({"audio", "faces"}, {"audio"}, {"faces"})
    features = extract(probe(talking_clip), bound, CONFIG)
    assert {type(o) for o in both.observations} == {AudioBlock, FaceCrop}
    assert both.times_s() == sorted(both.times_s())
    # The same audio and the same faces, at the same times, as those get who need one alone.
    assert both.times_s(AudioBlock) == audio.times_s()
    assert both.times_s(FaceCrop) == faces.times_s()
    assert len({len(rows) for rows in features.rows.values()}) == 1
    assert features.rows["m0"].present.mean() > 0.95


def test_a_front_end_of_frames_gets_whole_frames_without_face_tracking(talking_clip, monkeypatch):
    monkeypatch.setattr("mmmsba_plugin.features.walk.follow_main_face", None)
    [frames], bound = recorders({"frames"})
    media = probe(talking_clip)
    extract(media, bound, CONFIG)
    assert frames.times_s(Frame) == frames.times_s() == [f.pts_s for f in FrameReader(media)]


def test_of_one_moment_the_frame_comes_before_the_face_in_it(talking_clip):
    [both], bound = recorders({"frames", "faces"})
    extract(probe(talking_clip), bound, CONFIG)
    for before, after in zip(both.observations, both.observations[1:], strict=False):
        if isinstance(after, FaceCrop):
            assert isinstance(before, Frame)
            assert before.pts_s == after.pts_s


def test_each_medium_is_decoded_once_however_many_front_ends_need_it(talking_clip, monkeypatch):
    walks = []
    for reader in (AudioReader, FrameReader):
        decode = reader.__iter__

        def counted(self, decode=decode):
            walks.append(type(self))
            return decode(self)

        monkeypatch.setattr(reader, "__iter__", counted)
    _, bound = recorders({"audio"}, {"audio", "faces"}, {"faces"}, {"frames"}, {"audio", "frames"})
    extract(probe(talking_clip), bound, CONFIG)
    assert sorted(walk.__name__ for walk in walks) == ["AudioReader", "FrameReader"]


def test_without_one_of_its_media_a_joint_front_end_has_no_rows_present(silent_clip):
    [recorder], bound = recorders({"audio", "frames"})
    entry = walked_whole(probe(silent_clip), bound)
    assert (len(entry.rows), entry.end_s, entry.afterwards) == (0, 0.0, NO_AUDIO_STREAM)
    assert recorder.times_s(AudioBlock) == []


@pytest.mark.parametrize(("audio_s", "reason"), [(1.0, NO_AUDIO), (3.0, NO_FRAME)])
def test_a_joint_front_end_has_rows_while_all_its_media_last(
    talking_clip, tmp_path, audio_s, reason
):
    frames = list(FrameReader(probe(talking_clip)))[:50]
    noise = np.random.default_rng(0).normal(scale=0.1, size=round(audio_s * 16_000))
    path = tmp_path / "uneven.mkv"
    audio = noise.astype(np.float32)
    write_clip(path, frames, fps_hz=25, audio=audio, audio_codec="pcm_s16le")
    _, bound = recorders({"audio", "frames"})
    entry = walked_whole(probe(path), bound)
    assert (entry.end_s, entry.afterwards) == (pytest.approx(min(audio_s, 2.0), abs=0.01), reason)
    assert len(entry.rows) == round(min(audio_s, 2.0) / 0.2)


def test_a_joint_front_end_opts_out_once_a_moment_and_of_silence(talking_clip, tmp_path):
    media = probe(talking_clip)
    audio = read_audio(media).samples.copy()
    audio[8_000:28_000] = 0.0
    frames = [
        Frame(f.pts_s, np.zeros_like(f.rgb)) if 1.5 <= f.pts_s < 2.2 else f
        for f in FrameReader(media)
    ]
    path = tmp_path / "gaps.mkv"
    write_clip(path, frames, fps_hz=25, audio=audio, audio_codec="pcm_s16le")
    _, bound = recorders({"audio", "faces"})
    features = extract(probe(path), bound, CONFIG)
    opt_outs = features.opt_outs["m0"]
    assert "silence" in {opt_out.reason for opt_out in opt_outs}
    for before, after in itertools.pairwise(opt_outs):
        assert before.end_s <= after.start_s
    silent = features.grid.indices_at(np.array([0.8, 1.2]))
    assert not features.rows["m0"].present[silent].any()


def test_a_joint_front_end_is_given_nothing_from_before_trimmed_silence(talking_clip, tmp_path):
    media = probe(talking_clip)
    audio = read_audio(media).samples.copy()
    audio[:8_000] = 0.0
    path = tmp_path / "late.mkv"
    write_clip(path, FrameReader(media), fps_hz=25, audio=audio, audio_codec="pcm_s16le")
    [recorder], bound = recorders({"audio", "frames"})
    features = extract(probe(path), bound, FeaturesConfig(trim_silence=True))
    assert features.grid.start_s >= 0.5
    assert min(recorder.times_s()) >= features.grid.start_s - 1e-9
    assert recorder.grid == features.grid
