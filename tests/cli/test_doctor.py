"""``mmmsba doctor``: what is missing on this machine, and how to get it."""

import json
import shutil
from importlib import metadata

import pytest

from mmmsba_plugin import plugins, weights
from mmmsba_plugin.cli import _exit_codes, doctor
from mmmsba_plugin.errors import ModelFileError
from mmmsba_plugin.tracks import models

pytestmark = pytest.mark.usefixtures("wide")


class TestDoctor:
    def test_all_is_well_where_these_tests_run(self, run):
        result = run("doctor", "--json")
        summary = json.loads(result.stdout)
        missing = [check for check in summary["checks"] if check["state"] == "missing"]
        assert (result.exit_code, summary["ok"], missing) == (_exit_codes.OK, True, [])
        names = {check["name"] for check in summary["checks"]}
        assert {"python", "torch", "numpy", "face models", "read h264", "checkpoint"} <= names
        assert "encoders" in names

    @pytest.fixture
    def nothing_installed(self, monkeypatch):
        def version(name):
            raise metadata.PackageNotFoundError(name)

        monkeypatch.setattr(metadata, "version", version)

    @pytest.mark.usefixtures("nothing_installed")
    def test_what_is_optional_names_its_extra(self):
        checks = {check.name: check for check in doctor.examine()}
        assert checks["matplotlib"] == doctor.Check(
            "matplotlib", "optional", "not installed; pip install 'mmmsba-plugin[report]'"
        )
        # Both `train` and `demo` bring it; the smaller of the two is the one to name.
        assert "mmmsba-plugin[train]" in checks["lightning"].detail
        assert checks["numpy"].state == "missing"

    @pytest.mark.usefixtures("nothing_installed")
    def test_what_is_required_and_missing_is_an_exit_code(self, run):
        result = run("doctor")
        assert result.exit_code == _exit_codes.STOPPED
        assert "not installed; install it with: pip install mmmsba-plugin" in result.stdout

    def test_an_old_version_is_as_bad_as_none(self, monkeypatch):
        monkeypatch.setattr(metadata, "version", lambda name: "0.1")
        checks = {check.name: check for check in doctor.check_packages()}
        assert checks["torch"].state == "missing"
        assert checks["torch"].detail.startswith("0.1 is not >=2.5; ")

    def test_what_is_installed_but_does_not_import_is_missing(self, monkeypatch):
        def broken(name):
            raise OSError("libsomething.so: cannot open shared object file")

        monkeypatch.setattr(doctor, "import_module", broken)
        checks = {check.name: check for check in doctor.check_packages()}
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

    def test_bundled_weights_are_loaded_and_described(self, bundled):
        (check,) = doctor.check_checkpoint()
        assert check.state == "ok"
        assert check.detail.startswith("bundled: its weights have the hash they should have")
        assert check.detail.endswith("learned from: a talking head")

    @pytest.mark.usefixtures("unbundled")
    def test_without_bundled_weights_it_says_how_to_come_by_some(self):
        (check,) = doctor.check_checkpoint()
        assert check.state == "optional"
        assert "none is bundled; train one with `mmmsba train" in check.detail

    def test_damaged_weights_are_missing_and_say_where_the_bundled_ones_are(
        self, checkpoint, unbundled, monkeypatch
    ):
        shutil.copytree(checkpoint, unbundled, dirs_exist_ok=True)
        with (unbundled / "model.safetensors").open("ab") as file:
            file.write(b"more")
        (check,) = doctor.check_checkpoint()
        assert check.state == "missing"
        assert "is not the file that config.json was written for" in check.detail
        assert check.detail.endswith("pip install --force-reinstall --no-deps mmmsba-plugin")
        monkeypatch.setenv(weights.VARIABLE, str(unbundled))
        (check,) = doctor.check_checkpoint()
        assert check.detail.endswith(
            "MMMSBA_WEIGHTS names it: unset that to use the bundled weights"
        )

    def test_disabled_own_parts_are_missing_and_others_are_not(self, monkeypatch, plugin_file):
        monkeypatch.setenv(plugins.DISABLE_VARIABLE, "mmmsba,mine")
        plugins.forget()
        plugins.load_file(plugin_file)
        checks = {check.name: check.state for check in doctor.check_plugins()}
        assert checks["plug-in mmmsba"] == "missing"
        assert checks["plug-in mine"] == "optional"

    def test_other_packages_have_checks_of_their_own_and_a_broken_one_is_optional(
        self, monkeypatch
    ):
        class Point:
            def __init__(self, name, load):
                self.name, self.load = name, load

        def broken():
            raise ImportError("no module named 'theirs'")

        mine = doctor.Check("mine", "ok", "here")
        points = [Point("broken", broken), Point("mine", lambda: lambda: iter([mine]))]
        monkeypatch.setattr(metadata, "entry_points", lambda group: points)
        assert [*doctor.check_offered()] == [
            doctor.Check("broken", "optional", "ImportError: no module named 'theirs'"),
            mine,
        ]
