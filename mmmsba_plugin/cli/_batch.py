"""A batch of clips: where their reports go, what became of each, and how far it is."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmmsba_plugin.cli import _console
from mmmsba_plugin.cli._interrupt import stop_on_interrupt
from mmmsba_plugin.files import ensure_dir, require_writable, writing_to
from mmmsba_plugin.report import files
from mmmsba_plugin.report.summary import Row, require_summary, summary_row, write_summary

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from mmmsba_plugin.cli._detectors import BatchDetector
    from mmmsba_plugin.hookspecs import Writer
    from mmmsba_plugin.isolation import Rendered
    from mmmsba_plugin.schema import Report

_SUMMARY = "summary"

#: Long enough for the longest clips: how fast detection goes is told from this long before.
_SPEED_PERIOD_S = 3600.0


@dataclass(slots=True)
class Batch:
    """Clips, the reports they get, and what became of each.

    Attributes:
        clips: In their order; one that is named twice counts once.
        output: Folder of the reports; None for beside each clip.
        writers: Those of the reports, by name.
        console: Where it is told.
        tables: Files of the table of all clips.
        rows: Rows of the table, of the clips that were evaluated, or could not be.
        num_well: Clips that were evaluated and whose reports were all written.
        is_stopped: Whether Ctrl-C ended it early.
    """

    clips: Iterable[Path]
    output: Path | None
    writers: Mapping[str, "Writer"]
    console: "Console"
    tables: list[Path] = field(default_factory=list)
    names: dict[Path, Path] = field(init=False)
    rows: dict[Path, Row] = field(default_factory=dict, init=False)
    num_well: int = field(default=0, init=False)
    is_stopped: bool = field(default=False, init=False)
    _info: Mapping[str, Any] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Name the reports, and a table where an output folder takes those of several clips."""
        clips = list(dict.fromkeys(self.clips))
        reserved = []
        if self.output is not None and self.writers and len(clips) > 1:
            reserved = [self.output / _SUMMARY]
            self.tables = [self.output / f"{_SUMMARY}.csv", *self.tables]
        self.names = files.report_names(clips, self.output, reserved=reserved)

    @property
    def is_well(self) -> bool:
        """Whether every clip was evaluated."""
        return self.num_well == len(self.names)

    def require_writable(self) -> None:
        """Check that what is asked for can be written, before hours go into it.

        Raises:
            ConfigError: The name of the table fits no format.
            MissingExtraError: Its format needs what is not installed.
            OutputError: A folder cannot be made or written to.
        """
        for table in self.tables:
            require_summary(table)
        if self.writers and self.output is not None:
            ensure_dir(self.output)
        folders = [name.parent for name in self.names.values()] if self.writers else []
        # A clip whose folder is not there is not there either; its report will say so.
        require_writable(*(folder for folder in dict.fromkeys(folders) if folder.is_dir()))
        for table in self.tables:
            ensure_dir(table.parent)

    def leave_out_reported(self, info: Mapping[str, Any]) -> None:
        """Leave out clips that the detector that says ``info`` has reported on before.

        Those that another run reports on meanwhile are left out as well.
        """
        self._info = info
        for clip in self.names:
            self._is_reported(clip)

    def detect(self, detector: "BatchDetector", **options: Any) -> None:
        """Detect in the clips that are left, and print and write their reports.

        Ctrl-C lets the clips in hand be completed.

        Raises:
            OutputError: A report cannot be written; those before are.
            WorkerError: No worker can start.
        """
        left = files.copies_of([clip for clip in self.names if clip not in self.rows])
        text = "stopping once the clips in hand are complete; Ctrl-C again to give them up"
        announce_stop = partial(_console.failure, text, self.console)
        with stop_on_interrupt(announce_stop) as stops, _bar(self.console) as bar:
            progress = _Progress(bar, left)

            def unreported() -> "Iterator[tuple[Path, list[Path]]]":
                for clip, copies in left.items():
                    same = [each for each in (clip, *copies) if not self._is_reported(each)]
                    if same:
                        yield same[0], same[1:]

            for item in detector.render_unordered(
                unreported(), list(self.writers), stops=stops, **options
            ):
                _console.print_report(item.clip, item.report, self.console)
                is_well = self._write(item) and item.report.status == "ok"
                self._record(item.clip, item.report, is_well=is_well, copy_of=item.copy_of)
                progress.add(item.clip, item.report.duration_s)
            self.is_stopped = stops() and len(self.rows) < len(self.names)

    def write_summary(self) -> None:
        """Write the table in the order of the clips.

        Raises:
            OutputError: It cannot be written.
        """
        for table in dict.fromkeys(self.tables):
            write_summary((self.rows[clip] for clip in self.names if clip in self.rows), table)
            self.console.print(_console.visible_text(f"wrote {table}", "dim"))

    def tell_how_to_resume(self) -> None:
        """Say how many clips are complete, and how to go on with the rest."""
        count = f"{len(self.rows)} of {len(self.names)} clips are complete"
        text = f"stopped: {count}; run the same again with --resume for the rest"
        _console.failure(text, self.console)

    def _is_reported(self, clip: Path) -> bool:
        """Return whether a clip was reported on before, or by another run since this one began."""
        if self._info is None:
            return False
        name = {clip: self.names[clip]}
        for _, report in files.reports_before(name, self.writers, self._info):
            self._record(clip, report, is_well=report.status == "ok")
            return True
        return False

    def _record(
        self, clip: Path, report: "Report", *, is_well: bool, copy_of: Path | None = None
    ) -> None:
        self.rows[clip] = summary_row(report, self.names[clip], copy_of)
        self.num_well += is_well

    def _write(self, rendered: "Rendered") -> bool:
        """Write the reports of one clip and say where; return whether that went well."""
        clip = rendered.clip
        # A misspelt folder is not made only to hold the news that its clip is not there.
        if not self.names[clip].parent.is_dir():
            return True
        paths = []
        # The name is settled by the JSON report, which says whose it is.
        for called in sorted(rendered.texts, key=lambda name: name != "json"):
            text = rendered.texts[called]
            if not isinstance(text, str):
                self._tell_unwritten(clip, called, text)
                continue
            if called == "json":
                self.names[clip] = files.claim_name(text, clip, self.names, self.output)
            path = files.report_path(self.names[clip], self.writers[called])
            # The JSON report was written when its name was claimed.
            paths.append(path if called == "json" else files.write_text(text, path))
        _console.print_written(paths, self.console)
        return len(paths) == len(rendered.texts)

    def _tell_unwritten(self, clip: Path, called: str, error: Exception) -> None:
        """Say that a writer failed.

        Raises:
            OutputError: It failed for want of room, or the like.
        """
        with writing_to(files.report_path(self.names[clip], self.writers[called])):
            if isinstance(error, OSError):
                raise error
        text = f"not written as {called}: {type(error).__name__}: {error}"
        _console.print_warning(text, self.console)


class _Progress:
    """How far a batch is, in seconds of video; those of clips to come are told from their size.

    Args:
        bar: Where it is shown.
        clips: Clips to detect in.
    """

    def __init__(self, bar: "Progress", clips: Iterable[Path]) -> None:
        self._bar = bar
        self._left_bytes = {clip: _size_bytes(clip) for clip in clips}
        self._all_clips = len(self._left_bytes)
        self._rest_bytes = sum(self._left_bytes.values())
        self._done_bytes, self._done_s = 0, 0.0
        self._task: TaskID = bar.add_task("", total=None, text=f"0 of {self._all_clips} clips")

    def add(self, clip: Path, duration_s: float) -> None:
        """Count a clip as done; a copy, which takes no time, does not count."""
        if clip not in self._left_bytes:
            return
        size_bytes = self._left_bytes.pop(clip)
        self._rest_bytes -= size_bytes
        self._done_bytes += size_bytes
        self._done_s += duration_s
        total_s = None
        if self._done_bytes and self._done_s:
            total_s = self._done_s * (1 + self._rest_bytes / self._done_bytes)
        num = self._all_clips - len(self._left_bytes)
        text = f"{num} of {self._all_clips} clips, {_span(self._done_s)}"
        if total_s is not None:
            text += f" of about {_span(total_s)} of video"
        self._bar.update(self._task, completed=self._done_s, total=total_s, text=text)


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _span(span_s: float) -> str:
    return str(timedelta(seconds=round(span_s)))


@contextmanager
def _bar(console: "Console") -> "Iterator[Progress]":
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("detecting"), BarColumn(), TextColumn("{task.fields[text]}"))
    left = TimeRemainingColumn(compact=True)
    with Progress(
        *columns,
        left,
        TextColumn("left"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
        speed_estimate_period=_SPEED_PERIOD_S,
    ) as bar:
        yield bar
