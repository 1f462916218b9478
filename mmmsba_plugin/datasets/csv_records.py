"""Yields the rows of a CSV file one by one, each with its line and by its columns' names."""

import csv
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mmmsba_plugin.datasets.reader import OnError
from mmmsba_plugin.errors import DatasetError

if TYPE_CHECKING:
    from _csv import Reader

#: A row by its columns' names; a column without a name is called so.
Row = dict[str, str]
UNNAMED = ""


def read_rows(
    path: Path, *, required: Collection[str], on_error: OnError
) -> Iterator[tuple[int, Row]]:
    """Yield the line and the fields of each row, without blanks around them.

    Args:
        path: The file: UTF-8, commas, names in the first line. Blank lines are passed over.
        required: Columns without which it makes no sense.
        on_error: Hears of each row that does not fit the header.

    Yields:
        The line on which the row ends, counted from 1, and its fields. The column without a
        name is ``""``; a field that a short row lacks is empty.

    Raises:
        DatasetError: The file is no such CSV, or a required column is missing.
    """
    line = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for line, row in _rows(path, csv.reader(file, strict=True), required, on_error):
                yield line, row
    except (OSError, UnicodeError, csv.Error) as error:
        raise DatasetError(
            f"{path} cannot be read as CSV behind line {line} ({error}); save it as UTF-8 with "
            "commas, or copy it again"
        ) from error


def columns_of(path: Path) -> list[str]:
    """Return the names in the first line of a CSV; none of a file that is no such thing."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [_name(name) for name in next(csv.reader(file), [])]
    except (OSError, UnicodeError, csv.Error):
        return []


def _rows(
    path: Path, lines: "Reader", required: Collection[str], on_error: OnError
) -> Iterator[tuple[int, Row]]:
    names = [_name(name) for name in next(lines, [])]
    if missing := [name for name in required if name not in names]:
        columns = ", ".join(name for name in names if name) or "none"
        raise DatasetError(
            f"{path}: there is no column {', '.join(missing)}; its first line must name the "
            f"columns, separated by commas, and names: {columns}"
        )
    if doubled := {name for name in names if name and names.count(name) > 1}:
        raise DatasetError(f"{path}: two columns are called {min(doubled)}; rename one")
    for fields in lines:
        row = [field.strip() for field in fields]
        if not any(row):
            continue
        unnamed = [field for name, field in zip(names, row, strict=False) if field and not name]
        if len(unnamed) > 1 or any(row[len(names) :]):
            problem = f"it has {len(row)} fields for {len(names)} columns"
            on_error(
                DatasetError(
                    f"{path}, line {lines.line_num}: {problem}; put quotes around a field that "
                    "holds a comma"
                )
            )
            continue
        row_of_names = dict(zip(names, row + [""] * len(names), strict=False))
        yield lines.line_num, {**row_of_names, UNNAMED: "".join(unnamed)}


def _name(text: str) -> str:
    """Return the name of a column; pandas calls one that has none ``Unnamed: 9``."""
    name = text.strip()
    return UNNAMED if name.startswith("Unnamed:") else name
