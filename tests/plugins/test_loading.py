"""Plug-ins: found, isolated, listed, looked up; and a stranger's distribution, installed."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

from mmmsba_plugin import plugins
from mmmsba_plugin.config import Config
from mmmsba_plugin.errors import (
    PluginBrokenError,
    PluginClashError,
    PluginNotFoundError,
)
from mmmsba_plugin.hookspecs import (
    DetectorEntry,
    Forger,
    FrontEnd,
    Writer,
    hookimpl,
)
from mmmsba_plugin.plugins import loading
from mmmsba_plugin.testing import ForgerContract, FrontEndContract, WriterContract, samples

STRANGERS = Path(__file__).parent

WRITER_FILE = """
from mmmsba_plugin.hookspecs import Writer, hookimpl

@hookimpl
def forensics_writers():
    yield Writer("{name}", ".x", "{summary}", lambda report, out: out.write("x"))
"""


def a_writer(name: str) -> Writer:
    return Writer(name, ".x", "A writer.", lambda report, stream: None)


def offering(*entries: Any) -> SimpleNamespace:
    """A plug-in that offers these as writers."""
    return SimpleNamespace(forensics_writers=hookimpl(lambda: list(entries)))


class FakeDistribution(NamedTuple):
    name: str
    version: str


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(plugins.DISABLE_VARIABLE, raising=False)
    plugins.forget()
    yield
    plugins.forget()


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Pretend that exactly these plug-ins are installed, each in a distribution `<name>-dist`."""

    def _install(**found: Any) -> None:
        points = [_point(name, plugin) for name, plugin in found.items()]
        monkeypatch.setattr(loading, "entry_points", lambda *, group: points)
        plugins.forget()

    return _install


def _point(name: str, plugin: Any) -> Any:
    def load() -> Any:
        if isinstance(plugin, BaseException):
            raise plugin
        return plugin() if callable(plugin) else plugin

    return SimpleNamespace(name=name, load=load, dist=FakeDistribution(f"{name}-dist", "1.2"))


def states_by_name() -> dict[str, plugins.PluginState]:
    return {state.name: state for state in plugins.states()}


class TestManager:
    def test_a_toolkit_needs_three_lines(self, install):
        entry = DetectorEntry("one", "A detector.", ("audio",), load=lambda path: None)
        install(a=SimpleNamespace(forensics_detectors=hookimpl(lambda: [entry])))
        assert plugins.manager().hook.forensics_detectors() == [[entry]]

    def test_it_is_the_same_at_every_call(self):
        assert plugins.manager() is plugins.manager()

    def test_our_own_parts_come_through_the_entry_point(self):
        own = states_by_name()["mmmsba"]
        assert (own.distribution, own.state) == ("mmmsba-plugin", "loaded")

    def test_a_host_may_register_an_object(self, install):
        install()
        plugins.manager().register(offering(a_writer("hosted")), name="host")
        assert plugins.lookup("writers", "hosted").name == "hosted"
        assert states_by_name()["host"].origin == "registered by the host"


class TestBroken:
    @pytest.mark.parametrize(
        ("plugin", "reason"),
        [
            (ModuleNotFoundError("No module named 'gone'"), "No module named 'gone'"),
            (SyntaxError("invalid syntax"), "SyntaxError: invalid syntax"),
            (AttributeError("module has no attribute 'x'"), "AttributeError"),
            (SystemExit(3), "SystemExit: 3"),
            (BaseException("a panic"), "BaseException: a panic"),
            (None, "it leads to None"),
            (
                SimpleNamespace(forensics_writers=hookimpl(lambda reports: [])),
                "declared in the hookimpl but can not be found in the hookspec",
            ),
            (
                SimpleNamespace(forensics_writer=hookimpl(lambda: [None])),
                "no hook is called 'forensics_writer'; hooks: forensics_dataset_readers, ",
            ),
        ],
        ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
    )
    def test_it_stops_nothing_and_says_why_in_one_line(self, install, plugin, reason):
        install(broken=plugin, fine=offering(a_writer("fine")))
        broken = states_by_name()["broken"]
        assert broken.state == "broken"
        assert reason in broken.reason
        assert "\n" not in broken.reason
        assert plugins.lookup("writers", "fine").name == "fine"

    def test_ctrl_c_is_not_a_broken_plugin(self, install):
        install(slow=KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            plugins.manager()

    def test_a_hook_of_tomorrow_is_welcome_if_it_is_optional(self, install):
        later = SimpleNamespace(forensics_dreams=hookimpl(optionalhook=True)(lambda: [None]))
        install(later=later)
        assert states_by_name()["later"].state == "loaded"

    def test_two_distributions_with_one_plugin_name_keep_the_first(self, install, monkeypatch):
        points = [_point("same", offering(a_writer("first"))), _point("same", offering())]
        monkeypatch.setattr(loading, "entry_points", lambda *, group: points)
        first, second = plugins.states()
        assert (first.state, second.state) == ("loaded", "broken")
        assert "plug-in 'same' (same-dist 1.2) already has that name" in second.reason

    def test_what_a_plugin_prints_while_it_loads_stays_out_of_stdout(self, install, capsys):
        install(loud=lambda: print("hello") or offering())  # noqa: T201
        assert states_by_name()["loud"].state == "loaded"
        captured = capsys.readouterr()
        assert (captured.out, captured.err) == ("", "hello\n")


class TestDisabled:
    def test_it_is_not_even_imported(self, install, monkeypatch):
        install(loud=RuntimeError("imported!"), fine=offering(a_writer("fine")))
        monkeypatch.setenv(plugins.DISABLE_VARIABLE, "other, loud")
        plugins.forget()
        loud = states_by_name()["loud"]
        assert (loud.state, loud.reason) == ("disabled", "named in MMMSBA_DISABLE_PLUGINS")
        assert states_by_name()["fine"].state == "loaded"

    def test_our_own_parts_can_be_disabled_and_the_error_says_so(self, monkeypatch):
        monkeypatch.setenv(plugins.DISABLE_VARIABLE, "mmmsba")
        with pytest.raises(PluginNotFoundError, match="take mmmsba out of MMMSBA_DISABLE_PLUGINS"):
            plugins.lookup("front_ends", "log-mel")


class TestEntries:
    def test_a_hook_that_raises_is_reported_and_the_rest_is_heard(self, install):
        def half() -> Iterator[Writer]:
            yield a_writer("before")
            raise ZeroDivisionError("halfway")

        bad = SimpleNamespace(forensics_writers=hookimpl(half))
        install(bad=bad, good=offering(a_writer("good")))
        offers = plugins.entries("writers")
        assert [(o.name, o.state) for o in offers] == [
            ("before", "ok"),
            ("", "broken"),
            ("good", "ok"),
        ]
        assert offers[1].reason == "ZeroDivisionError: halfway"

    @pytest.mark.parametrize(
        ("entry", "reason"),
        [
            ("a string", "forensics_writers must yield entries of Writer, got str"),
            (
                Forger("f", "audio", "A forger.", Config, lambda config: None),
                "forensics_writers must yield entries of Writer, got Forger",
            ),
            (a_writer("Not A Name"), "cannot be called 'Not A Name'; use small letters"),
            (a_writer(["unhashable"]), "cannot be called ['unhashable']"),
        ],
    )
    def test_what_is_no_entry_is_reported(self, install, entry, reason):
        install(odd=offering(entry, a_writer("fine")))
        odd, fine = plugins.entries("writers")
        assert (odd.entry, odd.state, fine.state) == (None, "broken", "ok")
        assert reason in odd.reason

    def test_a_single_entry_instead_of_several_is_reported(self, install):
        install(one=SimpleNamespace(forensics_writers=hookimpl(lambda: a_writer("one"))))
        (offer,) = plugins.entries("writers")
        assert offer.reason == "TypeError: 'Writer' object is not iterable"

    def test_there_are_five_kinds(self):
        with pytest.raises(
            PluginNotFoundError, match=r"no kind is called 'hats'; kinds: detectors"
        ):
            plugins.entries("hats")


class TestLookup:
    def test_an_unknown_name_lists_what_there_is(self, install):
        install(mmmsba=offering(a_writer("json"), a_writer("html")))
        expected = r"no writer is called 'jsn'; there are: html, json; did you mean 'json'\?$"
        with pytest.raises(PluginNotFoundError, match=expected):
            plugins.lookup("writers", "jsn")

    def test_an_unknown_name_mentions_broken_plugins(self, install):
        install(mmmsba=offering(a_writer("json")), sad=ImportError("no luck"))
        expected = r"plug-in 'sad' \(sad-dist 1\.2\) is broken: ImportError: no luck"
        with pytest.raises(PluginNotFoundError, match=expected):
            plugins.lookup("writers", "xml")

    def test_without_our_own_parts_it_says_how_to_install_them(self, install):
        install()
        expected = "no front-end is called 'log-mel': no plug-in offers any.*pip install mmmsba"
        with pytest.raises(PluginNotFoundError, match=expected):
            plugins.lookup("front_ends", "log-mel")

    def test_a_clash_names_both_and_how_to_leave_one_out(self, install):
        install(a=offering(a_writer("json")), b=offering(a_writer("json"), a_writer("other")))
        with pytest.raises(PluginClashError) as caught:
            plugins.lookup("writers", "json")
        assert str(caught.value) == (
            "plug-in 'a' (a-dist 1.2) and plug-in 'b' (b-dist 1.2) each offer a writer called "
            "'json'; leave one out with MMMSBA_DISABLE_PLUGINS=b"
        )
        assert [offer.state for offer in plugins.entries("writers")] == ["clash", "clash", "ok"]
        assert plugins.lookup("writers", "other").name == "other"

    def test_the_remedy_of_a_clash_works(self, install, monkeypatch):
        install(a=offering(a_writer("json")), b=offering(a_writer("json")))
        monkeypatch.setenv(plugins.DISABLE_VARIABLE, "b")
        plugins.forget()
        assert plugins.lookup("writers", "json").name == "json"

    def test_one_name_in_two_kinds_is_no_clash(self, install):
        entry = DetectorEntry("json", "A detector.", ("audio",), load=lambda path: None)
        both = offering(a_writer("json"))
        both.forensics_detectors = hookimpl(lambda: [entry])
        install(both=both)
        assert plugins.lookup("detectors", "json") is entry


class TestLoadFile:
    def test_it_is_a_plugin_before_it_is_packaged(self, tmp_path):
        path = tmp_path / "mine.py"
        path.write_text(WRITER_FILE.format(name="mine", summary="Mine."))
        assert plugins.load_file(path).name == "mine"
        assert plugins.lookup("writers", "mine").summary == "Mine."
        assert states_by_name()["mine"].distribution == str(path)

    def test_loading_it_again_replaces_it(self, tmp_path):
        path = tmp_path / "mine.py"
        for summary in ("First.", "And second."):
            path.write_text(WRITER_FILE.format(name="mine", summary=summary))
            plugins.load_file(path)
        assert plugins.lookup("writers", "mine").summary == "And second."

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("import no_such_thing", "No module named 'no_such_thing'"),
            ("def broken(:", "SyntaxError: invalid syntax"),
            ("raise SystemExit('bye')", "SystemExit: bye"),
            ("x = 1", "no function in it is marked @hookimpl, so it offers nothing"),
        ],
    )
    def test_one_that_does_not_load_is_an_error_with_file_and_reason(self, tmp_path, text, reason):
        path = tmp_path / "bad.py"
        path.write_text(text)
        with pytest.raises(PluginBrokenError) as caught:
            plugins.load_file(path)
        assert str(path) in str(caught.value)
        assert reason in str(caught.value)
        assert caught.value.__cause__ is not None, "its author wants the traceback"

    def test_one_that_is_not_there_is_an_error(self, tmp_path):
        with pytest.raises(PluginBrokenError, match=r"no plug-in file .*none\.py") as caught:
            plugins.load_file(tmp_path / "none.py")
        assert caught.value.plugin == str(tmp_path / "none.py")

    def test_one_that_is_no_python_is_an_error(self, tmp_path):
        path = tmp_path / "plugin.txt"
        path.touch()
        with pytest.raises(PluginBrokenError, match=r"it is not a \.py file"):
            plugins.load_file(path)

    def test_the_name_of_another_plugin_is_refused(self, tmp_path, install):
        install(taken=offering(a_writer("theirs")))
        path = tmp_path / "taken.py"
        path.write_text(WRITER_FILE.format(name="mine", summary="Mine."))
        with pytest.raises(PluginBrokenError, match=r"\(taken-dist 1\.2\) already has that name"):
            plugins.load_file(path)

    def test_it_can_be_disabled_too(self, tmp_path, monkeypatch):
        monkeypatch.setenv(plugins.DISABLE_VARIABLE, "mine")
        plugins.forget()
        path = tmp_path / "mine.py"
        path.write_text("raise RuntimeError")
        assert plugins.load_file(path).state == "disabled"


class TestAnnounce:
    def test_all_hear_it_and_one_that_fails_is_a_warning(self, install):
        heard = []

        def deaf(report: Any) -> None:
            raise ConnectionError("index is down")

        install(
            deaf=SimpleNamespace(forensics_report_ready=hookimpl(deaf)),
            ears=SimpleNamespace(
                forensics_report_ready=hookimpl(lambda report, media: heard.append((report, media)))
            ),
        )
        report = samples.report("ok")
        assert plugins.announce(report, "clip.mp4") == (
            "plug-in 'deaf' (deaf-dist 1.2) failed on a report: ConnectionError: index is down",
        )
        assert heard == [(report, Path("clip.mp4"))]


def registered(kind: plugins.Kind) -> list[Any]:
    """Every entry of a kind that is installed here, as parameters for a contract."""
    return [pytest.param(o.entry, id=o.name) for o in plugins.entries(kind) if o.entry]


@pytest.mark.parametrize("kind", plugins.ENTRY_TYPES)
def test_every_hook_of_ours_offers_something_and_nothing_broken(kind):
    own = [offer for offer in plugins.entries(kind) if offer.plugin.name == plugins.OWN_NAME]
    assert own
    assert [offer.reason for offer in own if offer.state != "ok"] == []


class EveryEntry:
    """Runs a contract for each entry that its parametrised fixture brings."""

    @property
    def entry(self) -> Any:
        return self._current


class TestEveryFrontEnd(EveryEntry, FrontEndContract):
    @pytest.fixture(autouse=True, params=registered("front_ends"))
    def _each(self, request, tmp_path):
        self._current: FrontEnd = request.param
        if self.entry.name == "precomputed":
            rows = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
            np.save(tmp_path / "sample.npy", rows)
            self.settings = {"folder": str(tmp_path), "hop_s": 0.1}


class TestEveryWriter(EveryEntry, WriterContract):
    @pytest.fixture(autouse=True, params=registered("writers"))
    def _each(self, request):
        self._current: Writer = request.param


class TestEveryForger(EveryEntry, ForgerContract):
    @pytest.fixture(autouse=True, params=registered("forgers"))
    def _each(self, request):
        self._current: Forger = request.param


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


class Installed(NamedTuple):
    """A folder with both strangers' distributions in it."""

    sources: Path
    site: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        env = os.environ | {"PYTHONPATH": str(self.site), "COLUMNS": "200"}
        return subprocess.run(
            [sys.executable, *command], env=env, capture_output=True, text=True, check=False
        )

    def python(self, code: str) -> str:
        done = self.run("-c", code)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("strangers")
    sources, site = folder / "sources", folder / "site"
    # Built from a copy, so that no build leaves anything in the checkout.
    for name in ("toyforensics", "broken"):
        shutil.copytree(STRANGERS / name, sources / name)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    pip += ["--no-index", "--disable-pip-version-check", "--target", str(site)]
    pip += [str(sources / "toyforensics"), str(sources / "broken")]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Installed(sources, site)


class TestStrangers:
    """Distributions with their own pyproject, installed as a user would."""

    def test_the_command_lists_what_they_offer_and_what_is_broken(self, installed):
        done = installed.run("-m", "mmmsba_plugin", "plugins", "--json")
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
        toys = [e for e in said["entries"] if e["distribution"] == "toyforensics"]
        assert {(e["kind"], e["name"], e["version"], e["state"]) for e in toys} == {
            ("detectors", "toy-jumps", "0.3.1", "ok"),
            ("front_ends", "toy-loudness", "0.3.1", "ok"),
            ("writers", "toy-verdict", "0.3.1", "ok"),
        }
        (broken,) = [p for p in said["plugins"] if p["state"] == "broken"]
        assert (broken["distribution"], broken["version"]) == ("brokenforensics", "0.0.7")
        assert broken["reason"] == (
            "ModuleNotFoundError: No module named 'a_library_that_nobody_has'"
        )

    def test_the_table_shows_the_same(self, installed):
        table = installed.run("-m", "mmmsba_plugin", "plugins").stdout
        for cell in ("toy-loudness", "toyforensics 0.3.1", "brokenforensics 0.0.7", "nobody_has"):
            assert cell in table

    def test_lookup_finds_theirs_beside_the_broken_one(self, installed):
        code = (
            "from mmmsba_plugin.plugins import lookup\n"
            "print(lookup('front_ends', 'toy-loudness').summary)"
        )
        assert installed.python(code) == "Mean and peak level of each snippet.\n"

    def test_their_detector_hears_a_splice_and_their_writer_writes_it(self, installed, tmp_path):
        clip = samples.clip(tmp_path / "genuine.mp4", duration_s=3.0)
        fake = self._with_silence(tmp_path / "forged.mp4", start_s=1.0, end_s=2.0)
        code = (
            "import sys; from mmmsba_plugin.plugins import lookup\n"
            "detector = lookup('detectors', 'toy-jumps').load(None)\n"
            "for report in detector.detect_many(sys.argv[1:]):\n"
            "    lookup('writers', 'toy-verdict').write(report, sys.stdout)"
        )
        done = installed.run("-c", code, str(clip), str(fake))
        assert done.returncode == 0, done.stderr
        real, found = done.stdout.splitlines()
        assert real.endswith(" nothing forged")
        score, stretch = found.split(" ", 1)
        assert float(score) > 0.5
        start_s, end_s = (float(edge) for edge in stretch.removesuffix(" s").split("-"))
        # The toy hears in cells of 50 ms, and the codec smears an edge by one of its frames
        # of 64 ms.
        assert (start_s, end_s) == (pytest.approx(1.0, abs=0.12), pytest.approx(2.0, abs=0.12))

    def test_their_own_tests_pass_against_the_contracts(self, installed):
        tests = str(installed.sources / "toyforensics" / "tests")
        done = installed.run("-m", "pytest", "-q", "-p", "no:cacheprovider", tests)
        assert done.returncode == 0, done.stdout
        assert "30 passed" in done.stdout

    def test_their_code_passes_the_type_checker(self, installed, tmp_path):
        pyproject = Path(__file__).parents[2] / "pyproject.toml"
        where = str(installed.sources / "toyforensics" / "toyforensics")
        config = ["--config-file", str(pyproject), "--cache-dir", str(tmp_path)]
        done = installed.run("-m", "mypy", "--strict", *config, where)
        assert done.returncode == 0, done.stdout

    @staticmethod
    def _with_silence(path: Path, *, start_s: float, end_s: float) -> Path:
        from mmmsba_plugin.media.encode import write_clip

        audio = samples.samples(3.0).copy()
        rate_hz = samples.SAMPLE_RATE_HZ
        audio[round(start_s * rate_hz) : round(end_s * rate_hz)] = 0.0
        frames = [face.face for face in samples.faces(3.0)]
        write_clip(path, frames, fps_hz=samples.FPS_HZ, audio=audio, sample_rate_hz=rate_hz)
        return path
