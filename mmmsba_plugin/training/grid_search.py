"""Grid search: train a network by every combination of some settings, and rank them.

The paper chose its hyper-parameters so, on validation clips, and states neither the grid nor what
it ranked by. Here it is the AUC of validation clips, which needs no threshold, then the F1 of their
snippets.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmmsba_plugin.config import FitConfig
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.record import Record
from mmmsba_plugin.training.fit import Fitted, fit

#: What trials are ranked by, the first one first.
RANKED_BY = ("clip_auc", "snippet_f1")

Grid = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Trial:
    """One combination, and what came of it.

    Attributes:
        values: Value of each setting of the grid.
        fitted: Result of its training run.
    """

    values: Mapping[str, Any]
    fitted: Fitted

    @property
    def rank(self) -> tuple[float, ...]:
        """Value that it is ranked by; higher is better."""
        return tuple(self.fitted.operating_point.metrics[name] for name in RANKED_BY)


def combinations(grid: Grid) -> Iterator[dict[str, Any]]:
    """Yield every combination of the values of a grid.

    Raises:
        ConfigError: A setting has no list of values.

    Example:
        >>> list(combinations({"train.seed": [0, 1], "network.gate": [True]}))
        [{'train.seed': 0, 'network.gate': True}, {'train.seed': 1, 'network.gate': True}]
    """
    for name, values in grid.items():
        if not isinstance(values, list | tuple) or not values:
            raise ConfigError(
                f"{name} of the grid needs a list of values, as in [0.001, 0.0003], not {values!r}"
            )
    for values in itertools.product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def with_values(settings: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with others in place, named by their path.

    Example:
        >>> with_values({"train": {"seed": 1}}, {"train.batch_size": 8})
        {'train': {'seed': 1, 'batch_size': 8}}
    """
    changed = dict(settings)
    for path, value in values.items():
        name, _, rest = path.partition(".")
        changed[name] = with_values(changed.get(name) or {}, {rest: value}) if rest else value
    return changed


def grid_search(
    records: Iterable[Record],
    settings: Mapping[str, Any],
    grid: Grid,
    out: Path,
    **options: Any,
) -> list[Trial]:
    """Train every combination, each in a folder of its own; trials that are done are not repeated.

    Args:
        records: As for :func:`mmmsba_plugin.training.fit.fit`.
        settings: Settings that all share, as :class:`~mmmsba_plugin.config.FitConfig` reads them.
        grid: Values of each setting to try, by its path, such as ``train.learning_rate``.
        out: Where the folders go, which are numbered from 1.
        **options: As for :func:`~mmmsba_plugin.training.fit.fit`.

    Returns:
        The trials, best first. What the best one has on validation clips flatters it, since it was
        chosen by them; measure it on others.

    Raises:
        ConfigError: A setting has no list of values, or one is unknown or out of bounds; nothing
            was trained then.
        TrainingError: A folder holds another run, or too few clips could be used.
    """
    planned = [(v, FitConfig.read(with_values(settings, v))) for v in combinations(grid)]
    records = list(records)
    trials = [
        Trial(values, fit(records, config, out / str(number), **options))
        for number, (values, config) in enumerate(planned, start=1)
    ]
    return sorted(trials, key=lambda trial: trial.rank, reverse=True)
