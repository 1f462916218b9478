"""Gives the App copies of videos that no browser plays, beside the files themselves.

The files stay what they are, and are what is judged. A field of paths says what to show: the
copy where there is one, and the file itself elsewhere.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import fiftyone as fo

from mmmsba_plugin.errors import MmmsbaError

from .metadata import UNPLAYABLE, paths_of
from .progress import Counted
from .targets import Samples, dataset_of, videos_of
from .writing import write, writing_to

#: Field of the path of what the App shows.
SHOWN = "playable_path"


@dataclass(slots=True)
class Proxies:
    """What was made.

    Attributes:
        folder: Where it lies.
        made: How many copies.
        failed: Why there is none, by file.
    """

    folder: Path
    made: int = 0
    failed: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        failed = f", {len(self.failed)} could not be made" if self.failed else ""
        return f"{self.made} copies made{failed}"


def make_proxies(
    samples: Samples,
    folder: str | Path | None = None,
    *,
    on_progress: Callable[[Counted], None] = lambda _: None,
) -> Proxies:
    """Make a playable copy of each video that is tagged as not playable, and show that.

    Tags come from :func:`fiftyone_ops.metadata.fill_metadata`. A copy that is there already
    is not made again.

    Args:
        samples: A data set or a view of videos.
        folder: Where the copies go; a folder of the data set's own if not given.
        on_progress: Called after each video.

    Raises:
        TargetError: There are no videos.
        WriteError: The database does not take it.
    """
    run = Copying(samples, folder)
    for progress in run.steps():
        on_progress(progress)
    return run.summary


class Copying:
    """One run over videos that makes copies; see :func:`make_proxies`.

    Args:
        samples: A data set or a view of videos.
        folder: Where the copies go; a folder of the data set's own if not given.

    Attributes:
        summary: What was done so far.

    Raises:
        TargetError: There are no videos.
    """

    def __init__(self, samples: Samples, folder: str | Path | None) -> None:
        videos = videos_of(samples)
        self._dataset = dataset_of(videos)
        self._ids = videos.match_tags(UNPLAYABLE).values("id")
        own = Path(fo.config.default_dataset_dir, self._dataset.name, "playable")
        self.summary = Proxies(Path(folder or own))

    def steps(self) -> Generator[Counted, None, None]:
        """Make the copies, one a step."""
        if self._ids:
            _show(self._dataset)
        for done, one in enumerate(self._ids, start=1):
            for path in paths_of(self._dataset, [one]).values():
                if copy := _copy(one, path, self.summary):
                    write(self._dataset, {SHOWN: {one: str(copy)}})
            yield Counted(done, len(self._ids))


def _copy(one: str, source: str, made: Proxies) -> Path | None:
    from mmmsba_plugin.media.proxy import write_proxy

    path = made.folder / f"{Path(source).stem}-{one[-6:]}.mp4"
    if path.is_file():
        return path
    try:
        write_proxy(source, path)
    except MmmsbaError as error:
        made.failed[source] = str(error)
        return None
    made.made += 1
    return path


def _show(dataset: fo.Dataset) -> None:
    """Let the App show what the field of paths says, which is each file itself at first."""
    with writing_to(dataset):
        dataset.add_sample_field(SHOWN, fo.StringField)
        for part in _slices(dataset):
            bare = part.exists(SHOWN, bool=False)
            bare.set_values(SHOWN, bare.values("filepath"))
        if SHOWN not in dataset.app_config.media_fields:
            dataset.app_config.media_fields.append(SHOWN)
        dataset.app_config.grid_media_field = SHOWN
        dataset.app_config.modal_media_field = SHOWN
        dataset.save()


def _slices(dataset: fo.Dataset) -> Iterator[Samples]:
    """Yield all samples, pictures as well: those of one slice at a time where there are several."""
    if dataset.media_type == "group":
        yield from (dataset.select_group_slices(name) for name in dataset.group_slices)
    else:
        yield dataset
