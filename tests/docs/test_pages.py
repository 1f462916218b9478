"""The pages that ship: what they link to is there, and their code runs as it stands."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from mmmsba_plugin.config import FitConfig
from mmmsba_plugin.docs import FOLDER, GENERATED, PAGES, path_of
from mmmsba_plugin.hookspecs import PROJECT
from mmmsba_plugin.training.grid_search import combinations, with_values

from ..tools.command_lines import arguments_of, options, parse, run_command
from ..tools.markdown import blocks, languages, typed_lines

ROOT = Path(__file__).resolve().parents[2]
#: Folder that holds the package: the checkout, or where it is installed.
SITE = FOLDER.parents[1]
BY_HAND = [name for name in PAGES if name not in GENERATED]
#: Options of other programs.
FOREIGN = {"--address", "--no-deps"}


def text_of(name: str) -> str:
    return path_of(name).read_text(encoding="utf-8")


def run_python(code: str, folder: Path) -> str:
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def run_lines(name: str, folder: Path) -> str:
    """Type the lines of a page's console blocks, and return what they print."""
    output = ""
    for line in typed_lines(text_of(name)):
        result = run_command(line, folder)
        assert result.returncode == 0, (line, result.stdout, result.stderr)
        output += result.stdout
    return output


def save_files(name: str, folder: Path) -> None:
    """Write the Python blocks of a page that open with the name of a file."""
    for code in blocks(text_of(name), "python"):
        if match := re.match(r"# (\w+\.py)\n", code):
            (folder / match[1]).write_text(code, encoding="utf-8")


def scripts(name: str) -> str:
    """Return the Python blocks of a page that are no files, as one script."""
    codes = blocks(text_of(name), "python")
    return "\n".join(code for code in codes if not re.match(r"# \w+\.py\n", code))


@pytest.fixture(scope="module")
def desk(tmp_path_factory, talking_clip) -> Path:
    """A folder with what the pages presuppose: real clips, and one to evaluate."""
    from mmmsba_plugin.forge.talking_head.clips import make_talking_head_dataset

    folder = tmp_path_factory.mktemp("desk")
    make_talking_head_dataset(folder / "real", num_clips=5, seconds=2.5, seed=11)
    shutil.copy(talking_clip, folder / "clip.mp4")
    return folder


@pytest.fixture(scope="module")
def trained_desk(desk) -> Path:
    """The folder after all that the researcher's page has typed."""
    run_lines("researcher", desk)
    return desk


def test_every_page_is_listed_and_there():
    assert {path.stem for path in FOLDER.glob("*.md")} <= PAGES.keys()
    assert all(path_of(name).is_file() for name in PAGES)


def dead_links(name: str, site: Path) -> list[str]:
    """Return links of a page to files that are not there, in a folder that holds the package."""
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", text_of(name))
    folder = (site / path_of(name).relative_to(SITE)).parent
    files = [link for link in links if not link.startswith("http")]
    return [link for link in files if not (folder / link).exists()]


@pytest.mark.parametrize("name", PAGES)
def test_every_link_to_a_file_leads_to_one(name):
    assert dead_links(name, SITE) == []


@pytest.mark.parametrize("name", BY_HAND)
def test_every_block_is_of_a_language_that_is_tested(name):
    # The block of XML is tested with what it belongs to, in report/test_annotation_json.py.
    assert languages(text_of(name)) <= {"console", "json", "py", "python", "sh", "toml", "xml"}


@pytest.mark.parametrize("name", BY_HAND)
def test_every_command_in_a_script_can_be_parsed(name):
    for script in blocks(text_of(name), "sh"):
        for arguments in arguments_of(script):
            parse(arguments)


@pytest.mark.parametrize("name", BY_HAND)
def test_every_option_in_a_sentence_exists(name):
    code = " ".join(re.findall(r"`[^`\n]+`", text_of(name)))
    names = set(re.findall(r"(?<!\S)`?(--[a-z][a-z-]+)", code))
    assert names - options() - FOREIGN == set()


def test_a_command_that_does_not_exist_is_found():
    from typer._click.exceptions import UsageError

    (arguments,) = arguments_of("for x in *; do mmmsba detect $x --no-such; done")
    assert arguments == ["detect", "$x", "--no-such"]
    with pytest.raises(UsageError):
        parse(arguments)


def test_every_block_of_json_is_a_configuration():
    simple, grid, precomputed, text = map(json.loads, blocks(text_of("researcher"), "json"))
    assert FitConfig.read(with_values({}, next(combinations(grid)))).train.learning_rate == 0.001
    assert FitConfig.read(simple).train.modality_dropout == 0.3
    front_ends = FitConfig.read(precomputed).features.front_ends
    assert front_ends["audio"].name == "precomputed"
    assert FitConfig.read(text).features.front_ends["text"].name == "words"


def test_the_entry_points_of_a_distribution_are_in_groups_that_the_project_has_too():
    every = blocks(text_of("toolkit"), "toml")
    groups = [tomllib.loads(block)["project"]["entry-points"].keys() for block in every]
    own = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"].keys()
    assert [*map(set, groups)] == [{PROJECT}, {"mmmsba.commands", "mmmsba.checks"}]
    assert set().union(*groups) <= own


@pytest.mark.timeout(1800)
@pytest.mark.story
def test_the_analyst_gets_a_page(desk):
    assert "score" in run_lines("analyst", desk)
    assert (desk / "clip.mmmsba.html").is_file()


@pytest.mark.timeout(1800)
@pytest.mark.story
def test_the_researcher_makes_a_dataset_trains_and_evaluates(trained_desk):
    reports = {path.suffix for path in (trained_desk / "reports").iterdir()}
    assert reports == {".json", ".html", ".vtt", ".csv"}
    assert (trained_desk / "metrics/proposals.npz").is_file()


@pytest.mark.timeout(1800)
@pytest.mark.story
def test_the_pipeline_reads_reports_curves_schema_and_errors(desk):
    output = run_python(scripts("pipeline"), desk)
    assert output.startswith("ok 0.")
    assert "no-such-clip.mp4" in output


@pytest.mark.timeout(1800)
@pytest.mark.story
def test_the_toolkit_hosts_trains_and_extends(trained_desk):
    output = run_python(scripts("toolkit"), trained_desk)
    assert "mmms-ba ok" in output

    save_files("toolkit", trained_desk)
    assert "One line a clip." in run_lines("toolkit", trained_desk)
    line = (trained_desk / "clip.mmmsba.line.txt").read_text(encoding="utf-8")
    assert line.startswith("'clip.mp4': 0.")

    result = run_command("mmmsba --plugin alarm.py detect clip.mp4 --fpr 0.1", trained_desk)
    assert result.returncode == 0, result.stderr


@pytest.mark.timeout(1800)
@pytest.mark.story
def test_each_plug_in_of_the_toolkit_page_keeps_its_contract(tmp_path):
    save_files("toolkit", tmp_path)
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "test_mine.py",
            "test_line.py",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    assert "failed" not in result.stdout


@pytest.mark.timeout(600)
@pytest.mark.story
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_the_client_of_the_toolkit_page_gets_a_report(desk, tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    service = subprocess.Popen(
        [sys.executable, "-m", "mmmsba_plugin", "serve", "--port", "0"],
        env={**os.environ, "TMPDIR": str(temporary)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        running = next(line for line in service.stderr if "running on" in line)
        client = next(c for c in blocks(text_of("toolkit"), "python") if "# client.py" in c)
        address = re.search(r"http://127\.0\.0\.1:\d+", running)[0]
        output = run_python(client.replace("http://127.0.0.1:8000", address), desk)
    finally:
        service.send_signal(signal.SIGINT)
        service.communicate()
    assert output.startswith("ok 0.")
    assert (desk / "report.html").is_file()
    assert service.returncode == 0
    assert list(temporary.iterdir()) == []


def test_the_analyst_finds_the_headings_of_a_report_as_they_are_explained():
    template = ROOT / "mmmsba_plugin/report/templates/report.html.j2"
    titles = re.findall(r"<h2[^>]*>([^<{]+)</h2>", template.read_text(encoding="utf-8"))
    assert len(titles) > 6
    page = text_of("analyst")
    assert [title for title in titles if f"**{title}**" not in page] == []


def test_the_exit_codes_are_those_of_the_command():
    from mmmsba_plugin.cli import _exit_codes

    codes = {int(c) for c in re.findall(r"^\| (\d) \|", text_of("pipeline"), flags=re.MULTILINE)}
    assert codes == {
        _exit_codes.OK,
        _exit_codes.USAGE,
        _exit_codes.NOT_EVALUATED,
        _exit_codes.STOPPED,
    }


def test_every_extra_is_named():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    install = text_of("pipeline").partition("## Detect")[0]
    names = set(re.findall(r"^\| `(\w+)` \|", install, flags=re.MULTILINE))
    assert names == set(project["optional-dependencies"])


def test_every_error_that_a_call_raises_exists():
    from mmmsba_plugin import errors

    names = set(re.findall(r"`(\w+Error)`", text_of("pipeline"))) - {"ValueError"}
    assert [name for name in names if not hasattr(errors, name)] == []


def test_every_variable_of_the_tests_is_named():
    own = Path(__file__).parents[1].rglob("*.py")
    texts = [path.read_text(encoding="utf-8") for path in own]
    names = {name for text in texts for name in re.findall(r'environ[^\n]*"(MMMSBA_\w+)"', text)}
    # Set by the tests for themselves.
    names -= {"MMMSBA_TEST_FIFTYONE"}
    documented = text_of("development") + text_of("settings")
    assert [name for name in names if f"`{name}`" not in documented] == []


def test_the_glossary_is_in_order_and_explains_what_stops_a_newcomer():
    terms = re.findall(r"^\| ([^|]+) \|", text_of("glossary"), flags=re.MULTILINE)[1:]
    assert terms == sorted(terms, key=str.casefold)
    words = {word for term in terms for word in term.split(", ")}
    assert words >= {
        *("snippet", "segment", "score", "threshold", "calibrated", "proposal", "opt-out"),
        *("AUC", "EER", "front-end", "forger", "checkpoint", "half-open", "delegated"),
    }


def test_an_installed_wheel_prints_every_page_and_has_what_they_show(tmp_path):
    from hatchling.builders.wheel import WheelBuilder

    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    for name in PAGES:
        assert (site / path_of(name).relative_to(SITE)).is_file()
        assert dead_links(name, site) == []
    result = subprocess.run(
        [sys.executable, "-m", "mmmsba_plugin", "docs", "glossary"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "snippet" in result.stdout
