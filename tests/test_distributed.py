"""Detection on a Ray cluster of two nodes: the reports of one machine, whoever dies meanwhile."""

import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec

import pytest

from mmmsba_plugin.cli import _exit_codes
from mmmsba_plugin.distributed import RayDetector
from mmmsba_plugin.errors import MissingExtraError
from mmmsba_plugin.isolation import DetectorChoice
from mmmsba_plugin.ray_worker import MAX_ATTEMPTS

from . import ray_cluster
from .cli.detect_files import read, reports
from .hostile_plugin import hostile_plugin

needs_ray = pytest.mark.skipif(
    find_spec("ray") is None, reason="Ray is not installed (the extra `ray`)"
)


@pytest.fixture(scope="module")
def cluster():
    """A cluster of two nodes, one core each."""
    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0"}
    command = [sys.executable, ray_cluster.__file__]
    with subprocess.Popen(command, stdin=-1, stdout=-1, env=environment, text=True) as process:
        process.address = process.stdout.readline().strip()
        yield process
        process.stdin.close()
        process.stdout.read()


@pytest.fixture
def folder(tmp_path):
    """Makes a folder of files of such names, each its own content or that of another."""

    def make(*names, **contents):
        for name in names:
            path = tmp_path / "tape" / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(os.fsencode(contents.get(path.stem, name)))
        return path.parent

    return make


@pytest.fixture
def on_cluster(cluster):
    return ["--engine", "ray", "--ray-address", cluster.address, "--workers", "2"]


@pytest.fixture
def start(tmp_path):
    """Starts ``mmmsba detect`` with a detector that crashes or waits as a clip's name says.

    In the folder of the test, and in a process group of its own, as a terminal does.
    """
    plugin = hostile_plugin(tmp_path)
    command = [sys.executable, "-m", "mmmsba_plugin", "--plugin", plugin, "detect"]

    def start(*words):
        words = [*command, "--detector", "hostile", "--format", "json", *map(str, words)]
        return subprocess.Popen(
            words, stdout=-1, stderr=-1, text=True, start_new_session=True, cwd=tmp_path
        )

    return start


def end(process):
    """Return the exit code of a process, what it printed, and its errors."""
    stdout, stderr = process.communicate(timeout=240)
    return process.returncode, stdout, stderr


def wait_for(condition):
    until_s = time.monotonic() + 200
    while not condition():
        assert time.monotonic() < until_s
        time.sleep(0.05)


def content(path):
    """Return what a report says, but for when it was made and by which command."""
    report = json.loads(path.read_text())
    for name in ("command", "created_utc"):
        report["provenance"].pop(name)
    return report


@needs_ray
@pytest.mark.enable_socket
class TestCluster:
    def test_its_files_are_those_of_one_machine(self, start, on_cluster, folder, tmp_path):
        names = ("a.mp4", "b.mp4", "copy.mp4", "segfault.mp4", "bug.mp4", "\udcff.mp4")
        tape = folder(*names, copy="a.mp4").relative_to(tmp_path)
        out, parquet = tmp_path / "out", tmp_path / "all.parquet"
        files = {}
        for engine in ([], [*on_cluster, "--gpus-per-worker", "0.25"]):
            (tmp_path / "loads.txt").write_text("")
            code, stdout, stderr = end(start(tape, "-o", out, "--summary", parquet, *engine))
            assert code == _exit_codes.NOT_EVALUATED, stderr
            files[bool(engine)] = (
                {name: content(out / name) for name in reports(out)},
                (out / "summary.csv").read_text(),
                parquet.read_bytes(),
                sorted(line for line in stdout.splitlines() if "wrote" not in line),
            )
            for name in reports(out):
                (out / name).unlink()
        assert files[True] == files[False]
        assert len(files[True][0]) == len(names)
        loads = [line.split() for line in (tmp_path / "loads.txt").read_text().splitlines()]
        # To ask what it is, in each worker, and after the crash, if its worker had more to do.
        assert len(loads) in {3, 4}
        assert len({node for node, _ in loads}) == 2
        assert {gpu for _, gpu in loads} == {"0"}

    def test_the_bundled_weights_score_as_on_one_machine(
        self, start, on_cluster, talking_clip, silent_clip, tmp_path
    ):
        out, by_engine = tmp_path / "out", []
        for engine in ([], on_cluster):
            clips = (talking_clip, silent_clip)
            words = (*clips, "-o", out, "--detector", "mmms-ba", "--format", "json,html")
            _, stdout, stderr = end(start(*words, *engine))
            by_engine.append([content(out / f"{clip.stem}.json") for clip in clips])
            assert (out / "talking.html").exists(), stdout + stderr
            for path in out.iterdir():
                path.unlink()
        assert by_engine[0] == by_engine[1]
        assert by_engine[0][0]["status"] == "ok"

    def test_a_clip_that_kills_its_worker_is_given_up_in_the_end(
        self, start, on_cluster, folder, tmp_path
    ):
        tape = folder("a.mp4", "b.mp4", "segfault.mp4")
        process = start(tape, "-o", tmp_path / "out", *on_cluster, "--no-isolation")
        code, _, stderr = end(process)
        assert code == _exit_codes.NOT_EVALUATED, stderr
        by_name = {name: read(tmp_path / "out" / name) for name in reports(tmp_path / "out")}
        assert {name: report.status for name, report in by_name.items()} == {
            "a.json": "ok",
            "b.json": "ok",
            "segfault.json": "error",
        }
        problem = by_name["segfault.json"].problem
        assert problem.kind == "WorkerError"
        assert f"died {MAX_ATTEMPTS} times" in problem.message

    def test_a_detector_that_no_node_can_load_is_named_before_anything_is_written(
        self, start, on_cluster, folder, tmp_path
    ):
        words = (folder("a.mp4"), "-o", tmp_path / "out", *on_cluster)
        code, _, stderr = end(start(*words, "--detector", "mmms-ba", "--checkpoint", "nowhere"))
        assert code == _exit_codes.STOPPED
        assert "nowhere" in stderr
        assert not (tmp_path / "out").exists()

    def test_ctrl_c_completes_the_clips_in_hand_and_the_rest_is_resumed_though_a_node_dies(
        self, start, on_cluster, folder, cluster, tmp_path
    ):
        names = ("a.mp4", *(f"b{n}-slow.mp4" for n in range(12)))
        words = (folder(*names), "-o", tmp_path / "out", *on_cluster)
        process = start(*words)
        wait_for((tmp_path / "out" / "a.json").exists)
        os.killpg(process.pid, signal.SIGINT)
        code, stdout, stderr = end(process)
        assert code == _exit_codes.STOPPED, stderr
        assert "stopping once the clips in hand are complete" in stdout
        num = len(reports(tmp_path / "out"))
        assert 1 <= num < len(names)
        assert f"{num} of {len(names)} clips are complete; run the same again" in stdout
        process = start(*words, "--resume")
        wait_for(lambda: len(reports(tmp_path / "out")) > num)
        cluster.stdin.write("kill\n")
        cluster.stdin.flush()
        code, stdout, stderr = end(process)
        assert stdout.startswith(f"{num} of {len(names)} clips were evaluated before"), stderr
        assert code == _exit_codes.OK
        assert len(reports(tmp_path / "out")) == len(names)


def test_without_ray_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setattr("mmmsba_plugin.distributed.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'mmmsba-plugin\[ray\]'"):
        RayDetector(DetectorChoice("mmms-ba"))


@needs_ray
@pytest.mark.enable_socket
def test_where_nothing_listens_there_is_no_cluster(start, folder):
    words = ("--engine", "ray", "--ray-address", "127.0.0.1:1")
    code, _, stderr = end(start(folder("a.mp4"), *words))
    assert code == _exit_codes.STOPPED
    assert "there is no Ray cluster at 127.0.0.1:1" in stderr
