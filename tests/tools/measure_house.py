"""Measure how readable the code is, by the metrics that a newcomer would feel.

Run ``python tests/tools/measure_house.py [ROOT ...]`` for the table of one checkout, or of two,
before and after, side by side. ``--list docstrings|participles|helpers|up`` prints every place
behind a metric, ``--missing`` the modules without a test file of their own, and ``--under PATH``
narrows either to a folder.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from source import (
    AREAS,
    PACKAGE,
    PLUGIN,
    TESTS,
    Module,
    Place,
    Share,
    count_references,
    docstrings,
    helpers,
    imported_modules,
    load_modules,
    rank_of,
    read_layers,
    stored_names,
)
from words import PARTICIPLES, QUESTIONS, QUESTIONS_AFTER_RETURN, VERBS_OF_SPEECH

#: Folders whose number of modules at one level is measured.
LEVELS = (f"{PACKAGE}/forge", f"{PACKAGE}/evaluation", PLUGIN)

#: Files that have no test of the same name, and no place in a count of modules.
UNTESTED = {"__init__", "__main__"}

# Docstrings


def opens_with_question(docstring: str) -> bool:
    """Return whether a docstring opens with a question word or a verb of speech.

    Example:
        >>> opens_with_question("Return what the clip holds.")
        True
        >>> opens_with_question("Return whether the clip is real.")
        False
    """
    words = (word.strip("`.,:;\"'").lower() for word in docstring.split(maxsplit=2)[:2])
    first, second = [*words, ""][:2]
    if first in ("return", "returns", "yield", "yields"):
        return second in QUESTIONS_AFTER_RETURN
    return first in QUESTIONS | VERBS_OF_SPEECH


def question_places(modules: Iterable[Module]) -> list[Place]:
    """List the docstrings that open with a question, each with its first line."""
    return [
        Place(place.path, place.line, f"{place.name}: {text.splitlines()[0]}")
        for module in modules
        for place, text in docstrings(module)
        if opens_with_question(text)
    ]


def question_share(modules: Sequence[Module]) -> Share:
    """Compute the share of docstrings that open with a question."""
    total = sum(1 for module in modules for _ in docstrings(module))
    return Share(len(question_places(modules)), total)


# Participles


def participle_places(modules: Iterable[Module]) -> list[Place]:
    """List the assigned names that are bare participles, leading underscores aside."""
    places = (place for module in modules for place in stored_names(module))
    return [place for place in places if place.name.strip("_").lower() in PARTICIPLES]


def participle_share(modules: Sequence[Module]) -> Share:
    """Compute the share of bare participles among assigned names."""
    total = sum(1 for module in modules for _ in stored_names(module))
    return Share(len(participle_places(modules)), total)


# Private helpers


def single_use_places(modules: Sequence[Module]) -> list[Place]:
    """List the private helpers that are referenced exactly once in their package."""
    references = count_references(modules)
    return sorted(place for name, place in helpers(modules).items() if references[name] == 1)


def single_use_share(modules: Sequence[Module]) -> Share:
    """Compute the share of private helpers that are referenced exactly once."""
    return Share(len(single_use_places(modules)), len(helpers(modules)))


def helper_density(modules: Sequence[Module]) -> str:
    """Compute the number of private helpers in 1000 lines."""
    return f"{1000 * len(helpers(modules)) / max(count_lines(modules), 1):.1f}"


# Imports and layers


def upward_places(modules: Iterable[Module], layers: Mapping[str, int]) -> list[Place]:
    """List the imports of a higher layer, those in functions and for typing alone included."""
    return [
        Place(module.path, line, f"-> {target}")
        for module in modules
        if module.area == PACKAGE
        for line, target in imported_modules(module, layers)
        if rank_of(target, layers) < rank_of(".".join(module.path.with_suffix("").parts), layers)
    ]


# Folders, lines and tests


def count_lines(modules: Iterable[Module]) -> int:
    """Count all lines."""
    return sum(module.num_lines for module in modules)


def count_level(folder: Path) -> int:
    """Count the modules and subpackages directly in a folder."""
    modules = sum(path.stem != "__init__" for path in folder.glob("*.py"))
    return modules + len([*folder.glob("*/__init__.py")])


def biggest_level(folder: Path) -> tuple[int, Path]:
    """Find the folder with the most modules and subpackages at one level, at any depth."""
    levels = [(count_level(folder), folder)]
    levels += [biggest_level(path.parent) for path in sorted(folder.glob("*/__init__.py"))]
    return max(levels)


def testable(modules: Iterable[Module]) -> list[Module]:
    """Select the modules that should have a test file of the same name."""
    return [m for m in modules if m.area != TESTS and m.path.stem not in UNTESTED]


def untested_places(modules: Iterable[Module], root: Path) -> list[Place]:
    """List the modules without a test of the same name, in a folder that mirrors theirs.

    Of a checkout whose folder of tests is flat, a name that is there once counts as well.
    """
    names = Counter(path.name for path in (root / TESTS).rglob("test_*.py"))
    places = []
    for path in (module.path for module in testable(modules)):
        folder = path.parent.relative_to(PACKAGE) if path.parts[0] == PACKAGE else path.parent
        test = Path(TESTS) / folder / f"test_{path.stem.lstrip('_')}.py"
        is_flat = not (root / test).parent.is_dir() and names[test.name] == 1
        if not (root / test).is_file() and not is_flat:
            places.append(Place(path, 1, f"-> {test}"))
    return places


def tested_share(modules: Sequence[Module], root: Path) -> Share:
    """Compute the share of modules that have a test file of the same name."""
    total = len(testable(modules))
    return Share(total - len(untested_places(modules, root)), total)


# The table


@dataclass(frozen=True)
class Checkout:
    """One checkout with its modules by top-level folder."""

    root: Path
    areas: Mapping[str, Sequence[Module]]

    @classmethod
    def load(cls, root: Path) -> "Checkout":
        """Parse the checkout at a path."""
        modules = load_modules(root)
        return cls(root, {area: [m for m in modules if m.area == area] for area in AREAS})


#: Each metric of one area: its label, the areas it is meant for, and how it is computed.
AREA_METRICS: tuple[tuple[str, Sequence[str], Callable[[Sequence[Module]], object]], ...] = (
    ("lines", AREAS, count_lines),
    ("docstrings that open with a question", AREAS, question_share),
    ("assigned names that are bare participles", AREAS, participle_share),
    ("private helpers in 1000 lines", AREAS[:2], helper_density),
    ("private helpers used exactly once", AREAS[:2], single_use_share),
)


def measure(checkout: Checkout) -> dict[str, str]:
    """Compute every metric of a checkout by its label."""
    metrics = {
        f"{area}: {label}": str(compute(checkout.areas[area]))
        for label, areas, compute in AREA_METRICS
        for area in areas
    }
    root, package, plugin = checkout.root, checkout.areas[PACKAGE], checkout.areas[PLUGIN]
    return metrics | {
        "lines of package and plugin": str(count_lines([*package, *plugin])),
        "imports that run back up": str(len(upward_places(package, read_layers(root)))),
        **{f"modules at one level: {name}": describe_level(root, name) for name in LEVELS},
        f"{PACKAGE}: modules with a test of their name": str(tested_share(package, root)),
        f"{PLUGIN}: modules with a test of their name": str(tested_share(plugin, root)),
        "modules with a test of their name": str(tested_share([*package, *plugin], root)),
    }


def describe_level(root: Path, name: str) -> str:
    """Describe how many modules lie at one level of a folder, and at most below it."""
    count, biggest = biggest_level(root / name)
    return f"{count_level(root / name)} (most: {count} in {biggest.relative_to(root)})"


def print_table(checkouts: Sequence[Checkout]) -> None:
    """Print a row for each metric and a column for each checkout."""
    columns = [measure(checkout) for checkout in checkouts]
    rows = [["", *(str(checkout.root) for checkout in checkouts)]]
    rows += [[label, *(column[label] for column in columns)] for label in columns[0]]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(map(str.ljust, row, widths)).rstrip())  # noqa: T201


# The places behind the metrics


def list_places(checkout: Checkout, kind: str) -> list[Place]:
    """List every place behind one metric."""
    code = [checkout.areas[PACKAGE], checkout.areas[PLUGIN]]
    if kind == "helpers":
        return [place for modules in code for place in single_use_places(modules)]
    if kind == "up":
        return upward_places(checkout.areas[PACKAGE], read_layers(checkout.root))
    if kind == "missing":
        return [place for modules in code for place in untested_places(modules, checkout.root)]
    find = {"docstrings": question_places, "participles": participle_places}[kind]
    return sorted(place for modules in checkout.areas.values() for place in find(modules))


def print_places(places: Iterable[Place], under: Path) -> None:
    """Print the places that lie under a folder, and how many there are."""
    chosen = [place for place in places if place.path.is_relative_to(under)]
    for place in chosen:
        print(place)  # noqa: T201
    print(f"{len(chosen)} in all", file=sys.stderr)  # noqa: T201


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "roots", nargs="*", type=Path, metavar="ROOT", help="One checkout or two; default: this."
    )
    parser.add_argument(
        "--list", choices=("docstrings", "participles", "helpers", "up"), help="List the places."
    )
    parser.add_argument(
        "--missing", action="store_true", help="List the modules without a test of their name."
    )
    parser.add_argument(
        "--under", type=Path, default=Path(), help="Only places in this folder of the checkout."
    )
    options = parser.parse_args(arguments)
    options.roots = options.roots or [Path(__file__).resolve().parents[2]]
    if len(options.roots) > 2:
        parser.error("give one checkout, or two to compare")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, or the places behind a metric of the last checkout."""
    options = parse_arguments(arguments)
    checkouts = [Checkout.load(root) for root in options.roots]
    kind = "missing" if options.missing else options.list
    if kind is None:
        print_table(checkouts)
    else:
        print_places(list_places(checkouts[-1], kind), options.under)


if __name__ == "__main__":
    main()
