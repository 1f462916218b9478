"""Find commands of ours in shell scripts, parse them, and run them."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import typer
from typer.core import TyperGroup

from mmmsba_plugin.cli import app


def run_command(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command line that begins with ``mmmsba`` in a folder."""
    words = shlex.split(line)
    assert words[0] == "mmmsba"
    return subprocess.run(
        [sys.executable, "-m", "mmmsba_plugin", *words[1:]],
        cwd=folder,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=1700,
    )


def arguments_of(script: str) -> Iterator[list[str]]:
    """Yield the words behind each ``mmmsba`` of a shell script, up to the end of its command."""
    for line in script.splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] | None = None
        for word in [*lexer, ";"]:
            if set(word) <= set("();<>|&") and words is not None:
                yield words
                words = None
            elif words is not None:
                words.append(word)
            elif word == "mmmsba":
                words = []


def parse(arguments: list[str]) -> None:
    """Parse a command line without running it.

    Raises:
        UsageError: There is no such command or option, or a value will not do.
    """
    command = typer.main.get_command(app)
    context = typer.Context(command)
    words = list(arguments)
    while words[:1] == ["--plugin"]:
        words = words[2:]
    while isinstance(command, TyperGroup):
        _, subcommand, words = command.resolve_command(context, words)
        assert subcommand is not None
        command = subcommand
    command.make_context(command.name, words, parent=context)


def options() -> set[str]:
    """Return the names of all options of all commands."""
    return set(_options_of(typer.main.get_command(app)))


def _options_of(command: typer.core.TyperCommand | TyperGroup) -> Iterator[str]:
    context = typer.Context(command)
    for parameter in command.get_params(context):
        words = (*parameter.opts, *parameter.secondary_opts)
        yield from (word for word in words if word.startswith("-"))
    if isinstance(command, TyperGroup):
        for name in command.list_commands(context):
            yield from _options_of(command.get_command(context, name))
