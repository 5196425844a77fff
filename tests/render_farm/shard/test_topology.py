"""Physical cores are dealt out whole, and workers are counted by them, by memory and by what there is to do."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_farm.shard import topology
from render_farm.shard.memory import available_megabytes
from render_farm.shard.topology import core_share, own_cores, physical_cores, worker_count


@pytest.fixture(scope="module")
def hyperthreads(tmp_path_factory):
    """A machine of 4 physical cores, whose second threads are numbered 4 to 7, as Linux describes it."""
    system = tmp_path_factory.mktemp("cpu")
    for core in range(8):
        folder = system / f"cpu{core}" / "topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(f"{core % 4},{core % 4 + 4}\n")
    return system


def test_threads_of_one_core_go_to_one_worker(hyperthreads):
    assert physical_cores(range(8), hyperthreads) == [(0, 4), (1, 5), (2, 6), (3, 7)]
    assert [core_share(number, 4, range(8), hyperthreads) for number in range(4)] == [(0, 4), (1, 5), (2, 6), (3, 7)]
    assert core_share(1, 2, range(8), hyperthreads) == (2, 3, 6, 7)


def test_only_cores_that_were_given_are_dealt_out(hyperthreads):
    assert physical_cores([1, 2, 6], hyperthreads) == [(1,), (2, 6)]
    assert [core_share(number, 2, [1, 2, 6], hyperthreads) for number in range(2)] == [(1,), (2, 6)]


def test_more_workers_than_cores_share_threads(hyperthreads):
    shares = [core_share(number, 8, range(8), hyperthreads) for number in range(8)]
    assert sorted(shares) == [(core,) for core in range(8)]
    assert all(len(core_share(number, 9, range(8), hyperthreads)) == 1 for number in range(9))


@given(cores=st.sets(st.integers(0, 7), min_size=1), workers=st.integers(1, 8))
def test_no_core_is_lost_and_none_is_dealt_out_twice(hyperthreads, cores, workers):
    workers = min(workers, len(cores))
    shares = [core_share(number, workers, sorted(cores), hyperthreads) for number in range(workers)]
    assert sorted(core for share in shares for core in share) == sorted(cores)
    assert all(shares)


def test_cores_of_this_machine_are_those_of_the_process():
    assert sorted(core for group in physical_cores(own_cores()) for core in group) == sorted(os.sched_getaffinity(0))


def test_workers_are_counted_by_cores_tasks_and_memory(monkeypatch):
    cores = own_cores()
    most = len(physical_cores(cores))
    assert worker_count(0, 1000, cores) == min(most, max(1, int(available_megabytes() // topology.WORKER_MEGABYTES)))
    assert worker_count(0, 1, cores) == 1
    assert worker_count(0, 0, cores) == 1
    assert worker_count(7, 1000, cores) == 7
    assert worker_count(7, 3, cores) == 3
    monkeypatch.setattr(topology, "WORKER_MEGABYTES", 1e9)  # a petabyte a worker
    assert worker_count(0, 1000, cores) == 1
