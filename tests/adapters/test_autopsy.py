"""The ingest module of Autopsy runs the command and posts what it flags, in Autopsy's own words."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mmmsba_plugin.docs import path_of
from mmmsba_plugin.media.encode import write_clip

from ..clips import clip, numbered_frames
from ..tools.markdown import blocks

ROOT = Path(__file__).resolve().parents[2]
HOST = Path(__file__).with_name("autopsy_host.py")

#: Jython, where there is one, is what Autopsy has.
INTERPRETERS = [path for path in (sys.executable, shutil.which("jython")) if path]

#: A detector that has a score of 0.9 in the middle of clips with audio, and of 0.1 elsewhere.
DETECTOR = """
from mmmsba_plugin import AdaptedDetector, DetectorEntry, TimedScores, hookimpl
from mmmsba_plugin.media.probe import probe

def score(path):
    probs = [0.1, 0.9 if probe(path).audio else 0.1, 0.1]
    return {"audio": TimedScores.of_windows(probs, length_s=0.4, hop_s=0.4)}

class Undecided(AdaptedDetector):
    def detect(self, media, **options):
        return super().detect(media, **options).model_copy(update={"threshold": None})

@hookimpl
def forensics_detectors():
    yield DetectorEntry(name="undecided", summary="Has no threshold.", modalities=("audio",),
        load=lambda _: Undecided("undecided", score, ("audio",)))
    yield DetectorEntry(name="toy", summary="A toy.", modalities=("audio",),
        load=lambda _: AdaptedDetector("toy", score, ("audio",)))
"""


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    """The module, copied as the page says."""
    folder = tmp_path_factory.mktemp("module")
    (script,) = [s for s in blocks(path_of("toolkit").read_text("utf-8"), "sh") if "autopsy" in s]
    command = f'mmmsba() {{ {sys.executable} -m mmmsba_plugin "$@"; }}\n{script}'
    subprocess.run(["sh", "-c", command], cwd=folder, check=True)
    return folder / "mmmsba_ingest.py"


@pytest.fixture
def run(tmp_path, module):
    """A function that has files ingested by an interpreter, and returns what became of them."""
    (tmp_path / "toy.py").write_text(DETECTOR, encoding="utf-8")
    command = tmp_path / "mmmsba"
    command.write_text(
        f'#!/bin/sh\nexec {sys.executable} -m mmmsba_plugin --plugin {tmp_path}/toy.py "$@"\n',
        encoding="utf-8",
    )
    command.chmod(0o700)

    def ingest(interpreter, *paths, options="--detector toy --no-isolation"):
        result = subprocess.run(
            [interpreter, HOST, module, tmp_path, *paths],
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "MMMSBA_COMMAND": str(command),
                "MMMSBA_OPTIONS": options,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    return ingest


@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_flagged_videos_are_posted_and_every_video_has_a_page(run, tmp_path, interpreter):
    fake, silent = clip(tmp_path / "fake.mp4", duration_s=1.6), tmp_path / "silent.mp4"
    write_clip(silent, numbered_frames(40), fps_hz=25)
    broken, text = tmp_path / "broken.mp4", tmp_path / "notes.txt"
    for path in (broken, text):
        path.write_text("this is no video", encoding="utf-8")
    about, *events = run(interpreter, fake, silent, broken, text)
    assert about == {"name": "mmmsba", "files": True}
    assert events == [
        {"page": True, "report": "mmmsba: fake.mp4", "source": "mmmsba"},
        {
            "posted": [
                *("TSK_INTERESTING_ITEM", "SCORE_LIKELY_NOTABLE", "P(fake) 0.900", None),
                "0.40 to 0.80 s",
                ["TSK_SET_NAME", "mmmsba", "Flagged"],
            ],
            "source": "mmmsba",
            "job": 7,
        },
        {"result": "OK"},
        {"page": True, "report": "mmmsba: silent.mp4", "source": "mmmsba"},
        {"result": "OK"},
        {"page": True, "report": "mmmsba: broken.mp4", "source": "mmmsba"},
        {"result": "ERROR"},
        {"result": "OK"},
    ]
    assert not list(tmp_path.glob("mmmsba-*")), "no copy of a video is left behind"


@pytest.mark.parametrize("interpreter", INTERPRETERS)
def test_a_score_without_a_threshold_flags_nothing(run, tmp_path, interpreter):
    path = clip(tmp_path / "a.mp4", duration_s=1.6)
    _, page, result = run(interpreter, path, options="--detector undecided --no-isolation")
    assert page["report"] == "mmmsba: a.mp4"
    assert result == {"result": "OK"}


def test_a_command_that_fails_is_an_error_with_the_place_to_look(run, tmp_path):
    path = clip(tmp_path / "a.mp4", duration_s=0.8)
    _, log, result = run(sys.executable, path, options="--no-such-option")
    assert log["log"].startswith("exit code 2, see ")
    assert result == {"result": "ERROR"}
    output = tmp_path / "ModuleOutput/mmmsba-0/output.txt"
    assert "--no-such-option" in output.read_text(encoding="utf-8")
