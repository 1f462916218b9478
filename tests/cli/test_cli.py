"""The command line: what it answers, where it says so, and with which exit code."""

import json
import re
import shutil
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

from mmmsba_plugin import plugins, weights
from mmmsba_plugin.cli import _exit_codes, app, doctor
from mmmsba_plugin.errors import ModelFileError
from mmmsba_plugin.tracks import models

WRITER_FILE = """
from mmmsba_plugin.hookspecs import Writer, hookimpl

@hookimpl
def forensics_writers():
    yield Writer("mine", ".x", "{summary}", lambda report, out: out.write("x"))
"""


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    plugins.forget()
    yield
    plugins.forget()


@pytest.fixture
def run():
    return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def plugin_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(WRITER_FILE.format(summary="Mine [bold]alone[/bold]."))
    return path


class TestApp:
    def test_help_documents_every_exit_code(self, run):
        help_text = " ".join(run("--help").stdout.split())
        for code in (
            _exit_codes.OK,
            _exit_codes.USAGE,
            _exit_codes.NOT_EVALUATED,
            _exit_codes.STOPPED,
        ):
            assert re.search(rf"\b{code} (every|the command|at least|the run)", help_text)

    def test_version_is_that_of_the_distribution(self, run):
        assert run("--version").stdout == f"mmmsba {version('mmmsba-plugin')}\n"

    def test_a_wrong_command_line_is_usage(self, run):
        assert run("no-such-command").exit_code == _exit_codes.USAGE
        assert run("plugins", "--no-such-option").exit_code == _exit_codes.USAGE

    def test_an_error_of_ours_is_one_line_on_stderr(self, run, tmp_path):
        # Brackets in a name must come out as they are, not as colours.
        path = tmp_path / "[red]none[/red].py"
        result = run("--plugin", path, "plugins")
        assert result.exit_code == _exit_codes.STOPPED
        assert result.stdout == ""
        assert result.stderr == (
            f"error: there is no plug-in file {path}; give the path of a .py file\n"
        )

    def test_any_other_error_keeps_its_traceback(self, run, monkeypatch):
        def crash(kind):
            raise ZeroDivisionError("a bug")

        monkeypatch.setattr(plugins, "entries", crash)
        result = run("plugins")
        assert isinstance(result.exception, ZeroDivisionError)


class TestPlugins:
    def test_json_has_every_plugin_and_every_entry(self, run):
        listing = json.loads(run("plugins", "--json").stdout)
        own = [p for p in listing["plugins"] if p["name"] == "mmmsba"]
        assert own == [
            {
                "name": "mmmsba",
                "distribution": "mmmsba-plugin",
                "version": version("mmmsba-plugin"),
                "state": "loaded",
                "reason": "",
            }
        ]
        names = {e["name"] for e in listing["entries"] if e["plugin"] == "mmmsba"}
        assert {"mmms-ba", "log-mel", "json", "splice", "lav-df"} <= names

    def test_a_file_joins_the_table_as_it_is_written(self, run, plugin_file):
        result = run("--plugin", plugin_file, "plugins")
        assert result.exit_code == _exit_codes.OK
        (row,) = [line for line in result.stdout.splitlines() if "Mine" in line]
        assert row.split()[:3] == ["writers", "mine", str(plugin_file)]
        assert row.rstrip().endswith("Mine [bold]alone[/bold].")

    def test_a_file_that_breaks_stops_the_run(self, run, plugin_file):
        plugin_file.write_text("import no_such_thing")
        result = run("--plugin", plugin_file, "plugins")
        assert result.exit_code == _exit_codes.STOPPED
        assert (
            "cannot be used: ModuleNotFoundError: No module named 'no_such_thing'" in result.stderr
        )

    def test_several_files_can_be_given(self, run, plugin_file):
        other = plugin_file.with_name("other.py")
        other.write_text(plugin_file.read_text().replace('"mine"', '"other"'))
        listing = json.loads(
            run("--plugin", plugin_file, "--plugin", other, "plugins", "--json").stdout
        )
        assert {"mine", "other"} <= {e["name"] for e in listing["entries"]}

    def test_a_disabled_plugin_is_shown_though_it_offers_nothing(self, run, monkeypatch):
        monkeypatch.setenv(plugins.DISABLE_VARIABLE, "mmmsba")
        (row,) = [
            r
            for r in run("plugins").stdout.splitlines()
            if "mmmsba-plugin" in r and "disabled" in r
        ]
        assert row.split() == [
            *("plug-in", "mmmsba", "mmmsba-plugin", version("mmmsba-plugin")),
            *("disabled", "named", "in", "MMMSBA_DISABLE_PLUGINS"),
        ]

    def test_a_clash_is_shown_on_both_sides(self, run, plugin_file):
        other = plugin_file.with_name("other.py")
        other.write_text(plugin_file.read_text())
        listing = json.loads(
            run("--plugin", plugin_file, "--plugin", other, "plugins", "--json").stdout
        )
        clash = [e for e in listing["entries"] if e["name"] == "mine"]
        assert [(e["plugin"], e["state"]) for e in clash] == [("mine", "clash"), ("other", "clash")]
        assert str(other) in clash[0]["reason"]


class TestDoctor:
    def test_all_is_well_where_these_tests_run(self, run):
        result = run("doctor", "--json")
        summary = json.loads(result.stdout)
        missing = [check for check in summary["checks"] if check["state"] == "missing"]
        assert (result.exit_code, summary["ok"], missing) == (_exit_codes.OK, True, [])
        names = {check["name"] for check in summary["checks"]}
        assert {"python", "torch", "numpy", "face models", "read h264", "checkpoint"} <= names
        assert "encoders" in names

    def test_what_is_optional_names_its_extra(self, run, monkeypatch):
        monkeypatch.setattr(doctor, "_installed", lambda name: None)
        checks = {check.name: check for check in doctor.examine()}
        assert checks["matplotlib"] == doctor.Check(
            "matplotlib", "optional", "not installed; pip install 'mmmsba-plugin[report]'"
        )
        # Both `train` and `demo` bring it; the smaller of the two is the one to name.
        assert "mmmsba-plugin[train]" in checks["lightning"].detail
        assert checks["numpy"].state == "missing"

    def test_what_is_required_and_missing_is_an_exit_code(self, run, monkeypatch):
        monkeypatch.setattr(doctor, "_installed", lambda name: None)
        result = run("doctor")
        assert result.exit_code == _exit_codes.STOPPED
        assert "not installed; install it with: pip install mmmsba-plugin" in result.stdout

    def test_an_old_version_is_as_bad_as_none(self, monkeypatch):
        monkeypatch.setattr(doctor, "_installed", lambda name: "0.1")
        checks = {check.name: check for check in doctor.examine()}
        assert checks["torch"].state == "missing"
        assert checks["torch"].detail.startswith("0.1 is not >=2.5; ")

    def test_what_is_installed_but_does_not_import_is_missing(self, monkeypatch):
        def broken(name):
            raise OSError("libsomething.so: cannot open shared object file")

        monkeypatch.setattr(doctor, "import_module", broken)
        checks = {check.name: check for check in doctor.examine()}
        assert checks["av"].state == "missing"
        assert "does not import: OSError('libsomething.so" in checks["av"].detail

    def test_a_damaged_face_model_is_a_finding_and_no_crash(self, run, monkeypatch):
        def damaged():
            raise ModelFileError("face_landmark.tflite differs from the file that was shipped")

        monkeypatch.setattr(models, "verify", damaged)
        result = run("doctor")
        assert result.exit_code == _exit_codes.STOPPED
        assert "face_landmark.tflite differs" in result.stdout
        assert "checkpoint" in result.stdout, "it goes on after a finding"

    def checkpoint_check(self) -> doctor.Check:
        return {check.name: check for check in doctor.examine()}["checkpoint"]

    def test_bundled_weights_are_loaded_and_told(self, bundled):
        check = self.checkpoint_check()
        assert check.state == "ok"
        assert check.detail.startswith("bundled: its weights have the hash they should have")
        assert check.detail.endswith("learned from: a puppet")

    @pytest.mark.usefixtures("unbundled")
    def test_without_bundled_weights_it_says_how_to_come_by_some(self):
        check = self.checkpoint_check()
        assert check.state == "optional"
        assert "none is bundled; train one with `mmmsba train" in check.detail

    def test_damaged_weights_are_missing_and_say_where_the_bundled_ones_are(
        self, checkpoint, unbundled, monkeypatch
    ):
        shutil.copytree(checkpoint, unbundled, dirs_exist_ok=True)
        with (unbundled / "model.safetensors").open("ab") as file:
            file.write(b"more")
        check = self.checkpoint_check()
        assert check.state == "missing"
        assert "is not the file that config.json was written for" in check.detail
        assert check.detail.endswith("pip install --force-reinstall --no-deps mmmsba-plugin")
        monkeypatch.setenv(weights.VARIABLE, str(unbundled))
        assert self.checkpoint_check().detail.endswith(
            "MMMSBA_WEIGHTS names it: unset that to use the bundled weights"
        )

    def test_disabled_own_parts_are_missing_and_others_are_not(self, monkeypatch, plugin_file):
        monkeypatch.setenv(plugins.DISABLE_VARIABLE, "mmmsba,mine")
        plugins.forget()
        plugins.load_file(plugin_file)
        checks = {check.name: check.state for check in doctor.examine()}
        assert checks["plug-in mmmsba"] == "missing"
        assert checks["plug-in mine"] == "optional"
