"""Record which clips of a dataset are complete, so that an interrupted run can resume."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mmmsba_plugin.datasets.lavdf_metadata import METADATA, Entry, write_json
from mmmsba_plugin.errors import DatasetError
from mmmsba_plugin.forge.sources import Skipped, Source

#: Folder of the manifest below the dataset; may be deleted once the dataset is complete.
PROGRESS = ".progress"

#: Version of the manifest's files. 1 (not written) spoke of genuine clips and stretches.
VERSION = 2


@dataclass(frozen=True, slots=True)
class ClipResult:
    """The files made of one real clip.

    Attributes:
        entries: The metadata of each file.
        skipped: Variants that were not made, or the whole clip, and why.
        resumed: Whether an earlier run had made it.
    """

    entries: tuple[Entry, ...]
    skipped: tuple[Skipped, ...] = ()
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """The settings of a dataset and the clips of it that are complete.

    Attributes:
        out_dir: The dataset.
    """

    out_dir: Path

    def open(self, settings: dict[str, Any]) -> None:
        """Save the settings of the run, and refuse to mix two datasets in one folder.

        Raises:
            DatasetError: The folder holds a dataset that was forged with other settings, or
                by another version.
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
            write_json(path, {"version": VERSION} | settings)
            return
        remedy = f"choose another folder, or delete {self.out_dir} to forge it anew"
        if (version := before.get("version", 1)) != VERSION:
            raise DatasetError(
                f"{path} has the form of version {version}, and this version resumes datasets of "
                f"version {VERSION} only; {remedy}"
            )
        if changed := [key for key in settings if before.get(key) != settings[key]]:
            raise DatasetError(
                f"{self.out_dir} holds a dataset forged with other settings "
                f"({', '.join(changed)}); {remedy}"
            )

    def resume(self, source: Source) -> ClipResult | None:
        """Load the result of an earlier run; None if there is none, or a file of it is missing."""
        try:
            record = json.loads(self._path(source).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return None
        if record["source"] != _fingerprint(source):
            return None
        if not all((self.out_dir / e["file"]).is_file() for e in record["entries"]):
            return None
        skipped = tuple(Skipped(**s) for s in record["skipped"])
        return ClipResult(tuple(record["entries"]), skipped, resumed=bool(record["entries"]))

    def save(self, source: Source, result: ClipResult) -> None:
        """Save the result of a clip."""
        skipped = [asdict(s) for s in result.skipped]
        record = {"source": _fingerprint(source), "entries": result.entries, "skipped": skipped}
        write_json(self._path(source), record)

    @property
    def metadata(self) -> Path:
        """The dataset's list of clips."""
        return self.out_dir / METADATA

    def publish(self, results: Iterable[ClipResult]) -> None:
        """Write the metadata of the clips that are complete, if there are any."""
        if entries := [entry for result in results for entry in result.entries]:
            write_json(self.metadata, entries)

    def _path(self, source: Source) -> Path:
        return self.out_dir / PROGRESS / f"{source.name}.json"


def _fingerprint(source: Source) -> dict[str, Any]:
    return {"key": source.candidate.key, "size_bytes": source.media.size_bytes}
