"""The page of a report on a review: what it tells of each clip, and its totals.

It needs nothing but itself, as the page of a report on one clip: no network, no script.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final, get_args

from mmmsba_plugin.report.facts import Fact, provenance_facts
from mmmsba_plugin.report.html import environment

from ...dataset.labels import VERDICTS
from ...dataset.records import FINISHED, WITHOUT_TRUTH
from ...dataset.reports import provenance_of
from .decision import Outcome, OutcomeKind

_TEMPLATE: Final = Path(__file__).parents[2] / "templates" / "review_report.html.j2"

#: What a review that was ended says of a clip.
DECISIONS: Final = (*FINISHED.values(), *WITHOUT_TRUTH.values())
#: In place of the verdict of a clip that no detector saw.
NEVER: Final = "never evaluated"


@dataclass(frozen=True, slots=True)
class ReviewedClip:
    """A clip whose review was ended.

    Attributes:
        path: Its file.
        sha256: The file's hash; None if it could not be read.
        problem: Why not; empty if it could.
        duration_s: Its duration, in seconds; None if not known.
        verdict: Label of its verdict, or :data:`NEVER`.
        reason: Why there is no score; None if there is one.
        score: P(fake); None without one.
        threshold: The threshold of its verdict; None without one.
        made_by: Key of the detector in the run's ``makers``; None if nobody evaluated it.
        evaluated_at: When, in UTC; None as there.
        decision: What the review says of it, of the values of :data:`DECISIONS`.
        by: Who ended the review, or decided last.
        at: When, in UTC.
        steps: Who took each decision, and when.
        remarks: What was written about the clip as a whole.
        outcomes: What became of each segment.
        is_outdated: Whether its predictions changed since.
    """

    path: str
    sha256: str | None
    problem: str
    duration_s: float | None
    verdict: str
    reason: str | None
    score: float | None
    threshold: float | None
    made_by: str | None
    evaluated_at: datetime | None
    decision: str
    by: str
    at: datetime
    steps: Sequence[tuple[str, datetime]]
    remarks: Sequence[str]
    outcomes: Sequence[Outcome]
    is_outdated: bool

    @property
    def name(self) -> str:
        """Name of its file."""
        return Path(self.path).name

    @property
    def others(self) -> list[str]:
        """People who decided about it, but for the one who ended its review."""
        return sorted({by for by, _ in self.steps} - {self.by})


@dataclass(frozen=True, slots=True)
class Reviewer:
    """A person who decided.

    Attributes:
        name: Who.
        num_clips: Clips that they decided about.
        num_decisions: Decisions that they took.
        first: When they took the first one, in UTC.
        last: When they took the last one, in UTC.
    """

    name: str
    num_clips: int
    num_decisions: int
    first: datetime
    last: datetime


def render(
    clips: Sequence[ReviewedClip],
    *,
    title: str,
    dataset: str,
    field: str,
    makers: Mapping[str, Mapping[str, Any]],
    num_clips: int,
    num_begun: int,
    writer: str,
) -> str:
    """Return the page as HTML.

    Args:
        clips: The clips whose review was ended, at least one.
        title: Title of the page.
        dataset: Name of the dataset.
        field: Label field of the predictions.
        makers: The ``info`` of each detector, by its key.
        num_clips: Number of clips that were chosen, reviewed or not.
        num_begun: Those of them whose review was not ended.
        writer: Who writes it.
    """
    times = [at for clip in clips for _, at in clip.steps]
    detectors = _detectors(clips, makers)
    return (
        environment()
        .from_string(_TEMPLATE.read_text(encoding="utf-8"))
        .render(
            title=title,
            dataset=dataset,
            field=field,
            clips=clips,
            num_clips=num_clips,
            num_begun=num_begun,
            num_outdated=sum(clip.is_outdated for clip in clips),
            decisions=_counted(DECISIONS, (clip.decision for clip in clips)),
            # Decisions by the verdict, of each verdict that there is.
            crossed={
                verdict: _counted(DECISIONS, (clip.decision for clip in own))
                for verdict in (*VERDICTS, NEVER)
                if (own := [clip for clip in clips if clip.verdict == verdict])
            },
            kinds=_counted(get_args(OutcomeKind), (o.kind for c in clips for o in c.outcomes)),
            reviewers=reviewers_of(clips),
            detectors=detectors,
            detector_numbers={key: number for number, key in enumerate(detectors, start=1)},
            first=min(times),
            last=max(times),
            now=datetime.now(UTC),
            writer=writer,
            version=metadata.version("mmmsba-plugin"),
        )
    )


def reviewers_of(clips: Iterable[ReviewedClip]) -> list[Reviewer]:
    """List who decided about clips, whoever decided most first."""
    steps: dict[str, list[tuple[int, datetime]]] = {}
    for number, clip in enumerate(clips):
        for by, at in clip.steps:
            steps.setdefault(by, []).append((number, at))
    reviewers = [
        Reviewer(
            name=name,
            num_clips=len({number for number, _ in own}),
            num_decisions=len(own),
            first=min(at for _, at in own),
            last=max(at for _, at in own),
        )
        for name, own in steps.items()
    ]
    return sorted(reviewers, key=lambda reviewer: -reviewer.num_decisions)


def _counted(words: Iterable[str], values: Iterable[str]) -> dict[str, int]:
    counts = Counter(values)
    return {word: counts[word] for word in words}


def _detectors(
    clips: Iterable[ReviewedClip], makers: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[Fact]]:
    """Return the facts of each detector behind the clips, by its key."""
    keys = dict.fromkeys(clip.made_by for clip in clips if clip.made_by is not None)
    return {
        key: list(provenance_facts(provenance_of(makers[key])))
        if key in makers
        else [("Detector", "not known: its run was deleted")]
        for key in keys
    }
