"""Networks with and without the words of transcripts, where audio was altered."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from mmmsba_plugin.config import FitConfig
from mmmsba_plugin.media.transcript import read_transcript
from mmmsba_plugin.record import Record
from studies.comparison import comparison, names_of, num_seeds
from studies.metrics import passes
from studies.variants import NUM_FOLDS, Records, Reports, Variant

SEEDS = (0, 1, 2)
WITHOUT, WITH = "face, audio, lips", "face, audio, lips, words"


@dataclass(frozen=True, slots=True, eq=False)
class WithWords(Variant):
    """A network that reads transcripts as well."""

    def changed(self, training: Mapping[str, Any]) -> FitConfig:
        """Return its settings, with a front-end of text behind the others."""
        config = super(WithWords, self).changed(training).model_dump(mode="json")
        config["features"]["front_ends"]["text"] = {"name": "words"}
        return FitConfig.read(config)


def texts() -> list[Variant]:
    """Return a network with and one without words for each seed and share of people."""
    return [
        kind(name, seed, fold=fold)
        for seed in SEEDS
        for fold in range(NUM_FOLDS)
        for kind, name in ((Variant, WITHOUT), (WithWords, WITH))
    ]


def spoken(records: Sequence[Record]) -> list[Record]:
    """Select the clips with a transcript that are real or have altered audio."""
    return [r for r in records if (r.audio_truth or not r.fake) and read_transcript(r.media)]


def text_table(reports: Reports, records_of: Records, epochs: int | None) -> Iterator[str]:
    records = list(chain.from_iterable(_of_folds(records_of, WITHOUT, SEEDS[0])))
    pooled = {
        Variant(name, seed): list(chain.from_iterable(_of_folds(reports, name, seed)))
        for name in names_of(reports)
        for seed in range(num_seeds(reports))
    }
    num_fake = sum(record.fake for record in records)
    yield "## Words"
    yield ""
    yield (
        f"Cross-validation over people on {len(records)} clips with a transcript, of which "
        f"{num_fake} have altered audio and the others are real. One network trained as those of "
        f"the bundled weights are{passes(epochs)} for each of {NUM_FOLDS} folds, whose scores are "
        f"pooled; seeds: {num_seeds(reports)}. In brackets, 95 % intervals over people; behind "
        "each AUC, by how much words change it."
    )
    yield ""
    yield from comparison(pooled, records, baseline=WITHOUT, states_intervals=True)


def _of_folds(
    of_variants: Mapping[Variant, Sequence[Any]], name: str, seed: int
) -> Iterator[Sequence[Any]]:
    """Yield what there is of each fold of a network."""
    for variant, values in of_variants.items():
        if (variant.name, variant.seed) == (name, seed):
            yield values
