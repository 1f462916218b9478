"""Files that ``mmmsba detect`` writes."""

from pathlib import Path

from mmmsba_plugin.schema import Report

#: Of the reports that are written if no format is named.
SUFFIXES = ("json", "html")


def files(folder: Path) -> list[str]:
    """List the names of the files in a folder."""
    return sorted(path.name for path in folder.iterdir())


def reports(folder: Path) -> list[str]:
    """List the names of the reports in a folder: all files but the table of the batch."""
    return [name for name in files(folder) if name != "summary.csv"]


def read(path: Path) -> Report:
    """Read a report."""
    return Report.model_validate_json(path.read_bytes())
