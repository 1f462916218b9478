"""Selection of samples: the videos that a view stands for, whatever kind of view it is.

A dataset of FiftyOne holds samples of one media type, or groups of several. Of groups, a view
shows one slice at a time, and whatever selects, matches or writes goes by that one. Other views
show clips, frames or patches in place of videos, or only some fields of them. So whoever means
the videos, with all that is known of them, says so, with :func:`flattened`.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..errors import TargetError

#: A dataset or a view of FiftyOne.
Samples = Any


def videos_of(samples: Samples) -> Samples:
    """Return the samples that videos are behind; see :func:`flattened`.

    Raises:
        TargetError: There are none, or the samples are images.
    """
    dataset = dataset_of(samples)
    if not has_videos(dataset) and len(dataset):
        raise TargetError(
            f"{dataset.name!r} holds samples of media type {dataset.media_type!r}; choose a "
            "dataset of videos, or one whose groups have a slice of videos"
        )
    videos = flattened(samples)
    if not videos:
        whole = samples is dataset or not samples.view()._stages  # noqa: SLF001 - no public name
        hint = "add videos to it first" if whole else "clear its filters, or choose another view"
        raise TargetError(f"there is nothing to work on in {dataset.name!r}; {hint}")
    return videos


def flattened(samples: Samples) -> Samples:
    """Return the videos that samples stand for, with all their fields.

    Groups stand for the videos in them, of whichever slice; clips, frames and patches for the
    videos that they were cut from.

    Raises:
        TargetError: The samples are images.
    """
    dataset = dataset_of(samples)
    if samples._is_generated:  # noqa: SLF001 - no public name
        return by_id(dataset, samples.distinct("sample_id"))
    if samples._is_dynamic_groups:  # noqa: SLF001 - no public name
        samples = samples.flatten()
    if samples.media_type == "group":
        samples = samples.select_group_slices(media_type="video")
    elif samples.media_type not in ("video", None):
        raise TargetError(
            f"what was chosen of {dataset.name!r} holds samples of media type "
            f"{samples.media_type!r}; choose videos: a dataset or a view whose media type is "
            "'video', or groups with a video in them"
        )
    if dataset.get_field_schema().keys() - samples.get_field_schema().keys():
        return by_id(dataset, samples.values("id"), ordered=True)
    return samples


def has_videos(dataset: Any) -> bool:
    """Return whether a dataset is one of videos, or of groups with a video in them."""
    is_grouped = dataset.media_type == "group"
    kinds = dataset.group_media_types.values() if is_grouped else [dataset.media_type]
    return "video" in kinds


def by_id(dataset: Any, ids: Iterable[str], *, ordered: bool = False) -> Samples:
    """Return the videos of those ids.

    Args:
        dataset: The dataset.
        ids: Of samples.
        ordered: Whether they shall come in the order of the ids.
    """
    return flattened(dataset).select(list(ids), ordered=ordered)


def shows_videos(samples: Samples) -> bool:
    """Return whether a view shows videos, each by its own id, and not clips or groups of them."""
    return not (samples._is_generated or samples._is_dynamic_groups)  # noqa: SLF001 - as above


def shown_id(samples: Samples, sample_id: str) -> str:
    """Return the id that a view shows a video by, such as that of its first clip.

    Args:
        samples: The view.
        sample_id: Id of the video.

    Raises:
        TargetError: The view does not show it by itself.
    """
    if shows_videos(samples):
        return sample_id
    key = "sample_id" if samples._is_generated else "id"  # noqa: SLF001 - no public name
    ids: list[str] = samples.select_by(key, [sample_id]).limit(1).values("id")
    if not ids:
        raise TargetError(
            "this clip is within a group, of which the view shows the first clip alone; clear the "
            "grouping, and open it again"
        )
    return ids[0]


def opened_video(samples: Samples, sample_id: str) -> Any:
    """Return the video of a sample that is open: itself, or the one that it was cut from.

    Args:
        samples: The view that it was opened in.
        sample_id: Id of a video, or of a clip, frame or patch of one.

    Raises:
        TargetError: There is no such sample, or it is an image, such as one in a group with videos.
    """
    if samples._is_generated:  # noqa: SLF001 - no public name
        sample_id = next(iter(samples.select(sample_id).values("sample_id")), sample_id)
    try:
        sample = dataset_of(samples)[sample_id]
    except KeyError as error:
        raise TargetError("this sample was deleted; close it, and reload the App") from error
    require_video(sample)
    return sample


def require_video(sample: Any) -> None:
    """Check that a sample is a video.

    Raises:
        TargetError: It is an image, such as one in a group with videos.
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


def paths_of(dataset: Any, ids: Sequence[str]) -> dict[str, str]:
    """Return the files of samples by id; those that were deleted meanwhile are left out."""
    return dict(zip(*by_id(dataset, ids).values(["id", "filepath"]), strict=True))
