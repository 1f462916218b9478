"""Measure a checkpoint on people it never saw, and writes what was found into its card.

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

FIGURES = (
    *("auc", "true_positive_rate", "false_positive_rate"),
    *("ap@0.5", "ap@0.75", "ar@20", "snippet_auc"),
)
#: Clips of one person whose lips Wav2Lip painted, and real ones of the same person.
PAINTED, REAL = "quiz_", "orig_nicole_"

Judge = Callable[[Iterable[Record]], list[Result]]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("checkpoint", type=Path)
    asked.add_argument("--forged", dest="fake", type=Path, required=True)
    asked.add_argument("--footage", type=Path)
    said = asked.parse_args()
    detector = Detector.from_pretrained(said.checkpoint, cache=FeatureCache())

    def judge(records: Iterable[Record]) -> list[Result]:
        return run(detector, records)

    lines = list(_report(judge, said.fake, said.footage))
    sys.stdout.write("\n".join(lines))
    put_section(said.checkpoint / CARD, "measured on others", lines)


def _report(judge: Judge, fake: Path, footage: Path | None) -> Iterator[str]:
    yield "## Measured on people it never saw"
    yield ""
    yield "With 95 % intervals over people. Nothing was chosen by these figures."
    yield ""
    judged = judge(read_lavdf(fake))
    yield from _fake(_measured(judged))
    yield from _false_alarms("real files of that dataset", judged)
    if footage is not None:
        yield from _real(judge, list(read_lavdf(footage, split="dev")))


def _measured(judged: Sequence[Result]) -> Evaluation:
    return measure(*tables(judged, name="it"), num_resamples=1000)


def _fake(found: Evaluation) -> Iterator[str]:
    yield "### Forged by forgers that it learned from"
    yield ""
    yield f"{found.num_fake} forged and {found.num_real} real files, official mode."
    yield ""
    yield "| what | value | 95 % interval |"
    yield "|---|---|---|"
    for name in FIGURES:
        if name in found.intervals:
            yield f"| {name} | {_row(found.intervals[name])} |"
    yield ""
    yield "| fake clips | how many | AUC | 95 % interval |"
    yield "|---|---|---|---|"
    for name, group in found.groups.items():
        if "+" not in name:
            yield f"| {name} | {group.num_fake} | {_row(group.intervals['auc'])} |"
    yield ""


def _real(judge: Judge, records: Sequence[Record]) -> Iterator[str]:
    same = [r for r in records if r.media.name.startswith((PAINTED, REAL))]
    others = [r for r in records if r not in same]
    yield "### Real forgeries of whole clips"
    yield ""
    yield "| clips | forged | real | AUC | 95 % interval |"
    yield "|---|---|---|---|---|"
    with TemporaryDirectory() as folder:
        muted = [replace(r, media=muted_copy(r.media, Path(folder))) for r in same]
        # Each clip by itself: they are of one person.
        alone = [replace(r, identity=None, original=None) for r in muted]
        yield _row_of("Wav2Lip against the same person, audio muted", judge(alone))
    judged = judge(others)
    yield _row_of("other generators against other people", judged)
    yield ""
    yield from _false_alarms("real clips as they were filmed", judged)


def _row_of(name: str, judged: Sequence[Result]) -> str:
    found = _measured(judged)
    return f"| {name} | {found.num_fake} | {found.num_real} | {_row(found.intervals['auc'])} |"


def _false_alarms(name: str, judged: Sequence[Result]) -> Iterator[str]:
    real = [one for one in judged if not one.record.fake and one.report.score is not None]
    segments = np.array([len(one.report.segments) for one in real])
    minutes = np.array([(one.report.media.duration_s or 0.0) / 60 for one in real])

    def a_minute(draw: Draw) -> float:
        return float(segments[draw.clips].sum() / minutes[draw.clips].sum())

    identities = [one.record.identity for one in real]
    found = bootstrap({"": a_minute}, clusters=identities)[""]
    yield (
        f"False segments a minute, {name} ({minutes.sum():.1f} minutes): {found.value:.2f} "
        f"({found.low:.2f} to {found.high:.2f})."
    )
    yield ""


def _row(number: Interval) -> str:
    return f"{number.value:.3f} | {number.low:.3f} to {number.high:.3f}"


def muted_copy(media: Path, folder: Path) -> Path:
    """Return a copy of a clip without its audio; frames are copied as they are coded."""
    import av

    path = folder / media.name
    with av.open(str(media)) as source, av.open(str(path), "w") as copy:
        seen = source.streams.video[0]
        stream = copy.add_stream_from_template(seen)
        for packet in source.demux(seen):
            if packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)
    return path


if __name__ == "__main__":
    main()
