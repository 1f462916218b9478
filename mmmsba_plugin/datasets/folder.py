"""Reads clips of one's own: those a CSV lists, or those in a folder for each label.

The CSV is ``clips.csv``; see :func:`~mmmsba_plugin.datasets.clip_table.read_table`. Without
one, a folder holds ``real`` (or ``genuine``) and ``fake`` (or ``forged``), or ``train``,
``dev`` and ``test`` with such folders inside. There, a clip's label is where it lies: its owner
put it there for that.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from mmmsba_plugin.datasets.clip_table import lists_clips, read_table
from mmmsba_plugin.datasets.reader import OnError, ReaderConfig, Splits, warn
from mmmsba_plugin.datasets.splits import SPLITS, split_word
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.files import VIDEO_SUFFIXES
from mmmsba_plugin.record import WHOLE_CLIP, Record

_TABLE = "clips.csv"
#: Names of folders, and whether what lies in them is fake.
_LABELS = {"real": False, "genuine": False, "fake": True, "forged": True}
#: What tells that a folder is a dataset by itself.
_TABLES = ("metadata.json", "metadata.min.json", "meta_data.csv", _TABLE)

#: Split, whether fake, and the folder.
_Labelled = tuple[str | None, bool, Path]


class FolderConfig(ReaderConfig):
    """Settings of the reader of one's own clips; ``root`` may also be a CSV."""


def read_folder(config: FolderConfig, on_error: OnError = warn) -> Iterator[Record]:
    """Yield the records of a CSV, or of a folder for each label.

    Args:
        config: Where the clips lie and which are wanted.
        on_error: Hears of each clip that is left out.

    Raises:
        DatasetError: There is neither, the CSV's columns make no sense, folders can be read in
            two ways, or no record is of the split.
    """
    root = config.root
    if not root.exists():
        raise DatasetError(f"there is no {root}; give a folder of clips, or a CSV that lists them")
    table = root if root.is_file() else root / _TABLE
    splits = Splits(config.split)
    if table.is_file():
        yield from read_table(table, splits, on_error, need_media=config.need_media)
    else:
        yield from _sorted_by_folder(root, splits, on_error)
    splits.require(root)


def is_labelled_folder(root: Path) -> bool:
    """Return whether clips of one's own lie there: a CSV that fits, or folders for labels."""
    table = root if root.is_file() else root / _TABLE
    if table.is_file():
        return lists_clips(table)
    if not root.is_dir() or _own_table(root):
        return False
    folders = [folder for _, _, folder in _label_folders(root)]
    return bool(folders) and not any(_own_table(folder) for folder in folders)


def _sorted_by_folder(root: Path, splits: Splits, on_error: OnError) -> Iterator[Record]:
    folders = list(_label_folders(root))
    _require_one_reading(root, folders)
    for clip in _clips_below(root):
        if not any(clip.is_relative_to(folder) for _, _, folder in folders):
            on_error(
                DatasetError(f"{clip} is in none of the folders for real and fake clips; move it")
            )
    for split, fake, folder in folders:
        if not splits.wants(split):
            continue
        whole = (WHOLE_CLIP,) if fake else ()
        for path in _clips_below(folder):
            yield Record(
                media=path,
                truth=whole,
                split=split,
                audio_truth=None if fake else (),
                visual_truth=None if fake else (),
                kind=folder.name,
                key=path.relative_to(root).as_posix(),
            )


def _label_folders(root: Path) -> Iterator[_Labelled]:
    """Yield split, whether fake, and folder, for each folder that is named for a label."""
    for folder in _folders(root):
        label = _LABELS.get(folder.name.casefold())
        if label is not None:
            yield None, label, folder
        elif (split := split_word(folder.name)) in SPLITS:
            for inner in _folders(folder):
                if (label := _LABELS.get(inner.name.casefold())) is not None:
                    yield split, label, inner


def _require_one_reading(root: Path, folders: Sequence[_Labelled]) -> None:
    if not folders:
        raise DatasetError(
            f"{root} has neither {_TABLE} nor folders called real and fake (or real and "
            "fake), nor train, dev and test with these inside; make one of them"
        )
    if len({split is None for split, _, _ in folders}) > 1:
        raise DatasetError(
            f"{root} has clips sorted by label both with and without a split; move all of them "
            "into train, dev and test, or none"
        )
    for _, _, folder in folders:
        if table := _own_table(folder):
            raise DatasetError(
                f"{folder} holds {table.name}, so not all clips in it are alike; read it as the "
                "dataset that it is"
            )
    if not any(True for _, _, folder in folders for _ in _clips_below(folder)):
        raise DatasetError(f"{root} has folders for labels and no clip in them; put some there")


def _own_table(folder: Path) -> Path | None:
    return next((folder / name for name in _TABLES if (folder / name).is_file()), None)


def _clips_below(folder: Path) -> Iterator[Path]:
    """Yield the video files below a folder, by name; what is hidden is passed over."""
    for path in sorted(folder.rglob("*")):
        hidden = any(name.startswith(".") for name in path.relative_to(folder).parts)
        if path.suffix.lower() in VIDEO_SUFFIXES and not hidden:
            yield path


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir())
