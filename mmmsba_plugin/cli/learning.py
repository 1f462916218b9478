"""What ``mmmsba train`` and ``mmmsba finetune`` say alike while a network learns."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mmmsba_plugin.errors import MissingExtraError

if TYPE_CHECKING:
    from rich.console import Console

    from mmmsba_plugin.training.fit import Fitted


@contextmanager
def needs_training() -> Iterator[None]:
    """Say of a module that this block misses how to come by it.

    Raises:
        MissingExtraError: What the ``train`` extra installs is not there.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"training needs {error.name}; install it with: pip install 'mmmsba-plugin[train]'"
        ) from error


def counting(console: "Console") -> Callable[[object], None]:
    """Return what says how many clips were read, on a line that is written over.

    A live display would fight with the progress bar of the training that follows. Where nobody
    watches, nothing is said.
    """
    count = itertools.count(1)
    if not console.is_terminal:
        return lambda _: None
    return lambda _: console.print(f"reading clips: {next(count)}", end="\r")


def say(fitted: "Fitted", console: "Console") -> None:
    """Say what was learned from, what was left out, and how it went."""
    from mmmsba_plugin.cli import told

    for skip in fitted.skipped:
        told.failure(f"skipped {skip.record.media}: {skip.reason}", console)
    console.print(
        f"learned from {fitted.num_train} clips in {fitted.epochs} epochs, "
        f"validated on {fitted.num_validation} of other people"
    )
    point = fitted.operating_point
    for name, value in point.metrics.items():
        was = f", before {fitted.before[name]:.3f}" if name in fitted.before else ""
        console.print(f"  validation {name}: {value:.3f}{was}")
    if why := point.calibration.reason:
        console.print(f"  scores are not calibrated: {why}")
    told.tell_written([fitted.checkpoint], console)
