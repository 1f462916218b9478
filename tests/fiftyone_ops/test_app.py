"""The App in a real browser: evaluate clips from a form, look at one, correct it, go on.

Screenshots are kept in the folder that ``MMMSBA_SCREENSHOTS`` names. Where ``MMMSBA_FRAMES``
names a folder, the small network learns for longer and the pictures of the curator's page are
written there::

    MMMSBA_FRAMES=fiftyone_ops/assets pytest tests/fiftyone_ops/test_app.py -k story
"""

from pathlib import Path

import fiftyone as fo
import pytest
from fiftyone import ViewField as F

from fiftyone_ops.dataset import store
from fiftyone_ops.dataset.clock import look
from fiftyone_ops.dataset.labels import truth_of
from fiftyone_ops.tasks import metadata
from fiftyone_ops.tasks.detect import annotate
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.review.document import whoami

from .. import browser
from . import app
from .app_steps import (
    CONTRASTS,
    FRAMES,
    TIMELINE,
    bars,
    frame,
    open_clip,
    open_overview,
    review_of,
    see_grid,
    show_timeline,
    shown_s,
    wait_for_count,
    wait_for_pause,
    wait_for_time,
    wait_until,
)

FORM = "[data-cy=operators-prompt-modal]"
#: Whether each clip of the review queue shows a frame.
ALL_THUMBNAILS = """() => [...document.querySelectorAll("[data-cy=mmmsba-thumbnail]")]
    .every((thumbnail) => thumbnail.querySelector("img"))"""
OPERATOR = "[data-item-id='@mmmsba/fiftyone_ops/detect_forgeries']"
#: The number of reviewed segments, as the page counts them.
NUM_REVIEWED = "document.querySelectorAll('[data-cy=mmmsba-lane-reviewed] .segment').length"

#: What evaluating a dozen clips on a busy machine may take.
LONG_MS = 240_000

# A small network is trained first.
pytestmark = [*browser.MARKS, pytest.mark.timeout(1200)]


@pytest.fixture(scope="session")
def weights(request, talking_head_dataset, feature_cache, tmp_path_factory) -> Path:
    """Weights that learned from the talking portrait; for frames they learn for longer."""
    if not FRAMES:
        return request.getfixturevalue("checkpoint")
    from mmmsba_plugin.config import FitConfig, TrainConfig
    from mmmsba_plugin.training.fit import fit

    config = FitConfig(
        network={"gru_units": 64, "dense_units": 32},
        train=TrainConfig(batch_size=4, max_epochs=40, patience=40),
    )
    out = tmp_path_factory.mktemp("pictured") / "weights"
    return fit(read_lavdf(talking_head_dataset), config, out, cache=feature_cache).checkpoint


@pytest.fixture(scope="session")
def address(tmp_path_factory, weights) -> str:
    """The address of an App with those weights as the default."""
    log = tmp_path_factory.mktemp("server") / "log.txt"
    with app.server(
        log, MMMSBA_WEIGHTS=str(weights), FIFTYONE_ALLOW_LEGACY_ORCHESTRATORS="true"
    ) as url:
        yield url


@pytest.fixture
def fake_clips(dataset, talking_head_dataset):
    """Clips of the held-out splits, with what is known of them, as samples; for frames all."""
    records = [
        record for record in read_lavdf(talking_head_dataset) if FRAMES or record.split != "train"
    ]
    for record in records:
        clock = look(str(record.media)).clock
        truth = truth_of(record, clock)
        dataset.add_sample(
            fo.Sample(filepath=str(record.media), split=record.split, ground_truth=truth)
        )
    metadata.fill_metadata(dataset)
    return dataset


@pytest.fixture
def evaluated(playable):
    """The small videos, evaluated."""
    return playable


def test_the_story_from_clips_to_labels_to_a_correction(page, fake_clips):
    see_grid(page)
    page.locator(OPERATOR).click()
    page.wait_for_selector(FORM)
    page.locator(f"{FORM} >> xpath=//p[text()='Threshold']/following::input[1]").fill("0.5")
    frame(page, "form")
    page.locator(FORM).get_by_role("button", name="Execute").click()
    wait_until(lambda: is_evaluated(fake_clips), within_s=LONG_MS / 1000)
    page.get_by_role("button", name="Done", exact=True).click()
    # Labels appear in the sidebar without reloading.
    page.wait_for_selector("text=forgeries_verdict")

    # The App reads the colors of a dataset when it is loaded.
    see_grid(page)
    open_overview(page)
    page.wait_for_selector("[data-cy=mmmsba-bar]:not([data-count='0'])")
    frame(page, "grid")
    page.locator("[data-cy=mmmsba-tab-queue]").click()
    page.wait_for_selector("[data-cy=mmmsba-queue-item]")
    page.wait_for_function(ALL_THUMBNAILS)
    frame(page, "queue")

    name = most_fake(fake_clips)
    page.locator(f"[data-cy=mmmsba-queue-item]:has-text('{name}')").click()
    page.wait_for_selector("[data-cy=modal-looker-container]")
    show_timeline(page, name)
    assert page.locator("[data-cy=mmmsba-lane-curve]").count() == 4

    before = page.locator("[data-cy=mmmsba-lane-reviewed] .segment").count()
    page.locator(TIMELINE).focus()
    page.keyboard.press("i")
    page.wait_for_function(
        f"count => {NUM_REVIEWED} > count",
        arg=before,
    )
    # It is drawn at once, and stored behind that.
    wait_until(lambda: review_of(fake_clips, name) is not None)
    review = review_of(fake_clips, name)
    assert (review.by, review.history[-1]["action"]) == (whoami(), "add")
    page.keyboard.press("u")
    page.wait_for_function(
        f"count => {NUM_REVIEWED} === count",
        arg=before,
    )
    if has_segments(fake_clips, name):
        page.keyboard.press("n")
        page.keyboard.press("a")
        page.wait_for_selector("[data-cy=mmmsba-lane-reviewed] .segment")
        page.wait_for_selector("[data-cy=mmmsba-details] .cut img")
    frame(page, "timeline")


def is_evaluated(dataset) -> bool:
    dataset.reload()
    if not dataset.has_field("forgeries_verdict"):
        return False
    words = dataset.count_values("forgeries_verdict.label")
    return sum(words.get(word, 0) for word in ("fake", "not flagged")) == len(dataset)


def most_fake(dataset) -> str:
    """Return the clip of the highest score among those that the queue calls uncertain."""
    score = F("forgeries_verdict.confidence")
    uncertain = dataset.match((score - 0.5).abs() <= 0.25)
    return Path(uncertain.sort_by(score, reverse=True).first().filepath).name


def has_segments(dataset, name: str) -> bool:
    """Return whether a clip was called fake anywhere."""
    (segments,) = dataset.match(F("filepath").ends_with(name)).values("forgeries.detections")
    return bool(segments)


def test_a_click_on_the_time_line_is_where_the_player_goes(page, evaluated):
    see_grid(page)
    open_clip(page, "forged-1.mp4")
    track = page.locator("[data-cy=mmmsba-lane-curve] .track").first.bounding_box()
    page.mouse.click(track["x"] + 0.755 * track["width"], track["y"] + 5)
    # At 1.51 s the frame is on that came at 1.48 s; frames are 40 ms apart.
    wait_for_time(page, 1.475, 1.485)
    # The App's own clock is in step.
    assert page.get_by_text("0:01.48 / 0:02.00").count() >= 1


def test_playing_moves_the_cursor(page, evaluated):
    see_grid(page)
    open_clip(page, "forged-1.mp4")
    page.keyboard.press("Space")
    wait_for_time(page, 0.3, 2.0)
    page.keyboard.press("Space")
    wait_for_pause(page)
    left = page.locator("[data-cy=mmmsba-cursor]").evaluate("line => parseFloat(line.style.left)")
    assert shown_s(page) == pytest.approx(left / 100 * 2.0, abs=0.01)


def test_the_next_clip_shows_its_own_segments(page, evaluated):
    see_grid(page)
    open_clip(page, "forged-2.mp4")
    assert page.locator("[data-cy=mmmsba-lane-predicted] .segment").count() == 1
    page.locator("[data-cy=nav-right-button]").click()
    page.wait_for_selector(f"{TIMELINE}[data-name='genuine-1.mp4']")
    assert page.locator("[data-cy=mmmsba-lane-predicted] .segment").count() == 0
    assert page.locator("[data-cy=mmmsba-card]").count() == 0


def test_a_segment_has_a_frame_and_is_a_place_to_go_to(page, evaluated):
    see_grid(page)
    open_clip(page, "forged-1.mp4")
    page.wait_for_selector("[data-cy=mmmsba-card] img")
    page.locator("[data-cy=mmmsba-card]").click()
    # It starts at 0.5 s, within the frame that came at 0.48 s.
    wait_for_time(page, 0.475, 0.485)
    details = page.locator("[data-cy=mmmsba-details]")
    details.locator(".cut img").first.wait_for()
    scores = details.locator("dl").first.inner_text().split()
    assert scores[-6:] == ["together", "0.750", "Audio", "0.750", "Lips", "0.250"]


def test_a_clip_whose_file_starts_late_is_in_step_from_its_zero(page, dataset, late_clip, toy):
    dataset.add_sample(fo.Sample(filepath=str(late_clip)))
    annotate(dataset, detector=toy)
    see_grid(page)
    # Its player starts at 0.936 s, which is the clip's zero.
    open_clip(page, "forged-late.mp4")
    page.locator("[data-cy=mmmsba-card]").click()
    # The segment starts at 0.5 s, within the frame that came at 1.4 s, 0.464 s from the zero.
    wait_for_time(page, 0.455, 0.475)
    left = page.locator("[data-cy=mmmsba-cursor]").evaluate("line => parseFloat(line.style.left)")
    assert left / 100 * 2.0 == pytest.approx(0.464, abs=0.01)


def test_an_opt_out_is_hatched_with_its_reason(page, evaluated):
    see_grid(page)
    open_clip(page, "forged-1.mp4")
    hidden = page.locator("[data-cy=mmmsba-opt-out]")
    assert hidden.inner_text() == "no face"
    assert hidden.evaluate("part => part.style.left") == "75%"


def test_a_bar_of_the_histogram_becomes_the_view(page, evaluated):
    see_grid(page)
    open_overview(page)
    assert bars(page) == {"0.25": 2, "0.75": 2}
    page.locator("[data-cy=mmmsba-bar][data-count='2']").last.click()
    wait_for_count(page, 2)
    assert bars(page) == {"0.75": 2}
    page.get_by_text("2 samples").wait_for()
    page.locator("[data-cy=mmmsba-all]").click()
    wait_for_count(page, 4)


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_words_stand_out_from_what_is_behind_them(chromium, address, evaluated, scheme, tmp_path):
    page = app.page(chromium, dark=scheme == "dark")
    page.address = f"{address}/datasets/{evaluated.name}"
    see_grid(page)
    open_clip(page, "forged-1.mp4")
    contrasts = page.evaluate(CONTRASTS)
    page.screenshot(path=browser.screenshots(tmp_path) / f"timeline-{scheme}.png")
    page.context.close()
    assert len(contrasts) > 10
    # What the Web Content Accessibility Guidelines 2.1 ask of ordinary text.
    assert {words: ratio for words, ratio in contrasts.items() if ratio < 4.5} == {}


def test_the_overview_counts_ten_thousand_clips(page, dataset, talking_clip):
    fill(dataset, talking_clip, num_clips=10_000)
    see_grid(page)
    open_overview(page)
    wait_for_count(page, 10_000)
    # A hundred scores from 0 to 1, each a hundred times, in bars of a twentieth.
    assert bars(page) == {f"{bar / 20:.2f}": 500 for bar in range(20)}
    page.locator("[data-cy=mmmsba-bar][data-count='500']").last.click()
    wait_for_count(page, 500)


def fill(dataset, clip: Path, *, num_clips: int) -> None:
    """Add samples that look evaluated, all of one file."""
    frame_index = look(str(clip))
    video_metadata = fo.VideoMetadata(
        frame_rate=frame_index.fps_hz,
        total_frame_count=frame_index.num_frames,
        duration=frame_index.duration_s,
        frame_width=frame_index.width_px,
        frame_height=frame_index.height_px,
    )
    dataset.add_samples(
        fo.Sample(
            filepath=str(clip),
            metadata=video_metadata,
            forgeries=fo.TemporalDetections(
                detections=[fo.TemporalDetection(label="audio", support=[3, 9])]
            ),
            forgeries_verdict=fo.Classification(
                label="fake" if number % 2 else "not flagged",
                confidence=(number % 100) / 99,
                threshold=0.5,
            ),
        )
        for number in range(num_clips)
    )
    store.register(dataset, "forgeries", method=store.DETECT, label_field="forgeries")
