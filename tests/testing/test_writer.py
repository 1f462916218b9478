"""The contract of writers, kept by every one that is installed, and what it catches."""

import pytest

from mmmsba_plugin.hookspecs import (
    Writer,
)
from mmmsba_plugin.testing import WriterContract

from .every_entry import EveryEntry, registered


class TestEveryWriter(EveryEntry, WriterContract):
    @pytest.fixture(autouse=True, params=registered("writers"))
    def _each(self, request):
        self._current: Writer = request.param


class TestContracts:
    """A contract must catch what it is there for."""

    @pytest.mark.parametrize(
        ("change", "claim", "message"),
        [
            ({"name": "Bad Name"}, "test_its_name_can_be_typed", "use small letters"),
            ({"summary": "two\nlines"}, "test_its_summary_is_one_line", "more than one line"),
            ({"suffix": "txt"}, "test_its_suffix_can_follow_a_name", "'txt'"),
            (
                {"write": lambda report, stream: None},
                "test_it_writes_a_report_of_each_status",
                "nothing was written for ok",
            ),
            (
                {"write": lambda report, stream: stream.close()},
                "test_it_writes_a_report_of_each_status",
                "the stream belongs to the caller",
            ),
        ],
    )
    def test_a_faulty_writer_fails(self, change, claim, message):
        good = {
            "name": "w",
            "suffix": ".w",
            "summary": "W.",
            "write": lambda r, out: out.write("w"),
        }

        class Contract(WriterContract):
            entry = Writer(**{**good, **change})

        with pytest.raises(AssertionError, match=message):
            getattr(Contract(), claim)()
