"""How long the overview panel counts, on a data set of ten thousand judged samples.

Run it by hand, with FiftyOne and its database installed::

    python tests/benchmarks/fiftyone_panel.py
"""

import sys
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "fiftyone"))

import conftest
from rich.console import Console

NUM_SAMPLES = 10_000
NUM_SNIPPETS = 150
REPEATS = 5


def main() -> None:
    """Make the data set, count it a few times, and say how long that took."""
    conftest.pytest_configure(None)
    from fiftyone_ops.labels import Fields
    from fiftyone_ops.overview import narrowed, overview_of

    dataset, fields = judged(), Fields("forgeries")
    summary = [timed_s(lambda: overview_of(dataset, fields)) for _ in range(REPEATS)]
    view = narrowed(dataset, fields, kind="score", value=0.9)
    click = [timed_s(lambda: len(view)) for _ in range(REPEATS)]
    console = Console()
    said = f"median {median(summary):.3f} s, most {max(summary):.3f} s"
    console.print(f"overview of {len(dataset)} samples: {said}")
    console.print(f"one bar's {len(view)} samples: median {median(click):.3f} s")


def judged():
    """Return a data set that looks judged, two segments and a curve a sample."""
    import fiftyone as fo
    import numpy as np

    rng = np.random.default_rng(0)
    made = fo.Dataset()
    made.add_samples(sample(number, rng) for number in range(NUM_SAMPLES))
    return made


def sample(number: int, rng):
    """Return one sample that looks judged."""
    import fiftyone as fo

    score = float(rng.beta(0.6, 0.6))
    made = fo.Sample(
        filepath=f"/clips/{number:05d}.mp4", split=("train", "dev", "test")[number % 3]
    )
    made["forgeries"] = fo.TemporalDetections(
        detections=[
            fo.TemporalDetection(
                label=("audio", "visual", "both")[number % 3],
                confidence=score,
                support=[first, first + 20],
                start_s=first / 25,
                end_s=(first + 20) / 25,
            )
            for first in (10, 60)
        ]
    )
    made["forgeries_verdict"] = fo.Classification(
        label="forged" if score > 0.5 else "genuine", confidence=score, threshold=0.5
    )
    made["forgeries_curves"] = fo.DynamicEmbeddedDocument(
        start_s=0.0, stride_s=0.04, score=rng.random(NUM_SNIPPETS)
    )
    return made


def timed_s(act) -> float:
    """Return how long an act took, in seconds."""
    started_s = time.perf_counter()
    act()
    return time.perf_counter() - started_s


if __name__ == "__main__":
    main()
