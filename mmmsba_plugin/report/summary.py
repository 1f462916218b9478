"""The table of a batch: one row a clip, as CSV, or as Parquet for programs that read many."""

import csv
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path

from mmmsba_plugin.errors import ConfigError, MissingExtraError
from mmmsba_plugin.files import atomic_path, atomic_write, writing_to
from mmmsba_plugin.report.writers import Cell, cell
from mmmsba_plugin.schema import Report

#: Columns and their types: text, number, whole number, or whether it is so; all may be empty.
COLUMNS: Mapping[str, type] = {
    "media": str,
    "report": str,
    "status": str,
    "score": float,
    "threshold": float,
    "fake": bool,
    "segments": int,
    "fake_s": float,
    "duration_s": float,
    "sha256": str,
    "copy_of": str,
    "problem": str,
    "warnings": str,
}

#: Suffixes of tables that can be written.
SUFFIXES = (".csv", ".parquet")

Row = Mapping[str, Cell | None]


def summary_row(report: Report, name: Path, copy_of: Path | None = None) -> Row:
    """Return the row of a clip.

    Args:
        report: Its report.
        name: Path of its reports, without their suffix.
        copy_of: The clip of the same bytes that was evaluated in its place.
    """
    problem, threshold = report.problem, report.threshold
    return {
        "media": report.media.path,
        "report": str(name),
        "status": report.status,
        "score": report.score,
        "threshold": threshold.value if threshold else None,
        "fake": report.fake,
        "segments": len(report.segments),
        "fake_s": sum(segment.end_s - segment.start_s for segment in report.segments),
        "duration_s": report.media.duration_s,
        "sha256": report.media.sha256,
        "copy_of": str(copy_of) if copy_of else None,
        "problem": f"{problem.kind}: {problem.message}" if problem else None,
        "warnings": "; ".join(report.warnings) or None,
    }


def require_summary(path: Path) -> None:
    """Check that a table can be written as a file of such a name.

    Raises:
        ConfigError: The suffix is that of no format.
        MissingExtraError: pyarrow is not installed.
    """
    if path.suffix not in SUFFIXES:
        raise ConfigError(f"no table is written as {path}: end its name in {' or '.join(SUFFIXES)}")
    if path.suffix == ".parquet" and find_spec("pyarrow") is None:
        raise MissingExtraError(
            "Parquet needs pyarrow; install it with: pip install 'mmmsba-plugin[tables]', or "
            "write a .csv"
        )


def write_summary(rows: Iterable[Row], path: Path) -> None:
    """Write the table of a batch; nobody ever sees half of it.

    Args:
        rows: A row a clip.
        path: The file; its suffix chooses the format.

    Raises:
        OutputError: The disk is full, or the like.
    """
    if path.suffix == ".parquet":
        _write_parquet(rows, path)
        return
    with atomic_write(path, newline="") as file:
        table = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        table.writerow(COLUMNS)
        for row in rows:
            values = [row[column] for column in COLUMNS]
            table.writerow([str(v).lower() if isinstance(v, bool) else cell(v) for v in values])


def _write_parquet(rows: Iterable[Row], path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    types = {str: pa.string(), float: pa.float64(), int: pa.int64(), bool: pa.bool_()}
    schema = pa.schema([(column, types[kind]) for column, kind in COLUMNS.items()])
    as_utf8 = [{column: _as_utf8(value) for column, value in row.items()} for row in rows]
    table = pa.Table.from_pylist(as_utf8, schema=schema)
    with atomic_path(path) as partial, writing_to(path):
        parquet.write_table(table, partial)


def _as_utf8(value: Cell | None) -> Cell | None:
    # Names of files need not be.
    if not isinstance(value, str):
        return value
    return value.encode(errors="backslashreplace").decode()
