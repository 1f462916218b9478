"""Measure how readable the code is, by the metrics that a newcomer would feel.

Run ``python tests/tools/measure_house.py [ROOT ...]`` for the table of one checkout, or of two,
before and after, side by side. ``--list docstrings|participles|helpers|up`` prints every place
behind a metric, ``--missing`` the modules without a test file of their own, and ``--under PATH``
narrows either to a folder.
"""

import argparse
import ast
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "mmmsba_plugin"
PLUGIN = "fiftyone_ops"
TESTS = "tests"
AREAS = (PACKAGE, PLUGIN, TESTS)

#: Folders whose number of modules at one level is measured.
LEVELS = (f"{PACKAGE}/forge", f"{PACKAGE}/evaluation", PLUGIN)

#: Files that have no test of the same name, and no place in a count of modules.
UNTESTED = {"__init__", "__main__"}

#: Subjects that a first sentence should not open with.
QUESTIONS = frozenset(
    ["what", "where", "who", "whom", "whose", "which", "when", "why", "how", "whether"]
)
VERBS_OF_SPEECH = frozenset(["say", "says", "hear", "hears", "tell", "tells"])
#: "Return whether ..." is the usual opening of a predicate.
QUESTIONS_AFTER_RETURN = QUESTIONS - {"whether"}

#: Participles that say what was done to a thing instead of which thing it is. Those that name a
#: state in this field (``trained``, ``fitted``, ``padded``, ``matched``, ``skipped``, ``scaled``,
#: ``expected``, ``merged``) and those with another sense (``left``, ``cut``, ``read``, ``split``)
#: are fine.
PARTICIPLES = frozenset(
    [
        "asked",
        "begun",
        "done",
        "drawn",
        "found",
        "given",
        "gone",
        "heard",
        "held",
        "judged",
        "kept",
        "known",
        "learned",
        "made",
        "named",
        "said",
        "seen",
        "shown",
        "taken",
        "told",
        "unasked",
        "unjudged",
        "wanted",
        "written",
    ]
)

Definition = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One Python file.

    Attributes:
        path: The file, relative to the root of its checkout.
        text: Its source.
        tree: Its syntax tree.
    """

    path: Path
    text: str
    tree: ast.Module

    @property
    def area(self) -> str:
        """Name of the top-level folder."""
        return self.path.parts[0]

    @property
    def num_lines(self) -> int:
        """Number of lines, blank ones and comments included."""
        return len(self.text.splitlines())


@dataclass(frozen=True, order=True)
class Place:
    """One finding, ordered by file and line."""

    path: Path
    line: int
    name: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.name}"


@dataclass(frozen=True)
class Share:
    """A number of findings among all that could have been one."""

    count: int
    total: int

    def __str__(self) -> str:
        percent = 100 * self.count / self.total if self.total else 0.0
        return f"{percent:.2f} % ({self.count}/{self.total})"


def load_modules(root: Path) -> list[Module]:
    """Parse every Python file of a checkout, in order of path."""
    paths = (path for area in AREAS for path in sorted((root / area).rglob("*.py")))
    return [_parse(path, root) for path in paths if "node_modules" not in path.parts]


def _parse(path: Path, root: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    return Module(path.relative_to(root), text, ast.parse(text, filename=str(path)))


# Docstrings


def docstrings(module: Module) -> Iterator[tuple[Place, str]]:
    """Yield each docstring with the place of its owner."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Module | ast.ClassDef | Definition):
            text = ast.get_docstring(node)
            if text:
                name = getattr(node, "name", module.path.stem)
                yield Place(module.path, getattr(node, "lineno", 1), name), text


def opens_with_question(docstring: str) -> bool:
    """Return whether a docstring opens with a question word or a verb of speech.

    Example:
        >>> opens_with_question("Return what the clip holds.")
        True
        >>> opens_with_question("Return whether the clip is real.")
        False
    """
    first, second = [*map(_bare_word, docstring.split(maxsplit=2)[:2]), ""][:2]
    if first in ("return", "returns", "yield", "yields"):
        return second in QUESTIONS_AFTER_RETURN
    return first in QUESTIONS | VERBS_OF_SPEECH


def _bare_word(word: str) -> str:
    return word.strip("`.,:;\"'").lower()


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


def stored_names(module: Module) -> Iterator[Place]:
    """Yield every name that is assigned: variables, fields, attributes and parameters."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield Place(module.path, node.lineno, name)
            case ast.arg(arg=name):
                yield Place(module.path, node.lineno, name)


def is_participle(name: str) -> bool:
    """Return whether a name is a bare participle, leading underscores aside."""
    return name.strip("_").lower() in PARTICIPLES


def participle_places(modules: Iterable[Module]) -> list[Place]:
    """List the assigned names that are bare participles."""
    return [
        place for module in modules for place in stored_names(module) if is_participle(place.name)
    ]


def participle_share(modules: Sequence[Module]) -> Share:
    """Compute the share of bare participles among assigned names."""
    total = sum(1 for module in modules for _ in stored_names(module))
    return Share(len(participle_places(modules)), total)


# Private helpers


def helpers(modules: Iterable[Module]) -> dict[str, Place]:
    """Map each private function or method to its place, if no other has the same name."""
    places = [
        Place(module.path, definition.lineno, definition.name)
        for module in modules
        for definition in _definitions(module.tree.body)
        if definition.name.startswith("_") and not definition.name.startswith("__")
    ]
    definitions = Counter(place.name for place in places)
    return {place.name: place for place in places if definitions[place.name] == 1}


def _definitions(body: Iterable[ast.stmt]) -> Iterator[Definition]:
    for statement in body:
        if isinstance(statement, Definition):
            yield statement
        elif isinstance(statement, ast.ClassDef):
            yield from _definitions(statement.body)


def count_references(modules: Iterable[Module]) -> Counter[str]:
    """Count how often each name is loaded, decorators excluded."""
    references: Counter[str] = Counter()
    for module in modules:
        decorators = _decorator_nodes(module.tree)
        for node in ast.walk(module.tree):
            match node:
                case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()):
                    references[name] += node not in decorators
    return references


def _decorator_nodes(tree: ast.Module) -> set[ast.AST]:
    owners = (node for node in ast.walk(tree) if isinstance(node, Definition | ast.ClassDef))
    decorators = (decorator for owner in owners for decorator in owner.decorator_list)
    return {node for decorator in decorators for node in ast.walk(decorator)}


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


def read_layers(root: Path) -> dict[str, int]:
    """Read the rank of each top-level module from the import linter's contract, 0 at the top.

    The package itself, which re-exports what lies below, ranks above all of them.
    """
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c.get("containers") == [PACKAGE])
    ranks = {
        name.strip(" ()"): rank for rank, layer in enumerate(layers) for name in layer.split("|")
    }
    return {"": -1, **ranks}


def upward_places(modules: Iterable[Module], layers: Mapping[str, int]) -> list[Place]:
    """List the imports of a higher layer, those in functions and for typing alone included."""
    return [
        Place(module.path, line, f"-> {target}")
        for module in modules
        if module.area == PACKAGE
        for line, target in imported_modules(module, layers)
        if _rank(target, layers) < _rank(".".join(_dotted(module.path)), layers)
    ]


def imported_modules(module: Module, layers: Mapping[str, int]) -> Iterator[tuple[int, str]]:
    """Yield the line and the dotted name of each import from the package."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            targets = list(_import_targets(node, module.path, layers))
        else:
            continue
        yield from ((node.lineno, t) for t in targets if t.split(".")[0] == PACKAGE)


def _import_targets(node: ast.ImportFrom, path: Path, layers: Mapping[str, int]) -> Iterator[str]:
    """Yield what an import names; of the package itself, each top-level module by itself."""
    base = list(path.with_suffix("").parts[: -node.level]) if node.level else []
    source = ".".join([*base, *([node.module] if node.module else [])])
    if source == PACKAGE:
        for name in dict.fromkeys(alias.name for alias in node.names):
            yield f"{source}.{name}" if name in layers else source
    else:
        yield source


def _dotted(path: Path) -> list[str]:
    return [name for name in path.with_suffix("").parts if name != "__init__"]


def _rank(dotted: str, layers: Mapping[str, int]) -> int:
    name = [*dotted.split("."), ""][1]
    if name not in layers:
        raise SystemExit(f"{PACKAGE}.{name} has no layer in pyproject.toml")
    return layers[name]


# Folders, lines and tests


def count_lines(modules: Iterable[Module]) -> int:
    """Count all lines."""
    return sum(module.num_lines for module in modules)


def count_level(folder: Path) -> int:
    """Count the modules and subpackages directly in a folder."""
    modules = [path for path in folder.glob("*.py") if path.stem != "__init__"]
    return len(modules) + len(_subpackages(folder))


def _subpackages(folder: Path) -> list[Path]:
    return sorted(path.parent for path in folder.glob("*/__init__.py"))


def biggest_level(folder: Path) -> tuple[int, Path]:
    """Find the folder with the most modules and subpackages at one level, at any depth."""
    levels = [(count_level(folder), folder)]
    levels += [biggest_level(subpackage) for subpackage in _subpackages(folder)]
    return max(levels)


def testable(modules: Iterable[Module]) -> list[Module]:
    """Select the modules that should have a test file of the same name."""
    return [m for m in modules if m.area != TESTS and m.path.stem not in UNTESTED]


def untested_places(modules: Iterable[Module], root: Path) -> list[Place]:
    """List the modules without a test file of the same name."""
    tests: dict[str, list[Path]] = {}
    for path in sorted((root / TESTS).rglob("test_*.py")):
        tests.setdefault(path.name, []).append(path)
    return [
        Place(module.path, 1, f"-> {_mirrored_test(module.path)}")
        for module in testable(modules)
        if not _has_test(module.path, root, tests)
    ]


def _has_test(path: Path, root: Path, tests: Mapping[str, Sequence[Path]]) -> bool:
    """Look where the tests mirror the package; a flat folder of tests, for a name there once."""
    test = root / _mirrored_test(path)
    return test.is_file() or (not test.parent.is_dir() and len(tests.get(test.name, ())) == 1)


def _mirrored_test(path: Path) -> Path:
    folder = path.parent
    if path.parts[0] == PACKAGE:
        folder = folder.relative_to(PACKAGE)
    return Path(TESTS) / folder / f"test_{path.stem.lstrip('_')}.py"


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
    return {**metrics, **_whole_metrics(checkout)}


def _whole_metrics(checkout: Checkout) -> dict[str, str]:
    root, package, plugin = checkout.root, checkout.areas[PACKAGE], checkout.areas[PLUGIN]
    return {
        "lines of package and plugin": str(count_lines([*package, *plugin])),
        "imports that run back up": str(len(upward_places(package, read_layers(root)))),
        **{f"modules at one level: {name}": _level(root, name) for name in LEVELS},
        f"{PACKAGE}: modules with a test of their name": str(tested_share(package, root)),
        f"{PLUGIN}: modules with a test of their name": str(tested_share(plugin, root)),
        "modules with a test of their name": str(tested_share([*package, *plugin], root)),
    }


def _level(root: Path, name: str) -> str:
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
