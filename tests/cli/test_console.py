"""The terminal shows the report of one clip in full."""

from pathlib import Path

import pytest
from rich.console import Console

from mmmsba_plugin.cli import _console
from mmmsba_plugin.schema import (
    FaceTrackReport,
    FakeSegment,
    Media,
    ModalityReport,
    OptOut,
    Problem,
    Provenance,
    Report,
    Threshold,
)

MEDIA = Media(path="clip.mp4")
PROVENANCE = Provenance(package_version="0", api_version="1.0", formula_version=1, detector="x")


@pytest.fixture
def to() -> Console:
    return Console(record=True, width=400, highlight=False)


def lines(to: Console) -> list[str]:
    return to.export_text().splitlines()


def test_a_report_is_a_verdict_segments_opt_outs_and_warnings(to):
    report = Report(
        status="ok",
        media=MEDIA,
        score=0.75,
        threshold=Threshold(value=0.5),
        segments=(FakeSegment(start_s=1.0, end_s=1.5, score=0.75, modality="audio"),),
        modalities={
            "audio": ModalityReport(score=0.75),
            "face": ModalityReport(
                score=0.25,
                opt_outs=(
                    OptOut(start_s=0.0, end_s=0.5, reason="no face"),
                    OptOut(start_s=1.0, end_s=2.0, reason="no face"),
                ),
            ),
            "lips": ModalityReport(score=None),
        },
        warnings=("it is short",),
        provenance=PROVENANCE,
    )
    _console.print_report(Path("clip.mp4"), report, to)
    assert lines(to) == [
        "clip.mp4: flagged as fake, score 0.750, threshold 0.500",
        "  0:01.00 to 0:01.50  0.750  audio",
        "  face not evaluated for 1.50 s: no face",
        "  lips not evaluated: absent",
        "  note: it is short",
    ]


def test_a_score_comes_with_how_many_real_clips_reach_it(to):
    report = Report(
        status="ok", media=MEDIA, score=0.25, real_share_above=0.21, provenance=PROVENANCE
    )
    _console.print_verdict(Path("clip.mp4"), report, to)
    assert lines(to) == [
        "clip.mp4: scored, without a verdict, score 0.250; of 100 real clips, 21 score as high"
    ]


def test_the_verdict_alone_has_a_colour(to):
    report = Report(
        status="ok",
        media=MEDIA,
        score=0.25,
        threshold=Threshold(value=0.5),
        provenance=PROVENANCE,
    )
    _console.print_report(Path("clip.mp4"), report, to)
    coloured = to.export_text(styles=True)
    assert "\x1b[32mnot flagged as fake\x1b[0m, score 0.250" in coloured


def test_without_a_threshold_there_is_a_score_alone(to):
    report = Report(status="ok", media=MEDIA, score=0.25, provenance=PROVENANCE)
    _console.print_report(Path("clip.mp4"), report, to)
    (line,) = lines(to)
    assert line.endswith(", score 0.250")


def test_a_problem_stands_in_the_place_of_the_verdict(to):
    problem = Problem(kind="X", message="it holds\ntext; copy it again")
    report = Report(status="error", media=MEDIA, problem=problem, provenance=PROVENANCE)
    _console.print_report(Path("[red].mp4"), report, to)
    assert lines(to) == ["[red].mp4: error: it holds\\ntext; copy it again"]


def test_each_file_that_was_written_is_named(to):
    _console.print_written([Path("a.json"), Path("[b].html")], to)
    assert lines(to) == ["  wrote a.json", "  wrote [b].html"]


def test_faces_are_listed_with_the_one_that_the_verdict_rests_on(to):
    face = {"end_s": 3.0, "share": 1.0, "box_time_s": 1.0, "box_xywh": (0.0, 0.0, 0.5, 0.5)}
    report = Report(
        status="ok",
        media=MEDIA,
        score=0.75,
        segments=(FakeSegment(start_s=1.0, end_s=1.5, score=0.75, modality="visual", track=2),),
        face_tracks=(
            FaceTrackReport(start_s=0.0, track=1, score=0.25, speaks=True, **face),
            FaceTrackReport(start_s=1.0, track=2, score=0.75, **face),
        ),
        verdict_track=2,
        provenance=PROVENANCE,
    )
    _console.print_report(Path("clip.mp4"), report, to)
    first, second, segment = lines(to)[1:4]
    assert first == "  face 1: 0:00.00 to 0:03.00, 100 % of frames, speaks, score 0.250"
    assert second.endswith("not known whether it speaks, score 0.750; the verdict rests on it")
    assert segment == "  0:01.00 to 0:01.50  0.750  video  face 2"
