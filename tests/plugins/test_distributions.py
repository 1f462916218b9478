"""Distributions of others, installed as a user would."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from mmmsba_plugin.datasets.lavdf import read_lavdf
from mmmsba_plugin.testing import samples

HERE = Path(__file__).parent


class Installed(NamedTuple):
    """A folder with all distributions in it."""

    sources: Path
    site: Path

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        paths = os.pathsep.join([str(self.site), *filter(None, [os.environ.get("PYTHONPATH")])])
        env = os.environ | {"PYTHONPATH": paths, "COLUMNS": "200"} | variables
        return subprocess.run(
            [sys.executable, *command], env=env, capture_output=True, text=True, check=False
        )

    def python(self, code: str) -> str:
        result = self.run("-c", code)
        assert result.returncode == 0, result.stderr
        return result.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("distributions")
    sources, site = folder / "sources", folder / "site"
    # Built from a copy, so that no build leaves anything in the checkout.
    names = ("toyforensics", "toyhead", "broken")
    for name in names:
        shutil.copytree(HERE / name, sources / name)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    pip += ["--no-index", "--disable-pip-version-check", "--target", str(site)]
    pip += [str(sources / name) for name in names]
    result = subprocess.run(pip, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return Installed(sources, site)


class TestDistributions:
    """Distributions with their own pyproject, installed as a user would."""

    def test_the_command_lists_what_they_offer_and_what_is_broken(self, installed):
        result = installed.run("-m", "mmmsba_plugin", "plugins", "--json")
        assert result.returncode == 0, result.stderr
        listing = json.loads(result.stdout)
        toys = [e for e in listing["entries"] if e["distribution"] == "toyforensics"]
        assert {(e["kind"], e["name"], e["version"], e["state"]) for e in toys} == {
            ("detectors", "toy-jumps", "0.3.1", "ok"),
            ("front_ends", "toy-loudness", "0.3.1", "ok"),
            ("writers", "toy-verdict", "0.3.1", "ok"),
        }
        (broken,) = [p for p in listing["plugins"] if p["state"] == "broken"]
        assert (broken["distribution"], broken["version"]) == ("brokenforensics", "0.0.7")
        assert broken["reason"] == (
            "ModuleNotFoundError: No module named 'a_library_that_nobody_has'"
        )

    def test_the_table_shows_the_same(self, installed):
        table = installed.run("-m", "mmmsba_plugin", "plugins").stdout
        for cell in ("toy-loudness", "toyforensics 0.3.1", "brokenforensics 0.0.7", "nobody_has"):
            assert cell in table

    def test_lookup_finds_theirs_beside_the_broken_one(self, installed):
        code = (
            "from mmmsba_plugin.plugins import lookup\n"
            "print(lookup('front_ends', 'toy-loudness').summary)"
        )
        assert installed.python(code) == "Mean and peak level of each snippet.\n"

    def test_their_detector_hears_a_splice_and_their_writer_writes_it(self, installed, tmp_path):
        clip = samples.clip(tmp_path / "genuine.mp4", duration_s=3.0)
        fake = self._with_silence(tmp_path / "forged.mp4", start_s=1.0, end_s=2.0)
        code = (
            "import sys; from mmmsba_plugin.plugins import lookup\n"
            "detector = lookup('detectors', 'toy-jumps').load(None)\n"
            "for report in detector.detect_many(sys.argv[1:]):\n"
            "    lookup('writers', 'toy-verdict').write(report, sys.stdout)"
        )
        result = installed.run("-c", code, str(clip), str(fake))
        assert result.returncode == 0, result.stderr
        real, fake_line = result.stdout.splitlines()
        assert real.endswith(" nothing forged")
        score, segment = fake_line.split(" ", 1)
        assert float(score) > 0.5
        start_s, end_s = (float(edge) for edge in segment.removesuffix(" s").split("-"))
        # The toy hears in cells of 50 ms, and the codec smears an edge by one of its frames
        # of 64 ms.
        assert (start_s, end_s) == (pytest.approx(1.0, abs=0.12), pytest.approx(2.0, abs=0.12))

    def test_their_own_tests_pass_against_the_contracts(self, installed):
        tests = str(installed.sources / "toyforensics" / "tests")
        result = installed.run("-m", "pytest", "-q", "-p", "no:cacheprovider", tests)
        assert result.returncode == 0, result.stdout
        assert "36 passed" in result.stdout

    def test_their_code_passes_the_type_checker(self, installed, tmp_path):
        pyproject = Path(__file__).parents[2] / "pyproject.toml"
        where = str(installed.sources / "toyforensics" / "toyforensics")
        config = ["--config-file", str(pyproject), "--cache-dir", str(tmp_path)]
        result = installed.run("-m", "mypy", "--strict", *config, where)
        assert result.returncode == 0, result.stdout

    def test_a_head_of_theirs_takes_at_most_sixty_lines_and_is_trained(
        self, installed, talking_head_dataset, feature_cache, tmp_path
    ):
        files = [p for p in (HERE / "toyhead").rglob("*") if p.suffix in {".py", ".toml"}]
        assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files) <= 60
        settings = {
            "network": {
                "gru_units": 12,
                "dense_units": 8,
                "heads": ["classify", "regress", "edges"],
            },
            "train": {"batch_size": 8, "max_epochs": 1},
        }
        config, out = tmp_path / "config.json", tmp_path / "out"
        config.write_text(json.dumps(settings), encoding="utf-8")
        command = ["train", "--data", f"lav-df={talking_head_dataset}", "--config", str(config)]
        cache = {"MMMSBA_CACHE": str(feature_cache.folder.parent)}
        trained = installed.run("-m", "mmmsba_plugin", *command, "-o", str(out), **cache)
        assert trained.returncode == 0, trained.stderr
        code = (
            "import sys; from mmmsba_plugin.detector import MmmsbaDetector\n"
            "detector = MmmsbaDetector.from_pretrained(sys.argv[1])\n"
            "(network,) = detector.network\n"
            "print(type(network.edges).__module__, detector.detect(sys.argv[2]).status)"
        )
        clip = next(read_lavdf(talking_head_dataset)).media
        detected = installed.run("-c", code, str(out), str(clip), **cache)
        assert detected.stdout == "toyhead.edges ok\n", detected.stderr

    @staticmethod
    def _with_silence(path: Path, *, start_s: float, end_s: float) -> Path:
        from mmmsba_plugin.media.encode import write_clip

        audio = samples.samples(3.0).copy()
        rate_hz = samples.SAMPLE_RATE_HZ
        audio[round(start_s * rate_hz) : round(end_s * rate_hz)] = 0.0
        frames = [face.face for face in samples.faces(3.0)]
        write_clip(path, frames, fps_hz=samples.FPS_HZ, audio=audio, sample_rate_hz=rate_hz)
        return path
