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
        f"Means over {num_seeds(reports)} seeds. Each is one network with "
        "the sizes and the training of the preset `paper`, on the features of the bundled weights"
        f"{passes(epochs)}, and learned from the same {NUM_FILES} files, half of them real, which "
        f"it also holds people out of to stop by. Measured on {len(records)} files of people that "
        f"none saw. In brackets, 95 % intervals over people; behind each AUC, by how much it "
        f"exceeds that of {MMMS_BA.name} on the same files. What each system takes from its paper "
        "stands in the researcher's page."
    )
    yield ""
    yield from comparison(reports, records, baseline=MMMS_BA.name, states_intervals=True)
