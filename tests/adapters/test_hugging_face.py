"""A detector is called as a Hugging Face pipeline is: a path, a list, or a stream of paths."""

import json

import pytest

from mmmsba_plugin.adapters.hugging_face import FakePipeline


@pytest.fixture
def pipeline(detector) -> FakePipeline:
    return FakePipeline(detector)


def test_a_path_has_two_labels_best_first(pipeline, clips):
    for name, labels in {"fake": ["fake", "real"], "real": ["real", "fake"]}.items():
        predictions = pipeline(clips / f"{name}.mp4")
        assert [prediction["label"] for prediction in predictions] == labels
        assert sum(prediction["score"] for prediction in predictions) == pytest.approx(1)


def test_the_label_fake_holds_segments_and_what_was_not_evaluated(pipeline, clips):
    (fake, real) = pipeline(str(clips / "fake.mp4"))
    (segment,) = fake["segments"]
    assert (segment["start_s"], segment["end_s"]) == pytest.approx((0.4, 0.8))
    (opt_out,) = fake["opt_outs"]["face"]
    assert opt_out["start_s"] == pytest.approx(1.2)
    assert opt_out["reason"] == "no score"
    assert real.keys() == {"label", "score"}


def test_a_clip_without_a_probability_says_why_and_stops_no_other(pipeline, clips):
    first, (unevaluated,), last = pipeline(
        [clips / "real.mp4", clips / "missing.mp4", clips / "fake.mp4"]
    )
    assert (first[0]["label"], last[0]["label"]) == ("real", "fake")
    assert (unevaluated["label"], unevaluated["score"]) == ("not evaluated", None)
    assert "missing.mp4" in unevaluated["reason"]


def test_a_stream_of_paths_is_evaluated_one_by_one(pipeline, clips):
    names = []

    def paths():
        for name in ("fake", "real"):
            names.append(name)
            yield clips / f"{name}.mp4"

    stream = pipeline(paths())
    assert next(stream)[0]["label"] == "fake"
    assert names == ["fake"]


def test_predictions_can_be_written_as_json(pipeline, clips):
    predictions = pipeline([clips / "fake.mp4", clips / "dark.mp4"])
    assert json.loads(json.dumps(predictions, allow_nan=False)) == predictions
