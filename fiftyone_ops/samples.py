"""Selection of samples: those that hold videos.

A dataset of FiftyOne holds samples of one media type, or groups of several. Of groups, a view
shows one slice at a time, and whatever selects, matches or writes goes by that one: so whoever
means the videos says so, with :func:`flattened`.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from .errors import TargetError

#: A dataset or a view of FiftyOne.
Samples = Any


def videos_of(samples: Samples) -> Samples:
    """Return the samples that videos are behind.

    A view of clips stands for the videos they were cut from, and groups for the videos in them.

    Raises:
        TargetError: There are none, or the samples are frames.
    """
    dataset = dataset_of(samples)
    if getattr(samples, "_is_clips", False):
        samples = by_id(dataset, samples.values("sample_id"))
    videos = flattened(samples)
    if not videos:
        if _is_grouped(samples) and not has_videos(samples):
            hint = "choose a dataset whose groups have a slice of videos"
        elif samples is not dataset:
            hint = "clear its filters, or choose another view"
        else:
            hint = "add videos to it first"
        raise TargetError(f"there is nothing to work on in {dataset.name!r}; {hint}")
    if videos.media_type != "video":
        raise TargetError(
            f"what was chosen of {dataset.name!r} holds samples of media type "
            f"{videos.media_type!r}; choose videos: a dataset or a view whose media type is "
            "'video', or groups with a video in them"
        )
    return videos


def flattened(samples: Samples) -> Samples:
    """Return the videos that are in groups, of whichever slice; what has no groups as it is."""
    return samples.select_group_slices(media_type="video") if _is_grouped(samples) else samples


def has_videos(dataset: Any) -> bool:
    """Return whether a dataset is one of videos, or of groups with a video in them."""
    kinds = dataset.group_media_types.values() if _is_grouped(dataset) else [dataset.media_type]
    return "video" in kinds


def by_id(dataset: Any, ids: Iterable[str], *, ordered: bool = False) -> Samples:
    """Return the videos of those ids.

    Args:
        dataset: The dataset.
        ids: Of samples.
        ordered: Whether they shall come in the order of the ids.
    """
    return flattened(dataset).select(list(ids), ordered=ordered)


def require_video(sample: Any) -> None:
    """Check that a sample is a video.

    Raises:
        TargetError: It is a frame, such as one in a group with videos.
    """
    if sample.media_type != "video":
        raise TargetError(
            f"{Path(sample.filepath).name} is of media type {sample.media_type!r}; open a video, "
            "such as one in the same group"
        )


def dataset_of(samples: Samples) -> Any:
    """Return the dataset that samples belong to."""
    return samples._root_dataset  # noqa: SLF001 - the only name that datasets and views share


def batches(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Yield ids, so many at a time."""
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def _is_grouped(samples: Samples) -> bool:
    return bool(samples.media_type == "group")
