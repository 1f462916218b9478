"""Views of every kind stand for their videos, or are refused before anything is asked."""

import cv2
import fiftyone as fo
import fiftyone.operators as foo
import numpy as np
import pytest
from fiftyone import ViewField as F
from fiftyone.operators.executor import ExecutionContext

from fiftyone_ops.dataset.labels import Fields
from fiftyone_ops.dataset.samples import flattened, opened_video, shown_id
from fiftyone_ops.panels.overview_data import overview_of, queue_of
from fiftyone_ops.tasks.detect import annotate
from fiftyone_ops.tasks.evaluate import evaluate
from fiftyone_ops.tasks.export import export
from fiftyone_ops.tasks.metadata import fill_metadata
from fiftyone_ops.tasks.rethreshold import rethreshold
from fiftyone_ops.tasks.threshold_table import threshold_table

from .asking import OVERVIEW, TIMELINE, ask

FIELDS = Fields("forgeries")
ALL = ["forged-1", "forged-2", "genuine-1", "genuine-2"]
FORMS = ("detect_forgeries", "evaluate_forgeries", "export_forgeries", "review_forgeries")


@pytest.fixture
def clips(evaluated, tmp_path):
    """The four videos with a score, by two sources, each with a face in its first frame."""
    for name in ("missing", "raises", "nobody"):
        evaluated.delete_samples(evaluated.match(F("filepath").contains_str(name)))
    for number, sample in enumerate(evaluated):
        frame = tmp_path / f"{sample.filename}.png"
        cv2.imwrite(str(frame), np.zeros((8, 8, 3), np.uint8))
        face = fo.Detection(label="face", bounding_box=[0, 0, 1, 1])
        sample.frames[1] = fo.Frame(filepath=str(frame), faces=fo.Detections(detections=[face]))
        sample["source"] = "ab"[number % 2]
        sample["truth"] = fo.TemporalDetections()
        sample.save()
    evaluated.save_view("kept", evaluated.match(F("source") == "b"))
    return evaluated


#: Kinds of views, and the videos that each stands for.
VIEWS = {
    "dynamic groups": (lambda d: d.group_by("source"), ALL),
    "dynamic groups in order": (lambda d: d.group_by("source", order_by="filepath"), ALL),
    "dynamic groups, flat": (lambda d: d.group_by("source", flat=True), ALL),
    "one dynamic group": (lambda d: d.group_by("source").limit(1), ["forged-1", "genuine-1"]),
    "clips": (lambda d: d.to_clips("forgeries"), ALL[:2]),
    "sorted clips": (
        lambda d: d.to_clips("forgeries").sort_by("forgeries.confidence", reverse=True),
        ALL[:2],
    ),
    "frames": (lambda d: d.to_frames(), ALL),
    "some frames": (lambda d: d.limit(1).to_frames(), ALL[:1]),
    "patches": (lambda d: d.to_frames().to_patches("faces"), ALL),
    "saved": (lambda d: d.load_saved_view("kept"), ["forged-2", "genuine-2"]),
    "filtered labels": (lambda d: d.filter_labels("forgeries", F("confidence") > 0.5), ALL[:2]),
    "few fields": (lambda d: d.select_fields("source"), ALL),
    "hidden fields": (lambda d: d.limit(3).exclude_fields("forgeries_verdict"), ALL[:3]),
    "concatenated": (lambda d: d.limit(1).concat(d.skip(2)), ["forged-1", *ALL[2:]]),
}


def names(samples) -> list[str]:
    return sorted(
        path.rsplit("/", 1)[1].removesuffix(".mp4") for path in samples.values("filepath")
    )


@pytest.mark.parametrize("kind", VIEWS)
def test_each_kind_of_view_stands_for_its_videos(clips, toy, kind, tmp_path):
    make_view, expected = VIEWS[kind]
    view, count = make_view(clips), len(expected)
    assert names(flattened(view)) == expected
    assert annotate(view, detector=toy, existing="overwrite").total == count
    assert fill_metadata(view, overwrite=True).filled == count
    assert evaluate(view, truth_field="truth").evaluation.num_real == count
    assert export(view, folder=tmp_path / "out", formats="json").num_written == count
    assert threshold_table(view).num_clips == count
    assert rethreshold(view, 0.5).num_clips == count
    overview = overview_of(view, FIELDS)
    assert (overview.num_clips, overview.num_evaluated) == (count, count)
    queued = queue_of(view, FIELDS, reason="uncertain", truth_field="truth")
    assert sorted(item.name.removesuffix(".mp4") for item in queued.items) == expected
    for name in FORMS:
        assert "refused" not in form_of(name, view)


def form_of(name: str, view, **context) -> dict:
    request = {"dataset_name": view._root_dataset.name, "view": view._serialize(), "params": {}}
    operator = foo.get_operator(f"@mmmsba/fiftyone_ops/{name}")
    return operator.resolve_input(ExecutionContext({**request, **context})).type.properties


@pytest.mark.parametrize("name", FORMS)
def test_a_view_of_nothing_is_refused_before_anything_is_asked(clips, name):
    form = form_of(name, clips.match_tags("none"))
    assert list(form) == ["refused"]
    assert form["refused"].error_message == (
        f"there is nothing to work on in {clips.name!r}; clear its filters, or choose another view"
    )


@pytest.mark.parametrize("name", ["evaluate_forgeries", "review_forgeries"])
def test_what_needs_predictions_says_so_before_anything_is_asked(named_dataset, name):
    form = form_of(name, named_dataset.view())
    assert list(form) == ["refused"]
    assert "run “Detect forgeries” first" in form["refused"].error_message


def test_of_dynamic_groups_the_chosen_samples_alone_are_evaluated(clips, toy):
    chosen = clips.match(F("filepath").contains_str("genuine-2")).values("id")
    result = foo.execute_operator(
        "@mmmsba/fiftyone_ops/detect_forgeries",
        {"view": clips.group_by("source"), "selected": chosen},
        params={"target": "selected", "detector": toy},
    ).result
    assert result["total"] == 1


@pytest.mark.parametrize("kind", ["clips", "frames", "patches"])
def test_what_was_cut_from_a_video_shows_and_reviews_that_video(clips, kind):
    view = VIEWS[kind][0](clips)
    opened, following = view.values("id")[:2]
    clip, _ = ask(TIMELINE, "load", view, sample_id=opened)
    assert (clip["sample_id"], clip["name"]) == (opened, "forged-1.mp4")
    decision = {"action": "accept", "label_id": clip["predicted"][0]["id"]}
    clip, _ = ask(TIMELINE, "decide", view, sample_id=opened, decision=decision)
    assert (clip["sample_id"], clip["review"]["label"]) == (opened, "fake")
    video = clips.match(F("filepath").contains_str("forged-1")).first()
    assert video.forgeries_review.label == "fake"
    step, requests = ask(TIMELINE, "step", view, sample_id=opened, by=1)
    assert (step["sample_id"], requests) == (following, ["open_sample"])


@pytest.mark.parametrize("kind", ["clips", "frames", "patches", "filtered labels"])
def test_the_queue_opens_what_the_view_shows_of_a_video(clips, kind):
    view = VIEWS[kind][0](clips)
    video = clips.match(F("filepath").contains_str("forged-2")).first()
    assert opened_video(view, shown_id(view, video.id)).id == video.id
    assert ask(OVERVIEW, "open", view, sample_id=video.id)[1] == ["open_sample"]


def test_the_queue_does_not_open_what_a_group_hides_and_says_why(clips):
    view = clips.group_by("source")
    first, _, hidden, _ = clips.values("id")
    assert ask(OVERVIEW, "open", view, sample_id=first)[1] == ["open_sample"]
    response, requests = ask(OVERVIEW, "open", view, sample_id=hidden)
    assert (response["problem"][:27], requests) == ("this clip is within a group", [])
