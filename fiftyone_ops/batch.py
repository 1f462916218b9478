"""What is said about a few videos, until it is written all at once."""

import time
from collections.abc import Mapping
from typing import Any

from mmmsba_plugin.media.glance import Glance
from mmmsba_plugin.schema import Report
from mmmsba_plugin.timebase import PictureClock

from . import labels, metadata
from .labels import Fields
from .settings import DetectSettings
from .targets import by_id
from .writing import write

_UNSTEADY = (
    "pictures come at a changing rate: frame numbers count stored pictures, so players that "
    "count by an average rate may show labels early or late; the seconds are exact"
)


class Batch:
    """What is said about a few videos, until it is written.

    Args:
        dataset: The data set.
        fields: Where to.
        settings: What to write.

    Attributes:
        written_s: When it was written last, or begun, on the monotonic clock, in seconds.
    """

    def __init__(self, dataset: Any, fields: Fields, settings: DetectSettings) -> None:
        self._dataset, self._fields, self._settings = dataset, fields, settings
        self._seen: dict[str, metadata.Seen] = {}
        self._columns: dict[str, dict[str, Any]] = {}
        self.written_s = time.monotonic()

    def look_at(self, paths: Mapping[str, str]) -> None:
        """Look at the files, and fill the metadata of those that have none."""
        self._seen = {one: metadata.look(path) for one, path in paths.items()}
        bare = metadata.without_metadata(by_id(self._dataset, paths)).values("id")
        metadata.put(self._dataset, paths, {one: self._seen[one] for one in bare})

    def add(self, one: str, report: Report, *, made_by: str) -> None:
        """Take in what is said about a video."""
        clock = self._clock(one, report)
        verdict = labels.verdict_of(report, made_by=made_by, notes=_notes(clock))
        wanted, fields = self._settings, self._fields
        values = {
            fields.segments: labels.segments_of(report, clock),
            # What is not asked for goes, so that nothing of an earlier run stays beside this one.
            fields.opt_outs: labels.opt_outs_of(report, clock) if wanted.opt_outs else None,
            fields.curves: labels.curves_of(report.curves) if wanted.curves else None,
            fields.proposals: labels.proposals_of(report) if wanted.proposals else None,
        }
        if wanted.frames and report.curves is not None:
            values[f"frames.{fields.frame_score}"] = labels.frame_scores_of(report.curves, clock)
        # The verdict goes last: a video that has one has everything.
        for name, value in {**values, fields.verdict: verdict}.items():
            self._columns.setdefault(name, {})[one] = value

    def verdict_of(self, one: str) -> str:
        """Return in a word what was said about a video."""
        word: str = self._columns[self._fields.verdict][one].label
        return word

    def write(self) -> None:
        """Write what was taken in."""
        verdicts = self._columns.pop(self._fields.verdict, {})
        columns, self._columns = self._columns, {}
        write(self._dataset, {**columns, self._fields.verdict: verdicts})
        self.written_s = time.monotonic()

    def _clock(self, one: str, report: Report) -> PictureClock:
        seen = self._seen.get(one)
        if isinstance(seen, Glance):
            return seen.from_zero(report.media.zero_s)
        return labels.lone_picture(report.duration_s)


def _notes(clock: PictureClock) -> tuple[str, ...]:
    return () if clock.is_steady else (_UNSTEADY,)
