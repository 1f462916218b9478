"""Steps of a person in the App, each until its effect is seen."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
from fiftyone import ViewField as F

LOOKER = "[data-cy=looker]"
TIMELINE = "[data-cy=mmmsba-timeline]"
FRAMES = os.environ.get("MMMSBA_FRAMES")

#: The contrast of each piece of text in the timeline with the nearest ground behind it.
CONTRASTS = """() => {
    const parts = (colour) => {
        const canvas = document.createElement("canvas").getContext("2d");
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const light = ([r, g, b]) => {
        const [x, y, z] = [r, g, b].map((v) => v / 255).map(
            (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
        return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const ground = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const colour = parts(getComputedStyle(at).backgroundColor);
            if (colour[3] > 250) return colour;
        }
        return [255, 255, 255, 255];
    };
    const contrasts = {};
    for (const element of document.querySelectorAll("[data-cy=mmmsba-timeline] *")) {
        const own = [...element.childNodes].filter((node) => node.nodeType === 3);
        const words = own.map((node) => node.textContent).join("").trim();
        if (!words || element.tagName === "OPTION" || element.disabled) continue;
        if (element.closest(":disabled")) continue;
        const tones = [parts(getComputedStyle(element).color), ground(element)].map(light);
        const [low, high] = tones.sort((a, b) => a - b);
        contrasts[words] = Math.round((100 * (high + 0.05)) / (low + 0.05)) / 100;
    }
    return contrasts;
}"""


def see_grid(page) -> None:
    """Open the grid of the page's dataset."""
    page.goto(page.address)
    page.wait_for_selector(LOOKER)


def open_clip(page, name: str) -> None:
    """Open a clip by the name of its file, its timeline below its player."""
    page.locator(LOOKER).nth(position_of(page, name)).click()
    show_timeline(page, name)


def show_timeline(page, name: str) -> None:
    """Show the timeline of the open clip below its player."""
    page.locator("[data-cy=panel-tab-forgery_timeline]").click()
    page.wait_for_selector(f"{TIMELINE}[data-name='{name}']")
    split = page.locator("[data-cy=mmmsba-split]")
    if split.count():
        split.click()
        # The App makes the panel anew below the player.
        split.wait_for(state="detached")
        page.wait_for_selector(f"{TIMELINE}[data-name='{name}']")
    page.wait_for_selector("[data-cy=modal-looker-container]")
    wait_for_time(page, 0.0, 0.04)


def open_overview(page) -> None:
    """Open the panel of the overview."""
    page.locator("[data-cy=new-panel-btn]").first.click()
    page.get_by_text("Forgery overview").first.click()
    page.wait_for_selector("[data-cy=mmmsba-histogram]")


def position_of(page, name: str) -> int:
    """Return the place of a clip in the grid, by the name of its file."""
    dataset = fo.load_dataset(page.address.rpartition("/")[2])
    return [Path(path).name for path in dataset.values("filepath")].index(name)


def shown_s(page) -> float:
    """Return the time of the player that the panel shows, in seconds."""
    minutes, seconds = page.inner_text("[data-cy=mmmsba-time]").split(" / ")[0].split(":")
    return 60 * int(minutes) + float(seconds)


def bars(page) -> dict[str, int]:
    """Return the number of clips of each bar of the histogram, by its lowest score."""
    bar_counts = page.locator("[data-cy=mmmsba-bar]").evaluate_all(
        "bars => bars.map((bar, at) => [(at / bars.length).toFixed(2), Number(bar.dataset.count)])"
    )
    return {low: count for low, count in bar_counts if count}


def wait_for_time(page, low_s: float, high_s: float) -> None:
    """Wait until the player is where it should be."""
    page.wait_for_function(
        """([low_s, high_s]) => {
            const label = document.querySelector("[data-cy=mmmsba-time]")?.textContent ?? "";
            const [minutes, seconds] = label.split(" / ")[0].split(":").map(Number);
            return 60 * minutes + seconds >= low_s && 60 * minutes + seconds <= high_s;
        }""",
        arg=[low_s, high_s],
    )


def wait_for_pause(page) -> None:
    """Wait until the player stands still, for longer than a frame lasts."""
    page.wait_for_function(
        """() => {
            const label = document.querySelector("[data-cy=mmmsba-time]").textContent;
            const stands = window.timeBefore === label;
            window.timeBefore = label;
            return stands;
        }""",
        polling=200,
    )


def wait_for_count(page, num_clips: int) -> None:
    """Wait until the overview counts so many clips."""
    page.wait_for_selector(f"[data-cy=mmmsba-overview] h2:has-text(' {num_clips:,} clips')")


def wait_until(true: Callable[[], object], *, within_s: float = 60.0) -> None:
    """Wait for something that is seen in the database."""
    until_s = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < until_s, f"not so after {within_s:g} s"
        time.sleep(0.1)


def review_of(dataset, name: str):
    """Return the review of a clip, by the name of its file; None where it has none."""
    dataset.reload()
    if not dataset.has_field("forgeries_review"):
        return None
    return dataset.match(F("filepath").ends_with(f"/{name}")).first().forgeries_review


def frame(page, name: str) -> None:
    """Save a screenshot for the curator's page, if frames are asked for."""
    if FRAMES:
        path = Path(FRAMES) / f"{name}.png"
        page.screenshot(path=path)
        _shrink(path)


def _shrink(path: Path) -> None:
    """Make a frame half as large, of 256 colours: the curator's page needs no more."""
    from PIL import Image

    Image.open(path).convert("RGB").quantize(256).save(path, optimize=True)
