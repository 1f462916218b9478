"""Plug-ins: found, isolated, listed and looked up by name."""

from types import SimpleNamespace

import pytest

from mmmsba_plugin import plugins
from mmmsba_plugin.errors import (
    PluginBrokenError,
    PluginNotFoundError,
)
from mmmsba_plugin.hookspecs import (
    DetectorEntry,
    hookimpl,
)
from mmmsba_plugin.plugins import loading

from .offering import a_writer, entry_point, offering

WRITER_FILE = """
from mmmsba_plugin.hookspecs import Writer, hookimpl

@hookimpl
def forensics_writers():
    yield Writer(
        name="{name}", suffix=".x", summary="{summary}", write=lambda report, out: out.write("x")
    )
"""


def states_by_name() -> dict[str, plugins.PluginState]:
    return {state.name: state for state in plugins.states()}


class TestManager:
    def test_a_toolkit_needs_three_lines(self, install):
        entry = DetectorEntry(
            name="one", summary="A detector.", modalities=("audio",), load=lambda path: None
        )
        install(a=SimpleNamespace(forensics_detectors=hookimpl(lambda: [entry])))
        assert plugins.manager().hook.forensics_detectors() == [[entry]]

    def test_it_is_the_same_at_every_call(self):
        assert plugins.manager() is plugins.manager()

    def test_our_own_parts_come_through_the_entryentry_point(self):
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

    def test_one_that_raises_in_a_raw_call_of_a_hook_costs_the_others_nothing(
        self, install, caplog
    ):
        def halfway():
            yield a_writer("before")
            raise RuntimeError("boom")

        bad = SimpleNamespace(forensics_writers=hookimpl(halfway))
        install(bad=bad, fine=offering(a_writer("fine")))
        results = plugins.manager().hook.forensics_writers()
        assert sorted(entry.name for entries in results for entry in entries) == ["before", "fine"]
        assert "plug-in 'bad' failed: RuntimeError: boom" in caplog.text

    def test_ctrl_c_is_not_a_broken_plugin(self, install):
        install(slow=KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            plugins.manager()

    def test_a_hook_of_tomorrow_is_welcome_if_it_is_optional(self, install):
        later = SimpleNamespace(forensics_dreams=hookimpl(optionalhook=True)(lambda: [None]))
        install(later=later)
        assert states_by_name()["later"].state == "loaded"

    def test_two_distributions_with_one_plugin_name_keep_the_first(self, install, monkeypatch):
        points = [entry_point("same", offering(a_writer("first"))), entry_point("same", offering())]
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
        install(namesake=offering(a_writer("theirs")))
        path = tmp_path / "namesake.py"
        path.write_text(WRITER_FILE.format(name="mine", summary="Mine."))
        with pytest.raises(
            PluginBrokenError, match=r"\(namesake-dist 1\.2\) already has that name"
        ):
            plugins.load_file(path)

    def test_it_can_be_disabled_too(self, tmp_path, monkeypatch):
        monkeypatch.setenv(plugins.DISABLE_VARIABLE, "mine")
        plugins.forget()
        path = tmp_path / "mine.py"
        path.write_text("raise RuntimeError")
        assert plugins.load_file(path).state == "disabled"
