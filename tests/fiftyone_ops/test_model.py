"""The detector is one of FiftyOne's models, and comes from a source of models."""

import functools
import http.server
import shutil
import threading
from pathlib import Path

import fiftyone as fo
import fiftyone.zoo as foz
import pytest

from fiftyone_ops import zoo
from fiftyone_ops.dataset.labels import Fields
from fiftyone_ops.dataset.runs import prediction_fields
from fiftyone_ops.errors import FieldTakenError
from fiftyone_ops.model import FiftyOneModel, load_model
from fiftyone_ops.panels.timeline_data import clip_of
from fiftyone_ops.tasks.detect import annotate
from fiftyone_ops.tasks.review.decide import decide
from mmmsba_plugin.docs import path_of
from mmmsba_plugin.errors import ConfigError, MissingExtraError

from ..tools.markdown import blocks

needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffprobe") is None, reason="FiftyOne's apply_model needs ffmpeg on the PATH"
)


@pytest.fixture
def source(tmp_path):
    """An address that the source of models can be downloaded from."""
    shutil.copytree(Path(zoo.__file__).parent, tmp_path / "archive" / "zoo")
    shutil.make_archive(str(tmp_path / "served" / "models"), "zip", tmp_path / "archive")
    handler = functools.partial(QuietHandler, directory=tmp_path / "served")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/models.zip"
        server.shutdown()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Log nothing."""


@needs_ffmpeg
def test_applied_it_writes_the_labels_that_a_run_writes(talking_dataset, checkpoint):
    view = talking_dataset.limit(1)
    model = load_model("mmmsba", checkpoint=checkpoint)
    view.apply_model(model, label_field=model.label_field("applied"))
    annotate(view, checkpoint=str(checkpoint), label_field="run")
    sample = view.first()
    assert sample.applied_verdict.confidence == sample.run_verdict.confidence
    assert [label.support for label in sample.applied.detections] == [
        label.support for label in sample.run.detections
    ]
    assert len(sample.applied_opt_outs.detections) == len(sample.run_opt_outs.detections)


def test_labels_are_registered_whatever_fiftyone_hands_over(named_dataset, toy):
    model = load_model(detector=toy)
    model.label_field("applied")
    # FiftyOne sets this before it applies a model.
    model.needs_fields = {}
    assert "segments" in model.predict(None, sample=named_dataset.first())
    assert Fields("applied").segments in prediction_fields(named_dataset)


@needs_ffmpeg
def test_a_plain_field_is_the_stem_of_its_labels(named_dataset, toy):
    view = named_dataset.limit(1)
    view.apply_model(load_model(detector=toy), label_field="said")
    sample = view.first()
    assert (sample.said_verdict.label, sample.said_segments.detections[0].start_s) == (
        "fake",
        0.5,
    )


def test_what_it_wrote_is_a_run_like_any_other(named_dataset, toy):
    model = load_model(detector=toy)
    field = model.label_field("applied")
    # As apply_model does, which needs ffmpeg to open what the model does not look at.
    for sample in named_dataset.select_fields().iter_samples(autosave=True):
        if sample.filename != "raises.mp4":
            sample.add_labels(model.predict(None, sample=sample), label_field=field)
    assert prediction_fields(named_dataset) == ["applied"]
    fake = named_dataset.first()
    clip = clip_of(fake, Fields("applied"), truth_field=None)
    assert (clip.verdict, clip.curves.score) == ("fake", (0.25, 0.75, 0.25, None))
    assert fake.applied_proposals.tolist() == [[0.5, 1.013, 0.75]]
    assert decide(named_dataset, fake.id, label_field="applied", action="accept").label == "fake"
    # Detection goes on where it was: the file that is missing, and the one that was left out.
    assert annotate(named_dataset, detector=toy, label_field="applied").skipped == 5


def test_a_run_of_somebody_elses_name_is_left_alone(named_dataset, toy):
    named_dataset.register_run("theirs", fo.RunConfig(method="theirs"))
    model = load_model(detector=toy)
    model.label_field("theirs")
    with pytest.raises(FieldTakenError, match="'theirs' that is none of ours"):
        model.predict(None, sample=named_dataset.first())


def test_without_ffmpeg_it_says_what_to_do_instead(named_dataset, toy, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingExtraError, match=r"annotate\(dataset\), which needs none"):
        named_dataset.apply_model(load_model(detector=toy), label_field="said")


def test_the_zoo_loads_it_by_the_code_of_the_toolkit_page(source, toy, capsys):
    codes = blocks(path_of("toolkit").read_text(encoding="utf-8"), "python")
    code = next(code for code in codes if code.startswith("# zoo.py"))
    assert "https://example.org/models.zip" in code
    exec(code.replace("https://example.org/models.zip", source), {})  # noqa: S102 - our own page
    assert capsys.readouterr().out.splitlines()[-1].startswith("video ")
    assert "mmmsba" in foz.list_zoo_models(source=source)
    assert load_model(detector=toy).media_type == "video"
    loaded = foz.load_zoo_model("mmmsba", detector=toy)
    assert type(loaded).__name__ == FiftyOneModel.__name__
    assert isinstance(loaded, fo.Model)


def test_there_is_one_model():
    with pytest.raises(ConfigError, match="no model is called 'resnet'"):
        load_model("resnet")
