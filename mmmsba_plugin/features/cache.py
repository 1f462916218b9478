"""Keeps rows that were computed once.

A row's key is everything that could change it: the bytes of the clip, the front-end with
its version and settings, the grid, and how the clip was read. So nothing is ever stale, and
a second training run starts at once.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from platformdirs import user_cache_path

from mmmsba_plugin.errors import FeatureError
from mmmsba_plugin.files import atomic_path
from mmmsba_plugin.schema import OptOut
from mmmsba_plugin.structures import FeatureRows

#: Bumped when the meaning of a stored file changes.
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Stored:
    """One modality of one clip as it was computed.

    Attributes:
        rows: Its rows.
        opt_outs: Where it could not be judged, and why.
        end_s: Where the stream that it reads ends, in seconds.
        afterwards: Why nothing can be judged from there on.
        warnings: What a reader should know about the input.
    """

    rows: FeatureRows
    opt_outs: tuple[OptOut, ...]
    end_s: float
    afterwards: str
    warnings: tuple[str, ...]


class FeatureStore:
    """A folder of computed rows, safe to share between processes.

    Args:
        folder: Where files go; ``MMMSBA_CACHE`` or the user's cache folder if not given.
    """

    def __init__(self, folder: Path | None = None) -> None:
        home = os.environ.get("MMMSBA_CACHE")
        self.folder = folder or (Path(home) if home else user_cache_path("mmmsba")) / "features"

    def get(self, key: str) -> Stored | None:
        """Return what is kept under ``key``, or None; a damaged file counts as absent."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self._path(key), framework="numpy") as file:
                said = json.loads(file.metadata()["stored"])
                rows = FeatureRows(file.get_tensor("values"), file.get_tensor("present"))
        except (FileNotFoundError, SafetensorError, FeatureError, KeyError, ValueError):
            return None
        opt_outs = tuple(OptOut.model_validate(part) for part in said["opt_outs"])
        return Stored(rows, opt_outs, said["end_s"], said["afterwards"], tuple(said["warnings"]))

    def put(self, key: str, stored: Stored) -> None:
        """Keep rows under ``key``; a reader never sees half a file."""
        from safetensors.numpy import save_file

        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        said = {
            "opt_outs": [part.model_dump() for part in stored.opt_outs],
            "end_s": stored.end_s,
            "afterwards": stored.afterwards,
            "warnings": stored.warnings,
        }
        tensors = {
            "values": np.ascontiguousarray(stored.rows.values),
            "present": np.ascontiguousarray(stored.rows.present),
        }
        with atomic_path(path) as partial:
            save_file(tensors, partial, metadata={"stored": json.dumps(said)})

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.safetensors"


def key_of(parts: Mapping[str, Any]) -> str:
    """Return the key of everything that rows depend on, as hexadecimal.

    Example:
        >>> key_of({"media": "ab", "stride_s": 0.2})[:8]
        '0e3f84d4'
    """
    canonical = json.dumps({"format": _FORMAT, **parts}, sort_keys=True, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()
