"""Names keep to the vocabulary: every Python file is searched for refused words."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from mmmsba_plugin.docs import path_of

from .tools.words import PARTICIPLES

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("mmmsba_plugin", "fiftyone_ops", "tests")


class Contract(NamedTuple):
    """A refused name that stays: the reason, and the only files or folders it may be defined in."""

    reason: str
    places: tuple[str, ...]


VERDICT = Contract(
    "attribute of FiftyOne labels in stored datasets", ("fiftyone_ops/dataset/reports.py",)
)
FIELD = Contract("FiftyOne field in stored datasets", ("tests/fiftyone_ops",))
REVIEW_NOTE = Contract(
    "a reviewer's note, stored with a decision", ("fiftyone_ops/tasks", "tests/fiftyone_ops")
)
OPERATOR = Contract("class of a FiftyOne operator of this name", ("fiftyone_ops/operators",))
COMMAND = Contract("command of this name", ("mmmsba_plugin/cli/watch.py",))
COMMAND_TEST = Contract("test of a command of this name", ("tests/cli/test_watch.py",))
PANEL = Contract("class of a FiftyOne panel of this name", ("fiftyone_ops/panels",))

#: Names that others rely on, each with the only places that may define it.
CONTRACTS = {
    "judged_at": VERDICT,
    "forgeries": FIELD,
    "forgeries_verdict": FIELD,
    "forgeries_curves": FIELD,
    "note": REVIEW_NOTE,
    "DetectForgeries": OPERATOR,
    "EvaluateForgeries": OPERATOR,
    "ExportForgeries": OPERATOR,
    "ReviewForgeries": OPERATOR,
    "DecideForgery": OPERATOR,
    "ImportForgeryDataset": OPERATOR,
    "ForgeryOverview": PANEL,
    "ForgeryTimeline": PANEL,
    "watch": COMMAND,
    "test_watch": COMMAND_TEST,
}


@dataclass(frozen=True)
class Vocabulary:
    """Suggestions for each refused word, and for each refused whole name.

    Example:
        >>> vocabulary = Vocabulary(words={"cat": "dog"}, names={"it": "the noun"})
        >>> [vocabulary.suggest(name) for name in ("num_cats", "BlackCat", "_it")]
        [None, 'dog', 'the noun']
    """

    words: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def suggest(self, name: str) -> str | None:
        """Suggest a noun instead of a name; None if it is fine."""
        if (whole := name.strip("_").lower()) in self.names:
            return self.names[whole]
        return next((self.words[w] for w in split_words(name) if self._refuses(w, name)), None)

    def _refuses(self, word: str, name: str) -> bool:
        is_verb_of_sentence = word in PARTICIPLES and name.startswith("test_")
        return word in self.words and not is_verb_of_sentence


def split_words(name: str) -> list[str]:
    """Split an identifier into its words, in lower case."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", name)]


def parse_vocabulary(text: str) -> Vocabulary:
    """Parse the two tables of the section "Vocabulary"."""
    section = re.split(r"^#{2,3} ", text.partition("## Vocabulary\n")[2], flags=re.MULTILINE)[0]
    return Vocabulary(words=_table(section, "not"), names=_table(section, "not alone"))


def _table(section: str, refused: str) -> dict[str, str]:
    """Map each refused word of a table to the cell that says what to write."""
    rows = section.partition(f"| write | {refused} | meaning |\n|---|---|---|\n")[2]
    suggestions: dict[str, str] = {}
    for row in rows.partition("\n\n")[0].splitlines():
        write, words, _ = (cell.strip() for cell in row.strip("|").split("|"))
        suggestions |= dict.fromkeys(re.findall(r"`(\w+)`", words), write.replace("`", ""))
    return suggestions


def names_in(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield each name that a file defines, assigns or passes as a keyword, with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                yield node.lineno, name
            case ast.AsyncFunctionDef(name=name) | ast.arg(arg=name):
                yield node.lineno, name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case (
                ast.keyword(arg=str(name))
                | ast.alias(asname=str(name))
                | ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
                | ast.MatchMapping(rest=str(name))
            ):
                yield node.lineno, name


def module_name(path: Path) -> str:
    """Return the name of a module; of a package, that of its folder."""
    return path.parent.name if path.stem == "__init__" else path.stem


@cache
def every_name(root: Path = ROOT) -> list[tuple[str, int, str]]:
    """List every name of a checkout with its file and line."""
    names = []
    for path in (path for folder in FOLDERS for path in sorted((root / folder).rglob("*.py"))):
        if "node_modules" in path.parts:
            continue
        file = path.relative_to(root).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=file)
        names += [(file, 1, module_name(path))]
        names += [(file, line, name) for line, name in names_in(tree)]
    return names


def is_contract(name: str, file: str) -> bool:
    """Return whether a file may define a refused name because users rely on it."""
    places = CONTRACTS[name].places if name in CONTRACTS else ()
    return any(Path(file).is_relative_to(place) for place in places)


VOCABULARY = parse_vocabulary(path_of("development").read_text(encoding="utf-8"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_names_keep_to_the_vocabulary(folder):
    refused = [
        f"{file}:{line} {name} -> {suggestion}"
        for file, line, name in every_name()
        if file.startswith(f"{folder}/")
        and (suggestion := VOCABULARY.suggest(name))
        and not is_contract(name, file)
    ]
    assert not refused, "\n".join(refused)


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_contract_is_in_use_and_would_be_refused_without_it(name):
    assert VOCABULARY.suggest(name)
    files = [file for file, _, other in every_name() if other == name]
    for place in CONTRACTS[name].places:
        assert any(Path(file).is_relative_to(place) for file in files)


def test_both_tables_are_read_and_refuse_every_participle():
    assert len(VOCABULARY.words) > 40
    assert VOCABULARY.names.keys() >= PARTICIPLES


def test_no_suggestion_is_refused_itself():
    suggestions = {*VOCABULARY.words.values(), *VOCABULARY.names.values()}
    for name in (name for cell in suggestions for name in re.findall(r"\w+", cell)):
        assert VOCABULARY.suggest(name) is None


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("def read_sound(): ...", "read_sound"),
        ("async def judge(): ...", "judge"),
        ("class PictureReader: ...", "PictureReader"),
        ("def detect(*, num_pictures): ...", "num_pictures"),
        ("lambda corpus: 0", "corpus"),
        ("MAX_PICTURES = 3", "MAX_PICTURES"),
        ("for one in rows: ...", "one"),
        ("[0 for genuine in rows]", "genuine"),
        ("if (_found := search()): ...", "_found"),
        ("self.wanted = 1", "wanted"),
        ("with open(path) as footage: ...", "footage"),
        ("load(corpora=[])", "corpora"),
        ("import numpy as evidence", "evidence"),
        ("from mmmsba_plugin import record as told", "told"),
        ("try: ...\nexcept OSError as said: ...", "said"),
        ("match rows:\n    case [*kept]: ...", "kept"),
        ("def test_a_picture_has_a_size(): ...", "test_a_picture_has_a_size"),
    ],
)
def test_a_planted_name_is_refused(code, name):
    names = [name for _, name in names_in(ast.parse(code)) if VOCABULARY.suggest(name)]
    assert names == [name]


@pytest.mark.parametrize(
    "code",
    [
        "def read_audio(frames, *, num_frames=3): ...",
        "class AudioReader: ...",
        "for line in lines: ...",
        "score_threshold = 0.5",
        "one_hot = is_one = room_tone = face_trace = 0",
        "padded = trained = matched = left = expected = unchanged = 0",
        "class MediaNotFoundError(Exception): ...",
        "soundfile_path = surrounding = evidenced = 0",
        "print(picture.sound)",
        "def test_a_segment_that_is_found_is_told_and_heard(): ...",
    ],
)
def test_a_name_of_the_field_passes(code):
    assert not [name for _, name in names_in(ast.parse(code)) if VOCABULARY.suggest(name)]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("_num_audio_samples", ["num", "audio", "samples"]),
        ("FrameReader", ["frame", "reader"]),
        ("HTMLReport2", ["html", "report", "2"]),
        ("MAX_FRAMES", ["max", "frames"]),
        ("__init__", ["init"]),
    ],
)
def test_an_identifier_is_split_into_words(name, words):
    assert split_words(name) == words


def test_a_contract_holds_only_where_it_is_defined():
    assert is_contract("judged_at", "fiftyone_ops/dataset/reports.py")
    assert not is_contract("judged_at", "mmmsba_plugin/detector.py")
    assert not is_contract("judged", "fiftyone_ops/dataset/reports.py")


def test_a_package_is_named_after_its_folder():
    assert module_name(Path("mmmsba_plugin/model/__init__.py")) == "model"
    assert module_name(Path("mmmsba_plugin/model/heads.py")) == "heads"
