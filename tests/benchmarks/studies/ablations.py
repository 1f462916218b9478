"""The paper's kinds of attention, and its sets of modalities."""

from collections.abc import Iterator

from studies.comparison import comparison, num_seeds
from studies.metrics import passes
from studies.variants import Records, Reports, Variant

SEEDS = (0, 1, 2)
ATTENTIONS = ("mmms-ba", "mmus-sa", "ms-sa", "none")
WHOLE = "MMMS-BA, V+L+A"


def ablations() -> list[Variant]:
    """Return the paper's ablations: its kinds of attention, and MMMS-BA on two modalities."""
    by_attention = [
        Variant(f"{attention.upper()}, V+L+A", seed, {"attention": attention})
        for attention in ATTENTIONS
        for seed in SEEDS
    ]
    by_modality = [
        Variant(f"MMMS-BA, {'+'.join(letters)}", seed, letters=letters)
        for letters in ("VL", "VA", "LA")
        for seed in SEEDS
    ]
    return by_attention + by_modality


def ablations_table(reports: Reports, records_of: Records, epochs: int | None) -> Iterator[str]:
    records = next(iter(records_of.values()))
    yield "## The paper's ablations, on fake clips"
    yield ""
    yield (
        f"Means over {num_seeds(reports)} seeds, each one network trained as those of the bundled "
        f"weights are{passes(epochs)}; measured on {len(records)} files of people that none saw; "
        f"behind each AUC, by how much it exceeds that of {WHOLE}, with paired 95 % intervals over "
        "people. V is the face, L the lips, A the audio."
    )
    yield ""
    yield from comparison(reports, records, baseline=WHOLE)
