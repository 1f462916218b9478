"""The page: it needs nothing but itself, hides nothing, and says what it cannot know."""

import base64
import hashlib
import re
import runpy
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.report import html
from mmmsba_plugin.report.html import render
from mmmsba_plugin.report.timeline import timeline
from mmmsba_plugin.schema import (
    Curves,
    Edit,
    FakeSegment,
    FileTraces,
    Media,
    ModalityReport,
    OptOut,
    Problem,
    Report,
    SegmentAttention,
    Threshold,
    Windows,
)

REPORT = runpy.run_path(str(Path(__file__).parents[1] / "golden" / "make_report.py"))["report"]()
PROBLEM = Problem(kind="FeatureError", message="no face and no audio")
VOID = {"meta", "img", "br", "rect", "line", "path", "input"}


class Page(HTMLParser):
    """Reads a page, and fails where a tag is not closed or an attribute comes twice."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.words = [], [], []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs)
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", "".join(self.words))

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def page_of(report):
    return Page(render(report))


def changed(**fields):
    return REPORT.model_copy(update=fields)


def test_a_segment_is_named_by_its_words():
    assert "“was not there” Altered: audio" in page_of(REPORT).text
    hostile = REPORT.segments[1].model_copy(update={"words": "<blink>\u202e"})
    text = render(changed(segments=(hostile,)))
    assert "&lt;blink&gt;\\u202e" in text
    assert "<blink>" not in text


def test_the_verdict_comes_in_words_with_score_and_threshold():
    text = page_of(REPORT).text
    assert "Flagged as fake" in text
    assert "scores 0.930, at or above the threshold of 0.500" in text
    assert "chosen to flag about 5 % of real clips" in text


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.034, "3 score as high"), (0.012, "one scores as high"), (0.0, "less than one scores")],
)
def test_it_says_how_many_real_clips_score_as_high(share, words):
    text = page_of(changed(real_share_above=share)).text
    assert f"Of 100 real clips that were held out in training, {words}" in text


def test_it_says_into_which_windows_a_long_clip_was_cut():
    text = page_of(changed(windows=Windows(attention_s=60.0, features_s=180.0))).text
    assert "the network saw at most 60 seconds of it at once and features were compared" in text
    assert "The clip is long" not in page_of(changed(windows=None)).text


def test_a_clip_below_the_threshold_is_not_called_real():
    text = page_of(changed(score=0.2, segments=())).text
    assert "Not flagged as fake" in text
    assert "scores 0.200, below the threshold" in text
    assert "No segment of the clip stands out" in text


def test_a_score_without_a_threshold_is_no_verdict():
    assert "No threshold was set, so this is no verdict" in page_of(changed(threshold=None)).text


def test_a_flag_without_a_place_and_a_place_without_a_flag_are_explained():
    assert "so no place is named" in page_of(changed(segments=())).text
    assert "Some segments stand out all the same" in page_of(changed(score=0.1)).text


def test_the_limits_are_stated_before_the_numbers():
    text = page_of(REPORT).text
    assert "not court evidence" in text
    assert "learned from: forgeries made from 45 real clips." in text
    assert text.index("not court evidence") < text.index("Along time")
    assert "By lips, 1.00 s could not be evaluated." in text
    assert "2 faces were seen; the larger one was evaluated." in text


def test_what_is_not_recorded_is_admitted():
    unknown = REPORT.provenance.model_copy(update={"trained_on": None, "calibration": "none"})
    text = page_of(changed(provenance=unknown)).text
    assert "What the model learned from is not recorded" in text
    assert "none is a probability" in text


@pytest.mark.parametrize("status", ["abstained", "error"])
def test_a_clip_that_was_not_evaluated_says_why_and_is_not_called_real(status):
    report = Report(
        status=status, media=Media(path="a.mp4"), problem=PROBLEM, provenance=REPORT.provenance
    )
    text = page_of(report).text
    assert "no face and no audio (FeatureError)" in text
    assert "That does not make it real." in text
    assert "Fake segments" not in text
    assert "Audio none" not in text


def test_the_page_fetches_nothing_and_runs_but_its_own_script():
    html = render(REPORT)
    policy = Page(html).all("meta")[2]["content"]
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy == (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'"
    )
    assert not re.search(r"https?:|@import|<script |<link|<iframe|javascript:", html)
    assert not Page(html).all("video")
    assert all(a["src"].startswith("data:") for a in Page(html).all("img"))
    assert set(re.findall(r"url\(([^)]*)\)", html)) == {"#hatch"}


@given(st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=30))
def test_no_name_adds_a_tag_to_the_page(name):
    tags = [tag for tag, _ in page_of(REPORT).tags]
    hostile = changed(media=REPORT.media.model_copy(update={"path": name}), warnings=(name,))
    assert [tag for tag, _ in page_of(hostile).tags] == tags


def test_a_name_that_turns_the_reading_direction_is_shown_for_what_it_is():
    html = render(changed(media=Media(path="clip\u202e4pm.exe<script>alert(1)</script>")))
    assert "\u202e" not in html
    assert r"clip\u202e4pm.exe&lt;script&gt;" in html


def test_the_drawing_is_well_formed_and_says_itself_in_words():
    html = render(REPORT)
    (svg,) = re.findall(r'<svg class="timeline".*?</svg>\s*</div>', html, re.DOTALL)
    root = ET.fromstring(svg.removesuffix("</div>"))  # noqa: S314 - made two lines above
    assert root.get("role") == "img"
    (says,) = [e.text for e in root.iter("desc")]
    assert "Time line from 0:00.00 to 0:10.00" in says
    assert "fake segment 1: video, score 0.930, 0:03.61 to 0:04.70" in says
    assert "Lips not evaluated: face too small, 0:00.00 to 0:01.00" in says


def test_bands_lie_where_their_times_are():
    drawing = timeline(REPORT)
    first, second = drawing.fake
    assert (first.left, first.left + first.width) == pytest.approx((36.12, 47.04))
    assert (second.label, second.left) == ("2", 67.5)
    (hidden,) = drawing.lanes[3].hidden
    assert (hidden.left, hidden.width) == (0.0, 10.0)


def test_a_curve_climbs_where_its_score_is_high_and_breaks_where_it_is_absent():
    curves = Curves(start_s=0.0, stride_s=2.5, score=(0.1, None, 1.0, 0.25))
    drawing = timeline(changed(curves=curves, modalities={}))
    assert drawing.lanes[0].path == "M0.0 90.0H250.0M500.0 0.0H750.0V75.0H1000.0"


def test_a_long_clip_is_drawn_by_its_highest_scores():
    score = (0.1,) * 44_999 + (1.0,)
    curves = Curves(start_s=0.0, stride_s=0.08, score=score)
    media = REPORT.media.model_copy(update={"duration_s": 3600.0})
    drawing = timeline(changed(curves=curves, media=media, modalities={}))
    assert drawing.snippets_a_point == 45
    assert drawing.lanes[0].path.count("V") == 999
    assert drawing.lanes[0].path.endswith("V0.0H1000.0")
    assert [tick.label for tick in drawing.ticks][:3] == ["0:00", "10:00", "20:00"]
    assert drawing.unit == "minutes : seconds"


@given(st.floats(0.01, 1e5))
def test_the_axis_has_few_marks_within_the_clip(duration_s):
    media = Media(path="a.mp4", duration_s=duration_s)
    ticks = timeline(changed(media=media, curves=None, segments=(), modalities={})).ticks
    assert 2 <= len(ticks) <= 14
    assert len({tick.label for tick in ticks}) == len(ticks)
    assert all(0 <= tick.left <= 100 for tick in ticks)


def test_without_any_time_there_is_no_drawing():
    nowhere = changed(media=Media(path="a.mp4"), curves=None, segments=())
    assert timeline(nowhere) is None
    assert not [a for a in page_of(nowhere).all("svg") if a.get("class") == "timeline"]


def test_without_a_known_length_the_drawing_reaches_to_the_last_segment():
    drawing = timeline(changed(media=Media(path="a.mp4"), curves=None))
    assert drawing.fake[1].left + drawing.fake[1].width == pytest.approx(100.0)


def test_a_report_without_curves_says_so():
    assert "carries no curves" in page_of(changed(curves=None)).text
    assert "carries no curves" not in page_of(changed(windows=None)).text


def test_an_absent_modality_is_hatched_with_its_reason():
    absent = ModalityReport(score=None, opt_outs=(OptOut(start_s=0, end_s=10, reason="no audio"),))
    text = page_of(changed(modalities={"audio": absent}, curves=None)).text
    assert "Nothing is said about audio" in text
    assert "absent; not evaluated: no audio" in text
    assert "0:00.00 \u2013 0:10.00: no audio" in text


def test_the_axis_is_finer_where_the_drawing_is_zoomed():
    drawing = timeline(REPORT)
    assert [tick.label for tick in drawing.ticks] == ["0", "2", "4", "6", "8", "10"]
    assert [tick.label for tick in drawing.fine_ticks][:4] == ["0", "0.5", "1", "1.5"]
    assert 'class="small fine" ' in render(REPORT)


def test_at_most_ten_candidates_are_listed():
    many = changed(proposals=REPORT.proposals * 20)
    text = page_of(many).text
    assert "The 10 best of 60" in text


def test_if_the_clip_is_gone_the_card_says_so():
    read = page_of(REPORT)
    assert not read.all("img")
    assert read.text.count("No frame: the clip is no longer at interview.mp4") == 2


def test_if_the_file_is_another_one_the_card_says_so(tmp_path):
    (tmp_path / "interview.mp4").write_bytes(b"something else")
    media = REPORT.media.model_copy(update={"path": str(tmp_path / "interview.mp4")})
    assert page_of(changed(media=media)).text.count("is not the one that was evaluated") == 2


def test_a_file_that_cannot_be_decoded_any_more_costs_the_frame_not_the_page(tmp_path):
    (tmp_path / "interview.mp4").write_bytes(b"no video")
    media = REPORT.media.model_copy(
        update={"path": str(tmp_path / "interview.mp4"), "size_bytes": 8}
    )
    read = page_of(changed(media=media))
    assert not read.all("img")
    assert read.text.count("No frame: ") == 2


def test_a_clip_of_audio_alone_has_no_frame():
    media = REPORT.media.model_copy(update={"video": None})
    assert page_of(changed(media=media)).text.count("No frame: the clip has none") == 2


def test_a_card_shows_the_frame_at_the_middle_of_its_segment(shared):
    media = probe(shared / "footage" / "dev" / "lrs2_00001.mp4")
    segment = FakeSegment(start_s=1.0, end_s=2.0, score=0.9, modality="both")
    read = page_of(changed(media=media, segments=(segment,), curves=None, face_tracks=()))
    image, *_ = read.all("img")
    assert image["src"].startswith("data:image/jpeg;base64,/9j/")
    assert image["alt"] == "Frame from the middle of fake segment 1"
    # Frames are 40 ms apart; the one shown at 1.5 s began at 1.48 s.
    assert "Frame at 0:01.48" in read.text
    assert "Altered: video and audio" in read.text


def test_the_clip_is_played_only_from_beside_the_page(talking_clip, tmp_path):
    path = tmp_path / "http:a b#?.mp4"
    path.write_bytes(talking_clip.read_bytes())
    page = page_of(changed(media=probe(path), segments=REPORT.segments[:1], curves=None))
    assert page.all("meta")[2]["content"].endswith("; media-src 'self' blob:")
    (player,) = [a for a in page.all("div") if a.get("id") == "player"]
    assert player["data-src"] == "./http%3Aa%20b%23%3F.mp4"
    assert player["data-size"] == str(path.stat().st_size)
    assert "hidden" in player
    assert all("src" not in a for a in page.all("video"))
    starts = [a["data-start"] for a in page.all("button")]
    assert starts[0] == "3.612"
    assert "but the clip, if it lies beside it" in page.text


def test_what_the_file_says_of_its_making_is_shown_beside_the_score():
    edits = (
        Edit(track=1, duration_s=0.033, media_start_s=None, rate=1.0),
        Edit(track=1, duration_s=6.1, media_start_s=0.08, rate=0.5),
    )
    traces = FileTraces(tags={"encoder": "Lavf61.7.100"}, edits=edits, c2pa=True)
    text = page_of(changed(media=REPORT.media.model_copy(update={"traces": traces}))).text
    assert "no part of the score" in text
    assert "track 1: 0.033 s, a pause; track 1: 6.100 s, from 0.080 s of it, at 0.5 of its" in text
    assert "present; whether it holds is not checked here" in text
    assert "Lavf61.7.100" in text
    unknown = REPORT.media.model_copy(update={"traces": None})
    assert "says of how it was made" not in page_of(changed(media=unknown)).text


def test_plug_ins_are_named_with_versions_and_the_command_that_makes_the_report_again():
    chosen = {"lips": {"name": "lips-texture"}, "audio": {"name": "of-nobody"}}
    config = {"features": {"front_ends": chosen}, "front_end_versions": {"lips": 3}}
    text = page_of(changed(provenance=REPORT.provenance.model_copy(update={"config": config}))).text
    assert "lips-texture, version 3, of plug-in 'mmmsba' (mmmsba-plugin" in text
    assert "Front-end of audio" in text
    assert "detect interview.mp4 --detector mmmsba --checkpoint demonstrator --fpr 0.05" in text


def test_attention_is_shown_with_the_caveat_that_it_proves_nothing(talking_clip):
    weights = {"lips_from_audio": (0.5, 1.5), "face_from_lips": (1.8, 0.2)}
    attention = SegmentAttention(segment=2, start_s=0.0, stride_s=1.0, weights=weights)
    page = page_of(changed(media=probe(talking_clip), attention=(attention,)))
    assert page.text.count("Where the network looked") == 1
    assert "This is no proof" in page.text
    assert "lips from audio" in page.text
    assert "1.5 \N{MULTIPLICATION SIGN} even" in page.text
    assert "Attention along time, highest at 0:00.50" in [a["alt"] for a in page.all("img")]
    assert "Where the network looked" not in page_of(REPORT).text


def test_only_the_best_of_many_segments_have_a_frame(shared, monkeypatch):
    monkeypatch.setattr(html, "MAX_FRAMES", 1)
    media = probe(shared / "footage" / "dev" / "lrs2_00001.mp4")
    read = page_of(changed(face_tracks=(), media=media, curves=None))
    assert [a["alt"] for a in read.all("img")].count("Frame from the middle of fake segment 1") == 1
    assert "No frame: only the 1 segments of highest score" in read.text


@pytest.mark.parametrize("threshold", [None, Threshold(value=0.0), Threshold(value=1.0)])
@pytest.mark.parametrize("score", [0.0, 0.5, 1.0])
def test_every_score_and_threshold_can_be_shown(score, threshold):
    assert page_of(changed(score=score, threshold=threshold)).all("svg")


def test_several_faces_are_listed_with_the_one_that_the_verdict_rests_on():
    text = Page(render(REPORT)).text
    assert "Of 2 faces it rests on face 1, which scores highest." in text
    assert "1, the verdict rests on it" in text
    assert "0:07.20 \N{EN DASH} 0:09.60 24 % not known whether it speaks not evaluated" in text
    of_nobody = REPORT.model_copy(update={"verdict_track": None})
    assert "Of 2 faces none scores that high" in Page(render(of_nobody)).text


def test_of_one_face_no_list_is_shown():
    text = Page(render(REPORT.model_copy(update={"face_tracks": (), "verdict_track": None}))).text
    assert "Faces" not in text


def test_a_face_is_shown_as_the_frame_has_it(talking_clip):
    media = probe(talking_clip)
    report = REPORT.model_copy(update={"media": media, "segments": ()})
    tracks = tuple(t.model_copy(update={"box_time_s": 1.0}) for t in REPORT.face_tracks)
    page = Page(render(report.model_copy(update={"face_tracks": tracks})))
    faces = [attrs for tag, attrs in page.tags if tag == "img"]
    assert [face["alt"] for face in faces] == ["Face 1", "Face 2"]
    assert all(face["src"].startswith("data:image/jpeg;base64,") for face in faces)
