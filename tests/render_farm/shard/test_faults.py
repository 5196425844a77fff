"""A tiny shard really rendered while workers crash, hang, grow and are killed: nothing is lost, and the bytes stay."""

import contextlib
import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest
import shard_commands
from shard_commands import all_gone, arguments, assert_same_shard, complaint, events, render, sha256, shard_of, staged

from render_farm.shard.events import Begin, EventLog, Fault
from render_farm.shard.missing import LOST_ATTEMPTS
from rigging.command_line import main as dataset_tools
from tests.small_disks import small_disk

# A worker that does to itself what DISTURB says: {"sample": [what at the first attempt, ...]}; and the command with
# such workers. A module of its own, which worker processes can import by name.
DISTURBED = """
    import json, os, signal, sys
    from pathlib import Path

    from render_farm.shard import missing
    from rigging.command_line import main
    from render_farm.shard.job import SampleJob


    def fail():
        raise ValueError("no such pose")


    def grow():
        held = []
        while True:
            held.append(bytes(range(256)) * 40_000)


    WAYS = {
        "crash": lambda: os.kill(os.getpid(), signal.SIGSEGV), "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "stop": lambda: os.kill(os.getpid(), signal.SIGSTOP), "error": fail, "grow": grow,
    }


    class Disturbed(SampleJob):
        def __call__(self, sample):
            ways = json.loads(os.environ["DISTURB"]).get(str(sample), [])
            attempts = Path(os.environ["ATTEMPTS"]) / str(sample)
            with open(attempts, "a") as file:
                file.write("x")
            if len(ways) >= attempts.stat().st_size:
                WAYS[ways[attempts.stat().st_size - 1]]()
            super().__call__(sample)


    def command():
        missing.SampleJob = Disturbed
        sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def disturbed(tiny, cache, tmp_path):
    """A function that starts the command with this disturbance, its words after `before`."""
    attempts = tmp_path / "attempts"
    (tmp_path / "disturbed.py").write_text(textwrap.dedent(DISTURBED))
    attempts.mkdir()

    def start(disturbance, *more, before=()):
        words = [
            *before,
            sys.executable,
            "-c",
            "import disturbed; disturbed.command()",
            *arguments(tiny, cache, tmp_path / "out", "--workers", "1", *more),
        ]
        path = os.pathsep.join((str(shard_commands.ROOT), str(tmp_path)))
        return words, {"DISTURB": json.dumps(disturbance), "ATTEMPTS": str(attempts), "PYTHONPATH": path}

    return start


def test_whatever_happens_to_workers_the_shard_has_the_bytes_of_an_undisturbed_one(disturbed, undisturbed, tmp_path):
    ways = {1: ["crash"], 2: ["kill"], 3: ["stop"], 4: ["error"], 5: ["grow"]}
    words, environment = disturbed(ways, "--sample-seconds", "10", "--memory", "1500")
    result = shard_commands.run(words, **environment)
    assert result.returncode == 0, result.stderr
    assert_same_shard(shard_of(tmp_path / "out"), shard_of(undisturbed))
    told = {event["sample"]: event["cause"] for event in events(tmp_path / "out", "fault")}
    assert told == {1: "crash", 2: "killed", 3: "hang", 4: "error", 5: "memory"}
    begun = [event["sample"] for event in events(tmp_path / "out", "begin")]
    assert sorted(begun[:8]) == list(range(8))  # what failed is tried again after all others
    assert begun[8:] == [event["sample"] for event in events(tmp_path / "out", "fault")]
    assert events(tmp_path / "out", "finish")[0]["sha256"] == sha256(shard_of(undisturbed))


def test_a_poison_sample_is_set_aside_until_it_is_asked_for(disturbed, undisturbed, tiny, cache, tmp_path, capsys):
    out = tmp_path / "out"
    words, environment = disturbed({3: ["kill"] * 9}, "--attempts", "2")
    result = shard_commands.run(words, **environment)
    assert result.returncode == 1
    assert "1 of 8 samples are set aside, first sample 3 (killed, 2 attempt(s)" in complaint(result)
    assert not shard_of(out).exists()
    assert len(staged(out)) == 7
    report = out / "tiny" / "shard-00000.incomplete.json"
    told = json.loads(report.read_text())
    (lacking,) = told["lacking"]
    assert (told["lacks"], told["samples"], told["causes"]) == (1, 8, {"killed": 1})
    assert (lacking["sample"], lacking["cause"], lacking["attempts"]) == (3, "killed", 2)
    assert dataset_tools(["check", str(out / "tiny")]) != 0
    assert "shard 0 is incomplete: lacks 1 of 8 samples" in capsys.readouterr().out

    begun = len(events(out, "begin"))
    again = render(tiny, cache, out)  # nothing disturbs it now, but nobody asked to try again
    assert again.returncode == 1
    assert "--retry" in complaint(again)
    assert len(events(out, "begin")) == begun

    pasted = subprocess.run(lacking["command"], shell=True, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert pasted.returncode == 0, pasted.stderr
    files = [Path(line) for line in pasted.stdout.splitlines()]
    assert [file.name for file in files] == ["sample-00000003.staged", "sample-00000003.png"]
    assert len(staged(out)) == 7

    retried = render(tiny, cache, out, "--retry")
    assert retried.returncode == 0, retried.stderr
    assert_same_shard(shard_of(out), shard_of(undisturbed))
    assert not report.exists()


def test_a_worker_that_the_kernel_takes_for_its_memory_is_told_apart_and_replaced(disturbed, tmp_path):
    with memory_group(1500) as processes:
        enter = ("sh", "-c", f'echo $$ > {processes} && exec "$@"', "sh")
        words, environment = disturbed({1: ["grow"]}, "--samples", "2", "--memory", "0", before=enter)
        result = shard_commands.run(words, **environment)
    assert result.returncode == 0, result.stderr
    (fault,) = events(tmp_path / "out", "fault")
    assert (fault["sample"], fault["cause"]) == (1, "memory")
    assert "out-of-memory killer" in fault["reason"]


@contextlib.contextmanager
def memory_group(megabytes):
    """The `cgroup.procs` of a new control group, of either version, that may hold so much memory."""
    first, second = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
    root, name = (first, "memory.limit_in_bytes") if first.is_dir() else (second, "memory.max")
    group = root / f"mvhm-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / name).write_text(str(megabytes << 20))
    except OSError as error:
        with contextlib.suppress(OSError):
            group.rmdir()
        pytest.skip(f"making a memory control group needs root and a writable {root}: {error}")
    try:
        yield group / "cgroup.procs"
    finally:
        _remove(group)


def _remove(group, seconds=20):
    """Its processes have ended, but the kernel may need a moment to know."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return group.rmdir()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def test_a_sample_that_takes_the_whole_process_down_is_set_aside_in_the_end(disturbed, tiny, cache, tmp_path):
    out = tmp_path / "out"
    words, environment = disturbed({0: ["stop"]}, "--samples", "2", "--sample-seconds", "600")
    process = subprocess.Popen(words, cwd=shard_commands.ROOT, stderr=subprocess.DEVNULL,
                               env=os.environ | environment)  # fmt: skip
    while not (tmp_path / "attempts" / "0").exists():
        assert process.poll() is None
        time.sleep(0.05)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    assert all_gone(workers)  # a dead supervisor leaves no worker behind, not even one that is stopped

    log = EventLog.of(out / "tiny", 0)
    for attempt in range(1, LOST_ATTEMPTS):  # as if it had happened a few times before
        log.add(Fault(0, worker=0, cause="lost", reason="", attempt=attempt))
    log.add(Begin(0, worker=0))
    result = render(tiny, cache, out, "--samples", "2")
    assert result.returncode == 1
    assert f"first sample 0 (lost, {LOST_ATTEMPTS} attempt(s)" in complaint(result)
    assert len(staged(out)) == 1


def test_of_two_operators_at_one_shard_one_renders_and_the_other_is_told_to_come_back(raced):
    assert sorted(raced.codes) == [0, 75], raced.errors
    assert "locked by process" in raced.errors[raced.codes.index(75)]
    assert len(events(raced.out, "done")) == 2
    assert shard_of(raced.out).exists()


def test_with_a_local_disk_samples_are_staged_and_packed_there(tiny, cache, raced, tmp_path):
    out, scratch = tmp_path / "out", tmp_path / "scratch"
    result = render(tiny, cache, out, "--scratch", scratch, "--samples", "2")
    assert result.returncode == 0, result.stderr
    assert_same_shard(shard_of(out), shard_of(raced.out))
    assert not (out / "tiny" / ".staging").exists()
    assert [path for path in scratch.rglob("*") if path.is_file()] == []
    assert events(out, "start")[0]["scratch"] == str(scratch)


def test_a_disk_without_room_for_locks_and_logs_is_one_line_and_try_later(tiny, cache, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    with small_disk(disk, "size=64k,nr_inodes=4"):
        result = render(tiny, cache, disk)
    assert result.returncode == 75, result.stderr
    assert "the disk is full" in complaint(result)
