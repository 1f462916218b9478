"""Contract of writers."""

import io
import re
from typing import get_args

from mmmsba_plugin.hookspecs import Writer
from mmmsba_plugin.schema import Report, Status
from mmmsba_plugin.testing import samples
from mmmsba_plugin.testing.entry import EntryContract

_STATUSES: tuple[Status, ...] = get_args(Status)
#: Names that have broken a format: markup, quotes, separators, line ends, other scripts.
_PATHS = ("<b>&\"'.mp4", "a;b,c\td.mp4", "new\nline --> 2.mp4", "Übung 影片.mp4")


class WriterContract(EntryContract[Writer]):
    """Contract of writers."""

    def text(self, report: Report) -> str:
        """Write a report to a string."""
        stream = io.StringIO()
        self.entry.write(report, stream)
        assert not stream.closed, "the stream belongs to the caller, who closes it"
        return stream.getvalue()

    def test_its_suffix_can_follow_a_name(self) -> None:
        assert re.fullmatch(r"(\.[A-Za-z0-9_-]+)+", self.entry.suffix), repr(self.entry.suffix)

    def test_it_writes_a_report_of_each_status(self) -> None:
        for status in _STATUSES:
            assert self.text(samples.report(status)), f"nothing was written for {status}"

    def test_the_same_report_gives_the_same_text(self) -> None:
        for status in _STATUSES:
            assert self.text(samples.report(status)) == self.text(samples.report(status))

    def test_it_leaves_the_report_as_it_was(self) -> None:
        for status in _STATUSES:
            report = samples.report(status)
            before = report.model_dump_json()
            self.text(report)
            assert report.model_dump_json() == before

    def test_any_file_name_can_be_written(self) -> None:
        for path in _PATHS:
            for status in _STATUSES:
                self.text(samples.report(status, path)).encode("utf-8")
