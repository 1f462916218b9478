"""Forgers by name, and text-to-speech programs that are scripts."""

import stat
import sys

import pytest

from mmmsba_plugin.forge.audio import tts_voices
from mmmsba_plugin.plugins import lookup

SCRIPT = """#!{python}
import sys, wave, math, struct
text = sys.stdin.buffer.read()
open({log!r}, "a").write(repr((sys.argv[1:], text)) + "\\n")
with wave.open(sys.argv[sys.argv.index({flag!r}) + 1], "wb") as out:
    out.setnchannels({channels}), out.setsampwidth(2), out.setframerate(22050)
    wavy = [int(9000 * math.sin(i / 9) * (i % 4000 > 500)) for i in range({size})]
    out.writeframes(b"".join(struct.pack("<h", w) * {channels} for w in wavy))
"""
FLAGS = {"espeak-ng": "-w", "flite": "-o", "piper": "--output_file", "hibari": "-o"}


@pytest.fixture(scope="session")
def build():
    """Return a forger of ours by name; the crude voice speaks, whatever is installed."""

    def build_forger(name, **settings):
        entry = lookup("forgers", name)
        values = {"voice": "formant"} | settings if name == "speak" else settings
        return entry.build(entry.config.read(values))

    return build_forger


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put programs on an otherwise empty PATH; returns what does it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(tts_voices, "find_spec", lambda name: None)
    tts_voices.run_cached.cache_clear()

    def put(name, text=None, *, size=60_000, channels=1):
        script = folder / name
        log = str(tmp_path / f"{name}.log")
        script.write_text(
            text
            or SCRIPT.format(
                python=sys.executable, log=log, flag=FLAGS[name], size=size, channels=channels
            )
        )
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        return tmp_path / f"{name}.log"

    return put


@pytest.fixture
def piper_model(tmp_path):
    model = tmp_path / "voice.onnx"
    model.write_bytes(b"a network")
    return model
