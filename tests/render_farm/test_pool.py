"""The queue over worker processes, with jobs that die, hang, fail or fill the disk (nothing is rendered here)."""

import os
import textwrap
import time
from functools import partial
from pathlib import Path

import pytest

from render_farm.errors import RenderError
from render_farm.pool import Pool, PoolSettings, core_share

# Jobs live in a module that spawned workers can import by name.
JOBS = """
    import errno, os, signal, time
    from pathlib import Path

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
            if task == 2 and not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGSEGV)

    class AlwaysDies(Job):
        def __call__(self, task):
            if task == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            super().__call__(task)

    class Fails(Job):
        def __call__(self, task):
            if task == 1:
                raise ValueError("no such pose")
            if task == 2:
                raise OSError(errno.ENOSPC, "No space left on device")

    class Hangs(Job):
        def __call__(self, task):
            super().__call__(task)
            if task == 0:
                time.sleep(600)

    class CannotStart(Job):
        def __init__(self, folder):
            raise ImportError("bpy needs libX11")

    class DiesStarting(Job):
        def __init__(self, folder):
            os._exit(3)
"""


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    (tmp_path / "pool_jobs.py").write_text(textwrap.dedent(JOBS))
    monkeypatch.syspath_prepend(str(tmp_path))
    import importlib
    import sys

    sys.modules.pop("pool_jobs", None)
    yield importlib.import_module("pool_jobs")
    sys.modules.pop("pool_jobs", None)


def run(job, folder, tasks, groups=lambda task: task, **settings):
    pool = Pool(partial(job, str(folder)), PoolSettings(**settings), folder, groups)
    return {outcome.task: outcome for outcome in pool.run(tasks)}


def calls(folder):
    return [tuple(map(int, line.split())) for line in (folder / "calls").read_text().splitlines()]


def test_every_task_is_done_once_and_workers_are_replaced_after_a_few(jobs, tmp_path):
    outcomes = run(jobs.Job, tmp_path, range(6), workers=2, recycle=2)
    assert sorted(outcomes) == list(range(6))
    assert all(not outcome.fault for outcome in outcomes.values())
    assert sorted(task for task, _ in calls(tmp_path)) == list(range(6))
    assert len({pid for _, pid in calls(tmp_path)}) >= 3


def test_a_task_whose_worker_dies_is_tried_again(jobs, tmp_path):
    outcomes = run(jobs.DiesOnce, tmp_path, range(4))
    assert [outcomes[task].fault for task in range(4)] == [""] * 4
    assert [task for task, _ in calls(tmp_path)] == [0, 1, 2, 2, 3]


def test_a_task_that_keeps_killing_workers_is_reported_and_the_rest_done(jobs, tmp_path):
    outcomes = run(jobs.AlwaysDies, tmp_path, range(4), attempts=2)
    assert outcomes[2].fault == "died"
    assert "SIGKILL" in outcomes[2].reason
    assert "tried 2 times" in outcomes[2].reason
    assert sorted(task for task, _ in calls(tmp_path)) == [0, 1, 3]


def test_failures_carry_their_reason_and_a_full_disk_its_own_fault(jobs, tmp_path):
    outcomes = run(jobs.Fails, tmp_path, range(3))
    assert (outcomes[1].fault, outcomes[1].reason) == ("failed", "ValueError: no such pose")
    assert outcomes[2].fault == "disk full"


def test_a_hung_task_is_killed(jobs, tmp_path):
    outcomes = run(jobs.Hangs, tmp_path, range(2), attempts=1, seconds=1.0)
    assert outcomes[0].fault == "died"
    assert not outcomes[1].fault


def test_workers_that_cannot_start_end_the_run_with_the_reason(jobs, tmp_path):
    with pytest.raises(RenderError, match="bpy needs libX11"):
        run(jobs.CannotStart, tmp_path, range(2))
    with pytest.raises(RenderError, match=r"cannot start.*exit code 3"):
        run(jobs.DiesStarting, tmp_path, range(2), attempts=2)


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


def test_cores_are_shared_out_without_overlap():
    cores = sorted(os.sched_getaffinity(0))
    assert core_share(0, 1) == cores
    shares = [core_share(number, len(cores)) for number in range(len(cores))]
    assert sorted(core for share in shares for core in share) == cores
    assert all(len(core_share(number, len(cores) + 1)) == 1 for number in range(len(cores) + 1))
