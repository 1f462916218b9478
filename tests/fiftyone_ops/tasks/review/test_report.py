"""A review leaves as one page: who decided what, when, about which bytes."""

import re
from pathlib import Path

import pytest
from fiftyone import ViewField as F

from fiftyone_ops.errors import TargetError
from fiftyone_ops.tasks.review.decide import decide
from fiftyone_ops.tasks.review.report import ReviewReportTask, write_review_report
from mmmsba_plugin.errors import ConfigError, OutputError
from mmmsba_plugin.files import sha256_of

from .test_decide import Retrained, run_again


def text_of(file) -> str:
    """Return the text of the page, with single blanks."""
    body = file.read_text(encoding="utf-8").partition("<body>")[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)).replace("\N{EN DASH}", "-")


def sample_of(dataset, name: str):
    return dataset.match(F("filepath").ends_with(f"{name}.mp4")).first()


@pytest.fixture
def reviewed(evaluated):
    """The small videos: one changed and added to, one rejected, one unclear, one begun."""
    first, second = sample_of(evaluated, "forged-1"), sample_of(evaluated, "forged-2")
    (predicted,) = first.forgeries.detections
    decide(evaluated, first.id, action="adjust", label_id=predicted.id, end_s=1.25, by="ada")
    decide(evaluated, first.id, action="note", label_id=predicted.id, note="the lips lag", by="ada")
    decide(
        evaluated, first.id, action="add", start_s=1.5, end_s=1.75, modality="visual", by="grace"
    )
    decide(evaluated, second.id, action="finish", note="a cough", by="grace")
    decide(evaluated, sample_of(evaluated, "nobody").id, action="cannot_tell", by="ada")
    (real,) = evaluated.match(F("filepath").ends_with("genuine-1.mp4"))
    decide(evaluated, real.id, action="finish", by="ada")
    decide(evaluated, real.id, action="undo", by="ada")
    return evaluated


def test_the_page_counts_what_became_of_predictions(reviewed, tmp_path):
    report = write_review_report(reviewed, file=tmp_path / "review.html", title="Case 7")
    assert (report.num_clips, report.sha256) == (3, sha256_of(tmp_path / "review.html"))
    text = text_of(report.file)
    assert text.startswith(" Report on a review Case 7 ")
    assert "3 of 7 clips that were chosen: 1 fake, 1 real, 1 cannot tell" in text
    assert "1 review that is not ended, 3 never reviewed" in text
    # Of the two clips that were called fake, one is; what abstained nobody can tell.
    assert "fake real cannot tell unreadable fake 1 1 0 0 abstained 0 0 1 0" in text
    assert "Segments: 0 accepted, 1 changed, 1 rejected, 1 added, 0 undecided." in text


def test_each_clip_tells_its_bytes_its_detector_and_each_decision(reviewed, tmp_path):
    write_review_report(reviewed, file=tmp_path / "review.html")
    text = text_of(tmp_path / "review.html")
    first = sample_of(reviewed, "forged-1")
    clip = text[text.index("1. forged-1.mp4: fake") : text.index("2. forged-2.mp4: real")]
    assert "by grace; also ada" in clip
    assert "Predicted fake, score 0.750, threshold 0.500" in clip
    assert f"File {first.filepath} SHA-256 {sha256_of(Path(first.filepath))}" in clip
    assert re.search(
        r"changed audio, 0\.500 - 1\.013 s 0\.750 audio, 0\.500 - 1\.250 s “the lips lag” ada 20",
        clip,
    )
    assert re.search(r"added - - visual, 1\.500 - 1\.750 s grace 20", clip)
    second = text[text.index("2. forged-2.mp4: real") : text.index("3. nobody.mp4: cannot tell")]
    assert "Remark a cough" in second
    assert re.search(r"rejected audio, 0\.500 - 1\.013 s 0\.750 - grace 20", second)
    third = text[text.index("3. nobody.mp4") :]
    assert "abstained: nobody is seen or heard" in third
    assert "No segment was predicted or added." in third


def test_reviewers_and_detectors_are_listed(reviewed, tmp_path):
    write_review_report(reviewed, file=tmp_path / "review.html")
    text = text_of(tmp_path / "review.html")
    reviewers = text[text.index("Reviewers") : text.index("Detectors")]
    assert re.search(r"ada 2 3 20\S+ \S+ 20\S+ \S+ grace 2 2 20", reviewers)
    assert "Detector 1 Detector toy Calibration none Clips" in text


def test_a_clip_whose_predictions_changed_since_says_so(reviewed, tmp_path):
    run_again(reviewed, Retrained((0.1, 0.4)))
    write_review_report(reviewed, file=tmp_path / "review.html")
    text = text_of(tmp_path / "review.html")
    assert "Of 2 clips the predictions changed since the review was ended." in text
    # What was decided is still there, about what was predicted then.
    assert "changed audio, 0.500 - 1.013 s - audio, 0.500 - 1.250 s “the lips lag” ada" in text
    assert "undecided audio, 0.100 - 0.400 s 0.750 - - -" in text


def test_a_file_that_is_gone_has_no_hash_and_says_why(reviewed, tmp_path):
    sample = sample_of(reviewed, "forged-1")
    sample.filepath = str(tmp_path / "gone.mp4")
    sample.save()
    write_review_report(reviewed, file=tmp_path / "review.html")
    assert "SHA-256 not known: No such file" in text_of(tmp_path / "review.html")


def test_a_view_hands_over_its_own_clips_alone(reviewed, tmp_path):
    view = reviewed.match(F("forgeries_verdict.label") == "abstained")
    write_review_report(view, file=tmp_path / "review.html")
    text = text_of(tmp_path / "review.html")
    assert "1 of 1 clips that were chosen: 1 cannot tell" in text
    assert "forged-1" not in text


def test_names_and_notes_cannot_write_into_the_page(reviewed, tmp_path):
    sample = sample_of(reviewed, "nobody")
    decide(reviewed, sample.id, action="unreadable", note="<img src=x>\u202e", by="<b>")
    write_review_report(reviewed, file=tmp_path / "review.html", title="</title><script>")
    page = (tmp_path / "review.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;img src=x&gt;\\u202e" in page
    assert "by &lt;b&gt;" in page


def test_a_report_replaces_nothing(reviewed, tmp_path):
    file = tmp_path / "review.html"
    task = ReviewReportTask(reviewed, settings_of(file))
    file.write_text("mine")
    with pytest.raises(OutputError, match="a report replaces none"):
        write_review_report(reviewed, file=file)
    # Nor does it where the file came while clips were hashed.
    with pytest.raises(OutputError, match="a report replaces none"):
        task.run()
    assert file.read_text() == "mine"


def settings_of(file):
    from fiftyone_ops.settings import ReviewReportSettings

    return ReviewReportSettings(file=file)


def test_a_report_that_would_say_nothing_is_refused(evaluated, tmp_path):
    with pytest.raises(ConfigError, match="say where to"):
        write_review_report(evaluated)
    with pytest.raises(TargetError, match="no review in what was chosen of"):
        write_review_report(evaluated, file=tmp_path / "review.html")
