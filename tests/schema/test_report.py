"""Reports: what they refuse, and that nothing is lost on the way through JSON."""

import json
import runpy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema import ValidationError as JsonSchemaError
from pydantic import ValidationError

from mmmsba_plugin import schema
from mmmsba_plugin.schema import (
    AudioStream,
    Curves,
    Edit,
    FakeSegment,
    FileTraces,
    FrozenModel,
    Media,
    ModalityReport,
    OptOut,
    Problem,
    Proposal,
    Provenance,
    Report,
    Threshold,
    TimeSpan,
    VideoStream,
)

GOLDEN = Path(__file__).parents[1] / "golden"
MAKER = runpy.run_path(str(GOLDEN / "make_report.py"))
PROVENANCE = Provenance(package_version="1", api_version="1.0", formula_version=1, detector="d")
MEDIA = Media(path="a.mp4")

scores = st.floats(0.0, 1.0)
seconds = st.floats(-1e6, 1e6)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
modalities = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=4,
)


def tuples(strategy):
    return st.lists(strategy, max_size=3).map(tuple)


def rows_of(kind, **fields):
    ends = st.tuples(seconds, seconds).filter(lambda t: t[0] != t[1]).map(sorted)
    return st.tuples(ends, st.fixed_dictionaries(fields)).map(
        lambda t: kind(start_s=t[0][0], end_s=t[0][1], **t[1])
    )


@st.composite
def curves(draw):
    size = draw(st.integers(0, 5))
    row = st.lists(st.none() | scores, min_size=size, max_size=size).map(tuple)
    return Curves(
        start_s=draw(seconds), stride_s=draw(st.floats(1e-3, 10.0)), score=draw(row),
        by_modality=draw(st.dictionaries(modalities, row, max_size=3)),
    )  # fmt: skip


media = st.builds(
    Media, path=words, size_bytes=st.none() | st.integers(0), sha256=st.none() | words,
    duration_s=st.none() | seconds, zero_s=seconds,
    video=st.none() | st.builds(
        VideoStream, codec=words, width_px=st.integers(0, 9999), height_px=st.integers(0, 9999),
        fps_hz=st.none() | st.floats(0, 1000), start_s=seconds,
    ),
    audio=st.none() | st.builds(
        AudioStream, codec=words, sample_rate_hz=st.integers(0, 192_000),
        channels=st.integers(0, 8), duration_s=st.none() | seconds,
    ),
    traces=st.none() | st.builds(
        FileTraces, tags=st.dictionaries(words, words, max_size=2), c2pa=st.none() | st.booleans(),
        edits=tuples(st.builds(
            Edit, track=st.integers(1, 9), duration_s=seconds, media_start_s=st.none() | seconds,
            rate=seconds,
        )),
    ),
)  # fmt: skip
provenances = st.builds(
    Provenance, package_version=words, api_version=words, formula_version=st.integers(0, 99),
    detector=words, config=st.dictionaries(words, json_values, max_size=3),
    command=st.none() | words,
)  # fmt: skip
fake = rows_of(
    FakeSegment, score=scores, track=st.none() | st.integers(0, 9),
    words=st.none() | words, modality=st.sampled_from([None, "audio", "visual", "both"]),
)  # fmt: skip
evaluated = st.fixed_dictionaries({"status": st.just("ok"), "score": scores})
not_evaluated = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["abstained", "error"]),
        "problem": st.builds(Problem, kind=words, message=words),
    }
)
parts = st.fixed_dictionaries(
    {
        "media": media,
        "threshold": st.none() | st.builds(Threshold, value=scores),
        "segments": tuples(fake),
        "modalities": st.dictionaries(
            modalities,
            st.builds(
                ModalityReport,
                score=st.none() | scores,
                opt_outs=tuples(rows_of(OptOut, reason=words)),
            ),
            max_size=3,
        ),
        "proposals": tuples(rows_of(Proposal, score=scores)),
        "warnings": tuples(words),
        "provenance": provenances,
        "curves": st.none() | curves(),
    }
)
reports = st.tuples(evaluated | not_evaluated, parts).map(lambda t: Report(**t[0], **t[1]))


@given(reports)
def test_a_report_survives_json(report):
    assert Report.model_validate_json(report.model_dump_json()) == report


@given(words.filter(lambda key: key not in Report.model_fields))
def test_a_report_refuses_a_key_it_does_not_know(key):
    values = json.loads((GOLDEN / "report.json").read_text(encoding="utf-8"))
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Report.model_validate({**values, key: 1})


def test_a_part_of_a_report_refuses_a_key_it_does_not_know():
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Proposal.model_validate({"start_s": 0, "end_s": 1, "score": 0.5, "label": "fake"})


def test_a_report_refuses_a_format_it_cannot_read():
    values = json.loads((GOLDEN / "report.json").read_text(encoding="utf-8"))
    with pytest.raises(ValidationError, match=r"schema_version\n  Input should be '1\.0'"):
        Report.model_validate({**values, "schema_version": "2.0"})


def test_a_report_cannot_be_changed():
    report = MAKER["report"]()
    with pytest.raises(ValidationError, match="frozen"):
        report.score = 0.0


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"status": "ok"}, "has a score exactly when its status is ok"),
        ({"status": "abstained", "score": 0.5}, "has a score exactly when its status is ok"),
        ({"status": "error"}, "names its problem exactly when its status is not ok"),
        (
            {"status": "ok", "score": 0.5, "problem": Problem(kind="k", message="m")},
            "names its problem exactly when its status is not ok",
        ),
    ],
)
def test_status_score_and_problem_must_agree(fields, text):
    with pytest.raises(ValidationError, match=text):
        Report(media=MEDIA, provenance=PROVENANCE, **fields)


@pytest.mark.parametrize("score", [-0.01, 1.01, float("nan")])
def test_a_score_outside_its_range_is_refused(score):
    with pytest.raises(ValidationError, match=r"score\n  Input should be (less|greater)"):
        Report(status="ok", score=score, media=MEDIA, provenance=PROVENANCE)


@pytest.mark.parametrize("end_s", [1.0, 0.0])
def test_a_segment_without_length_is_refused(end_s):
    with pytest.raises(ValidationError, match=r"must end after it starts, got \[1\.0, "):
        TimeSpan(start_s=1.0, end_s=end_s)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_cannot_hold_is_refused(value):
    for make in (
        lambda: TimeSpan(start_s=0.0, end_s=value),
        lambda: Curves(start_s=0.0, stride_s=value, score=()),
        lambda: VideoStream(codec="h264", width_px=1, height_px=1, fps_hz=value),
    ):
        with pytest.raises(ValidationError, match="finite number"):
            make()


def test_a_modality_is_one_lower_case_word():
    with pytest.raises(ValidationError, match="String should match pattern"):
        Curves(start_s=0, stride_s=1, score=(), by_modality={"<script>": ()})


def test_curves_have_one_score_a_snippet_for_each_modality():
    with pytest.raises(ValidationError, match="face has 1 scores for 2 snippets; give one"):
        Curves(start_s=0, stride_s=1, score=(0.1, 0.2), by_modality={"face": (0.1,)})


def test_no_file_is_lost_over_a_name_that_is_no_text():
    name = "clip\udcff.mp4"  # as Python reads the byte 0xff in a name
    report = Report(
        status="error", media=Media(path=name), provenance=PROVENANCE,
        problem=Problem(kind="k", message=f"cannot read {name}"), warnings=(name,),
    )  # fmt: skip
    assert report.media.path == name
    read = Report.model_validate_json(report.model_dump_json())
    assert read.media.path == r"clip\udcff.mp4"
    assert Report.model_validate_json(read.model_dump_json()) == read


@given(scores, scores)
def test_a_clip_is_fake_from_the_threshold_on(score, threshold):
    report = Report(
        status="ok", score=score, threshold=Threshold(value=threshold), media=MEDIA,
        provenance=PROVENANCE,
    )  # fmt: skip
    assert report.fake is (score >= threshold)


def test_without_a_threshold_fake_is_undecided():
    assert Report(status="ok", score=1, media=MEDIA, provenance=PROVENANCE).fake is None


def test_a_clip_of_unknown_length_lasts_no_time():
    assert Report(status="ok", score=1, media=MEDIA, provenance=PROVENANCE).duration_s == 0.0


def test_every_field_of_every_part_says_what_it_is():
    kinds = [c for c in vars(schema).values() if isinstance(c, type) and issubclass(c, FrozenModel)]
    undescribed = [
        f"{kind.__name__}.{name}"
        for kind in kinds
        for name, field in kind.model_fields.items()
        if not field.description
    ]
    assert not undescribed


def test_the_published_schema_is_closed_and_complete():
    published = Report.model_json_schema()
    objects = [published, *published["$defs"].values()]
    assert all(each["additionalProperties"] is False for each in objects)
    references = {
        line.split('"')[3] for line in MAKER["schema_text"]().splitlines() if "$ref" in line
    }
    assert references == {f"#/$defs/{name}" for name in published["$defs"]}


def test_the_published_schema_has_a_name_of_its_version_and_accepts_reports():
    published = Report.model_json_schema()
    assert published["$id"] == f"urn:mmmsba:report:{schema.SCHEMA_VERSION}"
    report = json.loads((GOLDEN / "report.json").read_text(encoding="utf-8"))
    validator = Draft202012Validator(published)
    Draft202012Validator.check_schema(published)
    assert published["$schema"] == validator.META_SCHEMA["$id"]
    validator.validate(report)
    with pytest.raises(JsonSchemaError, match=r"2\.0"):
        validator.validate({**report, "schema_version": "2.0"})


def test_the_published_schema_is_the_one_that_was_reviewed():
    # After a change that is meant: python tests/golden/make_report.py, and read the difference.
    assert (GOLDEN / "report.schema.json").read_text(encoding="utf-8") == MAKER["schema_text"]()


def test_the_golden_report_is_read_as_it_was_made():
    text = (GOLDEN / "report.json").read_text(encoding="utf-8")
    without_curves = MAKER["report"]().model_copy(update={"curves": None})
    assert Report.model_validate_json(text) == without_curves


def test_the_golden_report_leaves_no_field_empty():
    values = json.loads((GOLDEN / "report.json").read_text(encoding="utf-8"))
    assert [key for key, value in values.items() if value in (None, [], {})] == ["problem"]
