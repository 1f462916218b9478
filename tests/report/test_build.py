"""What is said about a clip, once the numbers are there."""

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
    )


class TestFakeModality:
    def said(self, start_s=0.2, end_s=0.4, **by_modality: np.ndarray) -> str | None:
        onsets = dict.fromkeys(by_modality, 0.5)
        return manipulated_modality(Segment(start_s, end_s), CLIP, by_modality, onsets)

    def test_each_modality_has_an_onset_of_its_own(self):
        scores = {"audio": along(2, 3, level=0.6), "lips": along(2, 3, level=0.6)}
        onsets = {"audio": 0.7, "lips": 0.5}
        assert manipulated_modality(Segment(0.2, 0.4), CLIP, scores, onsets) == "visual"

    def test_audio_alone_speaking_up_is_audio(self):
        assert self.said(audio=along(3), face=along(), lips=along()) == "audio"

    @pytest.mark.parametrize("seen", ["face", "lips"])
    def test_face_or_lips_alone_speaking_up_is_visual(self, seen):
        quiet = {"audio": along(), "face": along(), "lips": along()}
        assert self.said(**{**quiet, seen: along(3)}) == "visual"

    def test_audio_and_lips_speaking_up_is_both(self):
        assert self.said(audio=along(2), face=along(), lips=along(3)) == "both"

    def test_a_moment_of_doubt_in_a_long_stretch_is_not_speaking_up(self):
        assert self.said(end_s=0.9, audio=along(3), lips=along(2, 3, 4, 5, 6)) == "visual"

    def test_where_none_speaks_up_alone_nothing_is_known(self):
        assert self.said(audio=along(), face=along(), lips=along()) is None

    def test_what_speaks_up_elsewhere_does_not_count(self):
        assert self.said(audio=along(1, 4), face=along(), lips=along(2)) == "visual"

    def test_an_absent_modality_says_nothing(self):
        assert self.said(audio=along(3), lips=np.full(10, np.nan)) == "audio"
        assert self.said(audio=np.full(10, np.nan)) is None

    def test_a_score_at_the_onset_is_speaking_up(self):
        assert self.said(audio=along(2, 3, level=0.5)) == "audio"
        assert self.said(audio=along(2, 3, level=math.nextafter(0.5, 0))) is None

    def test_a_modality_that_can_show_either_decides_nothing(self):
        assert self.said(text=along(3)) is None
        assert self.said(text=along(3), lips=along(3)) == "visual"

    def test_a_sliver_of_a_cell_is_judged_by_that_cell(self):
        assert self.said(0.31, 0.32, audio=along(3), lips=along(2, 4)) == "audio"


class TestJudged:
    @given(st.lists(st.none() | st.floats(0, 1), min_size=10, max_size=10), st.floats(0, 1))
    def test_a_fake_clip_has_its_highest_score_and_a_place(self, scores, threshold):
        if all(score is None for score in scores):
            return
        values = [math.nan if score is None else score for score in scores]
        said = report(values, threshold=threshold)
        assert said.score == max(score for score in scores if score is not None)
        assert said.fake == (said.score >= threshold) == bool(said.segments)
        assert said.curves.score == tuple(scores)

    def test_a_place_too_short_for_a_segment_is_named_all_the_same(self):
        (place,) = report(along(3)).segments
        assert (place.start_s, place.end_s) == CLIP.grid.cell(3)
        assert place.score == 0.9

    def test_that_place_does_not_reach_beyond_the_clip(self):
        (place,) = report(along(9)).segments
        assert (place.start_s, place.end_s) == (pytest.approx(0.9), 0.95)

    def test_segments_that_were_found_are_told_as_they_are(self):
        found = [(Segment(0.2, 0.4), 0.9), (Segment(0.6, 0.7), 0.8)]
        said = report(along(2, 3, 6), segments=found, by_modality={"lips": along(6)})
        assert [(s.start_s, s.end_s, s.score) for s in said.segments] == [
            (0.2, 0.4, 0.9),
            (0.6, 0.7, 0.8),
        ]
        assert [s.modality for s in said.segments] == [None, "visual"]

    def test_each_modality_has_its_own_highest_score_and_opt_outs(self):
        gone = OptOut(start_s=0.0, end_s=0.95, reason="no face")
        clip = ClipFeatures(CLIP.grid, CLIP.end_s, rows={}, opt_outs={"face": (gone,)})
        alone = {"audio": along(1, level=0.7), "face": np.full(10, np.nan)}
        said = report(along(), by_modality=alone, features=clip).modalities
        assert (said["audio"].score, said["audio"].opt_outs) == (0.7, ())
        assert (said["face"].score, said["face"].opt_outs) == (None, (gone,))


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.method)
class TestCalibrated:
    @given(st.lists(st.floats(0, 1, width=32), min_size=10, max_size=10), st.floats(0, 1, width=32))
    def test_what_was_decided_on_the_networks_scale_still_holds(self, curve, scores, threshold):
        raw, said = (report(scores, threshold=threshold, calibration=c) for c in (NONE, curve))
        assert said.fake == raw.fake == bool(said.segments) == bool(raw.segments)
        assert said.score == max(said.curves.score)
        assert all(part.score == said.score for part in said.segments)

    def test_every_score_and_the_threshold_pass_the_one_curve(self, curve):
        found = [(Segment(0.2, 0.4), 0.9), (Segment(0.6, 0.7), 0.8)]
        ranked = (np.array([[0.2, 0.4], [0.6, 0.7]]), np.array([0.9, 0.3]))
        said = report(
            along(2, 3, 6), segments=found, by_modality={"audio": along(6)},
            proposals=ranked, calibration=curve,
        )  # fmt: skip

        def told(*scores: float) -> list[float]:
            return apply(curve, np.array(scores)).tolist()

        assert [said.score] == told(0.9)
        assert [said.threshold.value] == told(0.5)
        assert said.threshold.false_positive_rate == 0.05
        assert [part.score for part in said.segments] == told(0.9, 0.8)
        assert [proposal.score for proposal in said.proposals] == told(0.9, 0.3)
        assert [said.modalities["audio"].score] == told(0.9)
        assert list(said.curves.score) == told(*along(2, 3, 6))
        assert list(said.curves.by_modality["audio"]) == told(*along(6))

    def test_who_speaks_up_is_decided_before(self, curve):
        # A mean of probabilities is not the probability of a mean: after either curve, this
        # one would lie below the line.
        found, alone = [(Segment(0.2, 0.4), 0.9)], {"audio": along(2, level=0.95)}
        said = report(along(2, 3), segments=found, by_modality=alone, calibration=curve)
        assert [part.modality for part in said.segments] == ["audio"]
        assert apply(curve, np.array([0.95, 0.1])).mean() < said.threshold.value

    def test_a_snippet_that_nothing_is_said_about_stays_so(self, curve):
        scores = along(3)
        scores[5] = math.nan
        assert report(scores, calibration=curve).curves.score[5] is None

    @given(st.lists(st.floats(0, 1), max_size=20))
    def test_proposals_stay_best_first_to_the_last_bit(self, curve, scores):
        scores = np.array(sorted(scores + [math.nextafter(s, 0) for s in scores], reverse=True))
        spans = np.tile([0.0, 0.5], (len(scores), 1))
        said = report(along(3), proposals=(spans, scores), calibration=curve).proposals
        told = [proposal.score for proposal in said]
        assert told == sorted(told, reverse=True)


class TestNotJudged:
    def test_an_abstention_names_each_reason_once_and_what_to_do(self):
        gone = OptOut(start_s=0.0, end_s=0.95, reason="no face")
        still = OptOut(start_s=0.0, end_s=0.95, reason="silence")
        parts = {"face": (gone,), "lips": (gone,), "audio": (still,)}
        clip = ClipFeatures(CLIP.grid, CLIP.end_s, rows={}, opt_outs=parts)
        said = abstained(MEDIA, clip, provenance=PROVENANCE)
        assert (said.status, said.score, said.fake) == ("abstained", None, None)
        assert said.problem.message == (
            "nothing to judge in clip.mp4: no face, silence; give a clip in which a face is "
            "seen, or speech is heard"
        )
        assert said.modalities["lips"].opt_outs == (gone,)

    def test_an_error_of_ours_is_told_as_it_is(self):
        said = failed(MEDIA, MediaUnreadableError("clip.mp4 is empty"), provenance=PROVENANCE)
        assert (said.problem.kind, said.problem.message) == (
            "MediaUnreadableError",
            "clip.mp4 is empty",
        )

    def test_any_other_error_is_named_with_the_clip(self):
        said = failed(MEDIA, RuntimeError("boom"), provenance=PROVENANCE)
        assert said.problem.kind == "RuntimeError"
        assert said.problem.message.startswith(
            "judging clip.mp4 failed unexpectedly: RuntimeError: boom; the log has the traceback"
        )

    def test_a_report_without_a_command_line_names_none(self):
        assert stamped(PROVENANCE).command is None
        assert stamped(PROVENANCE, command="mmmsba detect x").command == "mmmsba detect x"
        assert stamped(PROVENANCE).created_utc.endswith("+00:00")
