"""Reviews: who decided what, and what training learns from it."""

import json

import pytest
from pydantic import ValidationError

from mmmsba_plugin.datasets.load import DatasetSpec, open_dataset
from mmmsba_plugin.errors import ConfigError, DatasetError
from mmmsba_plugin.review.document import (
    Change,
    Review,
    ReviewedSegment,
    change_review,
    find_reports,
    read_review,
    review_path,
    write_review,
)
from mmmsba_plugin.schema import Report
from mmmsba_plugin.segment import Segment


def load(path):
    report = Report.model_validate_json(path.read_text())
    return report, read_review(path, report)


def changed(path, action, *decisions, by="ada", **of_first):
    """Store a change of a review, with a decision a segment, and return what is stored."""
    report, review = load(path)
    segments = [
        segment.model_copy(update={"decision": decision})
        for segment, decision in zip(review.segments, decisions, strict=True)
    ]
    segments[:1] = [segment.model_copy(update=of_first) for segment in segments[:1]]
    change = Change(action=action, segments=segments, seen_at=review.at)
    write_review(path, change_review(review, change, report, by=by))
    return load(path)[1]


def records_in(folder):
    return list(open_dataset(DatasetSpec(folder, "reviewed")).records())


def test_a_new_review_has_all_segments_of_the_report_undecided(write_report, segments):
    path = write_report()
    _, review = load(path)
    assert review.status == "open"
    assert [(s.start_s, s.end_s, s.decision) for s in review.segments] == [
        (s.start_s, s.end_s, "open") for s in segments
    ]
    assert not review_path(path).exists()


def test_decisions_are_stored_with_author_and_time_and_the_report_stays(write_report):
    path = write_report()
    before = path.read_bytes()
    review = changed(path, "keep", "accepted", "open")
    first, second = review.segments
    assert (first.by, second.by, second.at) == ("ada", None, None)
    assert first.at == review.at
    later = changed(path, "keep", "accepted", "rejected", by="bob")
    assert [s.by for s in later.segments] == ["ada", "bob"]
    assert later.segments[0].at == first.at
    assert path.read_bytes() == before


def test_a_finished_review_rejects_what_is_open_and_is_fake_if_something_was_accepted(write_report):
    accepted = changed(write_report("a"), "finish", "accepted", "open")
    assert accepted.status == "fake"
    assert [s.decision for s in accepted.segments] == ["accepted", "rejected"]
    assert changed(write_report("b"), "finish", "rejected", "open").status == "real"


def test_a_change_opens_a_finished_review_again(write_report):
    path = write_report()
    changed(path, "finish", "accepted", "rejected")
    assert changed(path, "reopen", "accepted", "rejected").status == "open"


def test_a_clip_without_a_score_is_never_real_for_want_of_segments(write_report, unevaluated):
    path = write_report()
    path.write_text(unevaluated.model_dump_json(exclude={"curves"}))
    with pytest.raises(ConfigError, match="cannot be finished as real"):
        changed(path, "finish")
    assert changed(path, "unreadable").status == "unreadable"


def test_what_somebody_else_changed_meanwhile_is_not_written_over(write_report):
    path = write_report()
    report, review = load(path)
    changed(path, "keep", "accepted", "open")
    stale = Change(action="finish", segments=review.segments, seen_at=review.at)
    with pytest.raises(ConfigError, match="changed meanwhile"):
        change_review(load(path)[1], stale, report, by="bob")


def test_training_learns_from_finished_reviews_alone(write_report, tmp_path):
    changed(write_report("fake"), "finish", "accepted", "accepted", start_s=3.0, end_s=5.0)
    changed(write_report("real"), "finish", "rejected", "rejected")
    changed(write_report("unknown"), "cannot tell", "accepted", "open")
    changed(write_report("begun"), "keep", "accepted", "rejected")
    write_report("new")
    fake, real = records_in(tmp_path)
    assert fake.media.name == "fake.mp4"
    assert fake.truth == (Segment(3.0, 5.0), Segment(6.75, 7.4))
    assert fake.visual_truth == (Segment(3.0, 5.0),)
    assert fake.audio_truth == (Segment(6.75, 7.4),)
    assert (real.truth, real.fake) == ((), False)
    assert real.audio_truth == real.visual_truth == ()


def test_of_an_unknown_modality_only_the_place_is_learned(write_report, tmp_path):
    changed(write_report(), "finish", "accepted", "rejected", modality=None)
    (record,) = records_in(tmp_path)
    assert record.truth
    assert record.audio_truth is record.visual_truth is None


def test_a_clip_is_found_beside_its_report_where_both_were_moved(write_report, tmp_path):
    changed(write_report(), "finish", "accepted", "rejected")
    moved = tmp_path / "moved"
    moved.mkdir()
    for path in list(tmp_path.glob("a.*")):
        path.rename(moved / path.name)
    (record,) = records_in(tmp_path)
    assert record.media == moved / "a.mp4"


def test_a_clip_that_changed_since_is_left_out(write_report, tmp_path):
    changed(write_report("a"), "finish", "accepted", "rejected")
    changed(write_report("b"), "finish", "accepted", "rejected")
    (tmp_path / "a.mp4").write_bytes(b"another")
    assert [record.media.name for record in records_in(tmp_path)] == ["b.mp4"]


def test_a_folder_without_a_finished_review_says_how_to_finish_some(write_report, tmp_path):
    write_report()
    with pytest.raises(DatasetError, match="has a finished review; finish some with `mmmsba rev"):
        records_in(tmp_path)
    with pytest.raises(DatasetError, match="there is no folder"):
        records_in(tmp_path / "nowhere")


def test_a_damaged_review_is_named_and_not_written_over(write_report, tmp_path):
    path = write_report()
    review_path(path).write_text("{")
    with pytest.raises(DatasetError, match="move it away to begin anew"):
        load(path)
    with pytest.raises(DatasetError, match="has a finished review"):
        records_in(tmp_path)


@pytest.mark.parametrize(
    ("status", "decision", "message"),
    [
        ("fake", "open", "a segment is undecided"),
        ("fake", "rejected", "exactly if a segment was accepted"),
        ("real", "accepted", "exactly if a segment was accepted"),
    ],
)
def test_a_status_that_contradicts_its_segments_is_refused(write_report, status, decision, message):
    _, review = load(write_report())
    segments = [s.model_copy(update={"decision": decision}).model_dump() for s in review.segments]
    values = review.model_dump() | {"status": status, "segments": segments}
    with pytest.raises(ValidationError, match=message):
        Review.model_validate(values)


def test_reports_are_found_in_folders_and_reviews_are_none(write_report, tmp_path):
    paths = [write_report(name) for name in "ba"]
    changed(paths[0], "keep", "open", "open")
    (tmp_path / "other.json").write_text(json.dumps({"a": 1}))
    assert find_reports([tmp_path]) == sorted(paths)
    assert find_reports([paths[0], tmp_path]) == paths
    with pytest.raises(ConfigError, match="there is no"):
        find_reports([tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="make some with `mmmsba detect`"):
        find_reports([tmp_path / "empty"])


def test_segments_stay_in_time_order(write_report):
    path = write_report()
    report, review = load(path)
    early = ReviewedSegment(start_s=0.5, end_s=1.0, decision="accepted")
    change = Change(action="keep", segments=(*review.segments, early), seen_at=None)
    starts = [s.start_s for s in change_review(review, change, report, by="ada").segments]
    assert starts == sorted(starts)
