"""Variants of one clip: processing, numbers and ground truth."""

import collections
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mmmsba_plugin.config import TracksConfig
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.datasets.reader import refuse
from mmmsba_plugin.evaluation.leakage import leak_report
from mmmsba_plugin.forge.augment.pipeline import NO_PROCESSING, ProcessingConfig
from mmmsba_plugin.forge.dataset import forge_dataset
from mmmsba_plugin.forge.face_trace import trace_face
from mmmsba_plugin.forge.recipes import build_forgers
from mmmsba_plugin.forge.talking_head.clips import make_talking_clip, make_talking_head_dataset
from mmmsba_plugin.forge.variants import ForgeConfig, VariantWriter
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.segment import Segment

from .clips import MOUTH, RATE_HZ, SHIFT, SPLICE, UNTOUCHED, metadata


def test_truth_is_exactly_what_differs_before_encoding(variant_writer, encoded_streams):
    writer, donors = variant_writer
    name = Path(writer.write_real(0)["file"]).name
    real_frames, real_audio = encoded_streams[name]
    forgers = build_forgers([SPLICE, MOUTH], {})
    kinds = set()
    for number in range(1, 4):
        recipe = next(writer.recipes(forgers, number))
        entry = writer.write_fake(number, recipe, donors, original=0)
        kinds.add(entry["kind"])
        frames, audio = encoded_streams[Path(entry["file"]).name]
        changed_s = [
            pts_s
            for (pts_s, rgb), (_, old) in zip(frames, real_frames, strict=True)
            if not np.array_equal(rgb, old)
        ]
        expected_s = [
            pts_s
            for pts_s, _ in real_frames
            if any(s - 1e-6 <= pts_s < e - 1e-6 for s, e in entry["visual_fake_segments"])
        ]
        assert changed_s == expected_s
        outside = np.ones(audio.size, dtype=bool)
        for start_s, end_s in entry["audio_fake_segments"]:
            inside = slice(round(start_s * RATE_HZ), round(end_s * RATE_HZ))
            outside[inside] = False
            assert np.mean(audio[inside] != real_audio[inside]) > 0.99
        np.testing.assert_array_equal(audio[outside], real_audio[outside])
    assert kinds == {"splice", "mouth", "splice+mouth"}


def test_processing_knows_nothing_of_the_label(real, tmp_path):
    options = {"seed": 4, "forgers": [SHIFT, MOUTH], "split": "dev"}
    forge_dataset(real, tmp_path / "a", per_clip=1, real_per_clip=3, **options)
    forge_dataset(real, tmp_path / "b", per_clip=3, real_per_clip=1, **options)
    first, second = (
        {e["file"]: (e["processing"], e["kind"] == "real") for e in metadata(tmp_path / name)}
        for name in ("a", "b")
    )
    assert first.keys() == second.keys()
    changed_label = 0
    for file, (processing, is_real) in first.items():
        assert processing == second[file][0]
        changed_label += is_real != second[file][1]
    assert changed_label == 2


def test_a_file_number_is_independent_of_the_label(variant_writer, tmp_path):
    source = variant_writer[0].source
    orders = []
    for seed in range(200):
        writer = VariantWriter(source, tmp_path, traces=None, config=UNTOUCHED, seed=seed)
        orders.append(writer.file_numbers(4))
    assert all(sorted(order) == [0, 1, 2, 3] for order in orders)
    firsts = collections.Counter(order[0] for order in orders)
    assert all(30 <= firsts[number] <= 70 for number in range(4))


def processing_shares():
    return ProcessingConfig.model_fields.keys() - {"best_crf", "worst_crf"}


@pytest.mark.parametrize("fps_hz", [12, 30000 / 1001])
def test_portraits_and_odd_rates_are_fake_like_any(tmp_path, fps_hz):
    rate_hz = Fraction(fps_hz).limit_denominator(1001)
    folder = tmp_path / "genuine"
    clip = make_talking_clip(tmp_path / "wide.mp4", seconds=3, seed=0, size_px=240, fps_hz=rate_hz)
    upright = [p.rgb[:, 41:200] for p in FrameReader(probe(clip.path))]
    write_clip(folder / "tall.mp4", upright, fps_hz=rate_hz)
    every = ProcessingConfig(**dict.fromkeys(processing_shares(), 1.0))
    config = ForgeConfig(processing=every, segments={"short_share": 0})
    writer = forge_dataset(
        folder, tmp_path / "out", per_clip=1, seed=0, forgers=[MOUTH], config=config
    )
    assert writer.skipped == ()
    for record in read_lavdf(tmp_path / "out", on_error=refuse):
        media = probe(record.media)
        assert media.video.height_px > media.video.width_px
        assert all(0 <= s.start_s < s.end_s <= media.duration_s + 1e-3 for s in record.truth)


@pytest.mark.parametrize("rate", [0.0, 1.0], ids=["as it is", "converted"])
def test_truth_begins_and_ends_with_a_frame(real, tmp_path, rate):
    config = ForgeConfig(processing=NO_PROCESSING.model_copy(update={"fps": rate, "cut": 1.0}))
    forge_dataset(real, tmp_path, per_clip=1, seed=0, forgers=[MOUTH], config=config)
    rates_hz = set()
    for record in read_lavdf(tmp_path):
        media = probe(record.media)
        rates_hz.add(media.video.fps_hz)
        pts_s = np.array([p.pts_s for p in FrameReader(media)])
        ends_s = np.append(pts_s, pts_s[-1] + 1 / media.video.fps_hz)
        for segment in record.visual_truth:
            # The file's clock ticks 90,000 times a second.
            assert np.abs(pts_s - segment.start_s).min() < 2e-5
            assert np.abs(ends_s - segment.end_s).min() < 2e-5
    assert rates_hz == ({24.0, 30.0} if rate else {25.0})


def test_jump_cuts_are_for_real_and_fake_alike(tmp_path):
    folder = tmp_path / "real"
    make_talking_clip(folder / "long.mp4", seconds=5, seed=7, size_px=160)
    config = ForgeConfig(processing=NO_PROCESSING.model_copy(update={"jumps": 1.0}))
    forge_dataset(folder, tmp_path / "out", per_clip=1, seed=0, forgers=[MOUTH], config=config)
    for entry in metadata(tmp_path / "out"):
        jumps = entry["processing"]["jumps"]
        assert jumps
        removed_s = sum(length_s for _, length_s in jumps)
        assert entry["duration"] == pytest.approx(5 - removed_s, abs=0.04 * len(jumps))
        assert (
            len(list(FrameReader(probe(tmp_path / "out" / entry["file"]))))
            == (entry["video_frames"])
        )


def test_a_face_that_leaves_does_so_in_every_file_and_is_not_manipulated_then(tmp_path):
    folder = tmp_path / "real"
    make_talking_clip(folder / "long.mp4", seconds=5, seed=7, size_px=240)
    framed = [
        np.pad(p.rgb, ((0, 0), (120, 120), (0, 0)), mode="edge")
        for p in FrameReader(probe(folder / "long.mp4"))
    ]
    write_clip(folder / "long.mp4", framed, fps_hz=Fraction(25))
    config = ForgeConfig(processing=NO_PROCESSING.model_copy(update={"away": 1.0}))
    forge_dataset(folder, tmp_path / "out", per_clip=3, seed=0, forgers=[MOUTH], config=config)
    entries = metadata(tmp_path / "out")
    assert {e["kind"] for e in entries} == {"real", "mouth"}
    for entry in entries:
        place, length_s = entry["processing"]["away"]
        length_s = min(length_s, 1.0)
        start_s = place * (5 - length_s)
        away = Segment(start_s, start_s + length_s)
        for start, end in entry["visual_fake_segments"]:
            assert end <= away.start_s + 0.021 or start >= away.end_s - 0.021
        frames = FrameReader(probe(tmp_path / "out" / entry["file"]))
        face_trace = trace_face(frames, fps_hz=25, config=TracksConfig())
        middle = face_trace.nearest_edge((away.start_s + away.end_s) / 2)
        assert face_trace.track[middle] == -1
        assert (face_trace.track >= 0).mean() > 0.6


def test_neither_music_nor_denoising_nor_a_face_that_leaves_tells_a_fake(tmp_path):
    make_talking_head_dataset(tmp_path / "real", num_clips=4, seconds=3.2, seed=1, size_px=160)
    dice = dict.fromkeys(("background", "denoise", "away", "call"), 0.5)
    config = ForgeConfig(processing=NO_PROCESSING.model_copy(update=dice))
    forge_dataset(
        tmp_path / "real",
        tmp_path / "out",
        per_clip=2,
        real_per_clip=2,
        seed=0,
        forgers=[SHIFT, MOUTH],
        config=config,
    )
    steps = [entry["processing"].keys() for entry in metadata(tmp_path / "out")]
    assert all(any(name in step for step in steps) for name in ("background", "denoise_db", "call"))
    assert not leak_report(list(read_lavdf(tmp_path / "out", on_error=refuse))).leaks
