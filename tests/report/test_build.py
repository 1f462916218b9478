"""A report of a clip is built from its scores, segments and proposals."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.config import Calibration
from mmmsba_plugin.errors import MediaUnreadableError
from mmmsba_plugin.localization.calibrate import apply
from mmmsba_plugin.report.build import abstained, failed, manipulated_modality, ok_report, stamped
from mmmsba_plugin.schema import Media, OptOut, Provenance, Report, ScoreThreshold
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.structures import ClipFeatures
from mmmsba_plugin.timebase import Grid

MEDIA = Media(path="clip.mp4")
PROVENANCE = Provenance(
    package_version="0", api_version="1.0", formula_version=1, detector="mmms-ba"
)
NO_PROPOSALS = (np.empty((0, 2)), np.empty(0))

NONE = Calibration()
CURVES = [
    Calibration(method="temperature", temperature=0.4, shift=2.0),
    Calibration(method="isotonic", scores=(0.1, 0.2, 0.6), probabilities=(0.1, 0.7, 0.9)),
]

#: Ten cells of 0.1 s, the last one half outside of the clip.
CLIP = ClipFeatures(grid=Grid(stride_s=0.1), end_s=0.95, rows={})


def along(*loud: int, level: float = 0.9) -> np.ndarray:
    """Scores of ten cells, high in those named."""
    scores = np.full(10, 0.1)
    scores[list(loud)] = level
    return scores


def report(
    scores,
    *,
    segments=(),
    by_modality=None,
    proposals=NO_PROPOSALS,
    threshold=0.5,
    features=CLIP,
    calibration=NONE,
    real_scores=(),
) -> Report:
    return ok_report(
        MEDIA,
        features,
        scores=np.asarray(scores, dtype=np.float64),
        by_modality=by_modality or {},
        segments=segments,
        proposals=proposals,
        threshold=ScoreThreshold(value=threshold, false_positive_rate=0.05),
        onsets=dict.fromkeys(by_modality or {}, threshold),
        calibration=calibration,
        provenance=PROVENANCE,
        real_scores=real_scores,
    )


def test_streams_that_were_not_read_and_joins_are_named():
    media = MEDIA.model_copy(update={"others": ("audio stream 2 (aac)",), "joins_s": (62.5,)})
    assert abstained(media, CLIP, provenance=PROVENANCE).warnings == (
        "the time stamps jump at 1:02.50; what follows was laid behind what lies before",
        "the audio stream 2 (aac) of the file was not evaluated",
    )


def test_of_many_joins_a_few_are_named_and_the_rest_counted():
    media = MEDIA.model_copy(update={"joins_s": tuple(map(float, range(1, 1001)))})
    (warning,) = abstained(media, CLIP, provenance=PROVENANCE).warnings
    assert "0:04.00, 0:05.00 and 995 times more; what follows" in warning


class TestShareOfRealClips:
    @pytest.mark.parametrize(
        ("score", "share"), [(0.05, 1.0), (0.2, 1.0), (0.4, 0.5), (0.5, 0.25), (0.7, 0.0)]
    )
    def test_it_is_read_off_the_scores_of_real_clips(self, score, share):
        built = report(np.full(10, score), real_scores=(0.2, 0.4, 0.6))
        assert built.real_share_above == pytest.approx(share)

    def test_a_checkpoint_without_such_scores_says_nothing(self):
        assert report(along(3)).real_share_above is None


class TestManipulatedModality:
    def modality_of(self, start_s=0.2, end_s=0.4, **by_modality: np.ndarray) -> str | None:
        onsets = dict.fromkeys(by_modality, 0.5)
        return manipulated_modality(Segment(start_s, end_s), CLIP.grid, by_modality, onsets)

    def test_each_modality_has_an_onset_of_its_own(self):
        scores = {"audio": along(2, 3, level=0.6), "lips": along(2, 3, level=0.6)}
        onsets = {"audio": 0.7, "lips": 0.5}
        assert manipulated_modality(Segment(0.2, 0.4), CLIP.grid, scores, onsets) == "visual"

    def test_audio_alone_above_its_onset_is_audio(self):
        assert self.modality_of(audio=along(3), face=along(), lips=along()) == "audio"

    @pytest.mark.parametrize("modality", ["face", "lips"])
    def test_face_or_lips_alone_above_their_onset_is_visual(self, modality):
        quiet = {"audio": along(), "face": along(), "lips": along()}
        assert self.modality_of(**{**quiet, modality: along(3)}) == "visual"

    def test_audio_and_lips_above_their_onsets_is_both(self):
        assert self.modality_of(audio=along(2), face=along(), lips=along(3)) == "both"

    def test_one_high_cell_of_a_long_segment_is_not_enough(self):
        assert self.modality_of(end_s=0.9, audio=along(3), lips=along(2, 3, 4, 5, 6)) == "visual"

    def test_without_any_above_its_onset_the_modality_is_unknown(self):
        assert self.modality_of(audio=along(), face=along(), lips=along()) is None

    def test_high_scores_elsewhere_do_not_count(self):
        assert self.modality_of(audio=along(1, 4), face=along(), lips=along(2)) == "visual"

    def test_an_absent_modality_does_not_count(self):
        assert self.modality_of(audio=along(3), lips=np.full(10, np.nan)) == "audio"
        assert self.modality_of(audio=np.full(10, np.nan)) is None

    def test_a_score_at_the_onset_counts(self):
        assert self.modality_of(audio=along(2, 3, level=0.5)) == "audio"
        assert self.modality_of(audio=along(2, 3, level=math.nextafter(0.5, 0))) is None

    def test_a_modality_that_can_show_either_decides_nothing(self):
        assert self.modality_of(text=along(3)) is None
        assert self.modality_of(text=along(3), lips=along(3)) == "visual"

    def test_a_sliver_of_a_cell_has_the_score_of_that_cell(self):
        assert self.modality_of(0.31, 0.32, audio=along(3), lips=along(2, 4)) == "audio"


class TestOkReport:
    @given(st.lists(st.none() | st.floats(0, 1), min_size=10, max_size=10), st.floats(0, 1))
    def test_a_fake_clip_has_its_highest_score_and_a_place(self, scores, threshold):
        if all(score is None for score in scores):
            return
        values = [math.nan if score is None else score for score in scores]
        built = report(values, threshold=threshold)
        assert built.score == max(score for score in scores if score is not None)
        assert built.fake == (built.score >= threshold) == bool(built.segments)
        assert built.curves.score == tuple(scores)

    def test_a_place_too_short_for_a_segment_is_named_all_the_same(self):
        (place,) = report(along(3)).segments
        assert (place.start_s, place.end_s) == CLIP.grid.cell(3)
        assert place.score == 0.9

    def test_that_place_does_not_reach_beyond_the_clip(self):
        (place,) = report(along(9)).segments
        assert (place.start_s, place.end_s) == (pytest.approx(0.9), 0.95)

    def test_segments_of_the_localization_are_reported_as_they_are(self):
        segments = [(Segment(0.2, 0.4), 0.9), (Segment(0.6, 0.7), 0.8)]
        built = report(along(2, 3, 6), segments=segments, by_modality={"lips": along(6)})
        assert [(s.start_s, s.end_s, s.score) for s in built.segments] == [
            (0.2, 0.4, 0.9),
            (0.6, 0.7, 0.8),
        ]
        assert [s.modality for s in built.segments] == [None, "visual"]

    def test_each_modality_has_its_own_highest_score_and_opt_outs(self):
        opt_out = OptOut(start_s=0.0, end_s=0.95, reason="no face")
        clip = ClipFeatures(CLIP.grid, CLIP.end_s, rows={}, opt_outs={"face": (opt_out,)})
        alone = {"audio": along(1, level=0.7), "face": np.full(10, np.nan)}
        modalities = report(along(), by_modality=alone, features=clip).modalities
        assert (modalities["audio"].score, modalities["audio"].opt_outs) == (0.7, ())
        assert (modalities["face"].score, modalities["face"].opt_outs) == (None, (opt_out,))


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.method)
class TestCalibrated:
    @given(st.lists(st.floats(0, 1, width=32), min_size=10, max_size=10), st.floats(0, 1, width=32))
    def test_what_was_decided_on_the_networks_scale_still_holds(self, curve, scores, threshold):
        raw, calibrated = (
            report(scores, threshold=threshold, calibration=c) for c in (NONE, curve)
        )
        assert calibrated.fake == raw.fake == bool(calibrated.segments) == bool(raw.segments)
        assert calibrated.score == max(calibrated.curves.score)
        assert all(segment.score == calibrated.score for segment in calibrated.segments)

    def test_every_score_and_the_threshold_pass_the_one_curve(self, curve):
        segments = [(Segment(0.2, 0.4), 0.9), (Segment(0.6, 0.7), 0.8)]
        ranked = (np.array([[0.2, 0.4], [0.6, 0.7]]), np.array([0.9, 0.3]))
        calibrated = report(
            along(2, 3, 6), segments=segments, by_modality={"audio": along(6)},
            proposals=ranked, calibration=curve,
        )  # fmt: skip

        def to_probs(*scores: float) -> list[float]:
            return apply(curve, np.array(scores)).tolist()

        assert [calibrated.score] == to_probs(0.9)
        assert [calibrated.threshold.value] == to_probs(0.5)
        assert calibrated.threshold.false_positive_rate == 0.05
        assert [segment.score for segment in calibrated.segments] == to_probs(0.9, 0.8)
        assert [proposal.score for proposal in calibrated.proposals] == to_probs(0.9, 0.3)
        assert [calibrated.modalities["audio"].score] == to_probs(0.9)
        assert list(calibrated.curves.score) == to_probs(*along(2, 3, 6))
        assert list(calibrated.curves.by_modality["audio"]) == to_probs(*along(6))

    def test_the_manipulated_modality_is_decided_before(self, curve):
        # A mean of probabilities is not the probability of a mean: after either curve, this
        # one would lie below the threshold.
        segments, alone = [(Segment(0.2, 0.4), 0.9)], {"audio": along(2, level=0.95)}
        calibrated = report(along(2, 3), segments=segments, by_modality=alone, calibration=curve)
        assert [segment.modality for segment in calibrated.segments] == ["audio"]
        assert apply(curve, np.array([0.95, 0.1])).mean() < calibrated.threshold.value

    def test_a_snippet_without_a_score_stays_without_one(self, curve):
        scores = along(3)
        scores[5] = math.nan
        assert report(scores, calibration=curve).curves.score[5] is None

    @given(st.lists(st.floats(0, 1), max_size=20))
    def test_proposals_stay_best_first_to_the_last_bit(self, curve, scores):
        scores = np.array(sorted(scores + [math.nextafter(s, 0) for s in scores], reverse=True))
        spans = np.tile([0.0, 0.5], (len(scores), 1))
        calibrated = report(along(3), proposals=(spans, scores), calibration=curve).proposals
        probs = [proposal.score for proposal in calibrated]
        assert probs == sorted(probs, reverse=True)


class TestReportWithoutScore:
    def test_an_abstention_names_each_reason_once_and_what_to_do(self):
        no_face = OptOut(start_s=0.0, end_s=0.95, reason="no face")
        silent = OptOut(start_s=0.0, end_s=0.95, reason="silence")
        opt_outs = {"face": (no_face,), "lips": (no_face,), "audio": (silent,)}
        clip = ClipFeatures(CLIP.grid, CLIP.end_s, rows={}, opt_outs=opt_outs)
        abstention = abstained(MEDIA, clip, provenance=PROVENANCE)
        assert (abstention.status, abstention.score, abstention.fake) == ("abstained", None, None)
        assert abstention.problem.message == (
            "nothing to judge in clip.mp4: no face, silence; give a clip in which a face is "
            "seen, or speech is heard"
        )
        assert abstention.modalities["lips"].opt_outs == (no_face,)

    def test_an_error_of_ours_is_reported_as_it_is(self):
        failure = failed(MEDIA, MediaUnreadableError("clip.mp4 is empty"), provenance=PROVENANCE)
        assert (failure.problem.kind, failure.problem.message) == (
            "MediaUnreadableError",
            "clip.mp4 is empty",
        )

    def test_any_other_error_is_named_with_the_clip(self):
        failure = failed(MEDIA, RuntimeError("boom"), provenance=PROVENANCE)
        assert failure.problem.kind == "RuntimeError"
        assert failure.problem.message.startswith(
            "judging clip.mp4 failed unexpectedly: RuntimeError: boom; the log has the traceback"
        )

    def test_a_report_without_a_command_line_names_none(self):
        assert stamped(PROVENANCE).command is None
        assert stamped(PROVENANCE, command="mmmsba detect x").command == "mmmsba detect x"
        assert stamped(PROVENANCE).created_utc.endswith("+00:00")
