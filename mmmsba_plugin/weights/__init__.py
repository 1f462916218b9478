"""Checkpoints that are bundled, and the one that is used where none is named.

The default one lies beside this file, in the layout of any other: a configuration, the weights,
and a model card that says what they learned from. A source tree may lack it. Another, ``fast``,
lies in the folder of that name here, takes less than half of the time, and is named in place of a
folder. The environment variable ``MMMSBA_WEIGHTS`` names another checkpoint to take by default,
such as one that ``mmmsba finetune`` wrote for one's own cameras.
"""

import os
from pathlib import Path

from mmmsba_plugin.errors import CheckpointNotFoundError

#: Names the folder of another checkpoint that is used where none is named.
VARIABLE = "MMMSBA_WEIGHTS"

#: What reports call the bundled checkpoint.
BUNDLED = "bundled"

#: Where it lies.
HERE = Path(__file__).resolve().parent

#: Name of the bundled checkpoint that costs less, and of its folder.
FAST = "fast"

#: Either file says that there is one; that it is whole is for whoever loads it to see.
_FILES = ("config.json", "model.safetensors")


def folder() -> Path | None:
    """Return the folder of the checkpoint that is used where none is named; None without one."""
    if path := os.environ.get(VARIABLE):
        return _resolve(Path(path))
    return HERE if any((HERE / name).is_file() for name in _FILES) else None


def name_of(checkpoint: Path) -> str:
    """Return the name of a checkpoint in reports: its folder, but for the bundled one."""
    place = checkpoint.resolve()
    return BUNDLED if place == HERE else place.name


def checkpoint_folder(path: str | Path | None) -> Path:
    """Return the folder of the checkpoint that is meant.

    Args:
        path: The folder, or ``fast`` for the bundled checkpoint of that name, unless a folder
            of that name holds one; the default one if not given.

    Raises:
        CheckpointNotFoundError: None was given, and none is bundled.
    """
    chosen = folder() if path is None else _resolve(Path(path))
    if chosen is None:
        raise CheckpointNotFoundError(
            "no checkpoint was given and none is bundled; train one with "
            "`mmmsba train --data FOLDER -o my-checkpoint` (or see one made by "
            "`mmmsba demo`) and name it with --checkpoint my-checkpoint"
        )
    return chosen


def _resolve(path: Path) -> Path:
    """Return the folder of a bundled checkpoint where its name stands in place of a folder."""
    is_name = path == Path(FAST) and not any((path / name).is_file() for name in _FILES)
    return HERE / FAST if is_name else path
