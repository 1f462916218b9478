"""Reports in the formats of other evaluations."""

import json

from hypothesis import given

from mmmsba_plugin.report import benchmark_formats
from mmmsba_plugin.schema import Proposal

from .test_writers import REPORT, UNREADABLE, named, names, written


def test_av_deepfake1m_has_the_proposals_of_the_clips_file_best_first():
    said = json.loads(written(benchmark_formats.write_av_deepfake1m, named("test/interview.mp4")))
    (rows,) = said.values()
    assert list(said) == ["interview.mp4"]
    assert rows == [
        [round(p.score, 4), round(p.start_s, 2), round(p.end_s, 2)] for p in REPORT.proposals
    ]
    assert [row[0] for row in rows] == sorted((row[0] for row in rows), reverse=True)


def test_av_deepfake1m_has_a_row_of_zeros_where_there_is_none():
    text = written(benchmark_formats.write_av_deepfake1m, UNREADABLE)
    assert json.loads(text) == {"broken.mp4": [[0.0, 0.0, 0.0]]}


def test_av_deepfake1m_leaves_out_what_rounds_to_no_score_and_knows_no_negative_zero():
    proposals = tuple(
        Proposal(start_s=start_s, end_s=2.0, score=score)
        for start_s, score in ((-0.001, 0.00006), (1.0, 0.00004))
    )
    faint = REPORT.model_copy(update={"proposals": proposals})
    text = written(benchmark_formats.write_av_deepfake1m, faint)
    assert text == '{"interview.mp4": [[0.0001, 0.0, 2.0]]}\n'


def test_activitynet_has_the_proposals_unrounded_under_the_clips_stem():
    said = json.loads(written(benchmark_formats.write_activitynet, named("test/interview.v2.mp4")))
    assert said["version"]
    assert said["external_data"] == {}
    assert said["results"] == {
        "interview.v2": [
            {"label": "Fake", "score": p.score, "segment": [p.start_s, p.end_s]}
            for p in REPORT.proposals
        ]
    }


def test_activitynet_has_no_results_for_a_clip_without_proposals():
    said = json.loads(written(benchmark_formats.write_activitynet, UNREADABLE))
    assert said["results"] == {"broken": []}


@given(names)
def test_every_name_can_be_written_for_other_evaluations(name):
    for write in (benchmark_formats.write_av_deepfake1m, benchmark_formats.write_activitynet):
        json.loads(written(write, named(name)))


def test_a_name_that_is_no_text_is_written_as_escapes():
    said = json.loads(written(benchmark_formats.write_av_deepfake1m, named("a\udcff.mp4")))
    assert list(said) == ["a\\udcff.mp4"]
