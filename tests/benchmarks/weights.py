"""Measure a checkpoint on identities it never saw, and write the metrics into its card.

    python tests/benchmarks/weights.py CHECKPOINT --forged DIR [--footage DIR]

``--forged`` is what ``mmmsba forge FOOTAGE --split dev`` wrote; ``--footage`` is a folder of real
clips in LAV-DF's layout whose split ``dev`` holds real clips and whole-clip forgeries by real
generators. Nothing here may be used to choose a setting: it is a report.
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
from mmmsba_plugin.model.checkpoint import CARD
from mmmsba_plugin.record import Record

METRICS = (
    *("auc", "true_positive_rate", "false_positive_rate"),
    *("ap@0.5", "ap@0.75", "ar@20", "snippet_auc"),
)
#: Clips of one person whose lips Wav2Lip painted, and real ones of the same person.
PAINTED, REAL = "quiz_", "orig_nicole_"

Predict = Callable[[Iterable[Record]], list[Result]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--forged", dest="fake", type=Path, required=True, metavar="DIR")
    parser.add_argument("--footage", dest="source_clips", type=Path, metavar="DIR")
    options = parser.parse_args()
    detector = Detector.from_pretrained(options.checkpoint, cache=FeatureCache())

    def predict(records: Iterable[Record]) -> list[Result]:
        return run(detector, records)

    lines = list(_report(predict, options.fake, options.footage))
    sys.stdout.write("\n".join(lines))
    put_section(options.checkpoint / CARD, "measured on others", lines)


def _report(predict: Predict, fake: Path, source_clips: Path | None) -> Iterator[str]:
    yield "## Measured on people it never saw"
    yield ""
    yield "With 95 % intervals over people. Nothing was chosen by these figures."
    yield ""
    results = predict(read_lavdf(fake))
    yield from _fake(_measured(results))
    yield from _false_alarms("real files of that dataset", results)
    if source_clips is not None:
        yield from _real(predict, list(read_lavdf(source_clips, split="dev")))


def _measured(results: Sequence[Result]) -> Evaluation:
    return measure(*tables(results, name="it"), num_resamples=1000)


def _fake(evaluation: Evaluation) -> Iterator[str]:
    yield "### Forged by forgers that it learned from"
    yield ""
    yield f"{evaluation.num_fake} fake and {evaluation.num_real} real files, official mode."
    yield ""
    yield "| what | value | 95 % interval |"
    yield "|---|---|---|"
    for name in METRICS:
        if name in evaluation.intervals:
            yield f"| {name} | {_row(evaluation.intervals[name])} |"
    yield ""
    yield "| fake clips | how many | AUC | 95 % interval |"
    yield "|---|---|---|---|"
    for name, group in evaluation.groups.items():
        if "+" not in name:
            yield f"| {name} | {group.num_fake} | {_row(group.intervals['auc'])} |"
    yield ""


def _real(predict: Predict, records: Sequence[Record]) -> Iterator[str]:
    same = [r for r in records if r.media.name.startswith((PAINTED, REAL))]
    others = [r for r in records if r not in same]
    yield "### Real fakes of whole clips"
    yield ""
    yield "| clips | fake | real | AUC | 95 % interval |"
    yield "|---|---|---|---|---|"
    with TemporaryDirectory() as folder:
        muted = [replace(r, media=muted_copy(r.media, Path(folder))) for r in same]
        # Each clip by itself: they are of one person.
        alone = [replace(r, identity=None, original=None) for r in muted]
        yield _row_of("Wav2Lip against the same person, audio muted", predict(alone))
    results = predict(others)
    yield _row_of("other generators against other people", results)
    yield ""
    yield from _false_alarms("real clips as they were filmed", results)


def _row_of(name: str, results: Sequence[Result]) -> str:
    evaluation = _measured(results)
    auc = _row(evaluation.intervals["auc"])
    return f"| {name} | {evaluation.num_fake} | {evaluation.num_real} | {auc} |"


def _false_alarms(name: str, results: Sequence[Result]) -> Iterator[str]:
    real = [
        result for result in results if not result.record.fake and result.report.score is not None
    ]
    segments = np.array([len(result.report.segments) for result in real])
    minutes = np.array([(result.report.media.duration_s or 0.0) / 60 for result in real])

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
