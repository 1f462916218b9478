"""The processing of a file, drawn without a look at its label."""

import numpy as np
import pytest

from mmmsba_plugin.forge.augment.pipeline import (
    NO_PROCESSING,
    ProcessingConfig,
    draw_processing,
)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_each_step_is_drawn_with_its_probability():
    config, dice = ProcessingConfig(), rng()
    draws = [draw_processing(config, fps_hz=29.97, rng=dice) for _ in range(2000)]
    shares = {
        "cut": np.mean([p.cut is not None for p in draws]),
        "scale": np.mean([p.scale < 1 for p in draws]),
        "blur": np.mean([p.blur_px > 0 for p in draws]),
        "grain": np.mean([p.grain > 0 for p in draws]),
        "light": np.mean([p.gamma != 1 for p in draws]),
        "fps": np.mean([p.fps_hz is not None for p in draws]),
        "pitch": np.mean([p.pitch_semitones != 0 for p in draws]),
        "equalise": np.mean([bool(p.eq_db) for p in draws]),
        "band": np.mean([p.band_hz is not None for p in draws]),
        "hiss": np.mean([p.hiss_db is not None for p in draws]),
        "gain": np.mean([p.gain_db != 0 for p in draws]),
        "twice": np.mean([p.first_crf is not None for p in draws]),
        "mirror": np.mean([p.mirror for p in draws]),
        "jumps": np.mean([bool(p.jumps) for p in draws]),
        "call": np.mean([p.call is not None for p in draws]),
        "background": np.mean([p.background is not None for p in draws]),
        "denoise": np.mean([p.denoise_db is not None for p in draws]),
        "away": np.mean([p.away is not None for p in draws]),
    }
    for step, share in shares.items():
        # 2000 draws are known to 0.011 at worst.
        assert share == pytest.approx(getattr(config, step), abs=0.04), step
    assert {p.crf for p in draws} == set(range(18, 29))
    assert {p.fps_hz for p in draws} == {None, 24, 25}, "30 is what 29.97 is already"


def test_a_share_that_is_changed_moves_no_other_draw():
    calm = draw_processing(ProcessingConfig(scale=0, twice=0), fps_hz=25, rng=rng(3))
    wild = draw_processing(ProcessingConfig(scale=1, twice=1), fps_hz=25, rng=rng(3))
    moved = {"scale", "first_crf"}
    assert calm.model_dump(exclude=moved) == wild.model_dump(exclude=moved)


def test_plain_processing_is_the_encoder_alone():
    settings_ = draw_processing(NO_PROCESSING, fps_hz=25, rng=rng()).to_metadata()
    assert settings_.keys() <= {"crf", "audio_bit_rate", "key_every", "b_frames", "preset"}
    assert "crf" in settings_
