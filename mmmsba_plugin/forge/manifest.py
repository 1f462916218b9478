"""Keeps what is done beside a dataset, clip by clip, so that nothing is done twice."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mmmsba_plugin.datasets.lavdf_metadata import METADATA, Entry, write_json
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.forge.sources import Skipped, Source

#: Where a run keeps what is done; may be deleted once the dataset is complete.
PROGRESS = ".progress"


@dataclass(frozen=True, slots=True)
class Made:
    """What was made of one real clip.

    Attributes:
        entries: What the metadata says of each file.
        skipped: Variants that were not made, or the whole clip, and why.
        resumed: Whether an earlier run had made it.
    """

    entries: tuple[Entry, ...]
    skipped: tuple[Skipped, ...] = ()
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is done of a dataset.

    Attributes:
        out_dir: The dataset.
    """

    out_dir: Path

    def open(self, made_with: dict[str, Any]) -> None:
        """Note how the dataset is fake, and refuse to mix two datasets in one folder.

        Raises:
            DatasetError: The folder holds a dataset that was fake otherwise.
        """
        path = self.out_dir / PROGRESS / "settings.json"
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            if self.metadata.exists():
                raise DatasetError(
                    f"{self.out_dir} already holds a {METADATA} of unknown making; choose another "
                    "folder"
                ) from None
            write_json(path, made_with)
            return
        if changed := [key for key in made_with if before.get(key) != made_with[key]]:
            raise DatasetError(
                f"{self.out_dir} holds a dataset forged with other settings "
                f"({', '.join(changed)}); "
                f"choose another folder, or delete {self.out_dir} to forge it anew"
            )

    def resume(self, source: Source) -> Made | None:
        """Return what an earlier run made of a clip; None if there is none, or a file is gone."""
        try:
            noted = json.loads(self._path(source).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        gone = not all((self.out_dir / e["file"]).is_file() for e in noted["entries"])
        if gone or noted["made_from"] != _fingerprint(source):
            return None
        skipped = tuple(Skipped(**s) for s in noted["skipped"])
        return Made(tuple(noted["entries"]), skipped, resumed=bool(noted["entries"]))

    def note(self, source: Source, made: Made) -> None:
        """Note what was made of a clip."""
        noted = {
            "made_from": _fingerprint(source),
            "entries": made.entries,
            "skipped": [asdict(s) for s in made.skipped],
        }
        write_json(self._path(source), noted)

    @property
    def metadata(self) -> Path:
        """The dataset's list of clips."""
        return self.out_dir / METADATA

    def publish(self, made: Iterable[Made]) -> None:
        """Write the metadata of what is done, if anything is."""
        if entries := [entry for one in made for entry in one.entries]:
            write_json(self.metadata, entries)

    def _path(self, source: Source) -> Path:
        return self.out_dir / PROGRESS / f"{source.name}.json"


def _fingerprint(source: Source) -> dict[str, Any]:
    return {"key": source.candidate.key, "size_bytes": source.media.size_bytes}
