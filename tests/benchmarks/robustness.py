"""Measure how a checkpoint holds out when clips are changed on their way.

    python tests/benchmarks/robustness.py CHECKPOINT DATASET [--every-fake 1] [--every-real 2]

``DATASET`` is a folder with real footage and fakes of whole clips, of which those of `dev` are
taken, or what ``mmmsba forge FOOTAGE --split dev`` wrote. Every so many of its files is written
anew in each of several ways, and evaluated again; differences are paired, clip by clip. With
``--card`` the table goes into the model card.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from sections import put_section
from weights import PAINTED, REAL

from mmmsba_plugin import Detector
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.evaluation.metrics.bootstrap import Draw, bootstrap
from mmmsba_plugin.evaluation.metrics.detection import Ranking
from mmmsba_plugin.evaluation.run import Result, run
from mmmsba_plugin.features.cache import FeatureCache
from mmmsba_plugin.forge.augment.audio import mix
from mmmsba_plugin.forge.augment.pipeline import Processing
from mmmsba_plugin.forge.augment.video import at_rate, develop
from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.encode import fps_of, write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.model.checkpoint import CARD
from mmmsba_plugin.record import Record
from mmmsba_plugin.structures import Frame

RATE_HZ = 16_000

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a clip on its way.

    Attributes:
        processing: Steps that forging knows too.
        crop_share: Share of width and height that is left, from the middle.
    """

    processing: Processing
    crop_share: float = 1.0


CHANGES = {
    "written again": Change(Processing()),
    "strongly compressed (CRF 35, 24 kbit/s)": Change(Processing(crf=35, audio_bit_rate=24_000)),
    "15 frames a second": Change(Processing(fps_hz=15)),
    "half the resolution": Change(Processing(scale=0.5)),
    "noise on frames and audio": Change(Processing(grain=6.0, hiss_db=20.0)),
    "12 dB softer": Change(Processing(gain_db=-12.0)),
    "cropped to the middle 80 %": Change(Processing(), crop_share=0.8),
    "mirrored": Change(Processing(mirror=True)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--every-fake", type=int, default=1)
    parser.add_argument("--every-real", type=int, default=2)
    parser.add_argument("--card", action="store_true")
    options = parser.parse_args()
    # Of the one person whom 24 fakes show, nothing would be told about others.
    of_dev = read_lavdf(options.dataset, split="dev")
    clips = [r for r in of_dev if not r.media.name.startswith((PAINTED, REAL))]
    fake = [record for record in clips if record.fake][:: options.every_fake]
    records = [*fake, *[record for record in clips if not record.fake][:: options.every_real]]
    detector = Detector.from_pretrained(options.checkpoint, cache=FeatureCache())
    evaluated = {"as they are": run(detector, records)}
    for name, change in CHANGES.items():
        with TemporaryDirectory() as folder:
            evaluated[name] = run(detector, _changed(records, change, Path(folder)))
        sys.stderr.write(f"{name}\n")
    lines = list(_table(evaluated))
    sys.stdout.write("\n".join(lines) + "\n")
    if options.card:
        put_section(options.checkpoint / CARD, "robustness", lines)


def _changed(records: Iterable[Record], change: Change, folder: Path) -> Iterator[Record]:
    for number, record in enumerate(records):
        path = folder / f"{number}.mp4"
        write_changed(record.media, path, change)
        yield replace(record, media=path)
        path.unlink()


def write_changed(source: Path, path: Path, change: Change) -> None:
    """Write a clip as it is after a change."""
    media, processing, rng = (
        probe(source, with_hash=False),
        change.processing,
        np.random.default_rng(0),
    )
    assert media.video is not None
    frames: Iterable[Frame] = map(
        partial(_middle, crop_share=change.crop_share), FrameReader(media)
    )
    frames = develop(frames, processing, rng)
    fps_hz = fps_of(media)
    if processing.fps_hz is not None:
        frames, fps_hz = (
            at_rate(frames, processing.fps_hz, media.duration_s or 0.0),
            processing.fps_hz,
        )
    audio = np.zeros(0, dtype=np.float32)
    if media.audio is not None:
        audio = read_audio(media, sample_rate_hz=RATE_HZ).samples
        audio = mix(audio, processing, sample_rate_hz=RATE_HZ, rng=rng)
    write_clip(
        path,
        frames,
        fps_hz=fps_hz,
        audio=audio if audio.size else None,
        sample_rate_hz=RATE_HZ,
        crf=processing.crf,
        audio_bit_rate=processing.audio_bit_rate,
    )


def _middle(frame: Frame, crop_share: float) -> Frame:
    if crop_share == 1.0:
        return frame
    height, width = frame.rgb.shape[:2]
    top, left = (round(side * (1 - crop_share) / 2) // 2 * 2 for side in (height, width))
    rows, columns = slice(top, height - top), slice(left, width - left)
    return replace(frame, rgb=np.ascontiguousarray(frame.rgb[rows, columns]))


def _table(evaluated: dict[str, list[Result]]) -> Iterator[str]:
    as_is, *_ = evaluated.values()
    fake = np.array([result.record.fake for result in as_is])
    identities = [result.record.identity for result in as_is]
    yield "## When clips are changed on their way"
    yield ""
    yield (
        f"{fake.sum()} fake and {(~fake).sum()} real files of people it never saw, "
        "written anew in each way. 95 % intervals over people; differences are paired."
    )
    yield ""
    yield (
        "| clips | clip AUC | 95 % interval | less than as they are | fake flagged "
        "| real flagged | evaluated |"
    )
    yield "|---|---|---|---|---|---|---|"
    before = _scores(as_is)
    for name, results in evaluated.items():
        now, flagged = (
            _scores(results),
            np.array([result.report.fake is True for result in results]),
        )

        def auc(draw: Draw, now: Scores = now) -> float:
            return _auc(now, fake, draw)

        def lost(draw: Draw, auc: Callable[[Draw], float] = auc) -> float:
            return _auc(before, fake, draw) - auc(draw)

        intervals = bootstrap({"auc": auc, "lost": lost}, clusters=identities, num_resamples=500)
        interval, loss = intervals["auc"], intervals["lost"]
        yield (
            f"| {name} | {interval.value:.3f} | {interval.low:.3f} to {interval.high:.3f} | "
            f"{loss.value:+.3f} ({loss.low:+.3f} to {loss.high:+.3f}) | "
            f"{(flagged & fake).sum()} | {(flagged & ~fake).sum()} | "
            f"{np.isfinite(now).sum()} of {len(now)} |"
        )
    yield ""


def _scores(results: Sequence[Result]) -> Scores:
    """Return the score of each clip; NaN where it was not evaluated."""
    scores = [result.report.score for result in results]
    return np.array([np.nan if score is None else score for score in scores])


def _auc(scores: Scores, fake: NDArray[np.bool_], draw: Draw) -> float:
    clips = draw.clips[np.isfinite(scores[draw.clips])]
    return Ranking.of(scores[clips], fake[clips]).auc


if __name__ == "__main__":
    main()
