"""The page of reviews in a real browser, from the first look to a finished review.

Screenshots are kept in the folder that ``MMMSBA_SCREENSHOTS`` names.
"""

from threading import Thread

import pytest

from mmmsba_plugin.media.encode import write_clip
from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.media.video import FrameReader
from mmmsba_plugin.report.writers import write_json
from mmmsba_plugin.review.document import load_review, review_path
from mmmsba_plugin.review.server import open_server
from mmmsba_plugin.schema import FakeSegment

from .. import browser
from .conftest import REPORT

pytestmark = browser.MARKS

SEGMENTS = (
    FakeSegment(start_s=0.8, end_s=1.4, score=0.93, modality="visual"),
    FakeSegment(start_s=2.0, end_s=2.5, score=0.68, modality="audio"),
)


@pytest.fixture
def reports(talking_clip, tmp_path):
    """Reports of two clips that every Chromium plays."""
    first = tmp_path / "a.webm"
    write_clip(first, FrameReader(probe(talking_clip)), fps_hz=25)
    (tmp_path / "b.webm").write_bytes(first.read_bytes())
    paths = []
    for name in "ab":
        media = probe(tmp_path / f"{name}.webm")
        paths.append(tmp_path / f"{name}.mmmsba.json")
        with paths[-1].open("w") as stream:
            changes = {"media": media, "segments": SEGMENTS, "face_tracks": ()}
            write_json(REPORT.model_copy(update={**changes, "verdict_track": None}), stream)
    return paths


@pytest.fixture
def page(chromium, reports, request, tmp_path):
    """The page of those reports; its last sight is kept, and nothing may be refused."""
    server = open_server(reports, by="ada")
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    messages = []
    viewport = {"width": 1100, "height": 900}
    opened = chromium.new_context(viewport=viewport, color_scheme="dark").new_page()
    opened.on("console", lambda message: messages.append(message.text))
    opened.on("pageerror", lambda error: messages.append(str(error)))
    opened.goto(server.url)
    opened.get_by_role("heading", name="a.webm").wait_for()
    yield opened
    shot = browser.screenshots(tmp_path) / f"{request.node.name}.png"
    opened.screenshot(path=shot, full_page=True)
    opened.context.close()
    server.shutdown()
    server.server_close()
    # What the server refuses in words, the browser notes as well.
    assert not [message for message in messages if "409 (Conflict)" not in message]


def click(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def wait_for_review(page, status):
    page.get_by_text(f"Review: {status}.").wait_for()


def decisions(report):
    return [(s.decision, s.start_s) for s in load_review(review_path(report)).segments]


def wait_for_pressed(page, name):
    page.locator(f"button[aria-label='{name}'][aria-pressed=true]").wait_for()


def test_a_clip_is_reviewed_from_start_to_end(page, reports):
    click(page, "Accept segment 1")
    wait_for_pressed(page, "Accept segment 1")
    assert decisions(reports[0]) == [("accepted", 0.8), ("open", 2.0)]
    start = page.get_by_label("Start of segment 1, in seconds")
    start.fill("0.9")
    start.press("Enter")
    page.locator("#bar i.accepted").wait_for()
    page.get_by_label("What was altered in segment 2").select_option("both")
    wait_for_pressed(page, "Accept segment 2")
    click(page, "Reject segment 2")
    wait_for_pressed(page, "Reject segment 2")
    click(page, "Finish")
    wait_for_review(page, "fake")
    review = load_review(review_path(reports[0]))
    assert (review.status, review.by) == ("fake", "ada")
    assert decisions(reports[0]) == [("accepted", 0.9), ("rejected", 2.0)]
    assert review.segments[0].predicted == SEGMENTS[0]
    page.get_by_text("1 of 2 reviewed").wait_for()
    click(page, "Next open clip")
    page.get_by_role("heading", name="b.webm").wait_for()


def test_decisions_that_follow_fast_are_all_stored(page, reports):
    page.evaluate(
        """() => {
          for (const name of ["Accept segment 1", "Reject segment 2"])
            document.querySelector(`[aria-label="${name}"]`).click();
        }"""
    )
    wait_for_pressed(page, "Reject segment 2")
    assert [decision for decision, _ in decisions(reports[0])] == ["accepted", "rejected"]


def test_a_segment_plays_and_one_that_was_missed_is_added_there(page, reports):
    click(page, "Play 1")
    frame = "await new Promise(requestAnimationFrame)"
    page.locator("#video").evaluate(
        f"async v => {{ while (v.currentTime < 1.3 || !v.paused) {frame} }}"
    )
    assert page.locator("#video").evaluate("v => v.currentTime") == pytest.approx(1.4, abs=0.4)
    click(page, "Add a segment here")
    page.get_by_role("button", name="Remove segment 2").wait_for()
    added = load_review(review_path(reports[0])).segments[1]
    assert (added.decision, added.predicted, added.by) == ("accepted", None, "ada")
    assert added.start_s == pytest.approx(1.4, abs=0.4)
    click(page, "Remove segment 2")
    page.get_by_role("button", name="Remove segment 2").wait_for(state="detached")
    assert len(decisions(reports[0])) == 2


def test_each_step_is_taken_back_by_undo(page, reports):
    click(page, "Reject segment 1")
    wait_for_pressed(page, "Reject segment 1")
    click(page, "Cannot tell")
    wait_for_review(page, "cannot tell")
    click(page, "Undo")
    wait_for_review(page, "open")
    click(page, "Undo")
    page.locator("#bar i.open").nth(1).wait_for()
    assert [decision for decision, _ in decisions(reports[0])] == ["open", "open"]
    assert page.get_by_role("button", name="Undo").is_disabled()


def test_ends_that_make_no_segment_are_refused_in_words(page, reports):
    end = page.get_by_label("End of segment 1, in seconds")
    end.fill("0.1")
    end.press("Enter")
    page.get_by_role("alert").get_by_text("must end after it starts").wait_for()
    assert end.input_value() == "1.400"
    assert not review_path(reports[0]).exists()


def test_it_fits_a_telephone(page):
    page.set_viewport_size({"width": 375, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 375
