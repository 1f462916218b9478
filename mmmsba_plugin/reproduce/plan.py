"""Plan of each table: training and test sets, as data.

A training run is named by what decides it, so the one that table 2 needs is the one that
tables 4, 6 and 7 need, and is done once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mmmsba_plugin.config import (
    PRESETS,
    Attention,
    FeaturesConfig,
    FitConfig,
    FrontEndChoice,
)
from mmmsba_plugin.errors import ConfigError
from mmmsba_plugin.reproduce import tables
from mmmsba_plugin.reproduce.missing import COMPLETE, Missing
from mmmsba_plugin.reproduce.tables import Cells, ReportedRow

#: The paper's letters for the modalities, in one order for all, so that V+L+A is the training run
#: of table 2.
_MODALITIES = {"V": "face", "L": "lips", "A": "audio"}

#: What the paper does not report, and what a dataset with few real clips needs beside it.
BALANCED = "balanced_accuracy"

#: Settings by name; unlike a dictionary they can be the key of one.
Changes = tuple[tuple[str, Any], ...]

SAME_DATASET = "trained on the dataset it is tested on, as the paper may have done"


@dataclass(frozen=True, slots=True)
class Method:
    """A network of the paper.

    Attributes:
        name: As the paper calls it.
        attention: How it joins modalities; None for Enc-Dec, which is a preset of its own.
        modalities: What it is told.
        network: Settings of the network that make it, besides its attention.
        train: Settings of training that make it.
        loss: Settings of the loss that make it.
        front_ends: Front-ends that it brings along, by modality, where the shared settings have
            none.
    """

    name: str
    attention: Attention | None = "mmms-ba"
    modalities: tuple[str, ...] = tuple(_MODALITIES.values())
    network: Changes = ()
    train: Changes = ()
    loss: Changes = ()
    front_ends: tuple[tuple[str, str], ...] = ()

    def features(self, shared: FeaturesConfig) -> FeaturesConfig:
        """Return the settings of its features.

        Raises:
            ConfigError: A modality has no front-end.
        """
        own = {modality: FrontEndChoice(name=name) for modality, name in self.front_ends}
        missing = {m: choice for m, choice in own.items() if m not in shared.front_ends}
        front_ends = {**shared.front_ends, **missing}
        return shared.model_copy(update={"front_ends": front_ends}).only(self.modalities)


MMMS_BA = Method("MMMS-BA")
ENC_DEC = Method("Enc-Dec", attention=None, modalities=("face", "audio"))


@dataclass(frozen=True, slots=True)
class Training:
    """A training run, but for its seed and the settings that all runs share."""

    dataset: str
    method: Method

    def settings(self, shared: FitConfig, seed: int) -> FitConfig:
        """Return the settings that the run is given.

        Args:
            shared: What all runs have in common; what makes the method is put over it.
            seed: Of every random choice.

        Raises:
            ConfigError: A modality has no front-end, or ``shared`` names a preset that is a
                method by itself.
        """
        if shared.preset == "enc-dec":
            raise ConfigError(
                "the tables choose enc-dec themselves where it belongs; leave it out of the "
                "settings, or set the preset to paper or reference"
            )
        makes = PRESETS["enc-dec"]
        network = {key: value for key, value in shared.network.items() if key not in makes}
        if self.method.attention is not None:
            network = {**shared.network, "attention": self.method.attention}
        train = shared.train.model_dump(mode="json")
        loss = {**train["loss"], **dict(self.method.loss)}
        return FitConfig.read(
            {
                **shared.model_dump(mode="json"),
                "preset": shared.preset if self.method.attention else "enc-dec",
                "network": {**network, **dict(self.method.network)},
                "features": self.method.features(shared.features).model_dump(mode="json"),
                "train": {**train, **dict(self.method.train), "loss": loss, "seed": seed},
            }
        )


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table.

    Attributes:
        method: Whose figures they are, or the modalities in table 7.
        test: The dataset they are measured on.
        training: What ours needs; None for other people's rows, which are only reported.
        reported: What the paper says.
        notes: What a reader must know of the row, a sentence each.
        of_dataset: The same of the dataset that ours is measured on, unless another stands in.
        missing: What is taken away from the test clips.
        baseline: Row on the same test clips from which the differences of this one are shown.
    """

    method: str
    test: str
    training: Training | None
    reported: Cells
    notes: tuple[str, ...] = ()
    of_dataset: tuple[str, ...] = ()
    missing: Missing = COMPLETE
    baseline: "Row | None" = None


@dataclass(frozen=True, slots=True)
class Table:
    """One of the paper's tables, or of its next checks.

    Attributes:
        name: What the command calls it.
        title: What it shows.
        metrics: Its columns, as :func:`mmmsba_plugin.evaluation.evaluate.measure` names them.
        rows: Its rows; those that the paper does not have say so.
        digits: Behind the point, as many as the paper gives.
        notes: What a reader must know of the whole table.
    """

    name: str
    title: str
    metrics: tuple[str, ...]
    rows: tuple[Row, ...]
    digits: int = 3
    notes: tuple[str, ...] = ()

    @property
    def localizes(self) -> bool:
        """Return whether the table is about localization."""
        return self.metrics == tables.LOCALIZATION


def _row(reported: ReportedRow, training: Training | None) -> Row:
    return Row(
        method=reported.method,
        test=reported.test,
        training=training,
        reported=reported.cells,
        notes=reported.notes,
        of_dataset=(tables.VISUAL_ONLY,) if reported.test == "tvil" and training else (),
    )


def _trained_on(dataset: str, rows: Iterable[ReportedRow]) -> tuple[Row, ...]:
    return tuple(_row(row, Training(dataset, MMMS_BA)) for row in rows)


def _localizing(rows: Iterable[ReportedRow]) -> tuple[Row, ...]:
    """Return table 5, with ours by both readings of what it was trained on."""
    ours = {method.name: method for method in (MMMS_BA, ENC_DEC)}
    planned = []
    for row in rows:
        method = ours.get(row.method)
        planned.append(_row(row, Training("av-deepfake1m", method) if method else None))
        if method and row.test != "av-deepfake1m":
            reported = ReportedRow(row.test, row.method, row.cells, (*row.notes, SAME_DATASET))
            planned.append(_row(reported, Training(row.test, method)))
    return tuple(planned)


_ATTENTIONS: dict[str, Attention] = {
    "MMUS-SA": "mmus-sa",
    "MS-SA": "ms-sa",
    "MMMS-BA": "mmms-ba",
}

TABLES = {
    table.name: table
    for table in (
        Table(
            "table2",
            "Detection, trained on FakeAVCeleb",
            (*tables.DETECTION, BALANCED),
            _trained_on("fakeavceleb", tables.TABLE_2),
        ),
        Table(
            "table3",
            "Detection, trained on AV-Deepfake1M",
            (*tables.DETECTION, BALANCED),
            _trained_on("av-deepfake1m", tables.TABLE_3),
        ),
        Table(
            "table4",
            "Detection on FakeAVCeleb beside published methods",
            (*tables.COMPARISON, BALANCED),
            tuple(
                _row(row, Training(row.test, MMMS_BA) if row.method == MMMS_BA.name else None)
                for row in tables.TABLE_4
            ),
        ),
        Table(
            "table5",
            "Localization",
            tables.LOCALIZATION,
            _localizing(tables.TABLE_5),
            digits=4,
            notes=(tables.MISSING_ROW,),
        ),
        Table(
            "table6",
            "What attention adds, on FakeAVCeleb",
            (*tables.DETECTION, BALANCED),
            tuple(
                _row(row, Training(row.test, Method(row.method, _ATTENTIONS[row.method])))
                for row in tables.TABLE_6
            ),
        ),
        Table(
            "table7",
            "What each modality adds, on FakeAVCeleb (V face, L lips, A audio)",
            (*tables.DETECTION, BALANCED),
            tuple(
                _row(
                    row,
                    Training(
                        row.test,
                        Method(
                            "MMMS-BA",
                            modalities=tuple(
                                name
                                for letter, name in _MODALITIES.items()
                                if letter in row.method.split("+")
                            ),
                        ),
                    ),
                )
                for row in tables.TABLE_7
            ),
        ),
    )
}
