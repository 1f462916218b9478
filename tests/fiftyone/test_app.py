"""The App in a real browser: judge clips from a form, look at one, correct it, go on.

Screenshots are kept in the folder that ``MMMSBA_SCREENSHOTS`` names. Where ``MMMSBA_PICTURES``
names a folder, the demo's clips and network stand in for the small ones, and the README's
pictures are written there, in some five minutes::

    MMMSBA_PICTURES=fiftyone_ops/assets pytest tests/fiftyone/test_app.py -k story
"""

import os
import time
from pathlib import Path

import fiftyone as fo
import pytest

from fiftyone_ops import metadata
from fiftyone_ops.detect import annotate
from fiftyone_ops.labels import truth_of
from mmmsba_plugin.datasets.lavdf import read_lavdf

from . import app

FORM = "[data-cy=operators-prompt-modal]"
OPERATOR = "[data-item-id='@mmmsba/fiftyone_ops/detect_forgeries']"
LOOKER = "[data-cy=looker]"
TIMELINE = "[data-cy=mmmsba-timeline]"
PICTURES = os.environ.get("MMMSBA_PICTURES")

#: What judging a dozen clips on a busy machine may take.
LONG_MS = 240_000

MISSING = app.missing()
if MISSING and app.REQUIRED:
    raise RuntimeError(MISSING)

pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=MISSING),
    # A small network is trained first; pictures want the demo's.
    pytest.mark.timeout(1200),
]


@pytest.fixture(scope="session")
def trained(request, tmp_path_factory) -> tuple[Path, Path]:
    """A corpus of forged clips, and weights that learned from it."""
    if not PICTURES:
        return request.getfixturevalue("talking_corpus"), request.getfixturevalue("checkpoint")
    from mmmsba_plugin.demo import learn_and_show

    folder = tmp_path_factory.mktemp("demo")
    learn_and_show(folder)
    return folder / "corpus", folder / "checkpoint"


@pytest.fixture(scope="session")
def address(tmp_path_factory, trained) -> str:
    """Where the App is served, with those weights as the default."""
    log = tmp_path_factory.mktemp("server") / "log.txt"
    with app.server(
        log, MMMSBA_WEIGHTS=str(trained[1]), FIFTYONE_ALLOW_LEGACY_ORCHESTRATORS="true"
    ) as url:
        yield url


@pytest.fixture(scope="session")
def chromium():
    """A browser."""
    with app.browser() as running:
        yield running


@pytest.fixture
def page(chromium, address, dataset, request, tmp_path):
    """A page that shows the grid of the test's data set; its last sight is kept."""
    opened = app.page(chromium, dark="light" not in request.keywords)
    opened.address = f"{address}/datasets/{dataset.name}"
    yield opened
    opened.screenshot(path=app.screenshots(tmp_path) / f"{request.node.name}.png")
    opened.context.close()


@pytest.fixture
def forged_clips(dataset, trained):
    """Clips of the held-out splits, with what is known of them, as samples."""
    records = [record for record in read_lavdf(trained[0]) if record.split != "train"]
    for record in records:
        clock = metadata.look(str(record.media)).clock
        truth = truth_of(record, clock)
        dataset.add_sample(
            fo.Sample(filepath=str(record.media), split=record.split, ground_truth=truth)
        )
    metadata.fill_metadata(dataset)
    return dataset


@pytest.fixture
def judged(named_dataset, toy):
    """The small videos, judged: forged-1 and forged-2 from 0.5 s to 1.013 s, by sound."""
    annotate(named_dataset, detector=toy)
    for name in ("missing", "raises", "nobody"):
        named_dataset.delete_samples(
            named_dataset.match(fo.ViewField("filepath").contains_str(name))
        )
    return named_dataset


def see_grid(page) -> None:
    page.goto(page.address)
    page.wait_for_selector(LOOKER)


def open_clip(page, name: str) -> None:
    """Open a clip by the name of its file, its timeline below its player."""
    page.locator(LOOKER).nth(position_of(page, name)).click()
    show_timeline(page, name)


def show_timeline(page, name: str) -> None:
    page.locator("[data-cy=panel-tab-forgery_timeline]").click()
    split = page.locator("[data-cy=mmmsba-split]")
    page.wait_for_selector(f"{TIMELINE}[data-name='{name}']")
    if split.count():
        split.click()
    page.wait_for_selector("[data-cy=modal-looker-container]")
    page.wait_for_function(
        "document.querySelector('[data-cy=mmmsba-time]')?.textContent[0] === '0'"
    )


def position_of(page, name: str) -> int:
    dataset = fo.load_dataset(page.address.rpartition("/")[2])
    return [Path(path).name for path in dataset.values("filepath")].index(name)


def shown_s(page) -> float:
    """Return where the panel says that the player is, in seconds."""
    minutes, seconds = page.inner_text("[data-cy=mmmsba-time]").split(" / ")[0].split(":")
    return 60 * int(minutes) + float(seconds)


def wait_until(true, *, within_s: float = 20.0) -> None:
    """Wait for something that is seen in the database."""
    until_s = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < until_s, f"not so after {within_s:g} s"
        time.sleep(0.1)


def test_the_story_from_clips_to_labels_to_a_correction(page, forged_clips):
    see_grid(page)
    page.locator(OPERATOR).click()
    page.wait_for_selector(FORM)
    page.locator(f"{FORM} >> xpath=//p[text()='Threshold']/following::input[1]").fill("0.5")
    picture(page, "form")
    page.locator(FORM).get_by_role("button", name="Execute").click()
    wait_until(lambda: judged_well(forged_clips), within_s=LONG_MS / 1000)
    page.wait_for_selector("text=forgeries_verdict", timeout=LONG_MS)
    page.wait_for_timeout(2_000)
    picture(page, "grid")
    name = most_forged(forged_clips)
    open_clip(page, name)
    assert page.locator("[data-cy=mmmsba-lane-curve]").count() == 4
    picture(page, "timeline")


def judged_well(dataset) -> bool:
    words = (
        dataset.count_values("forgeries_verdict.label")
        if dataset.has_field("forgeries_verdict")
        else {}
    )
    return sum(words.get(word, 0) for word in ("forged", "genuine")) == len(dataset)


def most_forged(dataset) -> str:
    """Return the clip whose segments are the most, and then its score the highest."""
    count = fo.ViewField("forgeries.detections").length()
    first = dataset.sort_by(count * 10 + fo.ViewField("forgeries_verdict.confidence"), reverse=True)
    return Path(first.first().filepath).name


def picture(page, name: str) -> None:
    """Keep what is seen as a picture of the README, where pictures are asked for."""
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png")


def test_a_click_on_the_time_line_is_where_the_player_goes(page, judged):
    see_grid(page)
    open_clip(page, "forged-1.mp4")
    track = page.locator("[data-cy=mmmsba-lane-curve] .track").first.bounding_box()
    page.mouse.click(track["x"] + 0.75 * track["width"], track["y"] + 5)
    page.wait_for_function("document.querySelector('[data-cy=mmmsba-time]').textContent > '0:01.4'")
    # Pictures are 40 ms apart, and the player shows the one that is on at 1.5 s.
    assert shown_s(page) == pytest.approx(1.48, abs=0.021)
    # The App's own clock is in step.
    assert page.get_by_text("0:01.48 / 0:02.00").count() >= 1


def test_playing_moves_the_cursor(page, judged):
    see_grid(page)
    open_clip(page, "forged-1.mp4")
    before_s = shown_s(page)
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('[data-cy=mmmsba-time]').textContent > '0:00.5'")
    page.keyboard.press("Space")
    left = page.locator("[data-cy=mmmsba-cursor]").evaluate("line => parseFloat(line.style.left)")
    assert shown_s(page) > before_s
    assert left == pytest.approx(100 * shown_s(page) / 2.0, abs=3.0)


def test_the_next_clip_shows_its_own_segments(page, judged):
    see_grid(page)
    open_clip(page, "forged-2.mp4")
    assert page.locator("[data-cy=mmmsba-lane-found] .segment").count() == 1
    page.locator("[data-cy=nav-right-button]").click()
    page.wait_for_selector(f"{TIMELINE}[data-name='genuine-1.mp4']")
    assert page.locator("[data-cy=mmmsba-lane-found] .segment").count() == 0
    assert page.locator("[data-cy=mmmsba-card]").count() == 0


def test_a_segment_has_a_picture_and_is_a_place_to_go_to(page, judged):
    see_grid(page)
    open_clip(page, "forged-1.mp4")
    page.wait_for_selector("[data-cy=mmmsba-card] img")
    page.locator("[data-cy=mmmsba-card]").click()
    page.wait_for_function("document.querySelector('[data-cy=mmmsba-time]').textContent > '0:00.4'")
    # It starts at 0.5 s, within the picture that is shown from 0.48 s.
    assert shown_s(page) == pytest.approx(0.48, abs=0.021)


def test_what_was_not_judged_is_hatched_with_its_reason(page, judged):
    see_grid(page)
    open_clip(page, "forged-1.mp4")
    hidden = page.locator("[data-cy=mmmsba-opt-out]")
    assert hidden.inner_text() == "no face"
    assert hidden.evaluate("part => part.style.left") == "75%"


def test_a_bar_of_the_histogram_becomes_the_view(page, judged):
    see_grid(page)
    open_overview(page)
    assert bars(page) == {"0.25": 2, "0.75": 2}
    page.locator("[data-cy=mmmsba-bar][data-count='2']").last.click()
    page.wait_for_function(
        "document.querySelector('[data-cy=mmmsba-overview] h2').textContent.includes(' 2 clips')"
    )
    assert bars(page) == {"0.75": 2}
    assert page.get_by_text("2 samples").count() == 1
    page.locator("[data-cy=mmmsba-all]").click()
    page.wait_for_function(
        "document.querySelector('[data-cy=mmmsba-overview] h2').textContent.includes(' 4 clips')"
    )


def open_overview(page) -> None:
    page.locator("[data-cy=new-panel-btn]").first.click()
    page.get_by_text("Forgery overview").first.click()
    page.wait_for_selector("[data-cy=mmmsba-histogram]")


def bars(page) -> dict[str, int]:
    found = page.locator("[data-cy=mmmsba-bar]").evaluate_all(
        "bars => bars.map((bar, at) => [(at / bars.length).toFixed(2), Number(bar.dataset.count)])"
    )
    return {low: count for low, count in found if count}
