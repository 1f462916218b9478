"""Fixtures for the tests of the tables: small datasets, and one run of everything."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mmmsba_plugin import plugins
from mmmsba_plugin.cli import _exit_codes, app
from mmmsba_plugin.datasets.lavdf import read_lavdf

from ..layouts import av1m, put_json, tvil_entry
from .small_run import IDENTITIES, TINY


@pytest.fixture(scope="session")
def datasets(talking_head_dataset, tmp_path_factory) -> dict[str, str]:
    """All four datasets in small: one is itself, two are filled with drawn faces, one stands in."""
    folder = tmp_path_factory.mktemp("datasets")
    records = list(read_lavdf(talking_head_dataset))
    real = [r.media for r in records if not r.fake]
    fake = [r.media for r in records if r.fake]
    mine = _without_test_split(talking_head_dataset, folder / "mine")
    return {
        "fakeavceleb": f"fakeavceleb:lav-df={mine}",
        "av-deepfake1m": f"av-deepfake1m={_av_deepfake1m(folder / 'av1m', real, fake)}",
        "lav-df": f"lav-df={talking_head_dataset}",
        "tvil": f"tvil={_tvil(folder / 'tvil', real, fake)}",
    }


def _without_test_split(dataset: Path, folder: Path) -> Path:
    """Copy the clips, with those of ``dev`` to learn from and those of ``test`` as ``dev``."""
    shutil.copytree(dataset, folder)
    entries = json.loads((folder / "metadata.json").read_text())
    splits = {"train": "train", "dev": "train", "test": "dev"}
    put_json(folder / "metadata.json", [e | {"split": splits[e["split"]]} for e in entries])
    return folder


def _av_deepfake1m(folder: Path, real: list[Path], fake: list[Path]) -> Path:
    av1m(folder, identities=IDENTITIES)
    for index, clip in enumerate(sorted(folder.glob("*/id*/**/*.mp4"))):
        clips = real if clip.name == "real.mp4" else fake
        shutil.copyfile(clips[index % len(clips)], clip)
    return folder


def _tvil(folder: Path, real: list[Path], fake: list[Path]) -> Path:
    entries = {}
    for index, split in enumerate(["train", "valid", "test"] * 2):
        clip = fake[index] if index > 2 else real[index]
        periods = [[0.48, 0.86]] if index > 2 else []
        name = f"{index:08x}.mp4"
        entries[name[:-4]] = tvil_entry(
            file=name, split=split, duration=2.5, fake_periods=periods, n_fakes=len(periods)
        )
        folder.mkdir(exist_ok=True)
        shutil.copyfile(clip, folder / name)
    put_json(folder / "annotations" / "metadata.json", entries)
    return folder


@pytest.fixture(scope="session")
def invoke_reproduce(feature_cache, tmp_path_factory):
    """Function that runs ``mmmsba reproduce`` with networks that are trained in no time."""
    settings = tmp_path_factory.mktemp("settings") / "tiny.json"
    settings.write_text(json.dumps(TINY))

    def invoke(*arguments, out, data, workers=1):
        options = [option for spec in data.values() for option in ("--data", spec)]
        limits = ["--config", settings, "--resamples", 20, "--workers", workers, "--seeds", 0]
        command = ["reproduce", *arguments, *options, "-o", out, *limits]
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MMMSBA_CACHE", str(feature_cache.folder.parent))
            plugins.forget()
            result = CliRunner().invoke(app, [str(argument) for argument in command])
            plugins.forget()
        return result

    return invoke


@pytest.fixture(scope="session")
def everything(datasets, invoke_reproduce, tmp_path_factory):
    """All tables, measured in one run: their folder, and the standard output."""
    out = tmp_path_factory.mktemp("reproduced") / "out"
    result = invoke_reproduce(out=out, data=datasets, workers=2)
    assert result.exit_code == _exit_codes.OK, result.output
    return out, result.stdout
