"""Train the core on a published task, CMU-MOSI, and check the accuracy it must reach.

The parent method (MMMU-BA, Ghosal et al., EMNLP 2018) is the same encoder, attention and
fusion, with text in the place of lips and the sentiment of an utterance in the place of
fake or not. A core that learns this task as the parent's does is put together rightly,
which golden numbers alone cannot show.

    python tests/benchmarks/mosi.py --data DIR

`DIR` holds `mosi_utterance_features.npz`. The exit status is 1 outside the band.
"""

import argparse
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from mmmsba_plugin.config import PRESETS, ModelConfig
from mmmsba_plugin.model.mmmsba import MmmsBa

#: Each is paired with each, as in the parent; its order of the blocks (video first, where
#: ours is audio first) only permutes what the head reads.
MODALITIES = ("video", "audio", "text")
#: The parent learns from the first 49 training videos; the other 13 choose the epoch here.
NUM_TRAINING_VIDEOS = 49
NUM_EPOCHS, BATCH_SIZE, LEARNING_RATE = 15, 32, 1e-3

#: Accuracy in percent, mean over seeds. Best-on-test is the parent's own, leaky protocol:
#: the best epoch by test accuracy. It published 82.31.
BEST_ON_TEST_BAND = (80.0, 82.5)
DEV_SELECTED_AT_LEAST = 79.0


@dataclass(frozen=True)
class Videos:
    """Utterances of videos: features by modality, labels, and which are not padding."""

    inputs: dict[str, Tensor]
    labels: Tensor
    mask: Tensor

    def __getitem__(self, rows: slice | Tensor) -> "Videos":
        inputs = {name: values[rows] for name, values in self.inputs.items()}
        return Videos(inputs, self.labels[rows], self.mask[rows])


def read(folder: Path, split: str) -> Videos:
    """Return one split of the features file."""
    with np.load(folder / "mosi_utterance_features.npz", allow_pickle=False) as arrays:
        return Videos(
            {name: torch.from_numpy(arrays[f"{split}_{name}"]) for name in MODALITIES},
            torch.from_numpy(arrays[f"{split}_label"]),
            torch.from_numpy(arrays[f"{split}_mask"].astype(bool)),
        )


def accuracy(network: MmmsBa, videos: Videos) -> float:
    """Compute the share of utterances classified rightly, in percent."""
    network.eval()
    with torch.no_grad():
        predictions = network(videos.inputs, videos.mask).heads["classify"].argmax(dim=-1)
    return 100.0 * float((predictions == videos.labels)[videos.mask].double().mean())


def learn(network: MmmsBa, videos: Videos, optimizer: torch.optim.Optimizer) -> None:
    """Go through the videos once, in random order."""
    network.train()
    for rows in torch.randperm(len(videos.labels)).split(BATCH_SIZE):
        batch = videos[rows]
        logits = network(batch.inputs, batch.mask).heads["classify"]
        loss = cross_entropy(logits[batch.mask], batch.labels[batch.mask])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def run(attention: str, seed: int, train: Videos, test: Videos) -> tuple[float, float]:
    """Return test accuracy at the best epoch on test, and at the best on development."""
    torch.manual_seed(seed)
    dims = {name: values.shape[-1] for name, values in train.inputs.items()}
    network = MmmsBa(ModelConfig(dims=dims, attention=attention, **PRESETS["reference"]))
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    fit, dev = train[:NUM_TRAINING_VIDEOS], train[NUM_TRAINING_VIDEOS:]
    on_dev, on_test = [], []
    for _ in range(NUM_EPOCHS):
        learn(network, fit, optimizer)
        on_dev.append(accuracy(network, dev))
        on_test.append(accuracy(network, test))
    return max(on_test), on_test[int(np.argmax(on_dev))]


def main() -> int:
    """Run all seeds, print what came out, and return the exit status."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "mosi"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=beside, help="folder of the features file")
    parser.add_argument(
        "--attention", default="mmms-ba", choices=("mmms-ba", "mmus-sa", "ms-sa", "none")
    )
    parser.add_argument("--seeds", type=int, default=5, help="how many, from 0")
    options = parser.parse_args()
    torch.set_num_threads(1)
    train, test = read(options.data, "train"), read(options.data, "test")
    results = []
    for seed in range(options.seeds):
        began_s = time.monotonic()
        results.append(run(options.attention, seed, train, test))
        print_row(f"seed {seed}", *results[-1], f"  ({time.monotonic() - began_s:.0f} s)")
    best, selected = (statistics.mean(column) for column in zip(*results, strict=True))
    print_row(f"{options.attention}, mean of {options.seeds}", best, selected)
    return verdict(options.attention, best, selected)


def print_row(title: str, best: float, selected: float, more: str = "") -> None:
    """Print one row."""
    row = f"{title:<18} best on test {best:6.2f} %   selected on dev {selected:6.2f} %{more}\n"
    sys.stdout.write(row)
    sys.stdout.flush()


def verdict(attention: str, best: float, selected: float) -> int:
    """Print whether the means lie where they must, and return the exit status."""
    low, high = BEST_ON_TEST_BAND
    band = f"best on test {low}-{high} %, selected on dev at least {DEV_SELECTED_AT_LEAST} %"
    if attention != "mmms-ba":
        sys.stdout.write(f"no band is set for {attention}\n")
        return 0
    inside = low <= best <= high and selected >= DEV_SELECTED_AT_LEAST
    sys.stdout.write(f"{'inside' if inside else 'OUTSIDE'} the band: {band}\n")
    return 0 if inside else 1


if __name__ == "__main__":
    sys.exit(main())
