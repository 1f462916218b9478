"""The curator's page is true of FiftyOne."""

import doctest
import os
import re
import shutil
import subprocess
import sys

import fiftyone as fo
import fiftyone.operators as foo

from fiftyone_ops.dataset import labels
from mmmsba_plugin.docs import path_of

from ..tools.markdown import blocks

PAGE = path_of("curator").read_text(encoding="utf-8")


def test_the_commands_lead_from_nothing_to_annotated(tmp_path, talking_clip):
    (tmp_path / "real").mkdir()
    shutil.copy(talking_clip, tmp_path / "real")
    (code,) = blocks(PAGE, "py")
    for words in ("of 1 videos", "1 evaluated before of 1 videos"):
        result = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=dict(os.environ),
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        assert result.stdout.strip().endswith(words)
    annotated = fo.load_dataset("interviews")
    assert annotated.count("forgeries_verdict.confidence") == 1
    annotated.delete()


def test_every_operator_that_the_app_lists_is_named():
    for operator in foo.list_operators():
        if operator.uri.startswith("@mmmsba/") and not operator.config.unlisted:
            assert f"`{operator.config.name}`" in PAGE


def test_what_the_table_calls_from_python_is_there():
    from importlib import import_module

    names = set(re.findall(r"`(fiftyone_ops(?:\.\w+)+)\.(\w+)`", PAGE))
    assert len(names) >= 7
    for module, name in names:
        assert callable(getattr(import_module(module), name))


def test_the_examples_in_docstrings_are_so():
    assert doctest.testmod(labels).failed == 0
