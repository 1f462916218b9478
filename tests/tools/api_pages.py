"""Build the pages of the public interface as HTML, from docstrings, by pdoc.

``python -W error -m tests.tools.api_pages FOLDER`` writes them, and fails at a warning.
"""

import sys
from pathlib import Path

import pdoc

import mmmsba_plugin

#: What callers, and authors of plug-ins, may rely on.
MODULES = (
    "mmmsba_plugin",
    "mmmsba_plugin.adapter",
    "mmmsba_plugin.config",
    "mmmsba_plugin.entries",
    "mmmsba_plugin.errors",
    "mmmsba_plugin.forger",
    "mmmsba_plugin.hookspecs",
    "mmmsba_plugin.plugins",
    "mmmsba_plugin.record",
    "mmmsba_plugin.schema",
    "mmmsba_plugin.segment",
    "mmmsba_plugin.structures",
    "mmmsba_plugin.testing",
    "mmmsba_plugin.timebase",
)


def build(folder: Path) -> None:
    """Write a page for each public module into a folder.

    Names that the package loads on first use are loaded, since pdoc looks for what is there.
    """
    for name in mmmsba_plugin.__all__:
        setattr(mmmsba_plugin, name, getattr(mmmsba_plugin, name))
    pdoc.render.configure(docformat="google")
    package, *modules = MODULES
    # A package brings its submodules along; what is not listed is no public interface.
    without = r"!mmmsba_plugin\..+"
    inner = r"!mmmsba_plugin\.\w+\..+"
    pdoc.pdoc(package, without, *modules, inner, output_directory=folder)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
