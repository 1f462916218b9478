"""``mmmsba plugins``: what is on offer, from whom, and what is wrong with the rest."""

import json
from importlib.metadata import version

import pytest

from mmmsba_plugin import plugins
from mmmsba_plugin.cli import _exit_codes

pytestmark = pytest.mark.usefixtures("wide")


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

    def test_json_tells_what_an_entry_needs_and_costs_and_under_which_license(self, run):
        entries = {e["name"]: e for e in json.loads(run("plugins", "--json").stdout)["entries"]}
        own, writer = entries["mmms-ba"], entries["vtt"]
        assert (own["license"], own["devices"]) == ("Apache-2.0 AND MIT", ["cpu", "cuda"])
        assert own["cpu_s_per_s"] == pytest.approx(0.35, rel=0.5)
        assert [writer[name] for name in ("needs_api", "devices", "cpu_s_per_s")] == [None] * 3

    def test_a_file_joins_the_table_as_it_is_written(self, run, plugin_file):
        result = run("--plugin", plugin_file, "plugins")
        assert result.exit_code == _exit_codes.OK
        (row,) = [line for line in result.stdout.splitlines() if "Mine" in line]
        assert row.split()[:3] == ["writers", "mine", str(plugin_file)]
        assert row.rstrip().endswith("Mine [bold]alone[/bold].")

    def test_entries_of_one_kind_can_be_asked_for(self, run):
        lines = run("plugins", "--kind", "writers").stdout.splitlines()
        assert {line.split()[0] for line in lines[1:]} == {"writers"}
        assert "none of detectors, front_ends" in run("plugins", "--kind", "panel").stderr

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
