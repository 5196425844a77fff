"""Calls in another process: one process for many, a fresh one after a crash, none that outlives its caller."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from render_farm.farm.child import Child
from render_farm.shard.staging import Staging


@pytest.fixture
def child():
    made = Child()
    yield made
    made.end()


def test_calls_share_a_process_and_each_has_its_own_log(child, tmp_path):
    first = child.call(tmp_path / "logs" / "a", os.getpid)
    assert first.kind == "done"
    assert first.value != os.getpid()
    assert child.call(tmp_path / "logs" / "b", print, "hello") == child.call(None, print, "nowhere")
    assert child.call(None, os.getpid) == first
    assert (tmp_path / "logs" / "a").read_text() == ""
    assert (tmp_path / "logs" / "b").read_text() == "hello\n"


def test_a_crash_costs_one_call(child, tmp_path):
    log = tmp_path / "log"
    first = child.call(None, os.getpid).value
    assert child.call(log, os.abort).reason == f"its process was killed by SIGABRT (output: {log})"
    assert child.call(None, os._exit, 3).reason == "its process ended with exit code 3"
    assert child.call(None, os.getpid).value != first


def test_an_error_is_a_result_and_its_traceback_in_the_log(child, tmp_path):
    result = child.call(tmp_path / "log", Staging(tmp_path / "nowhere").remove)
    assert (result.kind, result.reason.partition(":")[0]) == ("failed", "FileNotFoundError")
    assert "Traceback" in (tmp_path / "log").read_text()


def test_an_ended_child_is_replaced(child):
    first = child.call(None, os.getpid).value
    child.end()
    assert not psutil.pid_exists(first)
    assert child.call(None, os.getpid).value != first


def test_stop_ends_the_call_that_runs_and_all_later_ones(child):
    child.call(None, os.getpid)
    threading.Timer(0.5, child.stop).start()
    start = time.monotonic()
    assert child.call(None, time.sleep, 60).kind == "stopped"
    assert child.call(None, os.getpid).kind == "stopped"
    assert time.monotonic() - start < 30


def test_the_process_dies_with_its_caller(tmp_path):
    code = (
        "import os, sys, time\nfrom render_farm.farm.child import Child\nchild = Child()\n"
        "print(child.call(None, os.getpid).value, flush=True)\nchild.call(None, time.sleep, 60)\n"
    )
    root = Path(__file__).parents[3]
    caller = subprocess.Popen([sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True)
    called = psutil.Process(int(caller.stdout.readline()))
    caller.send_signal(signal.SIGKILL)
    caller.wait()
    psutil.wait_procs([called], timeout=20)
    assert not called.is_running() or called.status() == psutil.STATUS_ZOMBIE
