"""Put what a benchmark measured into a model card, between marks of its own.

Run as a script, it writes anew what the bundled card says of the recipe, from its configuration.
"""

from collections.abc import Sequence
from pathlib import Path

from mmmsba_plugin import weights
from mmmsba_plugin.model.checkpoint import read_config
from mmmsba_plugin.training.recipe import recipe_lines, settings_of

#: What follows all that was measured.
BEHIND = "## What a score means"


def put_section(card: Path, name: str, lines: Sequence[str]) -> None:
    """Write lines into a card, in place of what an earlier run of that name wrote."""
    text = with_section(card.read_text(encoding="utf-8"), name, lines)
    card.write_text(text, encoding="utf-8")


def with_section(card: str, name: str, lines: Sequence[str]) -> str:
    """Return a card with the section in place of an earlier one, or behind the others."""
    start, end = f"<!-- {name}: start -->", f"<!-- {name}: end -->"
    section = "\n".join([start, *lines, end])
    if start in card:
        before, rest = card.split(start)
        return f"{before}{section}{rest.split(end)[1]}"
    before, behind = card.split(BEHIND)
    return f"{before}{section}\n\n{BEHIND}{behind}"


if __name__ == "__main__":
    recipe = [*recipe_lines(settings_of(read_config(weights.HERE)))]
    put_section(weights.HERE / "README.md", "recipe", recipe)
