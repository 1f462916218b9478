"""Several systems on one corpus, and what a cheat would score there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, count
from typing import Any

from mmmsba_plugin.evaluation import leaks
from mmmsba_plugin.evaluation.answers import Answers, Truths
from mmmsba_plugin.evaluation.intervals import Interval
from mmmsba_plugin.evaluation.measure import Evaluation, compare, measure


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Several systems on one corpus.

    Attributes:
        evaluations: One a system; the first is the one that is asked about.
        gains: By the name of each other system, by how much the first exceeds it.
        silence_auc: How well the silence that a clip starts with tells forged from genuine by
            itself, whichever of the two has more of it; see
            :func:`mmmsba_plugin.evaluation.leaks.leak_auc`. None where none was listened to.
    """

    evaluations: tuple[Evaluation, ...]
    gains: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict)
    silence_auc: Interval | None = None


def side_by_side(
    systems: Sequence[Answers],
    truths: Truths,
    *,
    leading_silence_s: Mapping[str, float | None] | None = None,
    **settings: Any,
) -> SideBySide:
    """Return the figures of systems, and paired differences of the first to each other.

    Args:
        systems: What each said, by the keys of ``truths``.
        truths: What is true.
        leading_silence_s: How long the silence is that each clip starts with, by key; None
            for a clip without sound.
        **settings: As for :func:`mmmsba_plugin.evaluation.measure.measure`.

    Raises:
        DatasetError: There are no clips, or a system judged none of them.
    """
    first, *others = systems = _named_apart(systems)
    silence = leading_silence_s or {}
    heard = any(length_s is not None for length_s in silence.values())
    draws = {name: settings[name] for name in ("num_resamples", "seed") if name in settings}
    return SideBySide(
        evaluations=tuple(measure(one, truths, **settings) for one in systems),
        gains={one.name: compare(first, one, truths, **settings) for one in others},
        silence_auc=leaks.silence_auc(silence, truths, **draws) if heard else None,
    )


def _named_apart(systems: Sequence[Answers]) -> list[Answers]:
    """Return systems of which no two are called alike."""
    named: list[Answers] = []
    taken: set[str] = set()
    for one in systems:
        choices = chain([one.name], (f"{one.name} ({n})" for n in count(2)))
        name = next(name for name in choices if name not in taken)
        taken.add(name)
        named.append(replace(one, name=name))
    return named
