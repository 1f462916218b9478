"""Read the Python files of a checkout: docstrings, names, private helpers and imports."""

import ast
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "mmmsba_plugin"
PLUGIN = "fiftyone_ops"
TESTS = "tests"
AREAS = (PACKAGE, PLUGIN, TESTS)

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
    modules = []
    for path in (path for area in AREAS for path in sorted((root / area).rglob("*.py"))):
        if "node_modules" not in path.parts:
            text = path.read_text(encoding="utf-8")
            tree = ast.parse(text, filename=str(path))
            modules.append(Module(path.relative_to(root), text, tree))
    return modules


def docstrings(module: Module) -> Iterator[tuple[Place, str]]:
    """Yield each docstring with the place of its owner."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Module | ast.ClassDef | Definition):
            text = ast.get_docstring(node)
            if text:
                name = getattr(node, "name", module.path.stem)
                yield Place(module.path, getattr(node, "lineno", 1), name), text


def stored_names(module: Module) -> Iterator[Place]:
    """Yield every name that is assigned: variables, fields, attributes and parameters."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield Place(module.path, node.lineno, name)
            case ast.arg(arg=name):
                yield Place(module.path, node.lineno, name)


def helpers(modules: Iterable[Module]) -> dict[str, Place]:
    """Map each private function or method to its place, if no other has the same name."""
    places = [
        Place(module.path, definition.lineno, definition.name)
        for module in modules
        for definition in definitions(module.tree.body)
        if definition.name.startswith("_") and not definition.name.startswith("__")
    ]
    counts = Counter(place.name for place in places)
    return {place.name: place for place in places if counts[place.name] == 1}


def definitions(body: Iterable[ast.stmt]) -> Iterator[Definition]:
    """Yield the functions of a module and the methods of its classes, but no inner functions."""
    for statement in body:
        if isinstance(statement, Definition):
            yield statement
        elif isinstance(statement, ast.ClassDef):
            yield from definitions(statement.body)


def count_references(modules: Iterable[Module]) -> Counter[str]:
    """Count how often each name is loaded, decorators excluded."""
    references: Counter[str] = Counter()
    for module in modules:
        owners = (n for n in ast.walk(module.tree) if isinstance(n, Definition | ast.ClassDef))
        decorators = {
            node for owner in owners for root in owner.decorator_list for node in ast.walk(root)
        }
        for node in ast.walk(module.tree):
            match node:
                case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()):
                    references[name] += node not in decorators
    return references


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


def rank_of(dotted: str, layers: Mapping[str, int]) -> int:
    """Look up the rank of a module by its dotted name."""
    name = [*dotted.removesuffix(".__init__").split("."), ""][1]
    if name not in layers:
        raise SystemExit(f"{PACKAGE}.{name} has no layer in pyproject.toml")
    return layers[name]
