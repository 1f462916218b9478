"""``mmmsba demo``: it chooses a story, and shows the truth beside the detected segments."""

import webbrowser

import pytest
from typer.testing import CliRunner

from mmmsba_plugin import demo
from mmmsba_plugin.cli import _exit_codes, app
from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.errors import CheckpointNotFoundError, DatasetError
from mmmsba_plugin.record import Record
from mmmsba_plugin.segment import Segment


@pytest.fixture
def run(tmp_path):
    words = ("demo", "-o", tmp_path / "out", "--no-open")
    return lambda *more: CliRunner().invoke(app, [str(word) for word in (*words, *more)])


@pytest.fixture(scope="module")
def demo_run(checkpoint, tmp_path_factory):
    """A whole run: its folder, its standard output, and the pages that it opens."""
    folder, opened = tmp_path_factory.mktemp("demo"), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMMSBA_WEIGHTS", str(checkpoint))
        patch.setattr(webbrowser, "open", opened.append)
        result = CliRunner().invoke(app, ["demo", "-o", str(folder)])
    assert result.exit_code == _exit_codes.OK, result.stderr
    return folder, result.stdout, opened


@pytest.fixture(scope="module")
def fake(demo_run) -> Record:
    (record,) = (r for r in read_lavdf(demo_run[0] / "shown/dataset") if r.fake)
    return record


class TestStory:
    @pytest.fixture(autouse=True)
    def stories(self, monkeypatch):
        """Break each story off with an error that names it."""

        def teller(name):
            def stop(*_, **__):
                raise DatasetError(name)

            return stop

        for name in ("show", "learn_and_show"):
            monkeypatch.setattr(demo, name, teller(name))

    @pytest.mark.usefixtures("bundled")
    def test_bundled_weights_are_shown_at_work(self, run):
        assert run().stderr == "error: show\n"

    @pytest.mark.usefixtures("bundled")
    def test_with_train_a_network_learns_first(self, run):
        assert run("--train").stderr == "error: learn_and_show\n"

    @pytest.mark.usefixtures("unbundled")
    def test_so_it_does_without_bundled_weights(self, run):
        assert run().stderr == "error: learn_and_show\n"


class TestShown:
    def test_the_truth_stands_beside_what_was_found(self, demo_run, fake):
        lines = demo_run[1].splitlines()
        truth = lines.index(f"really forged: {demo.truth_of(fake)}")
        assert lines[truth + 1].startswith("reported as fake: ")
        assert lines[truth + 2].startswith(f"{fake.media.name}: ")
        assert lines[truth + 3].startswith("before it was forged, it scored 0.")

    def test_it_says_that_a_drawn_face_proves_nothing(self, demo_run):
        assert demo.DRAWN_FACE_NOTE in demo_run[1].splitlines()

    def test_the_page_says_all_that_too_and_is_opened(self, demo_run, fake):
        folder, _, opened = demo_run
        page = folder / "report.html"
        assert opened == [page.resolve().as_uri()]
        html = page.read_text(encoding="utf-8")
        assert f"what is fake in it: {demo.truth_of(fake)}." in html
        assert f"{demo.DRAWN_FACE_NOTE}." in html

    def test_one_real_clip_is_made_and_one_fake(self, demo_run, fake):
        records = list(read_lavdf(demo_run[0] / "shown/dataset"))
        assert sorted(record.fake for record in records) == [False, True]
        assert fake.visual_truth


class TestWords:
    def test_the_truth_names_the_manipulated_modality(self):
        audio, frame = (Segment(1.0, 1.5), Segment(3.0, 3.25)), (Segment(1.0, 1.5),)
        record = Record("clip.mp4", audio_truth=audio, visual_truth=frame)
        assert demo.truth_of(record) == (
            "0:01.00 to 0:01.50 (audio), 0:03.00 to 0:03.25 (audio), 0:01.00 to 0:01.50 (video)"
        )

    @pytest.mark.usefixtures("unbundled")
    def test_without_weights_there_is_nothing_to_show(self, tmp_path):
        with pytest.raises(CheckpointNotFoundError, match="none is bundled"):
            demo.show(tmp_path)
