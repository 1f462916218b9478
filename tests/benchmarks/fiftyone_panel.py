"""Measure how soon the overview panel of ten thousand clips is there, and how long it counts.

So it is with the table of all thresholds, and with writing another threshold.

The panel is opened a few times in a real App in a real browser, from the click to the bars; where
there is no browser, or no playwright to drive one, a line says so instead.

Run it by hand, with FiftyOne and its database installed::

    python tests/benchmarks/fiftyone_panel.py
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "fiftyone_ops"))

import app
import browser
import conftest
from rich.console import Console

NUM_SAMPLES = 10_000
NUM_SNIPPETS = 150
REPEATS = 5

#: The longest times that pass, in seconds: until the panel is there, and to write a threshold.
MOST_S = 2.0
MOST_WRITTEN_S = 10.0


def main() -> None:
    """Make the dataset, open and count it a few times, and print how long that took."""
    conftest.pytest_configure(None)
    from fiftyone_ops.labels import Fields
    from fiftyone_ops.panels.overview_data import narrowed, overview_of
    from fiftyone_ops.tasks.rethreshold import rethreshold
    from fiftyone_ops.tasks.threshold_table import threshold_table

    with tempfile.TemporaryDirectory() as folder:
        dataset, fields = make_dataset(Path(folder)), Fields("forgeries")
        summary = [timed_s(lambda: overview_of(dataset, fields)) for _ in range(REPEATS)]
        view = narrowed(dataset, fields, kind="score", value=0.9)
        click = [timed_s(lambda: len(view)) for _ in range(REPEATS)]
        console = Console(soft_wrap=True)
        console.print(f"overview of {len(dataset)} samples counted: {describe(summary)}")
        console.print(f"one bar's {len(view)} samples counted: {describe(click)}")
        tables = [timed_s(lambda: threshold_table(dataset)) for _ in range(REPEATS)]
        console.print(f"table of all thresholds: {describe(tables)}")
        written_s = timed_s(lambda: rethreshold(dataset, 0.6))
        console.print(
            f"another threshold written: {written_s:.1f} s (at most {MOST_WRITTEN_S:g} s)"
        )
        if why := browser.missing():
            console.print(f"not opened in a browser: {why}")
        else:
            opened = list(openings_s(dataset.name, Path(folder)))
            console.print(f"panel opened in a browser: {describe(opened)} (at most {MOST_S:g} s)")
        dataset.delete()


def make_dataset(folder: Path):
    """Build a dataset that looks evaluated, two segments and a curve a sample, all of one clip."""
    import fiftyone as fo
    import numpy as np

    from fiftyone_ops import store
    from fiftyone_ops.tasks import metadata
    from mmmsba_plugin.testing import samples

    clip = str(samples.clip(folder / "clip.mp4"))
    clip_metadata = metadata.metadata_of(clip, metadata.look(clip))
    rng = np.random.default_rng(0)
    # Persistent, or the App's server deletes it as it ends.
    dataset = fo.Dataset("ten-thousand", persistent=True)
    dataset.add_samples(
        make_sample(number, clip, clip_metadata, rng) for number in range(NUM_SAMPLES)
    )
    store.register(dataset, "forgeries", method=store.DETECT, label_field="forgeries")
    return dataset


def make_sample(number: int, clip: str, clip_metadata, rng):
    """Build one sample that looks evaluated."""
    import fiftyone as fo

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
    sample["forgeries_verdict"] = fo.Classification(
        label="forged" if score > 0.5 else "genuine", confidence=score, threshold=0.5
    )
    sample["forgeries_curves"] = fo.DynamicEmbeddedDocument(
        start_s=0.0, stride_s=0.04, score=rng.random(NUM_SNIPPETS)
    )
    return sample


def openings_s(name: str, folder: Path) -> Iterator[float]:
    """Measure how long the panel takes until its bars are there, in seconds, opened ever anew."""
    with app.server(folder / "log.txt") as address, browser.browser() as running:
        page = app.page(running)
        page.goto(f"{address}/datasets/{name}")
        page.wait_for_selector("[data-cy=looker]")
        for _ in range(REPEATS):
            page.locator("[data-cy=new-panel-btn]").first.click()
            choice = page.get_by_text("Forgery overview").first
            choice.wait_for()
            started_s = time.perf_counter()
            choice.click()
            page.wait_for_selector("[data-cy=mmmsba-histogram]")
            yield time.perf_counter() - started_s
            page.locator("[data-cy=panel-tab-forgery_overview] svg").last.click()
            page.wait_for_selector("[data-cy=mmmsba-overview]", state="detached")


def timed_s(act) -> float:
    """Measure how long an act takes, in seconds."""
    started_s = time.perf_counter()
    act()
    return time.perf_counter() - started_s


def describe(took_s: list[float]) -> str:
    """Describe times by their median and the longest."""
    return f"median {median(took_s):.3f} s, most {max(took_s):.3f} s"


if __name__ == "__main__":
    main()
