"""Files that ``mmmsba detect`` writes."""

from pathlib import Path

from mmmsba_plugin.schema import Report

#: Of the reports that are written if no format is named.
SUFFIXES = ("json", "html")


def files(folder: Path) -> list[str]:
    """List the names of the files in a folder."""
    return sorted(path.name for path in folder.iterdir())


def read(path: Path) -> Report:
    """Read a report."""
    return Report.model_validate_json(path.read_bytes())
