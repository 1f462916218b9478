"""Commands and code of the README, typed."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mmmsba_plugin.segment import Segment, tiou

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def typed(line: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    words = shlex.split(line)
    assert words[0] == "mmmsba"
    return subprocess.run(
        [sys.executable, "-m", "mmmsba_plugin", *words[1:]],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=800,
    )


@pytest.fixture(scope="module")
def desk(tmp_path_factory, talking_clip) -> Path:
    """A folder with the files that the README presupposes: real clips, and one to evaluate."""
    from mmmsba_plugin.forge.talking_head.clips import make_talking_head_dataset

    folder = tmp_path_factory.mktemp("desk")
    make_talking_head_dataset(folder / "real", num_clips=5, seconds=2.5, seed=11)
    shutil.copy(talking_clip, folder / "clip.mp4")
    return folder


def test_the_page_opens_with_two_commands_and_ci_runs_the_second():
    demo, tests = blocks("bash")
    assert README.index(demo) < README.index(tests) < README.index("\n## ")
    assert demo.strip().endswith(".venv/bin/mmmsba demo")
    assert tests.strip() in (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()


def test_the_first_command_installs_what_the_demo_needs():
    words = blocks("bash")[0].split()
    assert words[words.index("-c") + 1] == "tests/constraints.txt"
    assert ".[demo]" in words[words.index("tests/constraints.txt") + 1]


# On a machine with much else to do; on an idle one, each of them takes about two minutes.
@pytest.mark.timeout(900)
@pytest.mark.story
def test_the_demo_finds_its_own_fake_segments(tmp_path):
    result = typed("mmmsba demo --no-open", tmp_path)
    assert result.returncode == 0, result.stderr
    # With the bundled weights; the clip, and so the answer, is the same on every machine but for
    # rounding.
    truth, segments = (
        [Segment(*map(float, pair)) for pair in re.findall(r"0:(\d\d\.\d+) to 0:(\d\d\.\d+)", line)]
        for line in result.stdout.splitlines()
        if line.startswith(("really forged: ", "reported as fake: "))
    )
    assert len(truth) == 2
    assert all(any(tiou(segment, of_truth) > 0.5 for segment in segments) for of_truth in truth)
    assert "says nothing about real footage" in result.stdout
    assert "<svg" in (tmp_path / "mmmsba-demo/report.html").read_text(encoding="utf-8")


# On a machine with much else to do; on an idle one, each of them takes about two minutes.
@pytest.mark.timeout(900)
@pytest.mark.story
def test_the_demo_walks_the_whole_way(tmp_path):
    result = typed("mmmsba demo --train --no-open", tmp_path)
    assert result.returncode == 0, result.stderr
    assert "really forged: 0:0" in result.stdout
    assert "That says nothing about real footage" in result.stdout
    assert "<svg" in (tmp_path / "mmmsba-demo/report.html").read_text(encoding="utf-8")


@pytest.mark.timeout(900)
@pytest.mark.story
def test_the_page_read_from_top_to_bottom_works(desk):
    for line in "".join(blocks("console")).splitlines():
        result = typed(line.removeprefix("$ "), desk)
        assert result.returncode == 0, (line, result.stdout, result.stderr)
    reports = {path.suffix for path in (desk / "reports").iterdir()}
    assert reports == {".json", ".html", ".vtt", ".csv"}

    use, host, plugin = blocks("python")
    for code in (use, host):
        result = subprocess.run(
            [sys.executable, "-c", code], cwd=desk, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stderr
        assert result.stdout
    assert "mmms-ba" in result.stdout

    (desk / "loudness.py").write_text(plugin, encoding="utf-8")
    listed = typed("mmmsba --plugin loudness.py plugins", desk)
    assert "One line a clip." in listed.stdout
    result = typed(
        "mmmsba --plugin loudness.py detect clip.mp4 --checkpoint my-checkpoint --format line", desk
    )
    assert result.returncode == 0, result.stderr
    assert (desk / "clip.mmmsba.line.txt").read_text(encoding="utf-8").startswith("clip.mp4: 0.")


def test_every_hook_is_named_with_its_signature():
    from inspect import signature

    from mmmsba_plugin import hookspecs

    for name in (n for n in dir(hookspecs) if n.startswith("forensics_")):
        arguments = ", ".join(signature(getattr(hookspecs, name)).parameters)
        assert f"`{name}({arguments})`" in README


def test_every_command_is_named():
    from mmmsba_plugin.cli import app

    for command in app.registered_commands:
        assert f"mmmsba {command.callback.__name__.replace('_', '-')}" in README


def test_the_exit_codes_are_those_of_the_command():
    from mmmsba_plugin.cli import _exit_codes

    codes = {int(code) for code in re.findall(r"^\| (\d) \|", README, flags=re.MULTILINE)}
    assert codes == {
        _exit_codes.OK,
        _exit_codes.USAGE,
        _exit_codes.NOT_EVALUATED,
        _exit_codes.STOPPED,
    }


def test_nothing_is_loaded_from_afar_when_the_readme_is_followed():
    for line in [*blocks("bash"), *blocks("console")]:
        assert "http" not in line
