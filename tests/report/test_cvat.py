"""CVAT's annotations of a report, read back by Datumaro where it is installed."""

import os
from importlib.util import find_spec
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given

from mmmsba_plugin.report.cvat import write_cvat

from .test_writers import REPORT, UNREADABLE, names, report_of, to_text

#: Fails instead of skipping where this names ``datumaro``, as in its tox environment.
REQUIRED = "datumaro" in os.environ.get("MMMSBA_REQUIRE", "").split(",")


def tracks(report):
    """Return label, attribute, and frames with whether they are outside, of each track."""
    return [
        (
            track.attrib["label"],
            {attribute.text for attribute in track.iter("attribute")},
            [(int(box.attrib["frame"]), box.attrib["outside"]) for box in track.iter("box")],
        )
        for track in fromstring(to_text(write_cvat, report)).iter("track")  # noqa: S314 - ours
    ]


def test_a_segment_is_in_view_from_its_first_frame_until_after_its_last():
    assert tracks(REPORT) == [
        ("Fake video", {"0.930"}, [(90, "0"), (118, "1")]),
        ("Fake audio", {"0.680"}, [(168, "0"), (185, "1")]),
        ("Not evaluated", {"lips: face too small"}, [(0, "0"), (25, "1")]),
    ]


def test_what_lasts_to_the_end_of_the_clip_stays_in_view():
    segment = REPORT.segments[0].model_copy(update={"end_s": REPORT.duration_s})
    report = REPORT.model_copy(update={"segments": (segment,)})
    assert tracks(report)[0][2] == [(90, "0")]


@pytest.mark.parametrize(
    "media", [REPORT.media.model_copy(update={"video": None}), UNREADABLE.media]
)
def test_without_video_there_is_the_verdict_alone(media):
    report = REPORT.model_copy(update={"media": media})
    assert tracks(report) == []
    assert "Flagged as fake" in to_text(write_cvat, report)


@given(names)
def test_every_name_can_be_written(name):
    assert len(tracks(report_of(name))) == 3


def test_datumaro_reads_boxes_that_fill_the_frame(tmp_path):
    if not REQUIRED and find_spec("datumaro") is None:
        pytest.skip("datumaro is not installed; tox -e toolkits installs it")
    from datumaro.components.dataset import Dataset

    (tmp_path / "annotations.xml").write_text(to_text(write_cvat, REPORT), encoding="utf-8")
    dataset = Dataset.import_from(str(tmp_path), "cvat")
    label_of = next(iter(dataset.categories().values()))
    boxes = [
        (int(item.attributes["frame"]), label_of[box.label].name, box.attributes, box.points)
        for item in dataset
        for box in item.annotations
    ]
    assert [box[:2] for box in sorted(boxes, key=lambda box: box[0])] == [
        (0, "Not evaluated"),
        (25, "Not evaluated"),
        (90, "Fake video"),
        (118, "Fake video"),
        (168, "Fake audio"),
        (185, "Fake audio"),
    ]
    assert {tuple(points) for *_, points in boxes} == {(0.0, 0.0, 640.0, 360.0)}
    scores = {attributes.get("score") for _, _, attributes, _ in boxes}
    assert scores == {"0.930", "0.680", None}
