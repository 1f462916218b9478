"""Draw what happens to a clip on its way to whoever looks at it.

A clip is filmed, cut, graded, scaled, compressed, uploaded, and compressed again. All of
that leaves traces, and none of them says that it is fake. So each file that is written
goes through a chain of its own, drawn without a look at whether it is fake: what a
detector learns to tell apart then is not the chain.
"""

from typing import Any

import numpy as np
from pydantic import Field

from mmmsba_plugin.config import Config
from mmmsba_plugin.forge.augment.background import BackgroundKind, BackgroundPlace
from mmmsba_plugin.forge.augment.speech_codec import SpeechCodecName
from mmmsba_plugin.schema import Rate

_FPS_HZ = (24, 25, 30)
#: A rate is converted to one of the usual ones that is no farther off than this; more would
#: be visible to anybody.
_NEAR_HZ = 6.5
_EQ_BANDS = 6
#: Speech codecs and their bit rates; Opus from a bad connection to a good one.
_CALLS: tuple[tuple[SpeechCodecName, int], ...] = (
    ("g722", 64_000),
    ("g723_1", 6_300),
    ("opus", 6_000),
    ("opus", 9_000),
    ("opus", 12_000),
    ("opus", 16_000),
)
#: What lies under speech or between it; laughter is heard mostly when nobody talks.
_BACKGROUNDS: tuple[tuple[BackgroundKind, BackgroundPlace], ...] = (
    ("music", "under"),
    ("music", "between"),
    ("laughter", "under"),
    ("laughter", "between"),
)
#: Jump cuts of a clip: how many, and how long each is, in seconds.
_JUMPS, _JUMP_S = (2, 4), (0.12, 0.5)
#: How long nobody is seen, in seconds.
_AWAY_S = (0.4, 1.5)
_BIT_RATES = (24_000, 32_000, 48_000, 64_000, 96_000)
#: Frames from one key frame to the next: of live streams, of platforms, of x264.
_KEY_EVERY = (25, 50, 125, 250)
_B_FRAMES = (0, 2, 3)
_PRESETS = ("superfast", "veryfast")
#: Which amount each step draws.
_STEPS = {
    "cut": "cut",
    "scale": "scale",
    "blur": "blur_px",
    "sharpen": "sharpen",
    "grain": "grain",
    "light": "gamma",
    "fps": "fps_hz",
    "pitch": "pitch_semitones",
    "equalise": "eq_db",
    "band": "band_hz",
    "hiss": "hiss_db",
    "gain": "gain_db",
    "twice": "first_crf",
    "mirror": "mirror",
    "jumps": "jumps",
    "call": "call",
    "call_part": "call_part",
    "background": "background",
    "denoise": "denoise_db",
    "away": "away",
}
#: What every file is written with.
_ENCODER = {"crf", "audio_bit_rate", "key_every", "b_frames", "preset"}


class ProcessingConfig(Config):
    """Share of all files, real or fake, that each augmentation is applied to."""

    cut: Rate = Field(default=0.12, description="A clean cut through both streams.")
    jumps: Rate = Field(default=0.06, description="A few clean cuts, as talk is shortened online.")
    away: Rate = Field(default=0.08, description="A moment without the face, as in a cutaway.")
    scale: Rate = Field(default=0.35, description="Frames scaled down.")
    blur: Rate = Field(default=0.15, description="Frames softened.")
    sharpen: Rate = Field(default=0.15, description="Frames sharpened.")
    grain: Rate = Field(default=0.3, description="Noise on frames.")
    light: Rate = Field(default=0.3, description="Frames made lighter or darker.")
    fps: Rate = Field(default=0.06, description="Another frame rate.")
    pitch: Rate = Field(default=0.06, description="All of the voice higher or lower.")
    equalise: Rate = Field(default=0.35, description="Treble and bass turned.")
    band: Rate = Field(default=0.2, description="Audio without its highest part.")
    hiss: Rate = Field(default=0.3, description="Noise under the audio.")
    call: Rate = Field(
        default=0.15, description="Audio through the codec of a telephone or a call."
    )
    call_part: Rate = Field(
        default=0.3, description="Of those, the share of which only a part was."
    )
    background: Rate = Field(
        default=0.12, description="Music or laughter under the speech or between it."
    )
    denoise: Rate = Field(default=0.12, description="Noise taken out of the audio.")
    gain: Rate = Field(default=0.6, description="Audio made louder or softer.")
    twice: Rate = Field(default=0.15, description="Compressed twice.")
    mirror: Rate = Field(default=0.5, description="Left and right changed over.")
    best_crf: int = Field(
        default=18, ge=0, le=51, description="Least compression of a written file (x264)."
    )
    worst_crf: int = Field(
        default=28, ge=0, le=51, description="Strongest compression of a written file (x264 CRF)."
    )


#: Nothing but the encoder, of a quality that is drawn.
NO_PROCESSING = ProcessingConfig(
    **dict.fromkeys(ProcessingConfig.model_fields.keys() - {"best_crf", "worst_crf"}, 0.0)
)


class Processing(Config):
    """Augmentation of one file."""

    cut: tuple[float, float] | None = Field(
        default=None, description="Where, as a share of the clip, and how long, in seconds."
    )
    jumps: tuple[tuple[float, float], ...] = Field(
        default=(), description="More cuts, each like 'cut'."
    )
    away: tuple[float, float] | None = Field(
        default=None, description="Where the face is not seen, and for how long, like 'cut'."
    )
    scale: float = Field(default=1.0, description="Size of the frames against what it was.")
    blur_px: float = Field(default=0.0, description="Sigma of a Gaussian.")
    sharpen: float = Field(default=0.0, description="Weight of an unsharp mask.")
    grain: float = Field(default=0.0, description="Sigma of noise on frames, of 255.")
    gamma: float = Field(default=1.0, description="Above 1 the frames are darker.")
    fps_hz: int | None = Field(default=None, description="Frame rate, where it is another.")
    pitch_semitones: float = Field(default=0.0, description="Pitch shift, in semitones.")
    eq_db: tuple[float, ...] = Field(
        default=(), description="Gains at frequencies evenly spread in octaves."
    )
    band_hz: float | None = Field(default=None, description="Highest frequency that is left.")
    hiss_db: float | None = Field(default=None, description="Level of speech above noise, in dB.")
    call: tuple[SpeechCodecName, int] | None = Field(
        default=None, description="Speech codec and its bit rate, in bits a second."
    )
    call_part: tuple[float, float] | None = Field(
        default=None, description="Start and end of what was coded, as shares of the clip."
    )
    background: tuple[BackgroundKind, BackgroundPlace] | None = Field(
        default=None, description="Kind of background, and whether under the speech or between it."
    )
    background_db: float = Field(
        default=15.0, description="Level of speech above the background, in dB."
    )
    denoise_db: float | None = Field(
        default=None, description="Largest attenuation of noise, in dB."
    )
    gain_db: float = Field(default=0.0, description="Gain, in dB.")
    mirror: bool = Field(default=False, description="Mirror left and right.")
    first_crf: int | None = Field(default=None, description="CRF of an earlier compression.")
    first_bit_rate: int = Field(default=64_000, description="Bit rate of that audio.")
    crf: int = Field(default=23, description="CRF of the file.")
    key_every: int = Field(default=250, description="Frames from key frame to key frame.")
    b_frames: int = Field(default=3, description="Largest number of B-frames in a row.")
    preset: str = Field(default="veryfast", description="Preset of the encoder.")
    audio_bit_rate: int = Field(default=64_000, description="Bit rate of the audio.")

    @property
    def encoder(self) -> dict[str, str]:
        """Settings of the encoder of the frames."""
        return {"g": str(self.key_every), "bf": str(self.b_frames), "preset": self.preset}

    def to_metadata(self) -> dict[str, Any]:
        """Return the entry of the metadata: the encoder, and every augmentation."""
        steps = self.model_dump(mode="json", exclude_defaults=True)
        if self.first_crf is None:
            steps.pop("first_bit_rate", None)
        return self.model_dump(mode="json", include=_ENCODER) | steps


def draw_processing(
    config: ProcessingConfig, *, fps_hz: float, rng: np.random.Generator
) -> Processing:
    """Draw the augmentation of a file.

    Args:
        config: Share of files that each step is applied to.
        fps_hz: Frame rate of the clip; one is converted to a usual rate near it.
        rng: Must know nothing of whether the file is fake.
    """
    # Everything is drawn whether or not it is used, so that one share does not move the rest.
    rolls = rng.random(len(_STEPS))
    amounts = _draw_amounts(config, fps_hz=fps_hz, rng=rng)
    steps = {
        name
        for roll, (step, name) in zip(rolls, _STEPS.items(), strict=True)
        if roll < getattr(config, step)
    }
    if "blur_px" in steps:
        # A frame that is softened and sharpened is neither.
        steps.discard("sharpen")
    if "call" not in steps:
        steps.discard("call_part")
    if "background" in steps:
        steps.add("background_db")
    return Processing(**{name: amounts[name] for name in steps | _ENCODER | {"first_bit_rate"}})


def _draw_amounts(
    config: ProcessingConfig, *, fps_hz: float, rng: np.random.Generator
) -> dict[str, Any]:
    """Draw how much of each step there would be."""
    near = [f for f in _FPS_HZ if 0.5 < abs(f - fps_hz) < _NEAR_HZ]  # noqa: PLR2004
    first, second = (int(b) for b in rng.choice(_BIT_RATES, size=2))
    crfs = config.best_crf, config.worst_crf + 1
    return {
        "cut": (float(rng.uniform(0.15, 0.85)), float(rng.uniform(0.2, 0.8))),
        "scale": float(rng.uniform(0.6, 0.95)),
        "blur_px": float(rng.uniform(0.4, 1.1)),
        "sharpen": float(rng.uniform(0.2, 0.8)),
        "grain": float(rng.uniform(0.5, 4.0)),
        "gamma": float(np.exp(rng.uniform(-0.17, 0.17))),
        "fps_hz": near[int(rng.integers(len(near)))] if near else None,
        "pitch_semitones": float(rng.choice([-1, 1]) * rng.uniform(0.4, 2.0)),
        "eq_db": tuple(float(g) for g in rng.uniform(-5, 5, size=_EQ_BANDS)),
        "band_hz": float(rng.uniform(3400, 7200)),
        "hiss_db": float(rng.uniform(20, 45)),
        "gain_db": float(rng.uniform(-9, 5)),
        "first_crf": int(rng.integers(*crfs)),
        "mirror": True,
        "crf": int(rng.integers(*crfs)),
        "key_every": int(rng.choice(_KEY_EVERY)),
        "b_frames": int(rng.choice(_B_FRAMES)),
        "preset": str(rng.choice(_PRESETS)),
        "first_bit_rate": first,
        "audio_bit_rate": second,
        "jumps": tuple(
            (float(rng.uniform(0.1, 0.9)), float(rng.uniform(*_JUMP_S)))
            for _ in range(int(rng.integers(_JUMPS[0], _JUMPS[1] + 1)))
        ),
        "call": _CALLS[int(rng.integers(len(_CALLS)))],
        "call_part": tuple(float(share) for share in sorted(rng.uniform(size=2))),
        "background": _BACKGROUNDS[int(rng.integers(len(_BACKGROUNDS)))],
        "background_db": float(rng.uniform(5, 25)),
        "denoise_db": float(rng.uniform(6, 30)),
        "away": (float(rng.uniform(0.1, 0.9)), float(rng.uniform(*_AWAY_S))),
    }
