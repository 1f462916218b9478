"""Opt-outs: segments that cannot be evaluated, and why."""

import numpy as np

from mmmsba_plugin.features.opt_outs import NOTHING_AUDIBLE, SILENCE, AudioOptOuts, FaceOptOuts
from mmmsba_plugin.structures import AudioBlock
from mmmsba_plugin.timebase import Grid

RATE_HZ = 16_000


def noise(duration_s: float, *, start_s: float = 0.0, level: float = 0.1) -> AudioBlock:
    rng = np.random.default_rng(7)
    audio = rng.normal(scale=level, size=round(duration_s * RATE_HZ)).astype(np.float32)
    return AudioBlock(start_s, audio, RATE_HZ)


class TestAudioOptOuts:
    def opt_outs(self, *blocks: AudioBlock) -> list[tuple[float, float, str]]:
        collector = AudioOptOuts()
        for block in blocks:
            collector.add(block)
        return [(round(o.start_s, 3), round(o.end_s, 3), o.reason) for o in collector.opt_outs()]

    def test_speech_with_short_pauses_is_evaluated_throughout(self):
        pause = AudioBlock(1.0, np.zeros(RATE_HZ // 2, np.float32), RATE_HZ)
        assert self.opt_outs(noise(1.0), pause, noise(1.0, start_s=1.5)) == []

    def test_a_long_silence_is_opted_out_of(self):
        silence = AudioBlock(1.0, np.zeros(2 * RATE_HZ, np.float32), RATE_HZ)
        assert self.opt_outs(noise(1.0), silence, noise(1.0, start_s=3.0)) == [(1.0, 3.0, SILENCE)]

    def test_a_clip_that_is_silent_throughout_is_opted_out_of_however_short(self):
        silence = AudioBlock(0.0, np.zeros(RATE_HZ // 2, np.float32), RATE_HZ)
        assert self.opt_outs(silence) == [(0.0, 0.5, SILENCE)]

    def test_missing_audio_is_distinguished_from_silence(self):
        assert self.opt_outs(noise(1.0), noise(1.0, start_s=2.0)) == [(1.0, 2.0, NOTHING_AUDIBLE)]


def test_a_clip_of_which_no_frame_was_decoded_has_no_segment_to_opt_out_of():
    assert FaceOptOuts().opt_outs(Grid(stride_s=0.2), np.zeros(3, dtype=bool)) == ()
