"""Fill the metadata of videos without ffprobe, and copy what no browser plays.

Without metadata FiftyOne asks ffprobe, and where that is missing, one such sample takes the
whole grid of the App down; a file whose audio alone a browser plays does so even with it.
"""

from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fiftyone as fo

from mmmsba_plugin.errors import MediaUnreadableError, MmmsbaError
from mmmsba_plugin.media.frame_index import Glance

from ..dataset.clock import look
from ..dataset.metadata import (
    PLAYABLE_PATH,
    UNPLAYABLE,
    UNREADABLE,
    put,
    why_not_played,
    without_metadata,
)
from ..dataset.samples import Samples, batches, dataset_of, paths_of, videos_of
from ..dataset.stand_in import write_stand_in
from ..dataset.store import write, writing_to
from ..settings import MetadataSettings
from .base import Counted, Task

#: So many that writing costs little, and so few that a bar moves.
_BATCH_SIZE = 64


@dataclass(slots=True)
class ProxySummary:
    """Summary of copies that browsers can play.

    Attributes:
        folder: Where they lie.
        num_copied: How many copies were made.
        num_stand_ins: How many stills were made of files without frames that can be decoded.
        failed: Why there is none, by file.
    """

    folder: Path
    num_copied: int = 0
    num_stand_ins: int = 0
    failed: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        stand_ins = f", {self.num_stand_ins} stills with words" if self.num_stand_ins else ""
        failed = f", {len(self.failed)} could not be made" if self.failed else ""
        return f"{self.num_copied} copies made{stand_ins}{failed}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "proxies": self.num_copied,
            "stand_ins": self.num_stand_ins,
            "without_proxy": dict(self.failed),
        }


@dataclass(slots=True)
class MetadataSummary:
    """Summary of filling metadata.

    Attributes:
        filled: How many got the metadata of their file.
        unplayable: Why a browser cannot play a video, by the sample's id.
        unreadable: Why nothing can be read from a file, by the sample's id.
        proxies: Summary of the copies, where some were asked for.
    """

    filled: int = 0
    unplayable: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    proxies: ProxySummary | None = None

    def __str__(self) -> str:
        counts = {"not playable": self.unplayable, "not readable": self.unreadable}
        problems = "".join(f", {len(which)} {words}" for words, which in counts.items() if which)
        copies = f"; {self.proxies}" if self.proxies else ""
        return f"metadata of {self.filled} videos filled{problems}{copies}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        names = ("filled", "unplayable", "unreadable")
        values = {name: getattr(self, name) for name in names}
        return values | (self.proxies.to_dict() if self.proxies else {})


def fill_metadata(
    samples: Samples,
    *,
    overwrite: bool = False,
    on_progress: Callable[[Counted], None] = lambda _: None,
) -> MetadataSummary:
    """Fill the metadata of videos from their packets, without ffprobe.

    Videos that no browser plays are tagged :data:`UNPLAYABLE`, files of which nothing can be
    read :data:`UNREADABLE`.

    Args:
        samples: A dataset or a view of videos.
        overwrite: Whether metadata that is there is made anew.
        on_progress: Called after each batch.

    Raises:
        TargetError: There are no videos.
        WriteError: The database does not take it.
    """
    return MetadataTask(samples, MetadataSettings(overwrite=overwrite)).run(on_progress)


class MetadataTask(Task[Counted, MetadataSummary]):
    """Filling of metadata and, if asked for, copies of what turns out to be not playable.

    Args:
        samples: A dataset or a view of videos.
        settings: Whether to overwrite, and whether to make copies.

    Raises:
        TargetError: There are no videos.
    """

    def __init__(self, samples: Samples, settings: MetadataSettings) -> None:
        self._samples, self._settings = samples, settings
        videos = videos_of(samples)
        self._dataset = dataset_of(videos)
        self._ids = (videos if settings.overwrite else without_metadata(videos)).values("id")
        self.summary = MetadataSummary()

    def steps(self) -> Generator[Counted, None, None]:
        """Read the files, a batch a step, then make the copies, one a step."""
        num_done, summary = 0, self.summary
        for batch in batches(self._ids, _BATCH_SIZE):
            paths = paths_of(self._dataset, batch)
            indices = {sample_id: look(path) for sample_id, path in paths.items()}
            put(self._dataset, paths, indices)
            for sample_id, frame_index in indices.items():
                if why := why_not_played(frame_index):
                    summary.unplayable[sample_id] = why
                if isinstance(frame_index, Glance):
                    summary.filled += 1
                else:
                    summary.unreadable[sample_id] = str(frame_index)
            num_done += len(batch)
            yield Counted(num_done, len(self._ids))
        if self._settings.proxies:
            task = ProxyTask(self._samples, self._settings)
            summary.proxies = task.summary
            yield from task.steps()


def make_proxies(
    samples: Samples,
    folder: str | Path | None = None,
    *,
    on_progress: Callable[[Counted], None] = lambda _: None,
) -> ProxySummary:
    """Make a playable copy of each video that is tagged as not playable, and show that.

    Tags come from :func:`fill_metadata`, detection and import. Of a file without frames that can
    be decoded, a still with words and the file's audio is shown; one that is missing is left
    alone. A copy that is there already
    is not made again.

    Args:
        samples: A dataset or a view of videos.
        folder: Where the copies go; a folder of the dataset's own if not given.
        on_progress: Called after each video.

    Raises:
        TargetError: There are no videos.
        WriteError: The database does not take it.
    """
    settings = MetadataSettings(proxies_folder=None if folder is None else Path(folder))
    return ProxyTask(samples, settings).run(on_progress)


class ProxyTask(Task[Counted, ProxySummary]):
    """Copies of what no browser plays; see :func:`make_proxies`.

    Args:
        samples: A dataset or a view of videos.
        settings: Where the copies go.

    Raises:
        TargetError: There are no videos.
    """

    def __init__(self, samples: Samples, settings: MetadataSettings) -> None:
        videos = videos_of(samples)
        self._dataset = dataset_of(videos)
        tagged = videos.match_tags([UNPLAYABLE, UNREADABLE]).values(["id", "filepath"])
        self._ids = [i for i, path in zip(*tagged, strict=True) if Path(path).is_file()]
        own = Path(fo.config.default_dataset_dir, self._dataset.name, "playable")
        self.summary = ProxySummary(settings.proxies_folder or own)

    def steps(self) -> Generator[Counted, None, None]:
        """Make the copies, one a step."""
        if self._ids:
            self._show_playable_paths()
        for num_done, sample_id in enumerate(self._ids, start=1):
            for path in paths_of(self._dataset, [sample_id]).values():
                if copy := self._copy(sample_id, path):
                    write(self._dataset, {PLAYABLE_PATH: {sample_id: str(copy)}})
            yield Counted(num_done, len(self._ids))

    def _copy(self, sample_id: str, source: str) -> Path | None:
        from mmmsba_plugin.media.transcode import write_proxy

        path = self.summary.folder / f"{Path(source).stem}-{sample_id[-6:]}.mp4"
        if path.is_file():
            return path
        try:
            # A file with an index may still have no frame that can be decoded.
            if isinstance(look(source), Glance):
                with suppress(MediaUnreadableError):
                    write_proxy(source, path)
                    self.summary.num_copied += 1
                    return path
            write_stand_in(source, path)
            self.summary.num_stand_ins += 1
        except MmmsbaError as error:
            self.summary.failed[source] = str(error)
            return None
        return path

    def _show_playable_paths(self) -> None:
        """Let the App show the files that a field names: at first, each sample's own."""
        dataset = self._dataset
        with writing_to(dataset):
            dataset.add_sample_field(PLAYABLE_PATH, fo.StringField)
            # All samples, frames as well: those of one slice at a time where there are several.
            is_grouped = dataset.media_type == "group"
            names = dataset.group_slices if is_grouped else [None]
            for name in names:
                samples = dataset.select_group_slices(name) if is_grouped else dataset
                bare = samples.exists(PLAYABLE_PATH, bool=False)
                bare.set_values(PLAYABLE_PATH, bare.values("filepath"))
            if PLAYABLE_PATH not in dataset.app_config.media_fields:
                dataset.app_config.media_fields.append(PLAYABLE_PATH)
            dataset.app_config.grid_media_field = PLAYABLE_PATH
            dataset.app_config.modal_media_field = PLAYABLE_PATH
            dataset.save()


def offer_copies(num_videos: int) -> str:
    """Return the end of a summary that offers copies; empty where none is needed."""
    if not num_videos:
        return ""
    return f"; a browser shows {num_videos} of them only after “Make videos playable”"
