"""The report on a review: written from the App, and read in a browser without network."""

from fiftyone import ViewField as F

from fiftyone_ops.tasks.review.decide import decide

from .. import browser
from .app_steps import open_overview, see_grid, wait_until

pytestmark = browser.MARKS

FORM = "[data-cy=operators-prompt-modal]"
#: Width of A4 within usual margins, in px.
PAPER_PX = 680


def test_the_report_is_written_from_the_queue_and_reads_everywhere(page, playable, tmp_path):
    fake = playable.match(F("filepath").ends_with("forged-1.mp4")).first()
    label_id = fake.forgeries.detections[0].id
    decide(playable, fake.id, action="adjust", label_id=label_id, end_s=1.25, by="ada")
    decide(playable, fake.id, action="note", label_id=label_id, note="the lips lag", by="ada")
    other = playable.match(F("filepath").ends_with("forged-2.mp4")).first()
    decide(playable, other.id, action="finish", by="grace")

    see_grid(page)
    open_overview(page)
    page.locator("[data-cy=mmmsba-tab-queue]").click()
    page.locator("[data-cy=mmmsba-report]").click()
    page.wait_for_selector(FORM)
    file = tmp_path / "review.html"
    page.locator(f"{FORM} >> xpath=//p[text()='File']/following::input[1]").fill(str(file))
    page.locator(FORM).get_by_role("button", name="Execute").click()
    wait_until(file.exists)

    context, requests = (
        page.context.browser.new_context(viewport={"width": 1200, "height": 900}),
        [],
    )
    report = context.new_page()
    report.on("request", lambda request: requests.append(request.url))
    report.goto(file.as_uri())
    assert requests == [file.as_uri()]
    assert report.locator(".clip").count() == 2
    for scheme, width_px in (("light", 1200), ("dark", 1200), ("light", PAPER_PX)):
        report.set_viewport_size({"width": width_px, "height": 900})
        report.emulate_media(
            color_scheme=scheme, media="print" if width_px == PAPER_PX else "screen"
        )
        name = f"review-report-{scheme}-{width_px}.png"
        report.screenshot(path=browser.screenshots(tmp_path) / name, full_page=True)
        assert report.evaluate("document.documentElement.scrollWidth <= innerWidth")
        # Nothing that matters is cut off at the edge of a table.
        assert report.evaluate(
            "[...document.querySelectorAll('.scroll')].every(e => e.scrollWidth <= e.clientWidth)"
        )
    context.close()
