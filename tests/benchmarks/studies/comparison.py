"""Networks of several seeds, each compared with one of them."""

from collections.abc import Iterator, Sequence

from mmmsba_plugin.evaluation.metrics.bootstrap import Interval, Metric
from mmmsba_plugin.record import Record
from studies.metrics import METRICS, NUM_RESAMPLES, bootstrapped, less, mean, metrics_of
from studies.variants import Reports

#: Metrics with differences. An average precision takes long, and none of its intervals is shown.
_COMPARED = ("auc", "snippet_auc")


def comparison(
    reports: Reports, records: Sequence[Record], *, baseline: str, states_intervals: bool = False
) -> Iterator[str]:
    """Yield a table of means over seeds, with paired differences from one network.

    Args:
        reports: Of each network and seed, in the order of ``records``.
        records: The evaluation records, which all networks share.
        baseline: Name of the network that others are compared with.
        states_intervals: Whether each AUC has an interval of its own too.
    """
    by_name = {name: _means(name, reports, records) for name in names_of(reports)}
    metrics = {(name, f): metric for name, row in by_name.items() for f, metric in row.items()}
    gains = {
        (name, f"{f} less"): less(row[f], by_name[baseline][f])
        for name, row in by_name.items()
        for f in _COMPARED
        if name != baseline
    }
    values = {
        key: metrics.pop(key) for key in [*metrics] if states_intervals and key[1] in _COMPARED
    }
    intervals = bootstrapped(metrics, records, num_resamples=0)
    intervals |= bootstrapped({**values, **gains}, records, num_resamples=NUM_RESAMPLES)
    yield "| network | clip AUC | | snippet AUC | | AP@0.5 | AR@20 |"
    yield "|---|---|---|---|---|---|---|"
    for name in by_name:
        value = {f: f"{intervals[name, f].value:.3f}" for f in METRICS}
        if states_intervals:
            value |= {f: f"{value[f]} {_interval(intervals[name, f], '.3f')}" for f in _COMPARED}
        gain = {f: _gain(intervals.get((name, f"{f} less"))) for f in _COMPARED}
        compared = [cell for f in _COMPARED for cell in (value[f], gain[f])]
        others = [value[f] for f in METRICS if f not in _COMPARED]
        yield f"| {name} | {' | '.join([*compared, *others])} |"
    yield ""


def names_of(reports: Reports) -> list[str]:
    """Return the names of networks, without their seeds."""
    return list(dict.fromkeys(variant.name for variant in reports))


def num_seeds(reports: Reports) -> int:
    """Return the number of seeds of each network."""
    return len({variant.seed for variant in reports})


def _means(name: str, reports: Reports, records: Sequence[Record]) -> dict[str, Metric]:
    """Return the metrics of a network, each the mean over its seeds."""
    of_seeds = [metrics_of(name, records, r) for v, r in reports.items() if v.name == name]
    return {f: mean([metrics[f] for metrics in of_seeds]) for f in METRICS}


def _gain(number: Interval | None) -> str:
    return "" if number is None else f"{number.value:+.3f} {_interval(number, '+.3f')}"


def _interval(number: Interval, form: str) -> str:
    return f"({number.low:{form}} to {number.high:{form}})"
