"""Which samples are worked on: those that hold videos."""

from collections.abc import Iterator, Sequence
from typing import Any

from .errors import TargetError

#: A data set or a view of FiftyOne.
Samples = Any


def videos_of(samples: Samples) -> Samples:
    """Return the samples that videos are behind.

    A view of clips stands for the videos they were cut from, and a grouped data set for its
    slices of videos.

    Raises:
        TargetError: There are none, or the samples are pictures.
    """
    if getattr(samples, "_is_clips", False):
        samples = samples._root_dataset.select(samples.values("sample_id"))  # noqa: SLF001 - no public way back to the videos
    if samples.media_type == "group":
        samples = samples.select_group_slices(media_type="video")
    if not samples:
        raise TargetError(f"there is nothing to work on in {samples.name!r}; {_hint(samples)}")
    if samples.media_type != "video":
        raise TargetError(
            f"{samples.name!r} holds samples of media type {samples.media_type!r}; choose videos: "
            "a data set or a view whose media type is 'video'"
        )
    return samples


def dataset_of(samples: Samples) -> Any:
    """Return the data set that samples belong to."""
    return samples._root_dataset  # noqa: SLF001 - the only name that data sets and views share


def batches(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Yield ids, so many at a time."""
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def _hint(samples: Samples) -> str:
    filtered = samples is not dataset_of(samples)
    return "clear its filters, or choose another view" if filtered else "add videos to it first"
