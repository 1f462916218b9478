"""Light doors stay light: what loads nothing heavy, and what runs without torch."""

import json
import pkgutil
import resource
import subprocess
import sys

import pytest

import mmmsba_plugin

HEAVY = {
    "av",
    "cv2",
    "fastapi",
    "fiftyone",
    "librosa",
    "lightning",
    "matplotlib",
    "onnx",
    "onnxruntime",
    "pyarrow",
    "ray",
    "scipy",
    "skimage",
    "torch",
    "torchmetrics",
    "transformers",
    "uvicorn",
}

#: The parts of the house that are about tensors.
TENSORS = (
    "mmmsba_plugin.model.",
    "mmmsba_plugin.training.",
    "mmmsba_plugin.adapters.deepfakebench_host",
    "mmmsba_plugin.features.embeddings.aasist",
    "mmmsba_plugin.features.embeddings.efficientnet",
    "mmmsba_plugin.features.embeddings.two_streams",
)

RUN_COMMAND = """
import contextlib, io, sys
sys.argv = ["mmmsba", *{arguments}]
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    from mmmsba_plugin.cli import main
    main()
"""

#: Makes `import torch` an ImportError, as where it is missing: `sys.modules` does not name it.
BLOCK_TORCH = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, NoTorch())
"""


def loaded_by(code: str) -> set[str]:
    """Return the top-level packages that are loaded in a fresh interpreter after ``code``."""
    print_modules = (
        "\nimport json, sys\nprint(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    )
    result = run(code + print_modules)
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stdout.splitlines()[-1]))


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def every_module() -> list[str]:
    modules = pkgutil.walk_packages(mmmsba_plugin.__path__, "mmmsba_plugin.")
    return sorted(module.name for module in modules if module.name != "mmmsba_plugin.__main__")


@pytest.mark.parametrize(
    "code",
    [
        "import mmmsba_plugin",
        "import mmmsba_plugin.testing",
        "import mmmsba_plugin.testing.plugin",
        "from mmmsba_plugin import MmmsbaError, Report, Segment, hookimpl, __version__",
        RUN_COMMAND.format(arguments=["--help"]),
        RUN_COMMAND.format(arguments=["detect", "--help"]),
        RUN_COMMAND.format(arguments=["--version"]),
        RUN_COMMAND.format(arguments=["plugins"]),
        RUN_COMMAND.format(arguments=["plugins", "--json"]),
        RUN_COMMAND.format(arguments=["docs", "glossary"]),
    ],
    ids=[
        "package",
        "testing",
        "pytest plug-in",
        "names",
        "--help",
        "detect --help",
        "--version",
        "plugins",
        "plugins --json",
        "docs glossary",
    ],
)
def test_a_light_door_loads_nothing_heavy(code):
    assert loaded_by(code) & HEAVY == set()


def test_importing_the_package_loads_no_dependency_at_all():
    assert loaded_by("import mmmsba_plugin") & {"numpy", "pydantic", "pluggy", "typer"} == set()


def test_help_loads_neither_settings_nor_plugins():
    code = RUN_COMMAND.format(arguments=["--help"])
    assert loaded_by(code) & {"numpy", "pydantic", "pluggy"} == set()


def test_help_takes_less_than_half_a_second():
    # Processor time, and the best of three: what other programs do must not decide.
    taken_s = []
    for _ in range(3):
        before_s = _children_s()
        subprocess.run(
            [sys.executable, "-m", "mmmsba_plugin", "--help"], capture_output=True, check=True
        )
        taken_s.append(_children_s() - before_s)
    assert min(taken_s) < 0.5


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_every_module_but_those_about_tensors_imports_without_torch():
    light = [name for name in every_module() if not name.startswith(TENSORS)]
    assert "mmmsba_plugin.detector" in light
    result = run(BLOCK_TORCH + "".join(f"import {name}\n" for name in light))
    assert result.returncode == 0, result.stderr
