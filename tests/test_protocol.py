"""A detector is run over clips with known truth, and its figures say what happened."""

import math
from pathlib import Path

import pytest

from mmmsba_plugin.datasets.record import Record
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.evaluation.protocol import Evaluation, Judged, measure, run
from mmmsba_plugin.schema import Media, Problem, Proposal, Provenance, Report, Threshold
from mmmsba_plugin.segment import Segment

PROVENANCE = Provenance(package_version="0", api_version="1.0", formula_version=1, detector="x")
FIGURES = {
    *("clip_auc", "clip_eer", "clip_true_positive_rate", "clip_false_positive_rate"),
    *("ap@0.5", "ap@0.75", "ap@0.95", "ar@100", "ar@50", "ar@20", "ar@10"),
}


def record(name: str, *truth: Segment, who: str | None = None, original: str | None = None):
    return Record(Path(name), truth=truth, identity=who, original=original, key=name)


def report(
    name: str, score: float | None, *found: tuple[float, float], threshold: float | None = 0.5
) -> Report:
    if score is None:
        problem = Problem(kind="X", message=f"cannot read {name}; copy it again")
        return Report(
            status="error", media=Media(path=name), problem=problem, provenance=PROVENANCE
        )
    return Report(
        status="ok",
        media=Media(path=name),
        score=score,
        threshold=None if threshold is None else Threshold(value=threshold),
        proposals=tuple(Proposal(start_s=s, end_s=e, score=score) for s, e in found),
        provenance=PROVENANCE,
    )


class Oracle:
    """A detector that says what it was told to say."""

    def __init__(self, *reports: Report) -> None:
        self.reports = {report.media.path: report for report in reports}

    def detect(self, media, **options):
        return self.reports[str(media)]


FORGED = Segment(1.0, 2.0)
CLIPS = (
    record("a.mp4", FORGED, who="ann"),
    record("b.mp4", FORGED, who="bob"),
    record("c.mp4", who="ann"),
    record("d.mp4", who="bob"),
)


def figures(*reports: Report, records=CLIPS) -> Evaluation:
    return measure(run(Oracle(*reports), records), num_resamples=20)


def values(found: Evaluation) -> dict[str, float]:
    return {name: number.value for name, number in found.numbers.items()}


def test_each_record_is_judged_once_in_order_and_told_of():
    heard = []
    reports = [report(r.media.name, 0.1) for r in CLIPS]
    judged = run(Oracle(*reports), iter(CLIPS), on_clip=heard.append)
    assert heard == judged == [Judged(*both) for both in zip(CLIPS, reports, strict=True)]


def test_a_detector_that_is_never_wrong_has_perfect_figures():
    found = figures(
        report("a.mp4", 0.9, (1.0, 2.0)),
        report("b.mp4", 0.8, (1.0, 2.0)),
        report("c.mp4", 0.1),
        report("d.mp4", 0.2),
    )
    errors = {"clip_eer", "clip_false_positive_rate"}
    assert values(found) == {name: 0.0 if name in errors else 1.0 for name in FIGURES}
    assert (found.num_forged, found.num_genuine) == (2, 2)


def test_one_miss_and_one_false_alarm_show_where_they_belong():
    found = values(
        figures(
            report("a.mp4", 0.9, (1.0, 2.0)),
            report("b.mp4", 0.3, (1.0, 1.6)),
            report("c.mp4", 0.7, (5.0, 6.0)),
            report("d.mp4", 0.2),
        )
    )
    # Of the four pairs of a forged and a genuine clip, only b and c stand the wrong way round.
    assert found["clip_auc"] == 0.75
    assert found["clip_true_positive_rate"] == found["clip_false_positive_rate"] == 0.5
    # a is found at rank 1; b, which overlaps by 0.6, at rank 3 behind the false alarm of c.
    assert found["ap@0.5"] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert found["ap@0.75"] == pytest.approx(0.5)


def test_the_rates_are_those_of_the_detectors_own_thresholds():
    flagged = [report(r.media.name, 0.4, threshold=0.3) for r in CLIPS]
    found = values(figures(*flagged))
    assert found["clip_true_positive_rate"] == found["clip_false_positive_rate"] == 1.0


def test_without_thresholds_there_are_no_rates():
    found = values(figures(*(report(r.media.name, 0.4, threshold=None) for r in CLIPS)))
    assert math.isnan(found["clip_true_positive_rate"])
    assert math.isnan(found["clip_false_positive_rate"])
    assert found["clip_auc"] == 0.5


def test_clips_that_were_not_judged_are_named_and_count_in_no_figure():
    found = figures(
        report("a.mp4", 0.9, (1.0, 2.0)),
        report("b.mp4", None),
        report("c.mp4", 0.1),
        report("d.mp4", None),
    )
    assert [one.record.key for one in found.unjudged] == ["b.mp4", "d.mp4"]
    assert (found.num_forged, found.num_genuine) == (1, 1)
    assert found.numbers["ar@100"].value == 1.0


def test_if_no_clip_was_judged_the_first_reason_is_told():
    with pytest.raises(DatasetError, match=r"none of 4 clips .*said: cannot read a\.mp4; copy"):
        figures(*(report(r.media.name, None) for r in CLIPS))


def test_no_clips_at_all_are_refused():
    with pytest.raises(DatasetError, match="none of 0 clips could be judged; check the filter"):
        measure([])


def test_forged_clips_alone_have_a_localization_but_no_auc():
    found = figures(report("a.mp4", 0.9, (1.0, 2.0)), records=CLIPS[:1])
    assert math.isnan(found.numbers["clip_auc"].value)
    assert found.numbers["ap@0.95"].value == 1.0


def test_a_clip_of_nobody_known_is_drawn_with_what_was_forged_from_it():
    genuine = record("c.mp4")
    forged = record("a.mp4", FORGED, original="c.mp4")
    found = figures(report("a.mp4", 0.9), report("c.mp4", 0.1), records=(genuine, forged))
    # One cluster: drawn anew it is always the same, so no interval can be given.
    assert math.isnan(found.numbers["clip_auc"].low)


def test_the_same_seed_gives_the_same_figures():
    reports = [report(r.media.name, s) for r, s in zip(CLIPS, (0.9, 0.2, 0.3, 0.1), strict=True)]
    assert repr(figures(*reports)) == repr(figures(*reports))
