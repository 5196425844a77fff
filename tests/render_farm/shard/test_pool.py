"""The queue over worker processes, with jobs that die, hang, fail, grow or fill the disk (nothing is rendered here)."""

import re
import textwrap
import time
from functools import partial
from pathlib import Path

import pytest

from render_farm.errors import DiskFullError, RenderError
from render_farm.shard.events import Begin, Done, Fault, Recycle
from render_farm.shard.pool import Pool, PoolSettings
from render_farm.shard.topology import own_cores

# Jobs live in a module that worker processes can import by name.
JOBS = """
    import errno, os, signal, time
    from pathlib import Path

    from render_farm.errors import DisagreementError

    class Job:
        def __init__(self, folder):
            self.folder = Path(folder)

        def __call__(self, task):
            with open(self.folder / "calls", "a") as file:
                file.write(f"{task} {os.getpid()}\\n")

    class DiesOnce(Job):
        def __call__(self, task):
            super().__call__(task)
            mark = self.folder / "died"
            if task == 1 and not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGSEGV)

    class Ends(Job):
        ways = [
            lambda: os.kill(os.getpid(), signal.SIGBUS), os.abort, lambda: os._exit(3),
            lambda: os.kill(os.getpid(), signal.SIGTERM), lambda: os.kill(os.getpid(), signal.SIGKILL),
        ]

        def __call__(self, task):
            self.ways[task]()

    class Fails(Job):
        def __call__(self, task):
            super().__call__(task)
            if task == 1:
                raise ValueError("no such pose")
            if task == 2:
                raise DisagreementError("not what Cycles sees")
            if task == 3:
                raise MemoryError

    class DiskFull(Job):
        def __call__(self, task):
            if task == 1:
                raise OSError(errno.ENOSPC, "No space left on device")

    class Hangs(Job):
        def __call__(self, task):
            super().__call__(task)
            if task == 0:
                time.sleep(600)

    class Stops(Job):
        def __call__(self, task):
            if task == 0:
                os.kill(os.getpid(), signal.SIGSTOP)

    class Grows(Job):
        def __call__(self, task):
            super().__call__(task)
            if task == 0:
                held = []
                while True:
                    held.append(bytes(range(256)) * 40_000)
                    time.sleep(0.005)

    class Leaks(Job):
        def __call__(self, task):
            super().__call__(task)
            self.held = [*getattr(self, "held", ()), bytes(range(256)) * 500_000]

    class CannotStart(Job):
        def __init__(self, folder):
            raise ImportError("bpy needs libX11")

    class DiesStarting(Job):
        def __init__(self, folder):
            os._exit(3)

    class Multiplies(Job):
        def __call__(self, task):
            import numpy as np

            np.ones((500, 500)) @ np.ones((500, 500))
            (self.folder / "threads").write_text(str(len(os.listdir("/proc/self/task"))))

    class NoSpaceToStart(Job):
        def __init__(self, folder):
            raise OSError(errno.ENOSPC, "No space left on device")
"""


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    (tmp_path / "pool_jobs.py").write_text(textwrap.dedent(JOBS))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    import importlib
    import sys

    sys.modules.pop("pool_jobs", None)
    yield importlib.import_module("pool_jobs")
    sys.modules.pop("pool_jobs", None)


def run(job, folder, tasks, groups=lambda task: task, tries=None, alone=(), tell=lambda event: None, **settings):
    pool = Pool(partial(job, str(folder)), PoolSettings(**{"workers": 1} | settings), folder, groups, tell)
    return {outcome.task: outcome for outcome in pool.run(tasks, tries, alone)}


def calls(folder):
    return [tuple(map(int, line.split())) for line in (folder / "calls").read_text().splitlines()]


@pytest.fixture
def told():
    """The events that a pool tells."""
    return []


def test_every_task_is_done_once_and_workers_are_replaced_after_a_few(jobs, tmp_path, told):
    outcomes = run(jobs.Job, tmp_path, range(6), workers=2, recycle=2, tell=told.append)
    assert sorted(outcomes) == list(range(6))
    assert all(outcome.cause is None for outcome in outcomes.values())
    assert all(event.megabytes > 5 for event in told if isinstance(event, Done))
    assert sorted(task for task, _ in calls(tmp_path)) == list(range(6))
    assert len({pid for _, pid in calls(tmp_path)}) >= 3
    assert {event.cause for event in told if isinstance(event, Recycle)} == {"samples"}


def test_a_task_whose_worker_dies_is_tried_again_after_all_others(jobs, tmp_path, told):
    outcomes = run(jobs.DiesOnce, tmp_path, range(4), tell=told.append)
    assert [outcomes[task].cause for task in range(4)] == [None] * 4
    assert outcomes[1].attempts == 2
    assert [task for task, _ in calls(tmp_path)] == [0, 1, 2, 3, 1]
    assert [(type(event), event.sample) for event in told] == [
        (Begin, 0), (Done, 0), (Begin, 1), (Fault, 1), (Begin, 2), (Done, 2), (Begin, 3), (Done, 3), (Begin, 1),
        (Done, 1),
    ]  # fmt: skip
    fault = told[3]
    assert (fault.cause, fault.attempt, fault.worker) == ("crash", 1, 0)
    assert "SIGSEGV" in fault.reason


def test_the_way_a_worker_ends_tells_the_cause(jobs, tmp_path):
    outcomes = run(jobs.Ends, tmp_path, range(5), attempts=1)
    assert [outcomes[task].cause for task in range(5)] == ["crash", "crash", "crash", "killed", "killed"]
    words = ("SIGBUS", "SIGABRT", "exit code 3", "SIGTERM", "SIGKILL")
    assert all(word in outcomes[task].reason for task, word in enumerate(words))


def test_a_task_that_keeps_failing_is_given_up_and_the_rest_done(jobs, tmp_path):
    outcomes = run(jobs.Fails, tmp_path, range(5), attempts=3)
    assert [outcomes[task].cause for task in range(5)] == [None, "error", "disagreement", "memory", None]
    assert [outcomes[task].attempts for task in range(5)] == [
        1,
        3,
        2,
        3,
        1,
    ]  # the same pixels again would disagree again
    assert outcomes[1].reason == "ValueError: no such pose"
    processes = [pid for task, pid in calls(tmp_path) if task == 1]
    assert len(set(processes)) == 3  # each time in a fresh process


def test_attempts_of_earlier_runs_count(jobs, tmp_path):
    assert run(jobs.Fails, tmp_path, [1], attempts=3, tries={1: 2})[1].attempts == 3
    assert len(calls(tmp_path)) == 1


def test_a_full_disk_is_not_tried_again(jobs, tmp_path):
    told = []
    with pytest.raises(DiskFullError, match="the disk is full; what is finished is kept"):
        run(jobs.DiskFull, tmp_path, range(2), tell=told.append)
    assert told.count(Begin(1, 0)) == 1


@pytest.mark.parametrize("job", ["Hangs", "Stops"])
def test_a_hung_task_is_killed(jobs, tmp_path, job):
    outcomes = run(getattr(jobs, job), tmp_path, range(2), attempts=1, sample_seconds=0.3)
    assert (outcomes[0].cause, outcomes[1].cause) == ("hang", None)
    assert "no answer within 0.3 s" in outcomes[0].reason


def test_a_worker_over_its_memory_limit_is_killed_in_mid_task(jobs, tmp_path):
    outcomes = run(jobs.Grows, tmp_path, range(2), attempts=1, memory=500)
    assert (outcomes[0].cause, outcomes[1].cause) == ("memory", None)
    assert "the limit is 500 MB" in outcomes[0].reason


def test_a_worker_that_has_grown_is_replaced_before_it_reaches_the_limit(jobs, tmp_path, told):
    outcomes = run(jobs.Leaks, tmp_path, range(5), memory=500, tell=told.append)
    assert not any(outcome.cause for outcome in outcomes.values())
    recycled = [event for event in told if isinstance(event, Recycle)]
    assert recycled
    assert all(event.cause == "memory" and 375 < event.megabytes < 500 for event in recycled)


def test_a_workers_log_tells_its_memory_after_each_task(jobs, tmp_path):
    run(jobs.Job, tmp_path, range(2))
    lines = (tmp_path / "worker-0.log").read_text().splitlines()
    assert [re.search(r"sample (\d): [\d.]+ s, \d+ MB resident", line)[1] for line in lines] == ["0", "1"]


def test_a_suspect_is_done_last_and_while_nothing_else_is(jobs, tmp_path, told):
    run(jobs.Job, tmp_path, range(6), workers=2, alone=(0, 1), tell=told.append)
    assert [(type(event), event.sample) for event in told[-4:]] == [(Begin, 0), (Done, 0), (Begin, 1), (Done, 1)]


def test_workers_that_cannot_start_end_the_run_with_the_reason(jobs, tmp_path):
    with pytest.raises(RenderError, match="bpy needs libX11"):
        run(jobs.CannotStart, tmp_path, range(2))
    with pytest.raises(RenderError, match=r"cannot start.*exit code 3"):
        run(jobs.DiesStarting, tmp_path, range(2), attempts=2)
    with pytest.raises(DiskFullError, match="the disk is full"):
        run(jobs.NoSpaceToStart, tmp_path, range(2))


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts threads as Linux tells them")
def test_numerical_libraries_have_one_thread_whatever_the_cores(jobs, tmp_path, monkeypatch):
    """Sums by several threads depend on how many there are, so on the machine."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    assert run(jobs.Multiplies, tmp_path, range(1), cores=own_cores())[0].cause is None
    assert (tmp_path / "threads").read_text() == "1"


def test_tasks_of_one_group_stay_with_one_worker(jobs, tmp_path):
    run(jobs.Job, tmp_path, range(8), groups=lambda task: task // 4, workers=2)
    where = {}
    for task, pid in calls(tmp_path):
        where.setdefault(pid, []).append(task // 4)
    assert all(groups == sorted(groups, key=groups.index) for groups in where.values())  # no going back and forth


def test_closing_the_run_ends_the_workers(jobs, tmp_path):
    outcomes = Pool(partial(jobs.Hangs, str(tmp_path)), PoolSettings(workers=2), tmp_path).run([0, 1])
    assert next(outcomes).task == 1  # task 0 was given out before and hangs
    while len(calls(tmp_path)) < 2:
        time.sleep(0.01)
    hung = next(pid for task, pid in calls(tmp_path) if task == 0)
    outcomes.close()
    assert not Path(f"/proc/{hung}").exists()
