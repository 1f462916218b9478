"""Commands, figures and links of the README, which is also the page of the package index."""

import re
import shutil
from pathlib import Path

import pytest

from mmmsba_plugin import weights
from mmmsba_plugin.docs import FOLDER, PAGES, path_of
from mmmsba_plugin.localization.calibrate import apply
from mmmsba_plugin.model.checkpoint import read_config
from mmmsba_plugin.segment import Segment, tiou

from .tools.command_lines import options, run_command
from .tools.markdown import blocks, languages, typed_lines

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")

#: The line that ``mmmsba detect`` prints of a clip without segments.
LINE = re.compile(r"(\S+): ([a-z ]+), score (0\.\d+), threshold (0\.\d+)")


@pytest.fixture(scope="module")
def demo_folder(tmp_path_factory) -> Path:
    """A folder in which the demo was run; what it printed is in ``stdout.txt``."""
    folder = tmp_path_factory.mktemp("demo")
    result = run_command("mmmsba demo --no-open", folder)
    assert result.returncode == 0, result.stderr
    (folder / "stdout.txt").write_text(result.stdout, encoding="utf-8")
    return folder


def test_a_newcomer_reads_it_to_the_end():
    assert README.count("\n") < 150


def test_it_opens_with_the_demo_and_ci_runs_its_command_of_the_tests():
    demo, tests = blocks(README, "bash")
    assert README.index(demo) < README.index("\n## ")
    assert demo.strip().endswith(".venv/bin/mmmsba demo")
    assert tests.strip() in (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()


def test_the_first_command_installs_what_the_demo_needs():
    words = blocks(README, "bash")[0].split()
    assert words[words.index("-c") + 1] == "tests/constraints.txt"
    assert ".[demo]" in words[words.index("tests/constraints.txt") + 1]


def test_every_block_is_of_a_language_that_is_tested():
    assert languages(README) == {"bash", "console", "text", "bibtex"}


# On a machine with much else to do; on an idle one, each of them takes a minute or two.
@pytest.mark.timeout(1800)
@pytest.mark.story
def test_the_demo_finds_its_own_fake_segments(demo_folder):
    output = (demo_folder / "stdout.txt").read_text(encoding="utf-8")
    # With the bundled weights; the clip, and so the answer, is the same on every machine but for
    # rounding.
    truth, segments = (
        [Segment(*map(float, pair)) for pair in re.findall(r"0:(\d\d\.\d+) to 0:(\d\d\.\d+)", line)]
        for line in output.splitlines()
        if line.startswith(("really forged: ", "reported as fake: "))
    )
    assert len(truth) == 2
    assert all(any(tiou(segment, of_truth) > 0.5 for segment in segments) for of_truth in truth)
    assert "says nothing about real footage" in output
    assert "<svg" in (demo_folder / "mmmsba-demo/report.html").read_text(encoding="utf-8")


@pytest.mark.timeout(1800)
@pytest.mark.story
def test_the_answer_that_is_explained_is_that_of_the_demo_clip(demo_folder):
    (excerpt,) = blocks(README, "text")
    name, verdict, score, threshold = LINE.match(excerpt).groups()
    (clip,) = demo_folder.rglob(name)
    result = run_command(f"mmmsba detect {clip} -o reports", demo_folder)
    assert result.returncode == 0, result.stderr
    line = LINE.search(result.stdout)
    assert line[2] == verdict
    assert float(line[3]) == pytest.approx(float(score), abs=0.005)
    assert float(line[4]) == pytest.approx(float(threshold), abs=0.001)
    assert f"**The score**, {score}," in README
    assert f"**The threshold**, {threshold}," in README

    (share,) = re.findall(r"of 100 real clips, (\d+) score as high", excerpt)
    (count,) = re.findall(r"of 100 real clips, (\d+) score as high", result.stdout)
    assert abs(int(count) - int(share)) <= 1


def test_half_of_real_clips_score_above_what_the_first_page_says():
    (stated,) = re.findall(r"Half of all real clips\s+score above (0\.\d+)", README)
    config = read_config(weights.HERE)
    median = config.real_scores[len(config.real_scores) // 2]
    assert apply(config.calibration, median) == pytest.approx(float(stated), abs=0.005)


# On a machine with much else to do; on an idle one, each of them takes a minute or two.
@pytest.mark.timeout(1800)
@pytest.mark.story
def test_the_demo_walks_the_whole_way(tmp_path):
    result = run_command("mmmsba demo --train --no-open", tmp_path)
    assert result.returncode == 0, result.stderr
    assert "really forged: 0:0" in result.stdout
    assert "That says nothing about real footage" in result.stdout
    assert "<svg" in (tmp_path / "mmmsba-demo/report.html").read_text(encoding="utf-8")


@pytest.mark.timeout(1800)
@pytest.mark.story
def test_a_clip_of_ones_own_gets_the_files_that_it_names(tmp_path, talking_clip):
    shutil.copy(talking_clip, tmp_path / "clip.mp4")
    for line in typed_lines(README):
        result = run_command(line, tmp_path)
        assert result.returncode == 0, (line, result.stderr)
    for name in ("clip.mmmsba.html", "clip.mmmsba.json"):
        assert f"`{name}`" in README
        assert (tmp_path / name).is_file()


def test_costs_are_those_of_the_page_that_has_them_all():
    section = README.split("## What it costs")[1].split("## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    assert len(rows) > 5
    page = path_of("pipeline").read_text(encoding="utf-8").splitlines()
    assert [row for row in rows if row not in page] == []


def test_each_page_is_listed_as_the_command_lists_it():
    for name, summary in PAGES.items():
        link = path_of(name).relative_to(FOLDER.parents[1]).as_posix()
        assert f"| [{name}]({link}) | {summary} |" in README


def test_every_link_to_a_file_leads_to_one():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def test_every_option_in_a_sentence_exists():
    code = " ".join(re.findall(r"`[^`\n]+`", README))
    assert set(re.findall(r"(?<!\S)`?(--[a-z][a-z-]+)", code)) <= options()


def test_figures_of_the_weights_are_those_of_their_card():
    card = path_of("model-card").read_text(encoding="utf-8")
    assert (
        "| other generators against other people | 22 | 80 | 0.807 | 0.646 to 0.908 | 7 | 3 |"
        in card
    )
    assert "AUC of 0.81 (0.65 to 0.91)" in README
    assert "7 of 22 such clips" in README
    assert "3 of 80 real clips" in README


def test_nothing_is_loaded_from_afar_when_the_readme_is_followed():
    for line in [*blocks(README, "bash"), *blocks(README, "console")]:
        assert "http" not in line
