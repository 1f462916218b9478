"""Measure how soon the panels of twenty thousand clips answer, and how soon a decision is kept.

Overview, review queue, the table of all thresholds and their precision are counted by themselves,
and opened a few times in a real App in a real browser, from the click to what it shows; where there
is no browser, or no playwright to drive one, a line says so instead. Until a bar of the histogram
is the view, the App has most of the work: the time until the panel counts the bar's clips is ours,
and how long the App takes by itself tells a saved view of such clips, which is chosen without us.
Memory is what the App's server takes more than before the panels were opened.

Run it by hand, with FiftyOne and its database installed::

    python tests/benchmarks/fiftyone_panel.py [samples]
"""

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "fiftyone_ops"))

import app
import browser
import conftest
from rich.console import Console

NUM_SAMPLES = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
NUM_SNIPPETS = 150
REPEATS = 5

#: The longest times that pass, in seconds: until a panel is there, until a bar's clips are counted,
#: until a decision is drawn and until it is stored, and to write a threshold to ten thousand clips.
MOST_S = 2.0
MOST_COUNTED_S = 0.5
MOST_DRAWN_S = 0.1
MOST_STORED_S = 1.0
MOST_WRITTEN_S = 10.0
#: The most memory that the panels may add to the App's server, in MB.
MOST_MB = 400

_ITEM = "[data-cy=mmmsba-queue-item]"
_LOOKER = "[data-cy=looker]"
_STAGE = "[data-cy=view-stage-container]:has-text('Match')"
_SAVED_VIEW = "one-bar"
_REST_MS = 2000
#: Whether clips by verdict are as many as those that were clicked.
_ALL_COUNTED = """(count) => {
    const counts = document.querySelectorAll("[data-cy=mmmsba-tally-verdict] .count");
    const numbers = [...counts].map((node) => Number(node.textContent.replaceAll(",", "")));
    return numbers.reduce((sum, number) => sum + number, 0) === count;
}"""
#: Lets the page itself measure the time from the next key to the frame that shows it, in ms. The
#: window is told of a key before whoever acts on it.
_TIME_TO_DRAW = """(selector) => {
    window.drawn = new Promise((resolve) => {
        const press = ({ timeStamp }) => {
            const finish = () => resolve(performance.now() - timeStamp);
            new MutationObserver((_, observer) => {
                if (!document.querySelector(selector)) return;
                observer.disconnect();
                // As soon as the next frame is out.
                requestAnimationFrame(() => setTimeout(finish));
            }).observe(document.body, { subtree: true, childList: true, attributes: true });
        };
        window.addEventListener("keydown", press, { capture: true, once: true });
    });
}"""


def main() -> None:
    """Make the dataset, open and count it a few times, and print how long that took."""
    conftest.pytest_configure(None)
    from fiftyone_ops.dataset.labels import Fields
    from fiftyone_ops.panels.overview_data import narrowed, overview_of, queue_of
    from fiftyone_ops.tasks.rethreshold import rethreshold
    from fiftyone_ops.tasks.threshold_precision import StoredPredictions
    from fiftyone_ops.tasks.threshold_table import threshold_table

    console = Console(soft_wrap=True)
    with tempfile.TemporaryDirectory() as folder:
        dataset, fields = make_dataset(Path(folder)), Fields("forgeries")
        view = narrowed(dataset, fields, kind="score", value=0.9)
        acts = {
            f"overview of {len(dataset)} samples counted": lambda: overview_of(dataset, fields),
            f"one bar's {len(view)} samples counted": lambda: len(view),
            "review queue": lambda: queue_of(
                dataset, fields, reason="uncertain", truth_field="ground_truth"
            ),
            "table of all thresholds": lambda: threshold_table(dataset),
        }
        for name, act in acts.items():
            console.print(f"{name}: {describe([timed_s(act) for _ in range(REPEATS)])}")
        precision_s = timed_s(lambda: StoredPredictions.read(dataset).average_precisions())
        console.print(f"average precision at all thresholds: {precision_s:.1f} s")
        if why := browser.missing():
            console.print(f"not opened in a browser: {why}")
        else:
            dataset.save_view(_SAVED_VIEW, view)
            open_in_browser(dataset, Path(folder), console)
        written_s = timed_s(lambda: rethreshold(dataset.limit(10_000), 0.6))
        console.print(
            f"another threshold written to 10,000: {written_s:.1f} s (at most {MOST_WRITTEN_S:g} s)"
        )
        dataset.delete()


def open_in_browser(dataset, folder: Path, console: Console) -> None:
    """Open the panels in an App, decide about some clips, and print how long that took."""
    with app.server(folder / "log.txt") as address, browser.browser() as running:
        page = app.page(running)
        page.goto(f"{address}/datasets/{dataset.name}")
        page.wait_for_selector(_LOOKER)
        before_mb = server_mb()
        opened_s = describe([*openings_s(page)])
        console.print(f"overview opened in a browser: {opened_s} (at most {MOST_S:g} s)")
        number_s, counted_s, *bar_s = zip(*bars_s(page), strict=True)
        console.print(f"bar to the number of its clips: {describe(number_s)}")
        console.print(f"bar to its counts: {describe(counted_s)} (at most {MOST_COUNTED_S:g} s)")
        for name, shown_and_drawn_s in (
            ("bar", bar_s),
            ("saved view", tuple(zip(*saved_views_s(page), strict=True))),
        ):
            for what, times_s in zip(("view", "grid"), shown_and_drawn_s, strict=True):
                console.print(f"{name} to the App's {what}: {describe(times_s)}")
        queue_s = describe([*queues_s(page)])
        console.print(f"queue opened in a browser: {queue_s} (at most {MOST_S:g} s)")
        drawn_s, stored_s = zip(*decisions_s(page, dataset), strict=True)
        console.print(f"decision drawn: {describe(drawn_s)} (at most {MOST_DRAWN_S:g} s)")
        console.print(f"decision stored: {describe(stored_s)} (at most {MOST_STORED_S:g} s)")
        added_mb = server_mb() - before_mb
        console.print(f"memory added to the App's server: {added_mb:.0f} MB (at most {MOST_MB} MB)")


def make_dataset(folder: Path):
    """Build a dataset that looks evaluated, two segments and a curve a sample, all of one clip.

    Half of the samples have a ground truth of one segment, the others one of none.
    """
    import fiftyone as fo
    import numpy as np

    from fiftyone_ops.dataset import store
    from fiftyone_ops.dataset.clock import look
    from fiftyone_ops.dataset.metadata import metadata_of
    from mmmsba_plugin.testing import samples

    clip = str(samples.clip(folder / "clip.mp4"))
    frame_index = look(clip)
    clip_metadata, clock = metadata_of(clip, frame_index), frame_index.from_zero()
    rng = np.random.default_rng(0)
    # Persistent, or the App's server deletes it as it ends.
    dataset = fo.Dataset("twenty-thousand", persistent=True)
    dataset.add_samples(
        make_sample(number, clip, clip_metadata, clock, rng) for number in range(NUM_SAMPLES)
    )
    store.register(dataset, "forgeries", method=store.DETECT, label_field="forgeries")
    return dataset


def make_sample(number: int, clip: str, clip_metadata, clock, rng):
    """Build one sample that looks evaluated."""
    import fiftyone as fo

    from fiftyone_ops.dataset.labels import clock_attributes

    score = float(rng.beta(0.6, 0.6))
    sample = fo.Sample(
        filepath=clip, metadata=clip_metadata, split=("train", "dev", "test")[number % 3]
    )
    sample["forgeries"] = fo.TemporalDetections(
        detections=[
            fo.TemporalDetection(
                label=("audio", "visual", "both")[number % 3],
                confidence=score,
                support=[first, first + 10],
                start_s=first / 25,
                end_s=(first + 10) / 25,
            )
            for first in (10, 30)
        ]
    )
    true = [fo.TemporalDetection(label="both", support=[12, 24], start_s=0.48, end_s=0.96)]
    sample["ground_truth"] = fo.TemporalDetections(detections=true[: number % 2])
    sample["forgeries_verdict"] = fo.Classification(
        label="fake" if score >= 0.5 else "not flagged",
        confidence=score,
        threshold=0.5,
        made_by="benchmark",
        warnings=[],
        duration_s=NUM_SNIPPETS * 0.04,
    )
    sample["forgeries_curves"] = fo.DynamicEmbeddedDocument(
        start_s=0.0,
        stride_s=0.04,
        score=make_curve(score, rng),
        **clock_attributes(clock),
    )
    return sample


def make_curve(score: float, rng):
    """Build scores along time that rise and fall as those of a network do, up to a clip's score."""
    import numpy as np

    steps = np.convolve(rng.random(NUM_SNIPPETS + 24), np.hanning(25), mode="valid")
    return score * (steps - steps.min()) / np.ptp(steps)


def openings_s(page) -> Iterator[float]:
    """Measure how long the overview takes until its bars are there, in seconds, opened anew."""
    for number in range(REPEATS):
        page.locator("[data-cy=new-panel-btn]").first.click()
        choice = page.get_by_text("Forgery overview").first
        choice.wait_for()
        started_s = time.perf_counter()
        choice.click()
        page.wait_for_selector("[data-cy=mmmsba-histogram]")
        yield time.perf_counter() - started_s
        if number < REPEATS - 1:
            page.locator("[data-cy=panel-tab-forgery_overview] svg").last.click()
            page.wait_for_selector("[data-cy=mmmsba-overview]", state="detached")


def bars_s(page) -> Iterator[tuple[float, float, float]]:
    """Measure how long it takes from the click on a bar to its clips, in seconds.

    Yields:
        The times until their number is drawn, until they are counted by verdict, until they are the
        App's view, and until its grid shows the first of them.
    """
    for number in range(REPEATS):
        bar = page.locator("[data-cy=mmmsba-bar]").nth(2 + number)
        count = int(bar.get_attribute("data-count"))
        with all_clips(page):
            started_s = time.perf_counter()
            bar.click()
            page.wait_for_selector(f"[data-cy=mmmsba-overview] h2:has-text(' {count:,} ')")
            drawn_s = time.perf_counter() - started_s
            page.wait_for_function(_ALL_COUNTED, arg=count)
            counted_s = time.perf_counter() - started_s
            yield drawn_s, counted_s, *view_and_grid_s(page, started_s)


def saved_views_s(page) -> Iterator[tuple[float, float]]:
    """Measure how long the App takes to a saved view, and to its grid, in seconds."""
    for _ in range(REPEATS):
        page.locator("[data-cy=saved-views-selection]").click()
        choice = page.locator(f"[data-cy=saved-views-{_SAVED_VIEW}-selection-option]")
        choice.wait_for()
        with all_clips(page):
            started_s = time.perf_counter()
            choice.click()
            yield view_and_grid_s(page, started_s)


@contextmanager
def all_clips(page) -> Iterator[None]:
    """Start from the grid of all clips, known by a mark, and show them all again at the end."""
    marking = "all => all.forEach((looker) => (looker.dataset.before = 1))"
    page.locator(_LOOKER).evaluate_all(marking)
    yield
    page.locator("[data-cy=mmmsba-all]").click()
    page.wait_for_selector(_STAGE, state="detached")
    page.wait_for_selector(f"[data-cy=mmmsba-overview] h2:has-text(' {NUM_SAMPLES:,} ')")
    # The App draws its grid for a while yet.
    page.wait_for_timeout(_REST_MS)


def view_and_grid_s(page, started_s: float) -> tuple[float, float]:
    """Measure when the App has a view of its own, and when its grid shows it, in seconds."""
    page.wait_for_selector(_STAGE)
    shown_s = time.perf_counter() - started_s
    page.wait_for_selector(f"{_LOOKER}:not([data-before])")
    return shown_s, time.perf_counter() - started_s


def queues_s(page) -> Iterator[float]:
    """Measure how long the review queue takes until its clips are there, in seconds."""
    for _ in range(REPEATS):
        page.locator("[data-cy=mmmsba-tab-scores]").click()
        page.wait_for_selector("[data-cy=mmmsba-histogram]")
        queue = page.locator("[data-cy=mmmsba-tab-queue]")
        yield timed_s(lambda queue=queue: (queue.click(), page.wait_for_selector(_ITEM)))


def decisions_s(page, dataset) -> Iterator[tuple[float, float]]:
    """Measure how long decisions take until they are seen and until they are stored, in seconds."""
    from app_steps import TIMELINE, show_timeline

    page.locator(_ITEM).first.click()
    page.wait_for_selector("[data-cy=modal-looker-container]")
    show_timeline(page, "clip.mp4")
    page.locator(TIMELINE).focus()
    page.keyboard.press("n")
    for key, mark in ("a", "lane-reviewed] .segment"), ("d", "lane-predicted] .segment.rejected"):
        before = num_decisions(dataset)
        page.evaluate(_TIME_TO_DRAW, f"[data-cy=mmmsba-{mark}")
        started_s = time.perf_counter()
        page.keyboard.press(key)
        drawn_s = page.evaluate("window.drawn") / 1000
        while num_decisions(dataset) == before:
            time.sleep(0.01)
        yield drawn_s, time.perf_counter() - started_s


def num_decisions(dataset) -> int:
    """Count the decisions about a dataset, in the database itself."""
    from fiftyone.core.odm import get_db_conn

    samples = get_db_conn()[dataset._sample_collection_name]
    count = {"$sum": {"$size": {"$ifNull": ["$forgeries_review.history", []]}}}
    return next(samples.aggregate([{"$group": {"_id": None, "count": count}}]))["count"]


def server_mb() -> float:
    """Return the memory that the App's server has in use, in MB."""
    import psutil

    servers = [
        process
        for process in psutil.Process().children(recursive=True)
        if "fiftyone.server.main" in process.cmdline()
    ]
    return sum(process.memory_info().rss for process in servers) / 1e6


def timed_s(act) -> float:
    """Measure how long an act takes, in seconds."""
    started_s = time.perf_counter()
    act()
    return time.perf_counter() - started_s


def describe(took_s: Sequence[float]) -> str:
    """Describe times by their median and the longest."""
    return f"median {median(took_s):.3f} s, most {max(took_s):.3f} s"


if __name__ == "__main__":
    main()
