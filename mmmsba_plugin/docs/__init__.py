"""Pages of the documentation, Markdown, which ship with the package.

``mmmsba docs`` lists and prints them. Those of :data:`GENERATED` are written from the code by
``python -m tests.tools.reference``; a test compares them.
"""

from pathlib import Path

#: Folder of the pages.
FOLDER = Path(__file__).parent

#: Pages by name, in the order in which they are listed, each with what it is about.
PAGES = {
    "analyst": "Read a report, know what raises false alarms, and search many clips.",
    "curator": "Detect, review and correct in the FiftyOne App.",
    "pipeline": "Call the detector from Python or in batches: errors, devices, workers, costs.",
    "toolkit": "Host the detector in another toolkit, or write a plug-in of each kind.",
    "researcher": "Make datasets, train, evaluate and reproduce.",
    "recipe": "Where the paper, the authors' code and this package differ.",
    "model-card": "What the bundled weights learned from, and all figures measured on them.",
    "fast-model-card": "The same of `--checkpoint fast`, which costs less and finds less.",
    "glossary": "What the words mean.",
    "commands": "Every command with its options.",
    "settings": "Every setting of a configuration file, and every environment variable.",
    "hooks": "Every hook, entry and protocol of plug-ins.",
    "formats": "Every file format that is written or read, with the fields of a report.",
    "errors": "Every error, and what raises it.",
    "development": "Work on this package: where the code of each task lies, tests, names.",
}

#: Pages that are written from the code.
GENERATED = ("commands", "settings", "hooks", "formats", "errors")

#: Pages that lie beside what they are about.
_ELSEWHERE = {
    "recipe": "training/recipe.md",
    "model-card": "weights/README.md",
    "fast-model-card": "weights/fast/README.md",
}


def path_of(name: str) -> Path:
    """Return the file of a page.

    Args:
        name: A key of :data:`PAGES`.
    """
    return FOLDER.parent / _ELSEWHERE.get(name, f"docs/{name}.md")
