"""Cache of computed features.

An entry's key is everything that could change it: the bytes of the clip, the front-end with
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
from mmmsba_plugin.features.face_tracks import ChunkTracks
from mmmsba_plugin.files import atomic_path
from mmmsba_plugin.schema import OptOut
from mmmsba_plugin.structures import FeatureRows

#: Bumped when the meaning of a stored file changes.
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """Features of one modality of one clip, as they were computed.

    Attributes:
        rows: Its rows.
        opt_outs: Segments that could not be evaluated, and why.
        end_s: Where the stream that it depends on ends, in seconds.
        afterwards: Why nothing can be evaluated from there on.
        warnings: What a reader should know about the input.
    """

    rows: FeatureRows
    opt_outs: tuple[OptOut, ...]
    end_s: float
    afterwards: str
    warnings: tuple[str, ...]


class FeatureCache:
    """A folder of computed features, safe to share between processes.

    Args:
        folder: Where files go; ``MMMSBA_CACHE`` or the user's cache folder if not given.
    """

    def __init__(self, folder: Path | None = None) -> None:
        home = os.environ.get("MMMSBA_CACHE")
        self.folder = folder or (Path(home) if home else user_cache_path("mmmsba")) / "features"

    def get(self, key: str) -> CacheEntry | None:
        """Read the entry under ``key``; None if there is none, or its file is damaged."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self._path(key, ".safetensors"), framework="numpy") as file:
                state = json.loads(file.metadata()["stored"])
                rows = FeatureRows(file.get_tensor("values"), file.get_tensor("present"))
        except (FileNotFoundError, SafetensorError, FeatureError, KeyError, ValueError):
            return None
        opt_outs = tuple(OptOut.model_validate(opt_out) for opt_out in state["opt_outs"])
        warnings = tuple(state["warnings"])
        return CacheEntry(rows, opt_outs, state["end_s"], state["afterwards"], warnings)

    def put(self, key: str, entry: CacheEntry) -> None:
        """Write an entry under ``key``; a reader never sees half a file."""
        from safetensors.numpy import save_file

        state = {
            "opt_outs": [opt_out.model_dump() for opt_out in entry.opt_outs],
            "end_s": entry.end_s,
            "afterwards": entry.afterwards,
            "warnings": entry.warnings,
        }
        tensors = {
            "values": np.ascontiguousarray(entry.rows.values),
            "present": np.ascontiguousarray(entry.rows.present),
        }
        with atomic_path(self._new_path(key, ".safetensors")) as partial:
            save_file(tensors, partial, metadata={"stored": json.dumps(state)})

    def get_audio_start(self, key: str) -> float | None:
        """Read the start of a clip's audio in seconds; None if it is not known.

        It is infinite for a clip without a sound.
        """
        try:
            return float(self._path(key, ".txt").read_text("ascii"))
        except (FileNotFoundError, ValueError):
            return None

    def put_audio_start(self, key: str, start_s: float) -> None:
        """Write the start of a clip's audio, in seconds, under ``key``."""
        with atomic_path(self._new_path(key, ".txt")) as partial:
            partial.write_text(repr(start_s), "ascii")

    def get_tracks(self, key: str) -> ChunkTracks | None:
        """Read the face tracks of a chunk; None if they are not known."""
        try:
            return ChunkTracks.from_json(self._path(key, ".json").read_text("ascii"))
        except (FileNotFoundError, ValueError):
            return None

    def put_tracks(self, key: str, tracks: ChunkTracks) -> None:
        """Write the face tracks of a chunk under ``key``."""
        with atomic_path(self._new_path(key, ".json")) as partial:
            partial.write_text(tracks.to_json(), "ascii")

    def _path(self, key: str, suffix: str) -> Path:
        return self.folder / key[:2] / f"{key}{suffix}"

    def _new_path(self, key: str, suffix: str) -> Path:
        path = self._path(key, suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def cache_key(inputs: Mapping[str, Any]) -> str:
    """Compute the key of everything that an entry depends on, as hexadecimal.

    Example:
        >>> cache_key({"media": "ab", "stride_s": 0.2})[:8]
        '0e3f84d4'
    """
    canonical = json.dumps({"format": _FORMAT, **inputs}, sort_keys=True, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()
