"""Reports in the JSON of annotation tools."""

import json
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given

from mmmsba_plugin.docs import path_of
from mmmsba_plugin.report import annotation_json
from mmmsba_plugin.report.annotation_formats import NAMES, NOT_EVALUATED
from mmmsba_plugin.schema import ModalityReport, OptOut
from mmmsba_plugin.testing import samples

from .test_writers import REPORT, UNREADABLE, names, report_of, to_text

#: Fields of the messages in MediFor's analytic.proto, as far as ours could have them.
MEDIFOR = {
    "Detection": {"status": "Status", "vidManipReq": "Request", "vidManip": "VideoManipulation"},
    "Status": {"code": int, "message": str},
    "Request": {"video": "Resource"},
    "Resource": {"uri": str},
    "VideoManipulation": {
        "score": float, "facets": {str: float}, "optOut": [str], "explanation": str,
        "localization": "Localization",
    },
    "Localization": {
        "frameDetection": ["ScoredInts"], "frameOptout": ["Ints"],
        "audioDetection": ["ScoredFloats"], "audioOptout": ["Floats"],
    },
    "ScoredInts": {"range": "Ints", "score": float},
    "ScoredFloats": {"range": "Floats", "score": float},
    "Ints": {"start": int, "end": int},
    "Floats": {"start": float, "end": float},
}  # fmt: skip


def read_json(write, report):
    return json.loads(to_text(write, report))


def audio_only(report):
    return report.model_copy(update={"media": report.media.model_copy(update={"video": None})})


def without_rate(report):
    video = report.media.video.model_copy(update={"fps_hz": None})
    return report.model_copy(update={"media": report.media.model_copy(update={"video": video})})


def annotations(report):
    page = read_json(annotation_json.write_web_annotation, report)
    assert page["@context"] == "http://www.w3.org/ns/anno.jsonld"
    assert page["type"] == "AnnotationPage"
    identifiers = [page["id"], *(item["id"] for item in page["items"])]
    assert len(set(identifiers)) == len(identifiers)
    return page["items"]


def values(annotation, purpose):
    return [body["value"] for body in annotation["body"] if body["purpose"] == purpose]


def test_web_annotations_are_the_clip_then_each_segment_and_opt_out():
    clip, *rest = annotations(report_of("/clips/inter view.mp4"))
    assert clip["target"] == {
        "type": "SpecificResource", "source": "file:///clips/inter%20view.mp4",
    }  # fmt: skip
    assert values(clip, "assessing") == ["0.93"]
    rows = [
        (a["target"]["selector"]["value"], values(a, "tagging"), values(a, "assessing"))
        for a in rest
    ]
    assert rows == [
        ("t=3.612000,4.704000", ["fake", "visual"], ["0.93"]),
        ("t=6.750000,7.400000", ["fake", "audio"], ["0.68"]),
        ("t=0.000000,1.000000", ["not evaluated", "lips"], []),
    ]
    assert values(rest[2], "describing") == ["face too small"]


def test_web_annotations_of_a_clip_that_was_not_evaluated_have_no_span():
    items = annotations(UNREADABLE)
    assert [values(item, "tagging") for item in items] == [["error"], ["not evaluated"]]
    assert not any("selector" in item["target"] for item in items)


@given(names)
def test_an_address_holds_no_sign_that_addresses_lack(name):
    (source, *_) = (item["target"]["source"] for item in annotations(report_of(name)))
    assert re.fullmatch(r"[A-Za-z0-9%._~/:-]+", source)


def task(report):
    ((task,),) = [read_json(annotation_json.write_labelstudio, report)]
    (prediction,) = task["predictions"]
    return task["data"], prediction


def test_labelstudio_has_frames_from_one_with_both_within():
    data, prediction = task(REPORT)
    assert (data["video"], data["fps"], data["status"]) == ("interview.mp4", 25.0, "ok")
    assert prediction["model_version"] == "mmmsba with demonstrator (mmmsba-plugin 0.1.0)"
    assert prediction["score"] == 0.93
    rows = [
        (r["type"], r["value"]["timelinelabels"], r["value"]["ranges"], r.get("score"))
        for r in prediction["result"]
    ]
    # At 25 frames a second, 3.612 s lies in the 91st frame, and 4.704 s in the 118th.
    assert rows == [
        ("timelinelabels", ["Fake video"], [{"start": 91, "end": 118}], 0.93),
        ("timelinelabels", ["Fake audio"], [{"start": 169, "end": 185}], 0.68),
        ("timelinelabels", ["Not evaluated"], [{"start": 1, "end": 25}], None),
    ]
    assert prediction["result"][2]["meta"] == {"text": ["lips: face too small"]}


def test_labelstudio_has_seconds_of_a_file_without_video():
    data, prediction = task(audio_only(REPORT))
    assert (data["audio"], "video" in data, "fps" in data) == ("interview.mp4", False, False)
    assert prediction["result"][0]["type"] == "labels"
    assert prediction["result"][0]["value"] == {
        "start": 3.612, "end": 4.704, "labels": ["Fake video"],
    }  # fmt: skip


def test_labelstudio_counts_24_frames_a_second_where_the_rate_is_not_known():
    data, prediction = task(without_rate(REPORT))
    assert data["fps"] == 24.0
    assert prediction["result"][2]["value"]["ranges"] == [{"start": 1, "end": 24}]


def test_labelstudio_has_no_score_of_a_clip_that_was_not_evaluated():
    data, prediction = task(UNREADABLE)
    assert data["status"] == "error"
    assert "score" not in prediction
    (region,) = prediction["result"]
    assert region["value"]["timelinelabels"] == ["Not evaluated"]


def test_the_documented_interface_of_labelstudio_knows_every_label():
    page = path_of("pipeline").read_text(encoding="utf-8")
    (block,) = re.findall(r"```xml\n(.*?)```", page, flags=re.DOTALL)
    view = ET.fromstring(block)  # noqa: S314 - a page of our own
    assert {label.get("value") for label in view.iter("Label")} == {*NAMES.values(), NOT_EVALUATED}
    assert view.find("Video").attrib == {"name": "video", "value": "$video", "frameRate": "$fps"}
    assert view.find("TimelineLabels").get("name") == "timeline"


def fits(value, kind):
    """Return whether a value is what a field of a MediFor message may hold."""
    if isinstance(kind, str):
        return set(value) <= set(MEDIFOR[kind]) and all(
            fits(field, MEDIFOR[kind][name]) for name, field in value.items()
        )
    if isinstance(kind, list):
        return all(fits(item, kind[0]) for item in value)
    if isinstance(kind, dict):
        return all(isinstance(item, float) for item in value.values())
    return isinstance(value, kind)


def medifor(report):
    detection = read_json(annotation_json.write_medifor, report)
    assert fits(detection, "Detection")
    return detection


def test_medifor_has_frames_from_zero_and_seconds_of_audio():
    detection = medifor(REPORT)
    assert detection["status"] == {"code": 0}
    assert detection["vidManipReq"] == {"video": {"uri": "interview.mp4"}}
    answer = detection["vidManip"]
    assert answer["score"] == 0.93
    assert answer["facets"] == {"face": 0.93, "audio": 0.68, "lips": 0.78}
    assert answer["optOut"] == ["VIDEO_OPT_OUT_SPATIAL"]
    assert "from 0:00.00 to 0:01.00: lips: face too small" in answer["explanation"]
    assert answer["localization"] == {
        "frameDetection": [{"range": {"start": 90, "end": 117}, "score": 0.93}],
        "frameOptout": [],
        "audioDetection": [{"range": {"start": 6.75, "end": 7.4}, "score": 0.68}],
        "audioOptout": [],
    }


def test_medifor_opts_out_of_frames_that_neither_face_nor_lips_evaluated():
    def until(end_s):
        return ModalityReport(score=0.5, opt_outs=(OptOut(start_s=0, end_s=end_s, reason="no"),))

    modalities = {"face": until(2.0), "lips": until(3.0), "audio": until(1.0)}
    answer = medifor(REPORT.model_copy(update={"modalities": modalities}))["vidManip"]
    assert answer["localization"]["frameOptout"] == [{"start": 0, "end": 49}]
    assert answer["localization"]["audioOptout"] == [{"start": 0.0, "end": 1.0}]


def test_medifor_opts_out_of_time_without_a_frame_rate():
    answer = medifor(without_rate(REPORT))["vidManip"]
    assert answer["optOut"] == ["VIDEO_OPT_OUT_SPATIAL", "VIDEO_OPT_OUT_TEMPORAL"]
    assert "localization" not in answer


def test_medifor_has_no_frames_of_a_file_without_video():
    localization = medifor(audio_only(REPORT))["vidManip"]["localization"]
    assert set(localization) == {"audioDetection", "audioOptout"}


def test_medifor_has_a_status_in_place_of_an_answer_where_a_clip_could_not_be_read():
    detection = medifor(UNREADABLE)
    assert "vidManip" not in detection
    assert detection["status"]["code"] == 2


def test_medifor_opts_out_of_everything_where_nothing_could_be_evaluated():
    answer = medifor(samples.report("abstained"))["vidManip"]
    assert "score" not in answer
    assert len(answer["optOut"]) == 3
    assert answer["explanation"].startswith("Nothing to judge: SampleError")


@pytest.mark.parametrize("name", ["a\udcff.mp4", "a:b.mp4", "?#.mp4"])
def test_a_name_with_odd_signs_is_one_address(name):
    uri = medifor(report_of(name))["vidManipReq"]["video"]["uri"]
    assert not set(":?#\\") & set(uri)
