"""The review of one report: what a person decided about each segment, in a file beside it.

``clip.mmmsba.review.json`` lies beside ``clip.mmmsba.json``. Predictions are never touched: the
report stays as it is, and the review keeps a copy of each segment that it is about.
"""

import getpass
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, ValidationError, model_validator

from mmmsba_plugin.errors import ConfigError, DatasetError
from mmmsba_plugin.evaluation.predictions.formats import is_report
from mmmsba_plugin.files import atomic_write
from mmmsba_plugin.record import Record, truth_by_modality
from mmmsba_plugin.schema import (
    FakeSegment,
    FrozenModel,
    ManipulatedModality,
    Media,
    Report,
    TimeSpan,
    Words,
)
from mmmsba_plugin.segment import Segment

#: Version of this format.
REVIEW_VERSION: Final = "1.0"
SUFFIX: Final = ".review.json"

Decision = Literal["open", "accepted", "rejected"]
Status = Literal["open", "fake", "real", "cannot tell", "unreadable"]


class ReviewedSegment(TimeSpan):
    """A segment that a person decided about, or has yet to; its ends may have been moved."""

    modality: ManipulatedModality | None = Field(
        default=None, description="Manipulated stream; null where it is not known."
    )
    decision: Decision = Field(default="open", description="Whether it is fake indeed.")
    predicted: FakeSegment | None = Field(
        default=None, description="The segment of the report; null if a person added it."
    )
    by: Words | None = Field(default=None, description="Who decided; null while it is open.")
    at: str | None = Field(default=None, description="When, in ISO 8601; null while it is open.")


class Review(FrozenModel):
    """The review of one report."""

    review_version: Literal["1.0"] = Field(
        default=REVIEW_VERSION, description="Version of this format."
    )
    report: Words = Field(description="Name of the report's file, in the same folder.")
    media: Media = Field(description="The media file, as the report has it.")
    status: Status = Field(
        default="open",
        description="'open': not ended. 'fake' or 'real': ended, and can be learned from. 'cannot "
        "tell' or 'unreadable': ended without a ground truth.",
    )
    segments: tuple[ReviewedSegment, ...] = Field(
        default=(), description="Segments of the report, and those that were added."
    )
    by: Words | None = Field(default=None, description="Who decided last.")
    at: str | None = Field(default=None, description="When, in ISO 8601.")

    @model_validator(mode="after")
    def _status_fits_segments(self) -> Self:
        decisions = {segment.decision for segment in self.segments}
        if self.status in ("fake", "real"):
            if "open" in decisions:
                raise ValueError(f"is ended as {self.status}, and a segment is undecided")
            if (self.status == "fake") != ("accepted" in decisions):
                raise ValueError("is fake exactly if a segment was accepted")
        return self

    def to_record(self, clip: Path) -> Record:
        """Return the clip with its ground truth, of a review that ended with one.

        Args:
            clip: Where the clip lies.
        """
        accepted = [s for s in self.segments if s.decision == "accepted"]
        truth, audio, visual = truth_by_modality(
            (Segment(s.start_s, s.end_s), s.modality) for s in accepted
        )
        return Record(
            media=clip,
            truth=truth,
            audio_truth=audio,
            visual_truth=visual,
            key=self.media.path,
            duration_s=self.media.duration_s,
        )


class Change(FrozenModel):
    """Review as a person wants it to be."""

    action: Literal["keep", "finish", "cannot tell", "unreadable", "reopen"] = Field(
        description="'finish' rejects what is open, and says fake if any segment was accepted, "
        "else real."
    )
    segments: tuple[ReviewedSegment, ...] = Field(description="All segments, with decisions.")
    seen_at: str | None = Field(
        description="When the review was changed last, as far as that person has seen."
    )


def find_reports(places: Iterable[Path]) -> list[Path]:
    """Return the JSON reports among files, and in folders and those below them, in order.

    Raises:
        ConfigError: A place is not there, or there is no report.
    """
    places = list(places)
    if missing := [place for place in places if not place.exists()]:
        raise ConfigError(f"there is no {missing[0]}; give reports, or folders of them")
    reports = list(dict.fromkeys(path for place in places for path in _reports_in(place)))
    if not reports:
        names = ", ".join(map(str, places))
        raise ConfigError(f"there is no report in {names}; make some with `mmmsba detect`")
    return reports


def _reports_in(place: Path) -> Iterator[Path]:
    files = sorted(place.rglob("*.json")) if place.is_dir() else [place]
    return (path for path in files if path.is_file() and is_report(path))


def review_path(report: Path) -> Path:
    """Return the path of the review of a report.

    Example:
        >>> review_path(Path("clip.mmmsba.json")).name
        'clip.mmmsba.review.json'
    """
    return report.with_name(report.name.removesuffix(".json") + SUFFIX)


def read_review(report_path: Path, report: Report) -> Review:
    """Read the review of a report; a new one, with all segments open, if there is none.

    Raises:
        DatasetError: There is a file of that name which is no review.
    """
    path = review_path(report_path)
    if path.is_file():
        return load_review(path)
    segments = tuple(
        ReviewedSegment(start_s=s.start_s, end_s=s.end_s, modality=s.modality, predicted=s)
        for s in report.segments
    )
    return Review(report=report_path.name, media=report.media, segments=segments)


def load_review(path: Path) -> Review:
    """Read a review.

    Raises:
        DatasetError: It cannot be read, or is none.
    """
    try:
        return Review.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise DatasetError(
            f"{path} cannot be read as a review: {error}; move it away to begin anew"
        ) from error


def write_review(report_path: Path, review: Review) -> None:
    """Write the review of a report; nobody ever sees half of it.

    Raises:
        OutputError: The disk is full, or the folder may not be written to.
    """
    with atomic_write(review_path(report_path)) as file:
        file.write(review.model_dump_json(indent=2) + "\n")


def change_review(review: Review, change: Change, report: Report, *, by: str) -> Review:
    """Return a review as somebody changed it, with author and time of what is new.

    Args:
        review: The review.
        change: The change.
        report: The report.
        by: Who changes it.

    Raises:
        ConfigError: Somebody else changed it meanwhile; or a clip without a score would be real.
    """
    if change.seen_at != review.at:
        raise ConfigError("this review was changed meanwhile; reload the page to see it")
    at = datetime.now(UTC).isoformat(timespec="microseconds")
    segments = [_signed(segment, review, change, by=by, at=at) for segment in change.segments]
    return Review(
        report=review.report,
        media=review.media,
        status=_status_after(change, segments, report),
        segments=tuple(sorted(segments, key=lambda segment: (segment.start_s, segment.end_s))),
        by=by,
        at=at,
    )


def _signed(
    segment: ReviewedSegment, review: Review, change: Change, *, by: str, at: str
) -> ReviewedSegment:
    """Return a segment with who decided about it and when, unless it is as it was."""
    if segment.decision == "open" and change.action == "finish":
        segment = segment.model_copy(update={"decision": "rejected"})
    if segment in review.segments:
        return segment
    is_open = segment.decision == "open"
    author = {"by": None if is_open else by, "at": None if is_open else at}
    return segment.model_copy(update=author)


def _status_after(change: Change, segments: Iterable[ReviewedSegment], report: Report) -> Status:
    if change.action in ("cannot tell", "unreadable"):
        return change.action
    if change.action != "finish":
        return "open"
    if any(segment.decision == "accepted" for segment in segments):
        return "fake"
    # As in FiftyOne: that nothing was found out of a clip does not make it real.
    if report.score is None:
        raise ConfigError(
            "this clip has no score, so it cannot be finished as real; say that one cannot tell "
            "or that it is unreadable, or add the segments that are fake"
        )
    return "real"


def find_clip(media: Media, folder: Path) -> Path | None:
    """Return the clip of a report that lies in a folder; None if it is gone, or another file.

    It is looked for where the report says, and beside the report.
    """
    for path in (Path(media.path), folder / Path(media.path).name):
        if path.is_file() and media.size_bytes in (None, path.stat().st_size):
            return path
    return None


def reviewed_records(folder: Path, on_error: Callable[[DatasetError], None]) -> Iterator[Record]:
    """Yield the records of the clips whose review in a folder, or below it, ended with a truth.

    Args:
        folder: The folder.
        on_error: Called with what is wrong with each review that is left out.
    """
    for path in sorted(folder.rglob(f"*{SUFFIX}")):
        try:
            review = load_review(path)
        except DatasetError as error:
            on_error(error)
            continue
        if review.status not in ("fake", "real"):
            continue
        clip = find_clip(review.media, path.parent)
        if clip is None:
            on_error(DatasetError(f"{path} is about {review.media.path}, which is gone or changed"))
            continue
        yield review.to_record(clip)


def whoami() -> str:
    """Return the name of whoever is logged in; ``unknown`` where there is none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
