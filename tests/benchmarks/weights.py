"""Measure a checkpoint on identities it never saw, and write the metrics into its card.

    python tests/benchmarks/weights.py CHECKPOINT --forged DIR [--cuts DIR]
        [--footage DIR [--speech DIR]]

``--forged`` is what ``mmmsba forge FOOTAGE --split dev`` wrote, and ``--cuts`` the same of the
forger ``counterpart``; ``--footage`` is a folder of real clips in LAV-DF's layout whose split
``dev`` holds real clips and whole-clip forgeries by real generators. ``--speech`` holds WAV files
of a speech engine that nothing learned from. Nothing here may be used to choose a setting: it is a
report.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sections import put_section

from mmmsba_plugin import Detector
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.evaluation.evaluate import Evaluation, measure
from mmmsba_plugin.evaluation.metrics.bootstrap import Draw, Interval, bootstrap
from mmmsba_plugin.evaluation.run import Result, run, tables
from mmmsba_plugin.features.cache import FeatureCache
from mmmsba_plugin.media.audio import read_audio
from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import frame_at
from mmmsba_plugin.model.checkpoint import CARD
from mmmsba_plugin.record import WHOLE_CLIP, Record
from mmmsba_plugin.tracks.detect import FaceDetector

METRICS = (
    *("auc", "true_positive_rate", "false_positive_rate"),
    *("ap@0.5", "ap@0.75", "ar@20", "snippet_auc"),
)
#: Clips of one person whose lips Wav2Lip painted, and real ones of the same person.
PAINTED, REAL = "quiz_", "orig_nicole_"

#: Fewer fake clips than this say nothing of a group.
FEWEST = 3

#: Edges of the classes of face heights, in px.
FACE_EDGES_PX = (80, 160)

Predict = Callable[[Iterable[Record]], list[Result]]
Group = Callable[[Result], str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--forged", dest="fake", type=Path, required=True, metavar="DIR")
    parser.add_argument("--cuts", type=Path, metavar="DIR")
    parser.add_argument("--footage", dest="source_clips", type=Path, metavar="DIR")
    parser.add_argument("--speech", type=Path, metavar="DIR")
    options = parser.parse_args()
    detector = Detector.from_pretrained(options.checkpoint, cache=FeatureCache())

    def predict(records: Iterable[Record]) -> list[Result]:
        return run(detector, records)

    folders = (options.fake, options.cuts, options.source_clips, options.speech)
    lines = list(_report(predict, *folders))
    sys.stdout.write("\n".join(lines))
    put_section(options.checkpoint / CARD, "measured on others", lines)


def _report(
    predict: Predict,
    fake: Path,
    cuts: Path | None,
    source_clips: Path | None,
    speech: Path | None,
) -> Iterator[str]:
    yield "## Measured on people it never saw"
    yield ""
    yield "With 95 % intervals over people. Nothing was chosen by these figures."
    yield ""
    yield from _fake("Forged by forgers that it learned from", predict(read_lavdf(fake)), _kind)
    if cuts is not None:
        of_parts = [r for r in read_lavdf(cuts) if not r.fake or r.kind == "counterpart"]
        title = "Cuts between a real clip and what a real generator made of it"
        yield from _fake(title, predict(of_parts), _generator)
    if source_clips is not None:
        records = list(read_lavdf(source_clips, split="dev"))
        yield from _real(predict, records)
        if speech is not None:
            yield from _engine(predict, sorted(speech.glob("*.wav")), records)


def _kind(result: Result) -> str:
    return result.record.kind or "unknown"


def _generator(result: Result) -> str:
    return str(result.record.extra.get("generator") or "unknown")


def _measured(results: Sequence[Result]) -> Evaluation:
    return measure(*tables(results, name="it"), num_resamples=1000)


def _fake(title: str, results: Sequence[Result], group: Group) -> Iterator[str]:
    evaluation = _measured(results)
    yield f"### {title}"
    yield ""
    yield f"{evaluation.num_fake} fake and {evaluation.num_real} real files, official mode."
    yield ""
    yield "| what | value | 95 % interval |"
    yield "|---|---|---|"
    for name in METRICS:
        if name in evaluation.intervals:
            yield f"| {name} | {_row(evaluation.intervals[name])} |"
    yield ""
    yield from _groups(results, lambda result: f"altered: {result.record.altered}", group)
    yield from _false_alarms("real files of that dataset", results)


def _groups(results: Sequence[Result], *groups: Group) -> Iterator[str]:
    """Yield a table of the fake clips of each group against all that are real."""
    real = [result for result in results if not result.record.fake]
    yield from CLIPS_TABLE
    for group in groups:
        of_group: dict[str, list[Result]] = {}
        for result in results:
            if result.record.fake:
                of_group.setdefault(group(result), []).append(result)
        for name, fake in sorted(of_group.items()):
            if len(fake) >= FEWEST and "+" not in name:
                yield _row_of(name, [*real, *fake])
    yield ""


def _real(predict: Predict, records: Sequence[Record]) -> Iterator[str]:
    same = [r for r in records if r.media.name.startswith((PAINTED, REAL))]
    others = [r for r in records if r not in same]
    yield "### Real fakes of whole clips"
    yield ""
    yield from CLIPS_TABLE
    with TemporaryDirectory() as folder:
        muted = [replace(r, media=muted_copy(r.media, Path(folder))) for r in same]
        # Each clip by itself: they are of one person.
        alone = [replace(r, identity=None, original=None) for r in muted]
        yield _row_of("Wav2Lip against the same person, audio muted", predict(alone))
    results = predict(others)
    yield _row_of("other generators against other people", results)
    yield ""
    yield from _groups(results, _generator)
    yield _above_own(results)
    yield ""
    yield from _false_alarms("real clips as they were filmed", results)
    yield from _false_alarms_by(
        "corpus", results, lambda r: str(r.record.extra.get("corpus") or "unknown")
    )
    yield from _false_alarms_by(
        "language", results, lambda r: str(r.record.extra.get("language") or "unknown")
    )
    yield from _false_alarms_by("face", results, _face_height)
    yield "Whole-clip fakes, by the height of the face, against real clips of any height:"
    yield ""
    yield from _groups(results, _face_height)


def _false_alarms_by(name: str, results: Sequence[Result], group: Group) -> Iterator[str]:
    """Yield a table of the segments a minute in the real clips of each group."""
    of_group: dict[str, list[Result]] = {}
    for result in _real_of(results):
        of_group.setdefault(group(result), []).append(result)
    yield f"| real clips by {name} | how many | minutes | segments a minute |"
    yield "|---|---|---|---|"
    for value, real in sorted(of_group.items()):
        segments = sum(len(result.report.segments) for result in real)
        minutes = _duration_s(real) / 60
        yield f"| {value} | {len(real)} | {minutes:.1f} | {segments / minutes:.2f} |"
    yield ""


def _face_height(result: Result) -> str:
    """Name the class of the height of the largest face in the middle of a clip."""
    media = result.report.media
    if media.video is None or media.duration_s is None:
        return "no frames"
    rgb = frame_at(media, media.duration_s / 2).rgb
    height_px = max((detection.height_px for detection in FaceDetector()(rgb)), default=0.0)
    below, between = FACE_EDGES_PX
    if not height_px:
        return "none in the middle"
    if height_px < below:
        return f"below {below} px"
    return f"{below} to {between} px" if height_px < between else f"from {between} px"


def _engine(predict: Predict, speech: Sequence[Path], records: Sequence[Record]) -> Iterator[str]:
    """Yield a table of the speech of an engine against that of real clips, without frames."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        fake = [
            Record(audio_copy(path, folder), truth=(WHOLE_CLIP,), kind="speech engine")
            for path in speech
        ]
        real = [
            replace(record, media=audio_copy(record.media, folder))
            for record in records
            if not record.fake and probe(record.media).audio
        ]
        yield "### Speech of an engine that it never learned from"
        yield ""
        yield from CLIPS_TABLE
        yield _row_of("speech of one engine against that of real clips", predict([*fake, *real]))
        yield ""


CLIPS_TABLE = (
    "| clips | fake | real | AUC | 95 % interval | fake flagged | real flagged |",
    "|---|---|---|---|---|---|---|",
)


def _row_of(name: str, results: Sequence[Result]) -> str:
    evaluation = _measured(results)
    flagged = dict.fromkeys((True, False), 0)
    for result in results:
        flagged[result.record.fake] += bool(result.report.fake)
    auc = _row(evaluation.intervals["auc"])
    counts = f"{evaluation.num_fake} | {evaluation.num_real}"
    return f"| {name} | {counts} | {auc} | {flagged[True]} | {flagged[False]} |"


def _above_own(results: Sequence[Result]) -> str:
    """Count the fakes whose score is above that of their original."""
    score = {result.record.name: result.report.score for result in results}
    pairs = [
        (result.report.score, score[result.record.original])
        for result in results
        if result.record.fake and result.record.original in score
    ]
    both = [(fake, real) for fake, real in pairs if fake is not None and real is not None]
    above = sum(fake > real for fake, real in both)
    return f"{above} of {len(both)} fakes score above the real clip that they were made of."


def _real_of(results: Sequence[Result]) -> list[Result]:
    return [r for r in results if not r.record.fake and r.report.score is not None]


def _duration_s(results: Sequence[Result]) -> float:
    return sum(result.report.duration_s for result in results)


def _false_alarms(name: str, results: Sequence[Result]) -> Iterator[str]:
    real = _real_of(results)
    segments = np.array([len(result.report.segments) for result in real])
    minutes = np.array([result.report.duration_s / 60 for result in real])

    def a_minute(draw: Draw) -> float:
        return float(segments[draw.clips].sum() / minutes[draw.clips].sum())

    identities = [result.record.identity for result in real]
    interval = bootstrap({"": a_minute}, clusters=identities)[""]
    yield (
        f"False segments a minute, {name} ({minutes.sum():.1f} minutes): {interval.value:.2f} "
        f"({interval.low:.2f} to {interval.high:.2f})."
    )
    yield ""


def _row(interval: Interval) -> str:
    return f"{interval.value:.3f} | {interval.low:.3f} to {interval.high:.3f}"


def audio_copy(media: Path, folder: Path) -> Path:
    """Write the audio of a clip alone, encoded as the footage is."""
    path = folder / f"{media.stem}.mp4"
    samples = read_audio(probe(media)).samples
    write_clip(path, [], fps_hz=25, audio=samples)
    return path


def muted_copy(media: Path, folder: Path) -> Path:
    """Return a copy of a clip without its audio; frames are copied as they are coded."""
    import av

    path = folder / media.name
    with av.open(str(media)) as source, av.open(str(path), "w") as copy:
        video = source.streams.video[0]
        stream = copy.add_stream_from_template(video)
        for packet in source.demux(video):
            if packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)
    return path


if __name__ == "__main__":
    main()
