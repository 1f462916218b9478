"""The timeline in the App: what is seen of it, what is played, and how edges are set."""

from itertools import pairwise

import pytest
from fiftyone import ViewField as F

from fiftyone_ops.tasks.review.decide import decide

from .. import browser
from .app_steps import (
    TIMELINE,
    open_clip,
    review_of,
    see_grid,
    shown_s,
    wait_for_pause,
    wait_for_time,
    wait_until,
)
from .tasks.review.test_decide import Retrained, run_again
from .test_app_review import confirmed

pytestmark = browser.MARKS

PREDICTED = "[data-cy=mmmsba-lane-predicted]"
REVIEWED = "[data-cy=mmmsba-lane-reviewed]"
#: The times at the ends of the lanes.
WINDOW = """() => {
    const { startS, endS } = document.querySelector("[data-cy=mmmsba-lanes]").dataset;
    return [Number(startS), Number(endS)];
}"""


@pytest.fixture
def timeline(page, playable):
    """The timeline of a clip of 2 s, with one predicted segment from 0.5 to 1.013 s."""
    see_grid(page)
    open_clip(page, "forged-1.mp4")
    page.locator(TIMELINE).focus()
    return page


def test_the_wheel_zooms_where_the_mouse_is_and_shift_pans(timeline):
    track = timeline.locator("[data-cy=mmmsba-lane-curve] .track").first.bounding_box()
    assert timeline.evaluate(WINDOW) == pytest.approx([0, 2])
    timeline.mouse.move(track["x"] + 0.4 * track["width"], track["y"] + 10)
    timeline.mouse.wheel(0, -200)
    timeline.wait_for_selector("[data-cy=mmmsba-minimap]")
    start_s, end_s = timeline.evaluate(WINDOW)
    assert end_s - start_s == pytest.approx(2 / 1.6487, abs=0.01)
    # What is pointed at stays where it is, and a click goes there.
    assert start_s + 0.4 * (end_s - start_s) == pytest.approx(0.8, abs=0.01)
    timeline.mouse.click(track["x"] + 0.4 * track["width"], track["y"] + 10)
    wait_for_time(timeline, 0.755, 0.805)
    timeline.keyboard.down("Shift")
    timeline.mouse.wheel(0, -5000)
    timeline.keyboard.up("Shift")
    timeline.wait_for_function(f"({WINDOW})()[0] < 0.001", timeout=5000)
    timeline.mouse.wheel(0, 5000)
    timeline.locator("[data-cy=mmmsba-minimap]").wait_for(state="detached")


def test_keys_and_the_minimap_show_other_parts(timeline):
    timeline.keyboard.press("n")
    timeline.keyboard.press("v")
    timeline.wait_for_selector("[data-cy=mmmsba-minimap]")
    start_s, end_s = timeline.evaluate(WINDOW)
    assert (start_s, end_s) == (pytest.approx(0.372, abs=0.01), pytest.approx(1.141, abs=0.01))
    timeline.keyboard.press("Home")
    assert timeline.evaluate(WINDOW)[0] == pytest.approx(0, abs=0.01)
    timeline.keyboard.press("o")
    assert timeline.evaluate(WINDOW) == pytest.approx([0, 1.54], abs=0.02)
    minimap = timeline.locator("[data-cy=mmmsba-minimap]").bounding_box()
    timeline.mouse.click(minimap["x"] + 0.95 * minimap["width"], minimap["y"] + 5)
    assert timeline.evaluate(WINDOW)[1] == pytest.approx(2, abs=0.01)
    timeline.locator(TIMELINE).focus()
    timeline.keyboard.press("v")
    timeline.locator("[data-cy=mmmsba-minimap]").wait_for(state="detached")
    timeline.keyboard.press("k")
    assert timeline.locator("[data-cy=mmmsba-minimap]").count() == 1


def test_the_chosen_segment_is_played_in_a_loop(timeline):
    timeline.keyboard.press("n")
    timeline.keyboard.press("y")
    wait_for_time(timeline, 0.7, 1.1)
    places_s = []
    for _ in range(30):
        places_s.append(shown_s(timeline))
        timeline.wait_for_timeout(100)
    # 3 s of playing leave a segment of half a second, unless it goes back: time runs backwards.
    assert max(places_s) < 1.3
    assert any(later < before for before, later in pairwise(places_s))
    timeline.keyboard.press("y")
    wait_for_time(timeline, 1.3, 2.0)
    timeline.keyboard.press("Space")


def test_speed_is_the_players_and_frames_are_stepped_through(timeline):
    timeline.locator("[data-cy=mmmsba-speed]").select_option("0.5")
    timeline.wait_for_timeout(500)
    # It shows the speed of the video itself.
    assert timeline.locator("[data-cy=mmmsba-speed]").input_value() == "0.5"
    timeline.keyboard.press("n")
    wait_for_time(timeline, 0.475, 0.485)
    timeline.locator("[data-cy=mmmsba-frame-later]").click()
    wait_for_time(timeline, 0.515, 0.525)
    timeline.locator("[data-cy=mmmsba-frame-earlier]").click()
    wait_for_time(timeline, 0.475, 0.485)
    timeline.locator(TIMELINE).focus()
    # The App's own keys.
    timeline.keyboard.press(".")
    wait_for_time(timeline, 0.515, 0.525)
    timeline.keyboard.press(",")
    wait_for_time(timeline, 0.475, 0.485)
    wait_for_pause(timeline)


def test_an_edge_is_nudged_by_frames_drawn_at_once_and_stored_when_the_hand_rests(
    timeline, playable
):
    timeline.keyboard.press("n")
    timeline.keyboard.press("e")
    # The end of the segment, 1.013 s, lies within the frame that came at 1 s.
    wait_for_time(timeline, 0.995, 1.005)
    for _ in range(3):
        timeline.keyboard.press("h")
    timeline.keyboard.press("g")
    width = timeline.locator(f"{REVIEWED} .segment").evaluate(
        "block => parseFloat(block.style.width)"
    )
    assert width == pytest.approx((1.093 - 0.5) / 2 * 100, abs=0.01)
    wait_until(lambda: review_of(playable, "forged-1.mp4") is not None)
    wait_until(lambda: confirmed(playable) == [("audio", 0.5, 1.093)])
    # One decision, however many frames.
    assert len(review_of(playable, "forged-1.mp4").history) == 1
    timeline.keyboard.press("u")
    wait_until(lambda: confirmed(playable) == [])


def test_a_segment_is_dragged_out_on_the_ruler(timeline, playable):
    ruler = timeline.locator("[data-cy=mmmsba-ruler]").bounding_box()
    timeline.mouse.move(ruler["x"] + 0.6 * ruler["width"], ruler["y"] + 8)
    timeline.mouse.down()
    timeline.mouse.move(ruler["x"] + 0.8 * ruler["width"], ruler["y"] + 8, steps=4)
    timeline.wait_for_selector("[data-cy=mmmsba-range]")
    timeline.mouse.up()
    timeline.wait_for_selector(f"{REVIEWED} .segment.selected")
    ((label, start_s, end_s),) = confirmed(playable)
    assert label == "both"
    assert (start_s, end_s) == (pytest.approx(1.2, abs=0.01), pytest.approx(1.6, abs=0.01))


def test_segments_that_overlap_are_each_seen_and_chosen(page, playable):
    run_again(playable, Retrained((0.5, 1.2), (0.8, 1.6)))
    see_grid(page)
    open_clip(page, "forged-1.mp4")
    blocks = page.locator(f"{PREDICTED} .segment")
    assert blocks.count() == 2
    for at, start_s in enumerate((0.48, 0.8)):
        blocks.nth(at).click()
        wait_for_time(page, start_s - 0.005, start_s + 0.005)
        assert page.locator(f"{PREDICTED} .segment.selected").count() == 1


def test_a_note_on_a_segment_is_kept_and_found_again(timeline, playable):
    timeline.keyboard.press("n")
    timeline.keyboard.press("'")
    timeline.locator("[data-cy=mmmsba-note-input]").fill("the jaw jumps")
    timeline.keyboard.press("Enter")
    timeline.wait_for_selector("[data-cy=mmmsba-note]:has-text('the jaw jumps')")
    wait_until(lambda: review_of(playable, "forged-1.mp4") is not None)
    review = review_of(playable, "forged-1.mp4")
    assert [note["text"] for note in review.notes] == ["the jaw jumps"]
    # A note decides nothing.
    assert (review.label, dict(review.decided)) == ("open", {})
    timeline.keyboard.press("'")
    timeline.keyboard.press("Escape")
    assert timeline.locator("[data-cy=mmmsba-note-input]").count() == 0
    assert timeline.locator(TIMELINE).count() == 1


@pytest.mark.parametrize(
    ("width_px", "height_px", "num_rows"), [(1600, 900, 1), (1000, 900, 2), (1000, 700, 2)]
)
def test_lanes_buttons_and_the_chosen_segment_are_in_sight(
    page, playable, width_px, height_px, num_rows
):
    sample = playable.match(F("filepath").ends_with("forged-1.mp4")).first()
    sample.forgeries.detections[0]["words"] = "not on my watch"
    sample["ground_truth"] = sample.forgeries.copy()
    sample.save()
    decide(
        playable, sample.id, action="adjust", label_id=sample.forgeries.detections[0].id, end_s=1.5
    )
    page.set_viewport_size({"width": width_px, "height": height_px})
    see_grid(page)
    open_clip(page, "forged-1.mp4")
    page.locator(TIMELINE).focus()
    page.keyboard.press("n")
    page.wait_for_selector("[data-cy=mmmsba-details] .cut img")
    panel = page.locator(TIMELINE)
    assert panel.evaluate("panel => panel.scrollHeight <= panel.clientHeight")
    # On a lower screen the lanes scroll by themselves.
    if height_px == 900:
        window = page.locator(".lanes-window")
        assert window.evaluate("lanes => lanes.scrollHeight <= lanes.clientHeight + 1")
    tops = page.locator("[data-cy=mmmsba-buttons] > *:visible").evaluate_all(
        "all => [...new Set(all.map(one => Math.round(one.getBoundingClientRect().bottom / 12)))]"
    )
    assert len(tops) <= num_rows
    bottom_px = panel.evaluate("panel => panel.getBoundingClientRect().bottom")
    for name in ("buttons", "transport", "card", "details"):
        box = page.locator(f"[data-cy=mmmsba-{name}]").bounding_box()
        assert box["y"] + box["height"] <= bottom_px, name
    # What is said in it stands in its place on the lane, and on its card.
    assert page.inner_text(f"{PREDICTED} [data-cy=mmmsba-words]") == "not on my watch"
    assert "not on my watch" in page.inner_text("[data-cy=mmmsba-card]")


def test_a_rejected_segment_is_still_drawn_where_nothing_is_predicted_now(page, playable):
    sample = playable.match(F("filepath").ends_with("forged-1.mp4")).first()
    decide(playable, sample.id, action="reject", by="ada")
    run_again(playable, Retrained((1.4, 1.8)))
    see_grid(page)
    open_clip(page, "forged-1.mp4")
    rejected = page.locator(f"{PREDICTED} .segment.rejected")
    assert rejected.count() == 1
    assert "no longer predicted" in rejected.get_attribute("title")
    assert rejected.evaluate("block => parseFloat(block.style.left)") == pytest.approx(25)


def test_audio_is_seen_under_the_video_and_zoomed_with_it(timeline):
    tiles = timeline.locator("[data-cy=mmmsba-audio-tile]")
    # Four tiles of half a second, each with a spectrogram, lie side by side over the whole lane.
    timeline.wait_for_function(
        "document.querySelectorAll('[data-cy=mmmsba-audio-tile] img').length === 4"
    )
    lefts = [tile.evaluate("tile => tile.style.left") for tile in tiles.all()]
    assert lefts == ["0%", "25%", "50%", "75%"]
    # A voice is in all of them.
    heights = tiles.locator("path").evaluate_all("all => all.map((path) => path.getBBox().height)")
    assert min(heights) > 0.1
    timeline.keyboard.press("k")
    timeline.keyboard.press("k")
    # Shorter ones, of 0.25 s, come for what is in sight alone.
    timeline.wait_for_function(
        """() => [...document.querySelectorAll("[data-cy=mmmsba-audio-tile]")]
            .filter((tile) => tile.style.width === "50%").length === 2"""
    )


def test_two_runs_are_lanes_of_one_timeline(page, playable):
    run_again(playable, Retrained((1.2, 1.6)), label_field="newer")
    see_grid(page)
    open_clip(page, "forged-1.mp4")
    assert page.locator("[data-cy=mmmsba-field]").input_value() == "newer"
    page.locator("[data-cy=mmmsba-beside]").select_option("forgeries")
    beside = page.locator("[data-cy=mmmsba-lane-beside] .segment")
    beside.wait_for()
    lefts = [
        segment.evaluate("block => parseFloat(block.style.left)")
        for segment in (page.locator(f"{PREDICTED} .segment"), beside)
    ]
    assert lefts == [60, 25]
    assert page.inner_text("[data-cy=mmmsba-beside-verdict]").split() == ["fake", "0.750"]
    # Two runs' curves of all modalities together, and those of two modalities.
    assert page.locator("[data-cy=mmmsba-lane-curve]").count() == 4
    # What is decided is about the run in the first lane, and the other stays in sight.
    page.locator(TIMELINE).focus()
    page.keyboard.press("n")
    page.keyboard.press("a")
    page.wait_for_selector(f"{REVIEWED} .segment")
    wait_until(lambda: (playable.reload(), playable.has_field("newer_reviewed"))[1])
    wait_until(lambda: [1.2] in playable.values("newer_reviewed.detections.start_s"))
    assert beside.count() == 1


def test_the_layout_of_the_window_is_taken_back(timeline):
    # The App keeps it for the windows of all datasets.
    timeline.locator("[data-cy=mmmsba-join]").click()
    timeline.wait_for_selector(TIMELINE, state="detached")
    timeline.locator("[data-cy=panel-tab-forgery_timeline]").click()
    timeline.wait_for_selector("[data-cy=mmmsba-split]")
