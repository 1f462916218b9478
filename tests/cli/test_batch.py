"""A batch of clips: names, tables, and how far it is in seconds of video."""

import io

import pytest
from rich.console import Console

from mmmsba_plugin.cli._batch import Batch
from mmmsba_plugin.errors import ConfigError, OutputError
from mmmsba_plugin.files import sha256_of
from mmmsba_plugin.isolation import Rendered
from mmmsba_plugin.plugins import lookup
from mmmsba_plugin.report.build import unread
from mmmsba_plugin.schema import Provenance, Report

MADE_BY = Provenance(package_version="0", api_version="2", formula_version=1, detector="steady")


class Steady:
    """A detector by which every clip lasts as many seconds as it has bytes."""

    info = MADE_BY.model_dump(mode="json")

    def render_unordered(self, clips, writers, **_):
        for clip, _ in clips:
            media = unread(clip)
            media = media.model_copy(update={"duration_s": float(media.size_bytes or 0)})
            report = Report(status="ok", media=media, score=0.5, provenance=MADE_BY)
            yield Rendered(clip, report, dict.fromkeys(writers, "{}"))


@pytest.fixture
def clips(tmp_path):
    paths = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    for path, size in zip(paths, (40, 80), strict=True):
        path.write_bytes(b"x" * size)
    return paths


@pytest.fixture
def batch(clips, tmp_path):
    """Makes a batch that writes JSON reports, told on a terminal that forgets nothing."""
    console = Console(file=io.StringIO(), force_terminal=True, width=200, legacy_windows=False)
    writers = {"json": lookup("writers", "json")}
    return lambda *tables: Batch(clips, tmp_path / "out", writers, console, list(tables))


def test_how_far_it_is_is_told_in_seconds_of_video(batch):
    run = batch()
    run.require_writable()
    run.detect(Steady())
    text = run.console.file.getvalue()
    assert "0 of 2 clips" in text
    assert "2 of 2 clips, 0:02:00 of about 0:02:00 of video" in text
    assert run.is_well
    assert not run.is_stopped


def test_what_another_run_reported_on_meanwhile_is_left_out(batch, clips, tmp_path):
    run = batch()
    run.require_writable()
    run.leave_out_reported(Steady.info)
    media = unread(clips[1])
    media = media.model_copy(update={"sha256": sha256_of(clips[1])})
    report = Report(status="ok", media=media, score=0.5, provenance=MADE_BY)
    text = report.model_dump_json()
    (tmp_path / "out" / "b.json").write_text(text)
    run.detect(Steady())
    assert run.is_well
    assert (tmp_path / "out" / "a.json").read_text() == "{}"
    assert (tmp_path / "out" / "b.json").read_text() == text


def test_several_clips_get_a_table_and_those_that_are_asked_for(batch, tmp_path):
    run = batch(tmp_path / "more" / "all.csv")
    run.require_writable()
    run.detect(Steady())
    run.write_summary()
    for table in (tmp_path / "out" / "summary.csv", tmp_path / "more" / "all.csv"):
        assert len(table.read_text().splitlines()) == 3


def test_what_cannot_be_written_is_said_before_the_first_clip(batch, clips, tmp_path):
    with pytest.raises(ConfigError, match=r"end its name in \.csv"):
        batch(tmp_path / "all.doc").require_writable()
    with pytest.raises(OutputError, match="cannot write to"):
        batch(clips[0] / "all.csv").require_writable()
