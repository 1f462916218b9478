import io
import json
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmmsba_plugin.datasets import json_records
from mmmsba_plugin.datasets.json_records import first, listed, members, whole
from mmmsba_plugin.errors import DatasetError

from ..layouts import av1m_entry

ordinary = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
#: Few bytes at once, so that a window ends in the middle of every kind of thing.
CHUNKS = st.sampled_from([1, 2, 5, 31, 64, 1 << 18])
LAYOUTS = st.fixed_dictionaries(
    {"indent": st.sampled_from([None, 0, 1]), "ensure_ascii": st.booleans()}
)


@pytest.fixture
def text(tmp_path):
    """A writer of files of JSON, audio or not."""

    def write(content, encoding="utf-8"):
        path = tmp_path / "records.json"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


@pytest.fixture
def chunk(monkeypatch):
    return lambda size: monkeypatch.setattr(json_records, "CHUNK_BYTES", size)


def read_until_it_breaks(items):
    """Return the values that were yielded, and what stopped it."""
    values = []
    try:
        values.extend(item.value for item in items)
    except DatasetError as error:
        return values, str(error)
    return values, None


class TestWhatIsYielded:
    @ordinary
    @given(st.lists(VALUES, max_size=5), LAYOUTS, CHUNKS)
    def test_a_list_is_what_json_loads_makes_of_it(self, text, chunk, values, layout, size):
        chunk(size)
        content = json.dumps(values, **layout)
        items = list(listed(text(content)))
        assert [item.value for item in items] == json.loads(content)
        assert [item.entry for item in items] == list(range(len(values)))
        assert list(listed(text(content, "utf-8-sig"))) == items

    @ordinary
    @given(st.dictionaries(st.text(max_size=5), VALUES, max_size=5), LAYOUTS, CHUNKS)
    def test_an_object_is_what_json_loads_makes_of_it(self, text, chunk, values, layout, size):
        chunk(size)
        items = list(members(text(json.dumps(values, **layout))))
        assert [(item.entry, item.value) for item in items] == list(values.items())

    @ordinary
    @given(VALUES, CHUNKS)
    def test_a_file_that_is_one_record_is_what_json_loads_makes_of_it(
        self, text, chunk, value, size
    ):
        chunk(size)
        assert whole(text(json.dumps(value))).value == value

    @ordinary
    @given(st.lists(VALUES, min_size=1, max_size=5), st.integers(0, 3), CHUNKS)
    def test_an_item_stands_in_the_line_where_it_starts(self, text, chunk, values, gap, size):
        chunk(size)
        content, lines, line = "[", [], 1
        for index, value in enumerate(values):
            content += ("," if index else "") + "\r\n" * gap
            line += gap
            lines.append(line)
            content += json.dumps(value, indent=1)
            line += json.dumps(value, indent=1).count("\n")
        assert [item.line for item in listed(text(f"{content}]"))] == lines

    def test_a_record_longer_than_the_window_is_read_whole(self, text, chunk):
        chunk(64)
        long = {"transcript": "word " * 10_000}
        assert [item.value for item in listed(text(json.dumps([1, long, 2])))] == [1, long, 2]

    def test_a_member_that_stands_twice_is_yielded_twice(self, text):
        assert [item.value for item in members(text('{"a": 1, "a": 2}'))] == [1, 2]

    def test_the_place_names_file_line_and_entry(self, text):
        path = text('{\n "a": 1}')
        (item,) = members(path)
        assert item.place == f"{path}, line 2, record 'a'"
        assert whole(text(" 3")).place == f"{path}, line 1"

    def test_the_first_record_is_had_without_reading_on(self, text):
        assert first(listed(text('[{"a": 1}, nonsense'))) == {"a": 1}
        assert first(listed(text("[]"))) is None
        assert first(listed(text("nonsense"))) is None


class TestWhatBreaks:
    @ordinary
    @given(st.lists(VALUES, min_size=1, max_size=5), CHUNKS, st.data())
    def test_what_is_cut_short_yields_what_was_whole_and_says_so(
        self, text, chunk, values, size, data
    ):
        chunk(size)
        parts = [json.dumps(value, ensure_ascii=False).encode() for value in values]
        content = b"[" + b",".join(parts) + b"]"
        num_bytes = data.draw(st.integers(0, len(content) - 1))
        got, stopped = read_until_it_breaks(listed(text(content[:num_bytes])))
        # A value is sure to be whole once the comma behind it is there.
        ends = [len(b"[" + b",".join(parts[: n + 1])) for n in range(len(parts))]
        num_sure = sum(end < num_bytes for end in ends)
        assert got[:num_sure] == values[:num_sure]
        assert len(got) <= num_sure + 1
        assert stopped is not None

    @ordinary
    @given(st.text(alphabet='[]{},:"\\ \n0123456789.eE+-truefalsn', max_size=30), CHUNKS)
    def test_whatever_json_loads_refuses_is_refused(self, text, chunk, content, size):
        chunk(size)
        path = text(f"[{content}")
        values, stopped = read_until_it_breaks(listed(path))
        try:
            assert values == json.loads(f"[{content}")
            assert stopped is None
        except ValueError:
            assert stopped is not None
            assert str(path) in stopped

    @pytest.mark.parametrize(
        ("content", "num_before", "message"),
        [
            ('[{"a": 1},\n{"b" 2}]', 1, "line 2, record 1: cannot be read as JSON (Expecting ':'"),
            ("[1,\n2\n3]", 2, "line 3, record 1: cannot be read as JSON (expected , or ])"),
            ("[1, 2,]", 2, "record 2: cannot be read as JSON (Expecting value); copy the file"),
            ("[1, 2", 2, "record 1: cannot be read as JSON (it breaks off; expected , or ]"),
            ('[1,\n{"a":', 1, "line 2, record 1: cannot be read as JSON (it breaks off; Expect"),
            ('[1, "a', 1, "(it breaks off; Unterminated string"),
            ("[1] 2", 1, "line 1: cannot be read as JSON (there is more behind its end)"),
            ("[", 0, "(it breaks off; "),
            ("", 0, "line 1: cannot be read as JSON records (must hold a list and so start with"),
            ('\n{"a": 1}', 0, "line 2: cannot be read as JSON records (must hold a list"),
            (b'[1, "\xff"]', 1, "record 1: cannot be read as JSON (it is no UTF-8 text: "),
            (b"[1]\xff", 1, "(it is no UTF-8 text: invalid start byte)"),
            ("[1, " + "9" * 5_000 + "]", 1, "(Exceeds the limit"),
            ("[1, " + "[" * 200_000, 1, "recursion"),
        ],
    )
    def test_the_message_names_line_and_record(self, text, content, num_before, message):
        path = text(content)
        values, stopped = read_until_it_breaks(listed(path))
        assert len(values) == num_before
        assert stopped.startswith(f"{path}, line ")
        assert message in stopped

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("[]", "must hold an object and so start with '{', got [); give the dataset's own"),
            ("{3: 1}", """record 0: cannot be read as JSON (expected ")"""),
            ('{"a" 1}', "record 'a': cannot be read as JSON (expected :)"),
            ('{"a": 1', "record 'a': cannot be read as JSON (it breaks off; expected , or }"),
        ],
    )
    def test_an_object_that_is_none_is_named(self, text, content, message):
        assert message in read_until_it_breaks(members(text(content)))[1]

    def test_what_follows_a_record_of_its_own_is_refused(self, text):
        with pytest.raises(DatasetError, match="there is more behind its end"):
            whole(text("{} {}"))

    def test_a_file_that_is_not_there_is_named(self, tmp_path):
        with pytest.raises(DatasetError, match=r"gone\.json cannot be read .* check the path"):
            next(listed(tmp_path / "gone.json"))

    def test_a_disk_that_fails_is_named(self, tmp_path, monkeypatch):
        class FailingDisk(io.BytesIO):
            def read(self, _size=-1):
                raise OSError(5, "Input/output error")

        monkeypatch.setattr(Path, "open", lambda *_: FailingDisk())
        with pytest.raises(DatasetError, match=r"x\.json cannot be read \(Input/output error\)"):
            next(listed(tmp_path / "x.json"))

    def test_a_fault_far_from_the_end_is_raised_without_reading_on(
        self, tmp_path, chunk, monkeypatch
    ):
        chunk(1000)
        sizes = []

        class CountingDisk(io.BytesIO):
            def read(self, size=-1):
                data = super().read(size)
                sizes.append(len(data))
                return data

        monkeypatch.setattr(Path, "open", lambda *_: CountingDisk(b"[1, {]" + b" " * 50_000))
        items = listed(tmp_path / "x.json")
        assert next(items).value == 1
        with pytest.raises(DatasetError, match="Expecting property name"):
            next(items)
        assert sum(sizes) < 3000


def write_many(path, num_records):
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        for index in range(num_records):
            entry = av1m_entry(identity=f"id{index:05d}")
            file.write((", " if index else "") + json.dumps(entry))
        file.write("]")
    return path


def peak_bytes(path):
    tracemalloc.start()
    try:
        assert sum(1 for _ in listed(path)) > 0
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_file(tmp_path):
    few = peak_bytes(write_many(tmp_path / "few.json", 5_000))
    many = peak_bytes(write_many(tmp_path / "many.json", 50_000))
    assert many < 1.2 * few
    # The file of the many is ten times that.
    assert many < 2_000_000 < (tmp_path / "many.json").stat().st_size / 5


READ_ALL = """
import resource, sys
from pathlib import Path
from mmmsba_plugin.datasets.json_records import listed
scale = 1 if sys.platform == "darwin" else 1024
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
num = sum(1 for _ in listed(Path(sys.argv[1])))
print(num, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * scale)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no resource module")
def test_a_process_that_reads_a_large_file_stays_small(tmp_path):
    path = write_many(tmp_path / "many.json", 50_000)
    result = subprocess.run(
        [sys.executable, "-c", READ_ALL, path],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    num_records, grown_bytes = map(int, result.stdout.split())
    assert num_records == 50_000
    assert grown_bytes < path.stat().st_size / 2


@pytest.mark.parametrize("marks", ["[]", '""'], ids=["list", "string"])
def test_a_record_that_is_longer_than_any_clip_needs_is_refused(tmp_path, marks):
    path = tmp_path / "a.json"
    path.write_text("[1, " + marks[0] + 5_000_000 * "1," + "1" + marks[1] + "]")
    records = json_records.listed(path)
    assert next(records).value == 1
    with pytest.raises(DatasetError, match="one record is longer than 4 million characters"):
        next(records)


@pytest.mark.parametrize("brackets", [("[", "]"), ('{"a":', "}")])
def test_a_record_that_is_nested_too_deeply_is_refused(tmp_path, brackets):
    path = tmp_path / "a.json"
    path.write_text("[" + brackets[0] * 100_000 + "1" + brackets[1] * 100_000 + "]")
    with pytest.raises(DatasetError, match="cannot be read as JSON"):
        list(json_records.listed(path))
