"""Features that another tool made: one ``.npy`` file a clip, with a declared hop."""

import tokenize
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mmmsba_plugin.config import Config
from mmmsba_plugin.errors import FeatureError
from mmmsba_plugin.features.align import rows_on_grid
from mmmsba_plugin.schema import Media
from mmmsba_plugin.structures import AudioBlock, ClipFeatures, FaceCrop, FeatureRows, Frame
from mmmsba_plugin.timebase import Grid

_NUM_AXES = 2


class PrecomputedConfig(Config):
    """Settings of the ``precomputed`` front-end."""

    folder: Path = Field(
        description="Folder that holds one .npy file for each clip, or folders with these, called "
        "like those that the clips lie in."
    )
    hop_s: float = Field(gt=0, description="Start-to-start distance of its rows, in seconds.")
    start_s: float = Field(default=0.0, description="Start of its first row, in seconds.")
    suffix: str = Field(default=".npy", description="Ending behind the clip's name, sans suffix.")


class Precomputed:
    """Reads a clip's file, shape ``(row, feature)``, and puts its rows onto the grid.

    That of ``clips/train/0001.mp4`` is ``folder/train/0001.npy`` if it is there, and else
    ``folder/0001.npy``: published features are often sorted as their clips are, and the name
    alone may stand for several clips. A row of NaN says that nothing could be seen or heard
    there.
    """

    dim = 0

    def __init__(self, config: PrecomputedConfig) -> None:
        self._config = config

    def start(self, media: Media, grid: Grid) -> None:
        """Begin a clip whose rows shall lie on ``grid``."""
        clip = Path(media.path)
        name = f"{clip.stem}{self._config.suffix}"
        self._paths = (self._config.folder / clip.parent.name / name, self._config.folder / name)
        self._grid = grid

    def add(self, observation: AudioBlock | FaceCrop | Frame) -> None:
        """Take in nothing: the rows are made already."""

    def finish(self, num_snippets: int) -> FeatureRows:
        """Return the rows of the clip, shape ``(num_snippets, feature)``.

        Raises:
            FeatureError: There is no such file, or it holds no rows of numbers.
        """
        path = next((path for path in self._paths if path.is_file()), None)
        if path is None:
            places = " or ".join(dict.fromkeys(map(str, self._paths)))
            raise FeatureError(f"no features at {places}; check the folder and the suffix")
        values = _read(path)
        present = np.isfinite(values).all(axis=1)
        hops = Grid(self._config.start_s, self._config.hop_s)
        times_s = hops.centers_s(len(values))
        hold_s = max(self._config.hop_s, self._grid.stride_s) / 2
        return rows_on_grid(
            values[present], times_s[present], self._grid, num_snippets, hold_s=hold_s
        )


def _read(path: Path) -> NDArray[np.float32]:
    try:
        # Mapped, so that a header that states more than the file holds takes no memory.
        values: NDArray[np.float32] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError, SyntaxError, tokenize.TokenError) as error:
        raise FeatureError(f"{path} is not a readable .npy file: {error}; make it again") from error
    if not isinstance(values, np.ndarray):
        raise FeatureError(f"{path} holds several arrays; give one .npy file a clip")
    if values.ndim != _NUM_AXES or values.dtype.kind not in "fiu" or not values.size:
        raise FeatureError(
            f"{path} must hold numbers of shape (row, feature), got {values.dtype} of shape "
            f"{values.shape}"
        )
    return np.array(values, dtype=np.float32)


def save_rows(
    features: ClipFeatures, folder: Path, name: str
) -> Iterator[tuple[Path, FeatureRows]]:
    """Write each modality's rows as ``folder/modality/name.npy``; yield path and rows.

    Rows that are not present are written as NaN, as :class:`Precomputed` reads them. So are those
    of silence that was left out: row 0 is at the clip's zero.
    """
    num_cut = Grid(stride_s=features.grid.stride_s).num_snippets(features.grid.start_s)
    for modality, rows in features.rows.items():
        path = folder / modality / f"{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        values = np.where(rows.present[:, None], rows.values, np.float32(np.nan))
        np.save(path, np.pad(values, ((num_cut, 0), (0, 0)), constant_values=np.nan))
        yield path, rows
