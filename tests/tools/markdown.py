"""Write Markdown, and read the blocks of code in it."""

import re
from collections.abc import Iterable


def blocks(text: str, language: str) -> list[str]:
    """Return the code of each fenced block of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def saved_block(text: str, name: str) -> str:
    """Return the Python block that opens with the name of the file it is to be saved as."""
    (block,) = (code for code in blocks(text, "python") if code.startswith(f"# {name}\n"))
    return block


def typed_lines(text: str) -> list[str]:
    """Return the lines that are typed in blocks of the language ``console``."""
    lines = "".join(blocks(text, "console")).splitlines()
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


def languages(text: str) -> set[str]:
    """Return the languages of all fenced blocks."""
    fences = re.findall(r"^```(.*)$", text, flags=re.MULTILINE)
    return set(fences[::2])


def page(title: str, *paragraphs: str) -> str:
    """Return a page of paragraphs, each with an empty line behind it."""
    comment = "<!-- Written by `python -m tests.tools.reference`; change the code instead. -->"
    text = "\n\n".join(
        paragraph.strip("\n") for paragraph in (f"# {title}", comment, *paragraphs) if paragraph
    )
    return re.sub(r"\n{3,}", "\n\n", text) + "\n"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table, on whose lines no cell breaks."""
    head = tuple(head)
    lines = [f"| {' | '.join(map(_cell, row))} |" for row in (head, *rows)]
    return "\n".join([lines[0], f"|{'---|' * len(head)}", *lines[1:]])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
