"""Reports in the formats of other evaluations."""

import json

from hypothesis import given

from mmmsba_plugin.report import benchmark_formats
from mmmsba_plugin.schema import Proposal

from .test_writers import REPORT, UNREADABLE, names, report_of, to_text


def test_av_deepfake1m_has_the_proposals_of_the_clips_file_best_first():
    predictions = json.loads(
        to_text(benchmark_formats.write_av_deepfake1m, report_of("test/interview.mp4"))
    )
    (rows,) = predictions.values()
    assert list(predictions) == ["interview.mp4"]
    assert rows == [
        [round(p.score, 4), round(p.start_s, 2), round(p.end_s, 2)] for p in REPORT.proposals
    ]
    assert [row[0] for row in rows] == sorted((row[0] for row in rows), reverse=True)


def test_av_deepfake1m_has_a_row_of_zeros_where_there_is_none():
    text = to_text(benchmark_formats.write_av_deepfake1m, UNREADABLE)
    assert json.loads(text) == {"broken.mp4": [[0.0, 0.0, 0.0]]}


def test_av_deepfake1m_leaves_out_what_rounds_to_no_score_and_knows_no_negative_zero():
    proposals = tuple(
        Proposal(start_s=start_s, end_s=2.0, score=score)
        for start_s, score in ((-0.001, 0.00006), (1.0, 0.00004))
    )
    faint = REPORT.model_copy(update={"proposals": proposals})
    text = to_text(benchmark_formats.write_av_deepfake1m, faint)
    assert text == '{"interview.mp4": [[0.0001, 0.0, 2.0]]}\n'


def test_activitynet_has_the_proposals_unrounded_under_the_clips_stem():
    predictions = json.loads(
        to_text(benchmark_formats.write_activitynet, report_of("test/interview.v2.mp4"))
    )
    assert predictions["version"]
    assert predictions["external_data"] == {}
    assert predictions["results"] == {
        "interview.v2": [
            {"label": "Fake", "score": p.score, "segment": [p.start_s, p.end_s]}
            for p in REPORT.proposals
        ]
    }


def test_activitynet_has_no_results_for_a_clip_without_proposals():
    predictions = json.loads(to_text(benchmark_formats.write_activitynet, UNREADABLE))
    assert predictions["results"] == {"broken": []}


@given(names)
def test_every_name_can_be_written_for_other_evaluations(name):
    for write in (benchmark_formats.write_av_deepfake1m, benchmark_formats.write_activitynet):
        json.loads(to_text(write, report_of(name)))


def test_a_name_that_is_no_text_is_written_as_escapes():
    predictions = json.loads(
        to_text(benchmark_formats.write_av_deepfake1m, report_of("a\udcff.mp4"))
    )
    assert list(predictions) == ["a\\udcff.mp4"]
