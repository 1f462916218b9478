"""Metadata and tags of samples: what FiftyOne is told of a file, and what a browser plays of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import fiftyone as fo

from mmmsba_plugin.media.frame_index import Glance

from .clock import IndexOrError
from .samples import Samples, by_id
from .store import write, writing_to

#: Tags of samples that a browser cannot show, and of those that nothing can be read from.
UNPLAYABLE: Final = "not-playable"
UNREADABLE: Final = "not-readable"
#: Field of the path of what the App shows.
PLAYABLE_PATH: Final = "playable_path"

#: What FiftyOne itself shows in place of a file that cannot be read: a square that lasts.
_PLACEHOLDER = {"frame_width": 1, "frame_height": 1, "frame_rate": 30.0}


def put(dataset: Any, paths: Mapping[str, str], indices: Mapping[str, IndexOrError]) -> None:
    """Write the metadata of some samples, and tag those that cannot be played or read.

    Args:
        dataset: The dataset.
        paths: The samples' files, by id.
        indices: Their frame indices, by id.
    """
    columns = {
        sample_id: metadata_of(paths[sample_id], frame_index)
        for sample_id, frame_index in indices.items()
    }
    write(dataset, {"metadata": columns})
    tag(dataset, indices)


def tag(dataset: Any, indices: Mapping[str, IndexOrError]) -> None:
    """Tag the samples that cannot be played or read.

    Args:
        dataset: The dataset.
        indices: Frame indices of samples, by id.
    """
    tagged = {
        UNPLAYABLE: [i for i, frame_index in indices.items() if why_not_played(frame_index)],
        UNREADABLE: [i for i, index in indices.items() if not isinstance(index, Glance)],
    }
    with writing_to(dataset):
        for word, ids in tagged.items():
            if ids:
                by_id(dataset, ids).tag_samples(word)


def metadata_of(path: str, frame_index: IndexOrError) -> Any:
    """Build FiftyOne's metadata of a file; a placeholder where it cannot be read."""
    if not isinstance(frame_index, Glance):
        size_bytes = Path(path).stat().st_size if Path(path).is_file() else None
        return fo.VideoMetadata(size_bytes=size_bytes, **_PLACEHOLDER)
    return fo.VideoMetadata(
        size_bytes=frame_index.size_bytes,
        mime_type=frame_index.mime_type,
        frame_width=frame_index.width_px,
        frame_height=frame_index.height_px,
        frame_rate=frame_index.fps_hz,
        total_frame_count=frame_index.num_frames,
        duration=frame_index.duration_s,
        encoding_str=frame_index.video_codec,
    )


def without_metadata(videos: Samples) -> Samples:
    """Return those videos that the App would ask ffprobe about."""
    return videos.exists("metadata.frame_rate", bool=False)


def why_not_played(frame_index: IndexOrError) -> str:
    """Explain why a browser cannot play a file that can be read; empty if it can."""
    return frame_index.why_not_played if isinstance(frame_index, Glance) else ""


def needs_copy(path: str, frame_index: IndexOrError) -> bool:
    """Return whether the App shows a file only as a copy, or as a still."""
    if isinstance(frame_index, Glance):
        return bool(frame_index.why_not_played)
    return Path(path).is_file()
