"""Rows of a CSV, each with its line and by the names of its columns."""

import pytest

from mmmsba_plugin.datasets.csv_records import UNNAMED, columns_of, read_rows
from mmmsba_plugin.datasets.reader import refuse
from mmmsba_plugin.errors import DatasetError


@pytest.fixture
def table(tmp_path):
    """A writer of CSV files."""

    def write(text, encoding="utf-8"):
        path = tmp_path / "table.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write


def read(path, on_error=refuse, required=("path",)):
    return list(read_rows(path, required=required, on_error=on_error))


def test_a_row_has_its_line_and_no_blanks_around_its_fields(table):
    path = table('path , label\r\n\r\n a.mp4,real\r\n,\r\n"b,\nc",fake\r\n', "utf-8-sig")
    assert read(path) == [
        (3, {"path": "a.mp4", "label": "real", UNNAMED: ""}),
        (6, {"path": "b,\nc", "label": "fake", UNNAMED: ""}),
    ]


@pytest.mark.parametrize("header", ["path,", "path,Unnamed: 9"])
def test_a_column_without_a_name_is_called_so(table, header):
    assert read(table(f"{header}\na.mp4,x\n")) == [(2, {"path": "a.mp4", UNNAMED: "x"})]


def test_what_a_short_row_lacks_is_empty(table):
    assert read(table("path,label\na.mp4\n")) == [(2, {"path": "a.mp4", "label": "", UNNAMED: ""})]


def test_a_row_that_is_too_long_is_named_and_the_rest_is_read(table):
    errors = []
    rows = read(table("path,label\na,b,c\nd,real\n"), errors.append)
    assert [row["path"] for _, row in rows] == ["d"]
    assert "line 2: it has 3 fields for 2 columns" in str(errors[0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("label\n", r"no column path; .* names: label"),
        ("", r"no column path; .* names: none"),
        ("path,path\n", "two columns are called path"),
        ('path\na\n"b', "as CSV behind line 2 "),
        (b"\xff\xfe\x00", "as CSV behind line 0 .*save it as UTF-8"),
    ],
)
def test_what_is_no_such_table_is_refused(table, text, message):
    with pytest.raises(DatasetError, match=message):
        read(table(text))


def test_a_table_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"gone\.csv cannot be read as CSV"):
        read(tmp_path / "gone.csv")


def test_columns_are_had_without_reading_rows(table, tmp_path):
    assert columns_of(table('path , Unnamed: 3\n"')) == ["path", UNNAMED]
    assert columns_of(table(b"\xff\xfe\x00")) == columns_of(tmp_path / "gone.csv") == []
