"""Measure how a checkpoint holds out when clips are changed on their way.

    python tests/benchmarks/robustness.py CHECKPOINT --forged DEV [--every 4] [--card]

``DEV`` is what ``mmmsba forge FOOTAGE --split dev`` wrote. Every so many of its files is written
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
from sections import put_section

from mmmsba_plugin import Detector
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.evaluation.metrics.bootstrap import Draw, bootstrap
from mmmsba_plugin.evaluation.metrics.detection import Ranking
from mmmsba_plugin.evaluation.run import run
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
    "noise on frame and audio": Change(Processing(grain=6.0, hiss_db=20.0)),
    "12 dB softer": Change(Processing(gain_db=-12.0)),
    "cropped to the middle 80 %": Change(Processing(), crop_share=0.8),
    "mirrored": Change(Processing(mirror=True)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--forged", dest="fake", type=Path, required=True, metavar="DIR")
    parser.add_argument("--every", type=int, default=4)
    parser.add_argument("--card", action="store_true")
    options = parser.parse_args()
    # Real ones first, so that no stride of the dataset draws one kind alone.
    records = sorted(read_lavdf(options.fake), key=lambda r: r.fake)[:: options.every]
    detector = Detector.from_pretrained(options.checkpoint, cache=FeatureCache())
    as_is = _scores(detector, records)
    scores_by_change = {"as they are": as_is}
    for name, change in CHANGES.items():
        with TemporaryDirectory() as folder:
            scores_by_change[name] = _scores(detector, _changed(records, change, Path(folder)))
        sys.stderr.write(f"{name}\n")
    lines = list(_table(records, scores_by_change))
    sys.stdout.write("\n".join(lines) + "\n")
    if options.card:
        put_section(options.checkpoint / CARD, "robustness", lines)


def _scores(detector: Detector, records: Iterable[Record]) -> list[float]:
    """Return the score of each clip; NaN where it was not evaluated."""
    reports = [result.report for result in run(detector, records)]
    return [np.nan if report.score is None else report.score for report in reports]


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


def _table(records: Sequence[Record], scores_by_change: dict[str, list[float]]) -> Iterator[str]:
    fake = np.array([record.fake for record in records])
    as_is, *_ = map(np.array, scores_by_change.values())
    yield "## When clips are changed on their way"
    yield ""
    yield (
        f"{fake.sum()} fake and {(~fake).sum()} real files of people it never saw, "
        "written anew in each way. 95 % intervals over people; differences are paired."
    )
    yield ""
    yield "| clips | clip AUC | 95 % interval | less than as they are | evaluated |"
    yield "|---|---|---|---|---|"
    for name, scores in scores_by_change.items():
        now = np.array(scores)

        def auc(draw: Draw, now: np.ndarray = now) -> float:
            return _auc(now, fake, draw)

        def lost(draw: Draw, auc: Callable[[Draw], float] = auc) -> float:
            return _auc(as_is, fake, draw) - auc(draw)

        identities = [record.identity for record in records]
        intervals = bootstrap({"auc": auc, "lost": lost}, clusters=identities, num_resamples=500)
        interval, loss = intervals["auc"], intervals["lost"]
        yield (
            f"| {name} | {interval.value:.3f} | {interval.low:.3f} to {interval.high:.3f} | "
            f"{loss.value:+.3f} ({loss.low:+.3f} to {loss.high:+.3f}) | "
            f"{np.isfinite(now).sum()} of {len(now)} |"
        )
    yield ""


def _auc(scores: np.ndarray, fake: np.ndarray, draw: Draw) -> float:
    clips = draw.clips[np.isfinite(scores[draw.clips])]
    return Ranking.of(scores[clips], fake[clips]).auc


if __name__ == "__main__":
    main()
