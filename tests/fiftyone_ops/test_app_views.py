"""Views of clips, groups of clips, and evaluations in the App."""

import fiftyone as fo
from fiftyone import ViewField as F

from fiftyone_ops.tasks.evaluate import evaluate

from .. import browser
from .app_steps import (
    LOOKER,
    TIMELINE,
    open_overview,
    review_of,
    see_grid,
    wait_until,
)

pytestmark = browser.MARKS


def test_the_queue_leads_to_what_a_view_of_clips_shows_of_a_video_and_that_is_reviewed(
    page, playable
):
    playable.save_view("segments", playable.to_clips("forgeries"))
    page.goto(f"{page.address}?view=segments")
    page.locator(LOOKER).nth(1).wait_for()
    open_overview(page)
    page.locator("[data-cy=mmmsba-tab-queue]").click()
    page.locator("[data-cy=mmmsba-queue-item]:has-text('forged-1.mp4')").click()
    page.locator("[data-cy=panel-tab-forgery_timeline]").click()
    page.wait_for_selector(f"{TIMELINE}[data-name='forged-1.mp4']")
    page.locator(TIMELINE).focus()
    page.keyboard.press("n")
    page.keyboard.press("a")
    wait_until(lambda: getattr(review_of(playable, "forged-1.mp4"), "label", None) == "fake")
    page.keyboard.press("PageDown")
    page.wait_for_selector(f"{TIMELINE}[data-name='forged-2.mp4']")


def test_a_group_of_the_statistics_becomes_the_view(page, playable):
    playable.set_values("source", ["web", "web", "studio", "web"])
    see_grid(page)
    open_overview(page)
    page.locator("[data-cy=mmmsba-tab-statistics]").click()
    groups = page.locator("[data-cy=mmmsba-group]")
    groups.nth(1).wait_for()
    assert groups.all_inner_texts() == ["web\t3\t0\t66.7 % of 3", "studio\t1\t0\t0.0 % of 1"]
    groups.nth(1).click()
    page.wait_for_function("document.querySelectorAll('[data-cy=looker]').length === 1")


def test_an_evaluation_stands_in_the_panel_of_models(page, playable):
    for sample in playable:
        sample["truth"] = fo.TemporalDetections(
            detections=[] if "genuine" in sample.filepath else sample.forgeries.detections
        )
        sample.save()
    evaluate(playable, truth_field="truth")
    assert playable.match(F("eval_clips") == "TP").count() == 2
    see_grid(page)
    page.locator("[data-cy=new-panel-btn]").first.click()
    page.get_by_text("Model Evaluation").first.click()
    # A field of the same name stands in the sidebar.
    card = page.get_by_text("Needs Review").locator(
        "xpath=ancestor::*[contains(., 'eval_clips')][1]"
    )
    card.get_by_text("eval_clips").click()
    page.get_by_text("Clips not evaluated").first.wait_for()
    page.get_by_text("ap@0.5").first.wait_for()
