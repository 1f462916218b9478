"""Evaluate the predictions of systems against ground truth."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmmsba_plugin.errors import DatasetError, PredictionsError
from mmmsba_plugin.evaluation.evaluate import (
    Evaluation,
    compare_runs,
    measure,
    side_by_side,
)
from mmmsba_plugin.evaluation.tables import GroundTruth, Predictions
from mmmsba_plugin.record import WHOLE_CLIP, Record
from mmmsba_plugin.schema import (
    Curves,
    Media,
    ModalityReport,
    Problem,
    Proposal,
    Provenance,
    Report,
    Threshold,
)
from mmmsba_plugin.segment import Segment

PROVENANCE = Provenance(package_version="0", api_version="1.0", formula_version=1, detector="x")
#: Where a perfect detector has 0 instead of 1.
ERRORS = {"eer", "false_positive_rate", "ece", "brier"}


def record(name: str, *truth: Segment, identity: str | None = None, **fields):
    return Record(Path(name), truth=truth, identity=identity, key=name, **fields)


def report(
    name: str, score: float | None, *spans: tuple[float, float], threshold: float | None = 0.5
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
        proposals=tuple(Proposal(start_s=s, end_s=e, score=score) for s, e in spans),
        provenance=PROVENANCE,
    )


class Oracle:
    """A detector that returns the reports it was given."""

    def __init__(self, *reports: Report) -> None:
        self.reports = {report.media.path: report for report in reports}

    def detect(self, media, **options):
        return self.reports[str(media)]


FAKE = Segment(1.0, 2.0)
CLIPS = (
    record("a.mp4", FAKE, identity="ann"),
    record("b.mp4", FAKE, identity="bob"),
    record("c.mp4", identity="ann"),
    record("d.mp4", identity="bob"),
)


def predictions(*reports: Report, name: str = "ours") -> Predictions:
    return Predictions.of_reports(name, ((report.media.path, report) for report in reports))


def evaluate(*reports: Report, records=CLIPS, **settings) -> Evaluation:
    settings = {"mode": "voc", "num_resamples": 20} | settings
    return measure(predictions(*reports), GroundTruth.of(records), **settings)


def values(evaluation: Evaluation) -> dict[str, float]:
    return {name: interval.value for name, interval in evaluation.intervals.items()}


PERFECT = (
    report("a.mp4", 1.0, (1.0, 2.0)),
    report("b.mp4", 1.0, (1.0, 2.0)),
    report("c.mp4", 0.0),
    report("d.mp4", 0.0),
)


def test_a_detector_that_is_never_wrong_has_perfect_metrics():
    evaluation = evaluate(*PERFECT)
    assert values(evaluation) == {name: float(name not in ERRORS) for name in evaluation.intervals}
    assert {"auc", "partial_auc", "eer", "accuracy", "ap@0.5", "ap@0.95", "ar@5"} <= set(
        evaluation.intervals
    )
    assert (evaluation.num_fake, evaluation.num_real) == (2, 2)


def test_official_metrics_lack_the_first_strip_as_the_fields_evaluator_does():
    assert values(evaluate(*PERFECT, mode="official"))["ap@0.5"] == pytest.approx(0.5)


def test_one_miss_and_one_false_alarm_show_where_they_belong():
    metrics = values(
        evaluate(
            report("a.mp4", 0.9, (1.0, 2.0)),
            report("b.mp4", 0.3, (1.0, 1.6)),
            report("c.mp4", 0.7, (5.0, 6.0)),
            report("d.mp4", 0.2),
        )
    )
    # Of the four pairs of a forged and a real clip, only b and c stand the wrong way round.
    assert metrics["auc"] == 0.75
    assert metrics["true_positive_rate"] == metrics["false_positive_rate"] == 0.5
    # a is found at rank 1; b, which overlaps by 0.6, at rank 3 behind the false alarm of c.
    assert metrics["ap@0.5"] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert metrics["ap@0.75"] == pytest.approx(0.5)


def test_the_rates_are_those_of_the_systems_own_threshold():
    metrics = values(evaluate(*(report(r.media.name, 0.4, threshold=0.3) for r in CLIPS)))
    assert metrics["true_positive_rate"] == metrics["false_positive_rate"] == 1.0


@pytest.mark.parametrize("thresholds", [[None] * 4, [0.1, 0.2, 0.1, 0.1]])
def test_without_one_threshold_there_are_no_rates(thresholds):
    reports = (
        report(r.media.name, 0.4, threshold=t) for r, t in zip(CLIPS, thresholds, strict=True)
    )
    metrics = values(evaluate(*reports))
    assert math.isnan(metrics["true_positive_rate"])
    assert math.isnan(metrics["accuracy"])
    assert metrics["auc"] == 0.5


def test_a_clip_that_was_not_evaluated_counts_in_no_metric_of_detection_and_is_missed():
    evaluation = evaluate(
        report("a.mp4", 0.9, (1.0, 2.0)),
        report("b.mp4", None),
        report("c.mp4", 0.1),
        report("d.mp4", None),
    )
    assert list(evaluation.not_evaluated) == ["b.mp4", "d.mp4"]
    assert (evaluation.num_fake, evaluation.num_real) == (1, 1)
    assert evaluation.intervals["auc"].value == 1.0
    assert evaluation.intervals["ar@100"].value == 0.5


def test_a_system_that_evaluated_no_clip_has_no_metrics():
    reports = [report(f"other/{r.media.name}", 0.5) for r in CLIPS]
    scores_only = replace(predictions(*reports), proposals=None)
    with pytest.raises(PredictionsError, match="none of 4 clips was evaluated by ours"):
        measure(scores_only, GroundTruth.of(CLIPS))


def test_a_detector_that_evaluated_no_clip_has_no_metrics_of_localization_either():
    with pytest.raises(PredictionsError, match="none of 4 clips was evaluated by ours"):
        evaluate(*(report(r.media.name, None) for r in CLIPS))


def test_no_clips_at_all_are_refused():
    with pytest.raises(DatasetError, match="there are no clips to measure on"):
        measure(predictions(), GroundTruth.of([]))


def test_fake_clips_alone_have_a_localization_but_no_auc():
    evaluation = evaluate(report("a.mp4", 0.9, (1.0, 2.0)), records=CLIPS[:1])
    assert math.isnan(evaluation.intervals["auc"].value)
    assert evaluation.intervals["ap@0.95"].value == 1.0


def test_a_dataset_without_segments_has_metrics_of_detection_alone():
    whole = (record("a.mp4", WHOLE_CLIP), record("c.mp4"))
    reports = report("a.mp4", 0.9, (0.0, 1.0)), report("c.mp4", 0.1, (0.0, 1.0))
    intervals = evaluate(*reports, records=whole).intervals
    assert intervals["auc"].value == 1.0
    assert math.isnan(intervals["ap@0.5"].value)
    assert math.isnan(intervals["ar@100"].value)


def test_what_is_found_in_a_clip_fake_at_no_stated_place_is_no_false_alarm():
    records = (record("a.mp4", FAKE), record("b.mp4", WHOLE_CLIP), record("c.mp4"))
    reports = (
        report("a.mp4", 0.5, (1.0, 2.0)),
        report("b.mp4", 0.9, (0.0, 9.0)),
        report("c.mp4", 0.1),
    )
    assert evaluate(*reports, records=records).intervals["ap@0.5"].value == 1.0


def test_a_clip_without_an_identity_is_drawn_with_its_fakes():
    real = record("c.mp4")
    fake = record("a.mp4", FAKE, original="c.mp4")
    evaluation = evaluate(report("a.mp4", 0.9), report("c.mp4", 0.1), records=(real, fake))
    # One cluster: drawn anew it is always the same, so no interval can be given.
    assert math.isnan(evaluation.intervals["auc"].low)


def test_the_same_seed_gives_the_same_metrics():
    reports = [report(r.media.name, s) for r, s in zip(CLIPS, (0.9, 0.2, 0.3, 0.1), strict=True)]
    assert repr(evaluate(*reports)) == repr(evaluate(*reports))


class TestGroups:
    """Fake clips of one kind are measured against all real ones."""

    CLIPS = (
        record("a.mp4", FAKE, kind="splice", audio_truth=(FAKE,), visual_truth=()),
        record("b.mp4", FAKE, kind="splice", audio_truth=(FAKE,), visual_truth=()),
        record("e.mp4", FAKE, kind="mouth", audio_truth=(), visual_truth=(FAKE,)),
        record("f.mp4", FAKE, kind="mouth", audio_truth=(), visual_truth=(FAKE,)),
        record("c.mp4", audio_truth=(), visual_truth=()),
        record("d.mp4", audio_truth=(), visual_truth=()),
    )
    REPORTS = (
        report("a.mp4", 0.9, (1.0, 2.0)),
        report("b.mp4", 0.8, (1.0, 2.0)),
        report("e.mp4", 0.2, (5.0, 6.0)),
        report("f.mp4", 0.1, (5.0, 6.0)),
        report("c.mp4", 0.3),
        report("d.mp4", 0.4),
    )

    def test_by_what_was_altered_and_by_how_it_was_made(self):
        groups = evaluate(*self.REPORTS, records=self.CLIPS).groups
        # Each kind is a group of the same clips, which would say the same twice.
        assert set(groups) == {"altered: audio", "altered: visual"}
        audio, frame = groups["altered: audio"], groups["altered: visual"]
        assert (audio.num_fake, frame.num_fake) == (2, 2)
        assert (audio.intervals["auc"].value, frame.intervals["auc"].value) == (1.0, 0.0)
        assert (audio.intervals["ap@0.5"].value, frame.intervals["ap@0.5"].value) == (1.0, 0.0)

    def test_kinds_that_are_not_modalities_are_groups_of_their_own(self):
        kinds = ("old", "new", "old", "new", None, None)
        records = [replace(r, kind=k) for r, k in zip(self.CLIPS, kinds, strict=True)]
        groups = evaluate(*self.REPORTS, records=records).groups
        assert set(groups) == {"altered: audio", "altered: visual", "kind: new", "kind: old"}
        assert groups["kind: old"].intervals["auc"].value == 0.5

    def test_a_dataset_of_one_kind_needs_no_groups(self):
        assert not evaluate(*self.REPORTS[:2], *self.REPORTS[4:], records=self.CLIPS[:2]).groups

    def test_each_modality_is_measured_by_whether_it_was_altered_itself(self):
        audio_scores = dict(zip("abefcd", (0.9, 0.8, 0.1, 0.2, 0.3, 0.1), strict=True))
        reports = [
            report.model_copy(
                update={
                    "modalities": {
                        "audio": ModalityReport(score=audio_scores[report.media.path[0]])
                    }
                }
            )
            for report in self.REPORTS
        ]
        assert values(evaluate(*reports, records=self.CLIPS))["audio_auc"] == 1.0


def test_snippets_are_measured_by_the_moments_that_were_fake():
    curves = Curves(start_s=0.0, stride_s=1.0, score=(0.1, 0.9, 0.2))
    reports = [
        report(r.media.name, 0.9).model_copy(update={"curves": curves})
        for r in CLIPS[:1] + CLIPS[2:3]
    ]
    metrics = values(evaluate(*reports, records=(CLIPS[0], CLIPS[2])))
    # The fake snippet shares its score with one of the five real ones, and tops four.
    assert metrics["snippet_auc"] == pytest.approx(4.5 / 5)
    assert "snippet_auc" not in values(evaluate(*PERFECT))


class TestCompare:
    """Two systems are compared on the same draws of clips."""

    WORSE = (
        report("a.mp4", 0.4, (1.0, 1.2)),
        report("b.mp4", 0.8, (1.0, 2.0)),
        report("c.mp4", 0.5),
        report("d.mp4", 0.1),
    )

    def gains(self, first, second):
        runs = [(first, second)]
        return compare_runs(runs, GroundTruth.of(CLIPS), mode="voc", num_resamples=50)

    def test_a_better_system_gains(self):
        gains = self.gains(predictions(*PERFECT), predictions(*self.WORSE, name="other"))
        assert gains["auc"].value == 0.25
        assert gains["ap@0.5"].value == 0.5
        assert gains["eer"].value < 0

    def test_a_system_gains_nothing_over_itself_in_any_draw(self):
        for name, gain in self.gains(predictions(*self.WORSE), predictions(*self.WORSE)).items():
            assert (name, gain.value, gain.low, gain.high) == (name, 0.0, 0.0, 0.0)

    def test_detection_is_compared_on_clips_that_both_evaluated(self):
        unread = (*self.WORSE[1:], report("a.mp4", None))
        assert self.gains(predictions(*unread), predictions(*self.WORSE))["auc"].value == 0.0


class TestCompareRuns:
    """Runs of two systems are compared on the same draws of clips, and averaged."""

    def compare_runs(self, *runs):
        return compare_runs(runs, GroundTruth.of(CLIPS), mode="voc", num_resamples=50)

    def test_differences_are_averaged_over_runs(self):
        better = predictions(*PERFECT), predictions(*TestCompare.WORSE)
        equal = predictions(*PERFECT), predictions(*PERFECT)
        assert self.compare_runs(better, equal)["auc"].value == 0.25 / 2

    def test_runs_that_gain_and_lose_as_much_differ_by_nothing_in_any_draw(self):
        better = predictions(*PERFECT), predictions(*TestCompare.WORSE)
        for gain in self.compare_runs(better, better[::-1]).values():
            assert (gain.value, gain.low, gain.high) == (0.0, 0.0, 0.0)


class TestSideBySide:
    SETTINGS = {"mode": "voc", "num_resamples": 5}  # noqa: RUF012

    def test_the_first_is_set_against_each_other(self):
        others = predictions(*TestCompare.WORSE, name="other")
        comparison = side_by_side(
            [predictions(*PERFECT), others], GroundTruth.of(CLIPS), **self.SETTINGS
        )
        assert [evaluation.system for evaluation in comparison.evaluations] == ["ours", "other"]
        assert set(comparison.gains) == {"other"}
        assert comparison.silence_auc is None

    @pytest.mark.parametrize(
        ("lengths_s", "leak"),
        [
            ({"a.mp4": 0.3, "b.mp4": 0.2, "c.mp4": 0.0, "d.mp4": 0.0}, 1.0),
            ({"a.mp4": 0.0, "b.mp4": 0.0, "c.mp4": 0.3, "d.mp4": 0.3}, 1.0),
            ({"a.mp4": 0.0, "b.mp4": 0.0, "c.mp4": 0.0, "d.mp4": 0.0}, 0.5),
            ({"a.mp4": 0.0, "b.mp4": None, "c.mp4": 0.2, "d.mp4": 0.3}, 1.0),
        ],
    )
    def test_silence_that_gives_clips_away_is_told(self, lengths_s, leak):
        comparison = side_by_side(
            [predictions(*PERFECT)],
            GroundTruth.of(CLIPS),
            leading_silence_s=lengths_s,
            **self.SETTINGS,
        )
        assert comparison.silence_auc is not None
        assert comparison.silence_auc.value == leak

    def test_clips_without_audio_have_no_silence_to_give_them_away(self):
        silent = dict.fromkeys("abcd")
        comparison = side_by_side(
            [predictions(*PERFECT)],
            GroundTruth.of(CLIPS),
            leading_silence_s=silent,
            **self.SETTINGS,
        )
        assert comparison.silence_auc is None


def test_ground_truth_has_the_altered_modality_and_the_cluster_of_each_clip():
    ground_truth = GroundTruth.of(
        (*TestGroups.CLIPS, record("x.mp4", FAKE), record("y.mp4", identity="ann"))
    )
    assert ground_truth.altered == (
        "audio",
        "audio",
        "visual",
        "visual",
        *["real"] * 2,
        "fake",
        "real",
    )
    assert ground_truth.clusters[-1] == "ann"
    assert ground_truth.clusters[0] == "a.mp4"
    assert ground_truth.located.all()
    assert np.array_equal(ground_truth.spans.of("x.mp4"), [[1.0, 2.0]])


def test_a_dataset_that_names_a_clip_twice_is_refused():
    with pytest.raises(DatasetError, match=r"'a\.mp4' comes twice"):
        GroundTruth.of([CLIPS[0], CLIPS[0]])


def test_segments_are_counted_as_the_dataset_lists_them_though_they_touch():
    halves = Segment(1.0, 1.5), Segment(1.5, 2.0)
    ground_truth = GroundTruth.of([record("a.mp4", FAKE, listed=halves), record("b.mp4", FAKE)])
    assert ground_truth.spans.counts.tolist() == [2, 1]
