"""The paper's kinds of attention, and its sets of modalities."""

from collections.abc import Iterator

from mmmsba_plugin.evaluation.metrics.bootstrap import Interval, Metric
from studies.metrics import (
    METRICS,
    NUM_RESAMPLES,
    bootstrapped,
    less,
    mean,
    metrics_of,
    passes,
)
from studies.variants import Records, Reports, Variant

SEEDS = (0, 1, 2)
ATTENTIONS = ("mmms-ba", "mmus-sa", "ms-sa", "none")
WHOLE = "MMMS-BA, V+L+A"


def attentions() -> list[Variant]:
    """Return the paper's kinds of attention, which have no weights of their own."""
    return [
        Variant(f"{attention.upper()}, V+L+A", seed, {"attention": attention})
        for attention in ATTENTIONS
        for seed in SEEDS
    ]


def ablations() -> list[Variant]:
    """Return the paper's ablations, the whole network first."""
    by_modality = [
        Variant(f"MMMS-BA, {'+'.join(letters)}", seed, letters=letters)
        for letters in ("VL", "VA", "LA")
        for seed in SEEDS
    ]
    return attentions() + by_modality


def attentions_table(reports: Reports, records_of: Records, epochs: int | None) -> Iterator[str]:
    yield from ablations_table(reports, records_of, epochs, title="Kinds of attention")


def ablations_table(
    reports: Reports,
    records_of: Records,
    epochs: int | None,
    *,
    title: str = "The paper's ablations, on fake clips",
) -> Iterator[str]:
    records = next(iter(records_of.values()))
    by_name: dict[str, dict[str, Metric]] = {}
    for name in dict.fromkeys(variant.name for variant in reports):
        of_seeds = [
            metrics_of(name, records, seed_reports)
            for v, seed_reports in reports.items()
            if v.name == name
        ]
        by_name[name] = {f: mean([metrics[f] for metrics in of_seeds]) for f in METRICS}
    metrics = {(name, f): metric for name, row in by_name.items() for f, metric in row.items()}
    gains = {
        (name, f"{f} less"): less(row[f], by_name[WHOLE][f])
        for name, row in by_name.items()
        for f in ("auc", "snippet_auc")
        if name != WHOLE
    }
    # An average precision takes long, and none of its intervals is shown.
    intervals = bootstrapped(metrics, records, num_resamples=0)
    intervals |= bootstrapped(gains, records, num_resamples=NUM_RESAMPLES)
    yield f"## {title}"
    yield ""
    yield (
        f"Means over {len(SEEDS)} seeds, each one network trained as those of the bundled weights "
        f"are{passes(epochs)}; measured on {len(records)} files of people that none saw; behind "
        f"each AUC, by how much it exceeds that of {WHOLE}, with paired 95 % intervals over people."
        " V is the face, L the lips, A the audio."
    )
    yield ""
    yield "| network | clip AUC | | snippet AUC | | AP@0.5 | AR@20 |"
    yield "|---|---|---|---|---|---|---|"
    for name in by_name:
        value = {f: f"{intervals[name, f].value:.3f}" for f in METRICS}
        gain = {f: _gain(intervals.get((name, f"{f} less"))) for f in METRICS}
        first, second, *others = METRICS
        cells = [value[first], gain[first], value[second], gain[second], *map(value.get, others)]
        yield f"| {name} | {' | '.join(map(str, cells))} |"
    yield ""


def _gain(number: Interval | None) -> str:
    return (
        "" if number is None else f"{number.value:+.3f} ({number.low:+.3f} to {number.high:+.3f})"
    )
