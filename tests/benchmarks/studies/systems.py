"""The systems of ``mmmsba reproduce systems``, on the features of the bundled preset."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mmmsba_plugin.config import FitConfig
from mmmsba_plugin.reproduce.checks import CHECKS
from mmmsba_plugin.reproduce.plan import MMMS_BA, Training
from studies.comparison import comparison, num_seeds
from studies.metrics import passes
from studies.variants import Records, Reports, Variant

SEEDS = (0, 1, 2)
#: Files to learn from: what each system is promised to train on in ten minutes on two cores.
NUM_FILES = 200


@dataclass(frozen=True, slots=True, eq=False)
class System(Variant):
    """A system with the sizes and the training of the preset ``paper``.

    Attributes:
        training: The system, as ``mmmsba reproduce systems`` trains it.
    """

    training: Training = field(kw_only=True)

    def changed(self, training: Mapping[str, Any]) -> FitConfig:
        """Return its settings, with the features of a training."""
        features = FitConfig.read(training).features.model_dump(mode="json")
        return self.training.settings(
            FitConfig.read({"preset": "paper", "features": features}), self.seed
        )


def systems() -> list[Variant]:
    """Return MMMS-BA and the systems beside it."""
    return [
        System(row.training.method.name, seed, training=row.training)
        for seed in SEEDS
        for row in CHECKS["systems"].rows
        if row.training
    ]


def systems_table(reports: Reports, records_of: Records, epochs: int | None) -> Iterator[str]:
    records = next(iter(records_of.values()))
    yield "## Other systems"
    yield ""
    yield (
        "Each is one network with the sizes and the training of the preset `paper`"
        f"{passes(epochs)}, on features as those of the bundled weights. All learned from the same "
        f"{NUM_FILES} files, half of them real, some of whose people were held out to stop by. "
        f"Measured on {len(records)} files of people that none saw; seeds: {num_seeds(reports)}. "
        "In brackets, 95 % intervals over people; behind each AUC, by how much it exceeds that of "
        f"{MMMS_BA.name} on the same files. What each takes from its paper stands on the "
        "researcher's page."
    )
    yield ""
    yield from comparison(reports, records, baseline=MMMS_BA.name, states_intervals=True)
