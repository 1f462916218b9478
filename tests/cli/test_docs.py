"""``mmmsba docs``: pages in the terminal."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from mmmsba_plugin.cli import _exit_codes, app
from mmmsba_plugin.docs import FOLDER, PAGES, path_of


def run(*words: str):
    return CliRunner().invoke(app, ["docs", *words], env={"COLUMNS": "200"})


def test_it_lists_each_page_with_what_it_is_about():
    result = run()
    assert result.exit_code == _exit_codes.OK
    for name, summary in PAGES.items():
        assert any(name in line and summary in line for line in result.stdout.splitlines())


@pytest.mark.parametrize("name", PAGES)
def test_a_terminal_gets_each_page_without_its_markup(name):
    terminal = {"COLUMNS": "200", "TTY_COMPATIBLE": "1", "NO_COLOR": "1"}
    result = CliRunner().invoke(app, ["docs", name], env=terminal)
    assert result.exit_code == _exit_codes.OK
    title = path_of(name).read_text(encoding="utf-8").partition("\n# ")
    title = (title[2] or title[0].removeprefix("# ")).partition("\n")[0]
    assert title in result.stdout
    assert "```" not in result.stdout
    assert "|---" not in result.stdout
    assert "library_name" not in result.stdout


def test_a_pipe_gets_the_markdown_whose_code_can_be_copied():
    page = path_of("toolkit").read_text(encoding="utf-8")
    assert run("toolkit").stdout == page


def test_an_unknown_page_is_an_error_that_names_the_pages():
    result = run("annalist")
    assert result.exit_code == _exit_codes.USAGE
    message = " ".join(result.stderr.replace("│", "").split())
    assert f"no page is called 'annalist'; pages: {', '.join(PAGES)}" in message


def test_it_says_where_the_pages_lie():
    assert run("--path").stdout.strip() == str(FOLDER)
    assert run("recipe", "--path").stdout.strip() == str(path_of("recipe"))
    assert Path(run("analyst", "--path").stdout.strip()).is_file()
