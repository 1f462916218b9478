"""``mmmsba review``: it serves its page until Ctrl-C."""

import os
import re
import signal
import subprocess
import sys
import urllib.request

import pytest

from mmmsba_plugin.cli import _exit_codes
from mmmsba_plugin.report.writers import write_json

from ..review.conftest import REPORT


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_the_printed_address_is_served_until_ctrl_c(tmp_path):
    with (tmp_path / "interview.mmmsba.json").open("w") as stream:
        write_json(REPORT, stream)
    command = [sys.executable, "-m", "mmmsba_plugin", "review", str(tmp_path), "--no-browser"]
    # What runs the tests may ignore Ctrl-C, as jobs in the background do.
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, usual)
    with running:
        try:
            line = running.stdout.readline()
            (url,) = re.findall(r"http://127\.0\.0\.1:\d+/\S+", line)
            assert line.startswith("1 report to review at ")
            with urllib.request.urlopen(f"{url}clips", timeout=20) as answer:  # noqa: S310 - ours
                assert b"interview.mp4" in answer.read()
        finally:
            os.kill(running.pid, signal.SIGINT)
        assert "decisions are stored beside the reports" in running.stdout.read()
    assert running.returncode == 0


def test_without_a_report_it_says_how_to_make_some(run, tmp_path):
    result = run("review", tmp_path)
    assert result.exit_code == _exit_codes.STOPPED
    assert "make some with `mmmsba detect`" in result.stderr
