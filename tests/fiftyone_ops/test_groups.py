"""Videos in groups with frames are found and written to, and the frames stay as they are.

FiftyOne takes samples of several media types in groups alone, and shows, selects and writes one
slice of them at a time: here that of the frames, unless somebody asks for another.
"""

import uuid
from pathlib import Path

import fiftyone as fo
import fiftyone.operators as foo
import pytest
from fiftyone import ViewField as F
from fiftyone.core.media import MediaTypeError

from fiftyone_ops.dataset import labels
from fiftyone_ops.dataset.labels import Fields
from fiftyone_ops.dataset.metadata import PLAYABLE_PATH
from fiftyone_ops.dataset.records import learnable
from fiftyone_ops.errors import TargetError
from fiftyone_ops.panels.overview_data import narrowed, overview_of, queue_of
from fiftyone_ops.tasks.detect import annotate
from fiftyone_ops.tasks.evaluate import evaluate
from fiftyone_ops.tasks.export import export
from fiftyone_ops.tasks.import_dataset import import_dataset
from fiftyone_ops.tasks.metadata import fill_metadata, make_proxies
from fiftyone_ops.tasks.review.decide import decide
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.segment import Segment
from mmmsba_plugin.timebase import FrameClock

from ..clips import clip
from .asking import OVERVIEW, TIMELINE, ask

CLOCK = FrameClock.steady(50, fps_hz=25)
FIELDS = Fields("forgeries")
#: Of the small videos, those that can be evaluated.
NAMES = ("forged-1", "forged-2", "genuine-1", "genuine-2")


def new_dataset() -> fo.Dataset:
    return fo.Dataset(f"grouped-{uuid.uuid4().hex[:8]}", persistent=True)


@pytest.fixture
def grouped(named_clips, tmp_path):
    """Each small video in a group with a frame, both with labels and tags of their owner's."""
    created = new_dataset()
    created.add_group_field("group", default="frame")
    for path in named_clips[: len(NAMES)]:
        group = fo.Group()
        frame = tmp_path / f"{path.stem}.png"
        frame.write_bytes(b"a frame")
        created.add_samples([owned(frame, group.element("frame")), owned(path, group.element("v"))])
    yield created
    created.delete()


def owned(path: Path, group) -> fo.Sample:
    label = fo.Classification(label=path.suffix, by="the owner")
    return fo.Sample(filepath=str(path), group=group, tags=["kept"], comment=label)


@pytest.fixture
def evaluated(grouped, toy):
    """The videos with reports of the toy detector, and a truth by their names."""
    annotate(grouped, detector=toy)
    for sample in videos(grouped):
        segments = [Segment(0.5, 1.013)] if "forged" in sample.filepath else []
        truth = [labels.detection(segment, CLOCK, label="audio") for segment in segments]
        sample["truth"] = fo.TemporalDetections(detections=truth)
        sample.save()
    return grouped


def videos(dataset: fo.Dataset):
    return dataset.select_group_slices("v")


def names(samples) -> list[str]:
    return sorted(Path(path).stem for path in samples.values("filepath"))


def contents(dataset: fo.Dataset) -> dict[str, dict]:
    """Collect the fields of each sample that have a value, by file."""
    passing = ("last_modified_at", "_dataset_id")
    return {
        sample.filepath: {
            name: value
            for name, value in sample.to_dict(include_private=True).items()
            if value is not None and name not in passing
        }
        for slice_name in dataset.group_slices
        for sample in dataset.select_group_slices(slice_name)
    }


def assert_nothing_is_lost(before: dict[str, dict], after: dict[str, dict]) -> None:
    assert before.keys() == after.keys()
    for path, was in before.items():
        assert {name: after[path].get(name) for name in was} == was
        if path.endswith(".png"):
            assert after[path].keys() == was.keys()


def test_frames_and_videos_mix_in_groups_alone(dataset, named_clips):
    dataset.add_sample(fo.Sample(filepath=str(named_clips[0])))
    with pytest.raises(MediaTypeError, match="'image' does not match"):
        dataset.add_sample(fo.Sample(filepath="face.png"))
    assert dataset.count() == 1


def test_videos_in_groups_are_evaluated_and_images_left_alone(grouped, toy):
    before = contents(grouped)
    summary = annotate(grouped, detector=toy, frames=True)
    assert summary.verdicts == {"fake": 2, "not flagged": 2}
    assert_nothing_is_lost(before, contents(grouped))
    assert names(videos(grouped).exists("forgeries_verdict")) == list(NAMES)
    assert videos(grouped).values("metadata.frame_rate") == [25] * 4
    assert videos(grouped).count("frames.forgeries_score") == 4 * 38
    assert annotate(grouped, detector=toy).skipped == 4


@pytest.mark.parametrize("slice_name", ["frame", "v"])
def test_a_view_or_a_selection_of_groups_means_the_videos_in_them(grouped, toy, slice_name):
    grouped.group_slice = slice_name
    chosen = grouped.match(F("filepath").contains_str("forged"))
    assert annotate(chosen.limit(1), detector=toy).total == 1
    context = {"dataset": grouped, "selected": chosen.values("id")}
    operator = "@mmmsba/fiftyone_ops/detect_forgeries"
    params = {"detector": toy, "target": "selected"}
    assert foo.execute_operator(operator, context, params=params).result["total"] == 2
    assert names(videos(grouped).exists("forgeries_verdict")) == ["forged-1", "forged-2"]


def test_clips_of_videos_in_groups_stand_for_those(evaluated, toy):
    clips = videos(evaluated).to_clips("forgeries")
    summary = annotate(clips, detector=toy, existing="overwrite")
    assert (summary.total, summary.verdicts["fake"]) == (2, 2)


def test_several_slices_of_videos_are_all_evaluated(named_clips, toy):
    created = new_dataset()
    created.add_group_field("group", default="left")
    group = fo.Group()
    sides = zip(("left", "right"), named_clips, strict=False)
    created.add_samples([owned(path, group.element(side)) for side, path in sides])
    assert annotate(created, detector=toy).verdicts == {"fake": 2}
    created.delete()


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (
            lambda groups: groups.select_group_slices("frame"),
            "holds samples of media type 'image'",
        ),
        (lambda groups: groups.select_group_slices(_allow_mixed=True), "of media type 'mixed'; ch"),
        (lambda groups: groups.match_tags("none"), "clear its filters"),
    ],
)
def test_what_holds_no_videos_is_refused_in_a_sentence(evaluated, toy, chosen, message, tmp_path):
    before, view = contents(evaluated), chosen(evaluated)
    for act in (
        lambda: annotate(view, detector=toy),
        lambda: fill_metadata(view),
        lambda: export(view, folder=tmp_path / "out"),
        lambda: evaluate(view, truth_field="truth"),
    ):
        with pytest.raises(TargetError, match=message):
            act()
    assert contents(evaluated) == before
    assert not (tmp_path / "out").exists()


def test_groups_of_frames_alone_are_refused_in_a_sentence(toy):
    created = new_dataset()
    created.add_group_field("group", default="left")
    group = fo.Group()
    created.add_samples(
        [owned(Path(f"{side}.png"), group.element(side)) for side in ("left", "up")]
    )
    with pytest.raises(TargetError, match="whose groups have a slice of videos"):
        annotate(created, detector=toy)
    created.delete()


def test_metadata_of_videos_in_groups_are_filled_and_odd_ones_shown_as_copies(grouped, tmp_path):
    old = clip(tmp_path / "old.mp4", video_codec="mpeg4")
    group = fo.Group()
    grouped.add_samples(
        [owned(tmp_path / "forged-1.png", group.element("frame")), owned(old, group.element("v"))]
    )
    assert fill_metadata(grouped).filled == 5
    assert videos(grouped).count_sample_tags() == {"kept": 5, "not-playable": 1}
    assert grouped.select_group_slices("frame").count_sample_tags() == {"kept": 5}
    assert make_proxies(grouped, tmp_path / "copies").num_copied == 1
    # The App asks each sample of a dataset what to show, frames as well.
    frames = grouped.select_group_slices("frame")
    assert frames.values(PLAYABLE_PATH) == frames.values("filepath")
    assert videos(grouped).values(PLAYABLE_PATH)[-1].startswith(str(tmp_path / "copies"))


def test_reports_on_videos_in_groups_are_exported(evaluated, tmp_path):
    assert export(evaluated, folder=tmp_path / "reports", formats="json").num_written == 4
    assert export(evaluated, folder=tmp_path / "clips", what="clips").num_written == 2
    out = export(evaluated, folder=tmp_path / "dataset", what="lav-df", truth_field="truth")
    assert (out.num_written, out.failed) == (4, {})
    truth = [record.truth for record in read_lavdf(tmp_path / "dataset")]
    assert truth == [(Segment(0.5, 1.013),)] * 2 + [()] * 2


def test_videos_in_groups_are_measured_and_their_errors_are_in_views(evaluated):
    before = contents(evaluated)
    summary = evaluate(evaluated, truth_field="truth", activitynet=True)
    assert summary.table["auc"] == 1
    after = contents(evaluated)
    frames = [path for path in before if path.endswith(".png")]
    assert {path: after[path] for path in frames} == {path: before[path] for path in frames}
    assert videos(evaluated).values("eval_tp") == [1, 1, 0, 0]
    assert not any(len(evaluated.load_saved_view(name)) for name in summary.views)
    sample = videos(evaluated).first()
    sample.truth = fo.TemporalDetections()
    sample.save()
    evaluate(evaluated, truth_field="truth")
    assert names(evaluated.load_saved_view("eval-false-alarms")) == ["forged-1"]


def test_a_dataset_is_not_imported_into_groups_or_frames(grouped, talking_head_dataset):
    before = grouped.get_field_schema().keys()
    with pytest.raises(TargetError, match="'group', which videos cannot be added to"):
        import_dataset(f"lav-df={talking_head_dataset}", name=grouped.name)
    assert (grouped.get_field_schema().keys(), grouped.list_runs()) == (before, [])


def test_videos_in_groups_are_counted_queued_and_reviewed(evaluated):
    overview = overview_of(evaluated.view(), FIELDS)
    assert (overview.num_clips, sum(bar.count for bar in overview.bars)) == (4, 4)
    assert names(narrowed(evaluated.view(), FIELDS, kind="score", value=0.75)) == [
        "forged-1",
        "forged-2",
    ]
    queued = queue_of(evaluated.view(), FIELDS, reason="unlabelled", truth_field="none")
    assert [item.name for item in queued.items] == ["forged-1.mp4", "forged-2.mp4"]

    sample = videos(evaluated).first()
    before = contents(evaluated)
    assert decide(evaluated, sample.id, action="accept").label == "fake"
    assert_nothing_is_lost(before, contents(evaluated))
    (record,) = learnable(evaluated.name)[1]
    assert (str(record.media), record.truth) == (sample.filepath, (Segment(0.5, 1.013),))


def test_a_frame_that_is_open_is_not_taken_for_a_video(evaluated):
    frame = evaluated.select_group_slices("frame").first()
    with pytest.raises(TargetError, match=r"png is of media type 'image'"):
        decide(evaluated, frame.id, action="finish")
    answer, _ = ask(TIMELINE, "load", evaluated, sample_id=frame.id)
    assert "open a video, such as one in the same group" in answer["problem"]


def test_the_panels_go_from_video_to_video(evaluated):
    result = {"sample_id": videos(evaluated).first().id, "decision": {"action": "finish"}}
    answer, requests = ask(TIMELINE, "decide", evaluated, **result)
    assert (answer["review"]["label"], requests) == ("real", ["open_sample"])
    answer, _ = ask(OVERVIEW, "summary", evaluated)
    assert answer["overview"]["num_clips"] == 4
