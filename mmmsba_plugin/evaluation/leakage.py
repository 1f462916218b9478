"""Leakage audit: shortcuts in the files of a dataset that tell real from fake without content.

A fake file that is a little larger, a little louder or encoded in another way than the
real ones can be told from them without finding a forgery, and a network finds the easy
way first. Here such a detector is built on purpose: it is given sizes, rates, loudness and
the encoder's traces, and nothing else. On a fair dataset it guesses.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.evaluation.cues import cues_of
from mmmsba_plugin.evaluation.metrics.bootstrap import Draw, Interval, bootstrap
from mmmsba_plugin.evaluation.metrics.detection import Flags, Scores, SortedClips
from mmmsba_plugin.record import Record

Table = NDArray[np.float64]

_NUM_FOLDS = 5
#: Strength of the prior that no cue matters: with fewer clips than a hundred, twenty-odd
#: cues would fit any labels.
_RIDGE = 3.0
_STEPS = 25
_CONVERGED = 1e-7
#: Nothing counts as more than this many spreads from the middle.
_CLIP = 4.0
_CHANCE = 0.5
_SELDOM = 0.99


@dataclass(frozen=True, slots=True)
class LeakReport:
    """AUC of each shortcut, and of all together, that tells fake files from real ones.

    Attributes:
        cues: AUC of each cue alone; one half tells nothing, and either side of it leaks.
        together: AUC of a logistic regression on all cues, for people it did not learn from.
        by_chance: What it reaches in one of a hundred cases if each person's labels are dealt
            anew, that is, if there is nothing to find.
        num_files: How many files were looked at.
    """

    cues: Mapping[str, Interval]
    together: Interval
    by_chance: float
    num_files: int

    @property
    def leaks(self) -> bool:
        """Return whether all cues together tell more than chance would.

        The interval does not answer that: clips of a handful of people make it too narrow.
        """
        return self.together.value > self.by_chance

    @property
    def tells(self) -> tuple[str, ...]:
        """Cues whose interval leaves out one half, those that tell most first.

        Of forty cues that tell nothing, two are expected here.
        """
        cues = [n for n, c in self.cues.items() if c.low > _CHANCE or c.high < _CHANCE]
        return tuple(sorted(cues, key=lambda name: -abs(self.cues[name].value - _CHANCE)))


def leak_report(
    records: Sequence[Record],
    *,
    num_resamples: int = 500,
    num_deals: int = 200,
    seed: int = 0,
    on_clip: Callable[[int], None] = lambda _: None,
) -> LeakReport:
    """Compute how well shortcuts in the files of a dataset tell real from fake.

    Args:
        records: Real and fake clips, whose files are there.
        num_resamples: Draws of the intervals, by person.
        num_deals: How often labels are dealt anew to learn what chance reaches; 100 or more.
        seed: Of folds and draws.
        on_clip: Hears of each file that was looked at, by its number.

    Raises:
        DatasetError: The clips are all of one class, or of fewer than two people.
        MediaUnreadableError: A file cannot be read.
    """
    rows = []
    for number, record in enumerate(records):
        rows.append(cues_of(record.media))
        on_clip(number)
    names = sorted({name for row in rows for name in row})
    table = np.array([[row.get(name, np.nan) for name in names] for row in rows])
    fake = np.array([record.fake for record in records], dtype=bool)
    identities = [record.identity_key for record in records]
    scores = {name: table[:, i] for i, name in enumerate(names)}
    scores["together"] = held_out_scores(table, fake, identities, seed=seed)
    intervals = bootstrap(
        {name: _auc_of(column, fake) for name, column in scores.items()},
        clusters=identities,
        num_resamples=num_resamples,
        seed=seed,
    )
    chance = chance_auc(table, fake, identities, num_deals=num_deals, seed=seed)
    return LeakReport(intervals, intervals.pop("together"), chance, len(records))


def held_out_scores(
    table: Table, fake: Flags, identities: Sequence[str], *, seed: int = 0
) -> Scores:
    """Predict each clip by a logistic regression that did not learn from its identity.

    Args:
        table: Cues, shape ``(clip, cue)``; NaN where a clip has none.
        fake: Shape ``(clip,)``.
        identities: Who is seen; clips of one person are never learned from and judged at once.
        seed: Random seed of the folds.

    Returns:
        Logits, shape ``(clip,)``.

    Raises:
        DatasetError: The clips are all of one class, or of fewer than two people.
    """
    names, identity = np.unique(np.array(identities), return_inverse=True)
    num_folds = min(_NUM_FOLDS, names.size)
    fold = (np.random.default_rng(seed).permutation(names.size) % max(1, num_folds))[identity]
    logits = np.full(fake.size, np.nan)
    for held_out in range(num_folds):
        is_held_out = fold == held_out
        if num_folds < 2 or np.unique(fake[~is_held_out]).size < 2:  # noqa: PLR2004
            raise DatasetError(
                "to look for leaks, clips of two people or more are needed, real and fake of "
                "each; add some"
            )
        scaled = _scaled(table, table[~is_held_out])
        weights = fit_ridge_logistic(scaled[~is_held_out], fake[~is_held_out])
        logits[is_held_out] = scaled[is_held_out] @ weights
    return logits


def chance_auc(
    table: Table, fake: Flags, identities: Sequence[str], *, num_deals: int, seed: int
) -> float:
    """Compute the AUC that one of a hundred datasets with nothing to find reaches.

    Args:
        table: Cues, shape ``(clip, cue)``; NaN where a clip has none.
        fake: Shape ``(clip,)``.
        identities: Identity of each clip; labels are dealt anew among the clips of each.
        num_deals: How often they are dealt.
        seed: Random seed of the deals and of the folds.
    """
    rng = np.random.default_rng(seed)
    _, identity = np.unique(np.array(identities), return_inverse=True)
    # Clips sorted by person, and sorted by person with those of each one shuffled.
    places = np.argsort(identity, kind="stable")
    reached = []
    for _ in range(num_deals):
        dealt = np.empty_like(fake)
        dealt[places] = fake[np.lexsort((rng.random(fake.size), identity))]
        scores = held_out_scores(table, dealt, identities, seed=seed)
        reached.append(_auc_of(scores, dealt)(Draw(np.arange(fake.size), whole=True)))
    return float(np.quantile(reached, _SELDOM))


def _auc_of(values: Scores, fake: Flags) -> Callable[[Draw], float]:
    """Build the metric AUC of any numbers; clips that have none are left out."""
    is_number = ~np.isnan(values)
    # A ranking takes scores in [0, 1], and only their order matters.
    places = np.unique(values[is_number], return_inverse=True)[1] / max(1, is_number.sum())
    clips = SortedClips.of(places, fake[is_number], clips=np.flatnonzero(is_number))
    return lambda draw: clips.rank(draw.counts(len(values))).auc


def _scaled(table: Table, train: Table) -> Table:
    """Return cues in spreads from the middle of those learned from, and a column of ones."""
    with np.errstate(invalid="ignore"):
        filled = np.where(np.isnan(train).all(axis=0), 0.0, train)
        middle = np.nanmedian(filled, axis=0)
        spread = np.nanstd(filled, axis=0)
    scaled = (table - middle) / np.where(spread > 0, spread, 1.0)
    # What is not there is in the middle of those that are.
    scaled = np.clip(np.nan_to_num(scaled, nan=0.0), -_CLIP, _CLIP)
    return np.column_stack([scaled, np.ones(len(table))])


def fit_ridge_logistic(cues: Table, fake: Flags) -> Scores:
    """Fit the weights of a logistic regression with a ridge, by Newton's method.

    Args:
        cues: Shape ``(clip, cue)``; the last column is the constant.
        fake: Shape ``(clip,)``.
    """
    ridge = _RIDGE * np.eye(cues.shape[1])
    # How many are fake is no secret that must be shrunk.
    ridge[-1, -1] = 1e-6
    weights = np.zeros(cues.shape[1])
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(-cues @ weights))
        slope = cues.T @ (fake - likely) - ridge @ weights
        bend = (cues * (likely * (1 - likely))[:, None]).T @ cues + ridge
        step = np.linalg.solve(bend, slope)
        weights = weights + step
        if np.abs(step).max() < _CONVERGED:
            break
    return weights
