"""Report on a review: one page of who decided what, and when, for whoever gets the clips next.

From Python, without the App::

    from fiftyone_ops.tasks.review.report import write_review_report

    write_review_report(dataset, file="review.html")
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from mmmsba_plugin.errors import OutputError
from mmmsba_plugin.files import ensure_dir, sha256_of
from mmmsba_plugin.report.files import write_text
from mmmsba_plugin.review.document import whoami

from ...dataset import store
from ...dataset.labels import FORMER_VERDICTS, Fields
from ...dataset.records import is_closed, review_label
from ...dataset.runs import fields_of_run, review_stems
from ...dataset.samples import Samples, batches, by_id, dataset_of, videos_of
from ...errors import TargetError
from ...settings import ReviewReportSettings
from ..base import Counted, Task
from .decisions import SampleReview
from .page import NEVER, ReviewedClip, render

_BATCH_SIZE: Final = 100


@dataclass(slots=True)
class ReviewReport:
    """Summary of a report on a review.

    Attributes:
        file: The page.
        num_clips: Number of clips whose review it tells.
        sha256: The hash of the page; empty until it is written.
    """

    file: Path
    num_clips: int = 0
    sha256: str = ""

    def __str__(self) -> str:
        return f"the review of {self.num_clips} clips is in {self.file}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {"file": str(self.file), "clips": self.num_clips, "sha256": self.sha256}


def write_review_report(
    samples: Samples, *, on_progress: Callable[[Counted], None] = lambda _: None, **settings: Any
) -> ReviewReport:
    """Write one page about the reviewed clips of some samples: who decided what, and when.

    Args:
        samples: A dataset or a view of videos.
        on_progress: Called after each clip.
        **settings: Those of :class:`~fiftyone_ops.settings.ReviewReportSettings`.

    Raises:
        ConfigError: A setting is wrong.
        TargetError: There are no videos, or none whose review was ended.
        OutputError: There is such a file already, or it cannot be written.
    """
    return ReviewReportTask(samples, ReviewReportSettings.read(settings)).run(on_progress)


class ReviewReportTask(Task[Counted, ReviewReport]):
    """Report on the review of videos.

    Args:
        samples: A dataset or a view of videos.
        settings: Where to, and of which predictions.
        by: Who writes it; whoever is logged in if not given.

    Raises:
        MmmsbaError: As for :func:`write_review_report`.
    """

    def __init__(
        self, samples: Samples, settings: ReviewReportSettings, by: str | None = None
    ) -> None:
        self._settings = settings
        self._by = by or whoami()
        self._videos = videos_of(samples)
        self._dataset = dataset_of(samples)
        self._fields = fields_of_run(self._dataset, settings.label_field)
        self._ids: list[str] = []
        if review_stems(self._dataset):
            self._ids = self._videos.match(is_closed(self._fields)).values("id")
        if not self._ids:
            raise TargetError(
                f"no review in what was chosen of {self._dataset.name!r} was ended; end some in "
                "the App, or choose more videos"
            )
        if settings.file.exists():
            raise _exists_error(settings.file)
        ensure_dir(settings.file.parent)
        self.summary = ReviewReport(settings.file)

    def steps(self) -> Generator[Counted, None, None]:
        """Read and hash the clips, one a step, and then write the page."""
        clips: list[ReviewedClip] = []
        fields, schema = self._fields, self._dataset.get_field_schema()
        names = [fields.segments, fields.verdict, fields.reviewed, fields.review]
        # Without curves and what else is large.
        present = [name for name in names if name in schema]
        for ids in batches(self._ids, _BATCH_SIZE):
            for sample in by_id(self._dataset, ids, ordered=True).select_fields(present):
                clips.append(reviewed_clip_of(sample, fields))
                yield Counted(len(clips), len(self._ids))
        self._write(clips)

    def _write(self, clips: list[ReviewedClip]) -> None:
        reviews = self._videos.exists(self._fields.review)
        page = render(
            clips,
            title=self._settings.title or f"Review of {self._dataset.name}",
            dataset=self._dataset.name,
            field=self._fields.segments,
            makers=store.makers_of(self._dataset, self._fields),
            num_clips=self._videos.count(),
            num_begun=reviews.count() - len(self._ids),
            writer=self._by,
        )
        try:
            write_text(page, self.summary.file, replace=False)
        except FileExistsError as error:
            raise _exists_error(self.summary.file) from error
        self.summary.num_clips = len(clips)
        self.summary.sha256 = sha256_of(self.summary.file)


def reviewed_clip_of(sample: Any, fields: Fields) -> ReviewedClip:
    """Build the entry of a clip whose review was ended; its file is read for its hash.

    Args:
        sample: A video sample.
        fields: Fields of a run.
    """
    verdict = sample[fields.verdict] if sample.has_field(fields.verdict) else None
    document = sample[fields.review]
    review = SampleReview(sample, fields)
    history = document.history or []
    at, by = document.at.replace(tzinfo=UTC), document.by
    sha256, problem = None, ""
    try:
        sha256 = sha256_of(Path(sample.filepath))
    except OSError as error:
        problem = error.strerror or str(error)
    return ReviewedClip(
        path=sample.filepath,
        sha256=sha256,
        problem=problem,
        duration_s=getattr(sample.metadata, "duration", None),
        verdict=NEVER if verdict is None else FORMER_VERDICTS.get(verdict.label, verdict.label),
        reason=verdict and verdict.reason,
        score=verdict and verdict.confidence,
        threshold=verdict and verdict.threshold,
        made_by=verdict and verdict.made_by,
        evaluated_at=verdict and verdict.judged_at,
        decision=review_label(document),
        by=by,
        at=at,
        steps=[(step["by"], datetime.fromisoformat(step["at"])) for step in history] or [(by, at)],
        remarks=[step["note"] for step in history if step.get("note") and step["action"] != "note"],
        outcomes=review.outcomes(),
        is_outdated=review.state().is_outdated,
    )


def _exists_error(file: Path) -> OutputError:
    return OutputError(
        f"there is a file at {file}, and a report replaces none; choose another name", path=file
    )
