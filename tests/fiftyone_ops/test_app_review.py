"""Review in the App: keys and whose they are, decisions, and the way through the clips."""

import pytest
from fiftyone import ViewField as F

from fiftyone_ops.tasks.detect import annotate
from fiftyone_ops.tasks.review.decide import decide
from fiftyone_ops.tasks.review.queue import queue
from mmmsba_plugin.review.document import whoami

from .. import browser
from .app_steps import (
    TIMELINE,
    open_clip,
    open_overview,
    review_of,
    see_grid,
    show_timeline,
    wait_for_time,
    wait_until,
)
from .tasks.review.test_decide import Retrained, run_again

pytestmark = browser.MARKS


def is_open(page, name: str) -> None:
    """Wait until the timeline shows a clip."""
    page.wait_for_selector(f"{TIMELINE}[data-name='{name}']")


def label_of(dataset, name: str) -> str | None:
    """Return the label of a clip's review, by the name of its file."""
    review = review_of(dataset, name)
    return review and review.label


def test_a_clip_is_corrected_by_keys_alone(page, playable):
    see_grid(page)
    open_clip(page, "forged-1.mp4")
    page.locator(TIMELINE).focus()
    segment = (
        playable.match(F("filepath").ends_with("forged-1.mp4")).first().forgeries.detections[0]
    )

    page.keyboard.press("n")
    wait_for_time(page, 0.475, 0.485)
    page.keyboard.press("a")
    page.wait_for_selector("[data-cy=mmmsba-lane-reviewed] .segment")
    # It is drawn at once, and stored behind that.
    wait_until(lambda: review_of(playable, "forged-1.mp4") is not None)
    assert review_of(playable, "forged-1.mp4").decided == {str(segment.id): "accepted"}

    page.keyboard.press("t")
    page.wait_for_selector("[data-cy=mmmsba-lane-reviewed] .segment:has-text('visual')")
    track = page.locator("[data-cy=mmmsba-lane-curve] .track").first.bounding_box()
    page.mouse.click(track["x"] + 0.4 * track["width"], track["y"] + 5)
    wait_for_time(page, 0.795, 0.805)
    page.keyboard.press("]")
    wait_until(lambda: confirmed(playable) == [("visual", 0.5, 0.8)])

    page.keyboard.press("u")
    wait_until(lambda: confirmed(playable) == [("visual", 0.5, 1.013)])
    page.keyboard.press("d")
    page.wait_for_selector("[data-cy=mmmsba-lane-predicted] .segment.rejected")
    wait_until(lambda: confirmed(playable) == [])

    page.keyboard.press("i")
    wait_until(lambda: confirmed(playable) == [("both", 0.8, 1.2)])
    review = review_of(playable, "forged-1.mp4")
    assert (review.label, review.by) == ("fake", whoami())
    # What was predicted stays as it was.
    again = playable.match(F("filepath").ends_with("forged-1.mp4")).first().forgeries.detections[0]
    assert (again.id, again.start_s, again.end_s) == (segment.id, 0.5, 1.013)


def confirmed(dataset) -> list[tuple[str, float, float]]:
    """Return the reviewed segments of the first fake clip: label, start and end in seconds."""
    dataset.reload()
    sample = dataset.match(F("filepath").ends_with("forged-1.mp4")).first()
    sample.reload()
    if not sample.has_field("forgeries_reviewed") or sample.forgeries_reviewed is None:
        return []
    return [
        (label.label, round(label.start_s, 3), round(label.end_s, 3))
        for label in sample.forgeries_reviewed.detections
    ]


def test_an_end_is_dragged_to_where_it_should_be(page, playable):
    see_grid(page)
    open_clip(page, "forged-1.mp4")
    page.locator(TIMELINE).focus()
    page.keyboard.press("n")
    page.keyboard.press("a")
    edge = page.locator("[data-cy=mmmsba-lane-reviewed] .segment .edge.end")
    edge.wait_for()
    track = page.locator("[data-cy=mmmsba-lane-reviewed] .track").bounding_box()
    box = edge.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(track["x"] + 0.8 * track["width"], box["y"] + 5, steps=5)
    page.mouse.up()
    # A pixel is some 2 ms here.
    ends_s = [pytest.approx(1.6, abs=0.01)]
    wait_until(lambda: [end_s for _, _, end_s in confirmed(playable)] == ends_s)
    assert confirmed(playable)[0][:2] == ("audio", 0.5)


def test_the_queue_leads_from_one_clip_to_the_next(page, playable):
    see_grid(page)
    open_overview(page)
    page.locator("[data-cy=mmmsba-tab-queue]").click()
    page.locator("[data-cy=mmmsba-reason-unlabelled]").click()
    page.wait_for_function("document.querySelectorAll('[data-cy=mmmsba-queue-item]').length === 2")
    first, second = page.locator("[data-cy=mmmsba-queue-name]").all_inner_texts()
    page.locator("[data-cy=mmmsba-queue-item]").first.click()
    page.wait_for_selector("[data-cy=modal-looker-container]")
    show_timeline(page, first)
    page.locator(TIMELINE).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{TIMELINE}[data-name='{second}']")
    assert review_of(playable, first).label == "real"


def test_no_key_decides_while_a_dialog_is_open(page, playable):
    see_grid(page)
    open_clip(page, "forged-1.mp4")
    page.locator(TIMELINE).focus()
    page.keyboard.press("`")
    page.locator("[data-cy=operators-browser-search]").fill("Evaluate forgeries")
    page.locator("[data-cy=operators-browser]").get_by_text("Evaluate forgeries").first.click()
    choice = page.locator("[data-cy=operators-prompt-modal] [role=combobox]").first
    choice.focus()
    for key in ("Enter", "Escape", "a", "q"):
        page.keyboard.press(key)
    page.wait_for_timeout(1000)
    assert review_of(playable, "forged-1.mp4") is None
    is_open(page, "forged-1.mp4")


def test_no_key_decides_on_a_widget_outside_of_player_and_panel(page, playable):
    see_grid(page)
    open_clip(page, "forged-1.mp4")
    tab = page.locator("[data-cy=panel-tab-fo-sample-modal-plugin]")
    tab.evaluate("tab => { tab.tabIndex = 0; tab.focus(); }")
    for key in ("Enter", "a", "q", "w"):
        page.keyboard.press(key)
    page.wait_for_timeout(1000)
    assert review_of(playable, "forged-1.mp4") is None


def test_the_apps_own_keys_stay_the_apps(page, playable):
    see_grid(page)
    open_clip(page, "forged-1.mp4")
    page.locator(TIMELINE).focus()
    page.evaluate(
        "window.reached = []; window.addEventListener('keydown', ({ key }) => reached.push(key))"
    )
    # The App keeps to itself what it acts on, such as x.
    for key in "mjcpz":
        page.keyboard.press(key)
    page.keyboard.press("b")
    assert page.evaluate("reached.join('')") == "mjcpz"
    assert review_of(playable, "forged-1.mp4") is None


def test_a_question_mark_lists_the_keys(page, playable):
    see_grid(page)
    open_clip(page, "forged-1.mp4")
    page.locator(TIMELINE).focus()
    page.keyboard.press("?")
    assert "Nobody can tell" in page.locator("[data-cy=mmmsba-help]").inner_text()
    assert page.locator("[data-cy=mmmsba-accept]").get_attribute("title").endswith("(a)")
    page.locator("[data-cy=mmmsba-help-button]").click()
    page.locator("[data-cy=mmmsba-help]").wait_for(state="detached")


def test_the_end_of_a_review_is_taken_back_from_the_next_clip(page, playable):
    see_grid(page)
    open_clip(page, "forged-1.mp4")
    page.locator(TIMELINE).focus()
    page.keyboard.press("Enter")
    is_open(page, "forged-2.mp4")
    assert label_of(playable, "forged-1.mp4") == "real"
    assert "forged-1.mp4" in page.locator("[data-cy=mmmsba-ended]").inner_text()
    page.keyboard.press("u")
    is_open(page, "forged-1.mp4")
    wait_until(lambda: label_of(playable, "forged-1.mp4") == "open")


def test_clips_are_gone_through_back_and_forth(page, playable):
    see_grid(page)
    open_clip(page, "forged-2.mp4")
    page.locator(TIMELINE).focus()
    page.keyboard.press("PageDown")
    is_open(page, "genuine-1.mp4")
    page.locator("[data-cy=mmmsba-previousClip]").click()
    is_open(page, "forged-2.mp4")
    page.keyboard.press("PageUp")
    is_open(page, "forged-1.mp4")
    page.keyboard.press("PageUp")
    page.wait_for_selector("[data-cy=mmmsba-message]:has-text('This is the first clip.')")
    assert review_of(playable, "forged-1.mp4") is None


def test_a_clip_without_a_score_is_not_finished_as_real(page, evaluated):
    for name in ("missing", "raises"):
        evaluated.delete_samples(evaluated.match(F("filepath").contains_str(name)))
    see_grid(page)
    open_clip(page, "nobody.mp4")
    page.locator(TIMELINE).focus()
    assert page.locator("[data-cy=mmmsba-finish]").is_disabled()
    page.keyboard.press("Enter")
    page.wait_for_selector(".mmmsba .problem:has-text('cannot be finished as real')")
    page.keyboard.press("q")
    wait_until(lambda: label_of(evaluated, "nobody.mp4") == "cannot tell")


def test_the_newest_run_that_evaluated_the_clip_is_shown_and_another_can_be_chosen(
    page, playable, toy
):
    annotate(playable.limit(1), detector=toy, label_field="newer")
    see_grid(page)
    open_clip(page, "forged-2.mp4")
    field = page.locator("[data-cy=mmmsba-field]")
    assert field.input_value() == "forgeries"
    assert page.inner_text("[data-cy=mmmsba-verdict]") == "fake"
    field.select_option("newer")
    page.wait_for_selector("text=This clip has not been evaluated")
    assert page.locator("[data-cy=mmmsba-lane-predicted] .segment").count() == 0


def test_what_was_decided_is_shown_on_what_another_checkpoint_predicts(page, playable):
    sample = playable.match(F("filepath").ends_with("forged-1.mp4")).first()
    decide(playable, sample.id, action="reject", by="ada")
    run_again(playable, Retrained((0.55, 1.0), (1.2, 1.8)))
    see_grid(page)
    open_overview(page)
    page.locator("[data-cy=mmmsba-tab-queue]").click()
    page.locator("[data-cy=mmmsba-reason-changed]").click()
    page.wait_for_function("document.querySelectorAll('[data-cy=mmmsba-queue-item]').length === 1")
    page.locator("[data-cy=mmmsba-queue-item]").first.click()
    show_timeline(page, "forged-1.mp4")
    lane = page.locator("[data-cy=mmmsba-lane-predicted]")
    assert (lane.locator(".segment").count(), lane.locator(".rejected").count()) == (2, 1)
    assert "changed since this review was ended" in page.inner_text(TIMELINE)
    page.locator(TIMELINE).focus()
    page.keyboard.press("Enter")
    wait_until(lambda: len(review_of(playable, "forged-1.mp4").history) == 2)
    assert list(queue(playable, "changed")) == []


def test_many_clips_are_decided_about_at_once_and_all_taken_back(page, playable):
    see_grid(page)
    open_overview(page)
    page.locator("[data-cy=mmmsba-tab-queue]").click()
    page.wait_for_function("document.querySelectorAll('[data-cy=mmmsba-queue-item]').length === 4")
    row = page.locator("[data-cy=mmmsba-queue-item]:has-text('forged-1.mp4')")
    # A frame of the clip, verdict, score, distance to the threshold, and duration.
    thumbnail = row.locator("[data-cy=mmmsba-thumbnail] img")
    thumbnail.wait_for()
    assert thumbnail.evaluate("image => image.naturalHeight") == 72
    assert row.locator("td").all_inner_texts()[2:7] == [
        "forged-1.mp4",
        "fake",
        "0.750",
        "+0.250",
        "0:02.00",
    ]
    page.locator("[data-cy=mmmsba-bulk-score]").fill("0.7")
    page.locator("[data-cy=mmmsba-bulk-choose]").click()
    assert page.inner_text("[data-cy=mmmsba-bulk-count]") == "2 chosen:"
    page.locator("[data-cy=mmmsba-bulk-accept]").click()
    page.wait_for_selector("[data-cy=mmmsba-bulk-message]:has-text('2 clips decided')")
    assert [label_of(playable, f"forged-{number}.mp4") for number in (1, 2)] == ["fake"] * 2
    page.wait_for_function("document.querySelectorAll('[data-cy=mmmsba-queue-item]').length === 2")
    page.locator("[data-cy=mmmsba-bulk-undo]").click()
    page.wait_for_selector("[data-cy=mmmsba-bulk-message]:has-text('Taken back for 2 clips')")
    assert [label_of(playable, f"forged-{number}.mp4") for number in (1, 2)] == ["open"] * 2
    # Choosing a clip does not open it, and Shift chooses all up to another.
    boxes = page.locator("[data-cy=mmmsba-bulk-one]")
    page.wait_for_function("document.querySelectorAll('[data-cy=mmmsba-bulk-one]').length === 4")
    boxes.nth(0).click()
    boxes.nth(2).click(modifiers=["Shift"])
    assert page.inner_text("[data-cy=mmmsba-bulk-count]") == "3 chosen:"
    assert page.locator("[data-cy=modal-looker-container]").count() == 0


def test_a_threshold_is_tried_and_then_applied(page, playable):
    see_grid(page)
    open_overview(page)
    page.locator("[data-cy=mmmsba-threshold-try]").click()
    counts = page.locator("[data-cy=mmmsba-threshold-figures]")
    assert counts.inner_text() == "Now: 2 of 4 clips fake, 2 segments"
    slider = page.locator("[data-cy=mmmsba-threshold-slider]")
    slider.fill("40")
    # At 0.2 all four are fake, each all along; nothing is written yet.
    assert counts.inner_text() == "At 0.200: 4 of 4 clips fake, 4 segments"
    assert page.locator("[data-cy=mmmsba-histogram] .limit b").inner_text() == "0.20"
    assert playable.count_values("forgeries_verdict.label") == {"fake": 2, "not flagged": 2}
    page.locator("[data-cy=mmmsba-threshold-apply]").click()
    page.wait_for_selector("[data-cy=mmmsba-threshold-message]:has-text('4 clips at 0.2: 4 fake')")
    page.wait_for_selector("[data-cy=mmmsba-tally-verdict]:has-text('fake4')")
    playable.reload()
    assert playable.count_values("forgeries_verdict.label") == {"fake": 4}
