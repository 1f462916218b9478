"""The page of a report in a real browser: it plays the clip, zooms, prints, and fits a telephone.

Screenshots are kept in the folder that ``MMMSBA_SCREENSHOTS`` names.
"""

import runpy
from itertools import pairwise
from pathlib import Path

import pytest

from mmmsba_plugin.media.probe import probe
from mmmsba_plugin.report.html import render
from mmmsba_plugin.schema import FakeSegment, Proposal

from .. import browser

pytestmark = browser.MARKS

MAKER = runpy.run_path(str(Path(__file__).parents[1] / "golden" / "make_report.py"))
SEGMENTS = (
    FakeSegment(start_s=0.8, end_s=1.4, score=0.93, modality="visual"),
    FakeSegment(start_s=2.0, end_s=2.5, score=0.68, modality="audio"),
)
#: Width of the narrowest telephones that are in use, in px.
PHONE_PX = 375


@pytest.fixture(scope="module")
def folder(talking_clip, tmp_path_factory) -> Path:
    """A clip with its page beside it; VP9, which every Chromium plays."""
    from mmmsba_plugin.media.audio import read_audio
    from mmmsba_plugin.media.encode import write_clip
    from mmmsba_plugin.media.video import FrameReader

    folder = tmp_path_factory.mktemp("page")
    media = probe(talking_clip)
    audio = read_audio(media).samples
    write_clip(folder / "a talk.webm", FrameReader(media), fps_hz=25, audio=audio)
    report = MAKER["report"]()
    curves = report.curves.model_copy(update={"stride_s": 0.06})
    update = {"segments": SEGMENTS, "face_tracks": (), "verdict_track": None, "curves": curves}
    media = probe(folder / "a talk.webm")
    proposals = (Proposal(start_s=0.5, end_s=2.5, score=0.93),)
    update |= {"media": media, "proposals": proposals}
    page = render(report.model_copy(update=update))
    (folder / "a talk.mmmsba.html").write_text(page, encoding="utf-8")
    return folder


@pytest.fixture
def open_page(chromium, folder, request, tmp_path):
    """Function that opens the page; its last sight is kept, and nothing may be refused."""
    pages, messages = [], []

    def open_(path=folder / "a talk.mmmsba.html", width_px=1000, **options):
        viewport = {"width": width_px, "height": 900}
        page = chromium.new_context(viewport=viewport, **options).new_page()
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.goto(path.as_uri())
        pages.append(page)
        return page

    yield open_
    for number, page in enumerate(pages):
        shot = browser.screenshots(tmp_path) / f"{request.node.name}-{number}.png"
        page.screenshot(path=shot, full_page=True)
        page.context.close()
    assert not [message for message in messages if "ERR_FILE_NOT_FOUND" not in message]


def time_s(page):
    return page.evaluate("document.querySelector('video').currentTime")


def width_of_drawing(page):
    return page.locator(".timeline").bounding_box()["width"]


def wait_until(page, expression):
    """Wait as long as a busy machine may take; the page's policy forbids Playwright's own way."""
    for _ in range(300):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never true: {expression}")


def test_a_segment_plays_from_its_start_to_its_end(open_page):
    page = open_page()
    page.get_by_role("button", name="Play segment 1").click()
    wait_until(page, "document.querySelector('video').currentTime > 0.81")
    assert 0.8 < time_s(page) < 1.4
    wait_until(page, "document.querySelector('video').paused")
    assert time_s(page) == pytest.approx(1.4, abs=0.35)


def test_a_candidate_plays_too(open_page):
    page = open_page()
    page.get_by_role("button", name="Play candidate 1").click()
    wait_until(page, "!document.querySelector('video').paused")
    assert page.locator("video").is_visible()


def test_a_place_on_the_time_line_plays_from_there(open_page):
    page = open_page()
    page.wait_for_selector(".plays")
    page.locator("#zoom-4").check()
    page.locator(".along .scroll").evaluate("e => e.scrollLeft = e.scrollWidth / 2")
    box = page.locator(".timeline").bounding_box()
    half_s = probe(Path(page.evaluate("decodeURI(location.pathname)")).with_name("a talk.webm"))
    page.mouse.click(box["x"] + box["width"] * 0.6, box["y"] + 60)
    wait_until(page, "!document.querySelector('video').paused")
    assert time_s(page) == pytest.approx(0.6 * half_s.duration_s, abs=0.4)


def test_zoom_widens_the_drawing_with_finer_marks_and_keeps_names_in_view(open_page):
    page = open_page()
    width_px = width_of_drawing(page)
    assert page.locator("text.fine").first.is_hidden()
    page.locator("#zoom-8").check()
    assert page.locator(".timeline").bounding_box()["width"] == pytest.approx(
        8 * width_px, rel=0.01
    )
    assert page.locator("text.fine").nth(9).is_visible()
    page.locator(".along .scroll").evaluate("e => e.scrollLeft = 2000")
    wait_until(page, "document.querySelector('.timeline .name').getAttribute('x') == 2000")


def test_elsewhere_one_can_choose_the_clip_and_no_other_file(open_page, folder, tmp_path):
    moved = tmp_path / "page.html"
    moved.write_text((folder / "a talk.mmmsba.html").read_text())
    page = open_page(moved)
    page.get_by_text("The clip is not beside this page").wait_for()
    assert page.get_by_role("button", name="Play segment 1").is_hidden()
    other = tmp_path / "other.webm"
    other.write_bytes(b"another")
    page.get_by_label("The clip's file").set_input_files(other)
    page.get_by_text("That is another file").wait_for()
    page.get_by_label("The clip's file").set_input_files(folder / "a talk.webm")
    page.get_by_role("button", name="Play segment 2").click()
    wait_until(page, "document.querySelector('video').currentTime > 2")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_telephone(open_page, scheme):
    page = open_page(width_px=PHONE_PX, color_scheme=scheme)
    page.wait_for_selector(".plays")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE_PX


def test_the_page_is_whole_without_a_script(open_page):
    page = open_page(java_script_enabled=False)
    assert page.get_by_role("heading", name="Fake segments").is_visible()
    assert page.get_by_alt_text("in the segment").first.is_visible()
    assert page.locator("#player").is_hidden()
    page.locator("#zoom-2").check()


def test_it_prints_all_but_its_controls(open_page, tmp_path):
    page = open_page()
    page.wait_for_selector(".plays")
    page.emulate_media(media="print")
    for selector in ("#player", ".zoom", ".play"):
        assert page.locator(selector).first.is_hidden()
    pdf = page.pdf(path=tmp_path / "page.pdf")
    assert pdf.startswith(b"%PDF-")


def test_a_screen_reader_meets_landmarks_names_and_headings_in_order(open_page):
    page = open_page()
    for role in ("banner", "main", "contentinfo"):
        assert page.get_by_role(role).count() == 1
    unnamed = "[...document.images].filter(i => !i.alt).length"
    assert page.evaluate(unnamed) == 0
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    tables = "[...document.querySelectorAll('table')].every(t => t.querySelector('th[scope=col]'))"
    assert page.evaluate(tables)


def test_words_stand_out_from_their_ground_in_light_and_dark(open_page):
    contrast = """() => {
      const value = c => c.match(/[0-9.]+/g).slice(0, 3).map(v => {
        v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 });
      const light = c => { const [r, g, b] = value(c); return .2126 * r + .7152 * g + .0722 * b };
      const ground = e => {
        for (; e; e = e.parentElement) {
          const c = getComputedStyle(e).backgroundColor;
          if (c !== "rgba(0, 0, 0, 0)") return c;
        } return "rgb(255, 255, 255)" };
      const words = document.querySelectorAll("p, li, h1, h2, h3, td, th, dd, dt, .number");
      return Math.min(...[...words].map(e => [light(getComputedStyle(e).color), light(ground(e))])
        .map(([a, b]) => (Math.max(a, b) + .05) / (Math.min(a, b) + .05)));
    }"""
    for scheme in ("light", "dark"):
        # WCAG 2.2, 1.4.3.
        assert open_page(color_scheme=scheme).evaluate(contrast) >= 4.5
