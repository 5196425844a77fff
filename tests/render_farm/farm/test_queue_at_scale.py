"""The pull queue in a farm on paper: 100,000 shards, 1,000 workers that fail at random, nothing lost, nothing twice."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest
from simulated_farm import Farm, Faults

from render_farm.farm.queue import PullQueue

SHARDS, WORKERS, NODES = 100_000, 1000, 50


def faults_of(shards: int, rng: np.random.Generator, **settings) -> Faults:
    """Faults, with some shards that cannot be rendered: one in a thousand, and at least one of each kind."""
    kinds = np.array_split(rng.permutation(shards)[: max(shards // 1000, 3)].tolist(), 3)
    failing, killing, wrong = (frozenset(kind.tolist()) for kind in kinds)
    return Faults(failing=failing, killing=killing, wrong=wrong, **settings)


def assert_nothing_lost_and_nothing_twice(farm: Farm) -> None:
    """Every shard was committed once, or every driver gave it up with the reasons; the queues are at their end."""
    assert max(farm.disk.commits) == 1 and not any(owner.alive for owner in farm.disk.locks.values())
    for driver in farm.drivers:
        given_up = driver.queue.given_up
        assert (driver.queue.left, driver.done) == (0, driver.tasks - len(given_up))
        assert given_up >= set(farm.missing())  # one that was declared lost may have done it nevertheless


def assert_given_up_for_a_reason(farm: Farm) -> None:
    """What is missing are the shards that cannot be rendered, and hardly one that only had bad luck."""
    hopeless = farm.faults.failing | farm.faults.killing | farm.faults.wrong
    assert hopeless <= set(farm.missing())
    assert len(farm.missing()) <= len(hopeless) + len(farm.disk.commits) // 10_000


@pytest.mark.parametrize("drivers", [1, 2])
def test_100_000_shards_on_1_000_workers_that_fail_at_random(drivers, measured):
    rng = np.random.default_rng(drivers)
    faults = faults_of(SHARDS, rng, driver_deaths=(20_000.0, 50_000.0), broken_node=7)
    start = time.process_time()
    farm = Farm(SHARDS, WORKERS, NODES, drivers, faults, rng)
    farm.run()
    seconds = time.process_time() - start
    assert_nothing_lost_and_nothing_twice(farm)
    assert_given_up_for_a_reason(farm)
    assert min(farm.deaths.values()) >= 2 and farm.deaths["zombies"] > 500 and farm.deaths["processes"] > 5000
    calls = sum(driver.calls for driver in farm.drivers)
    assert calls < {1: 2.5, 2: 7.0}[drivers] * SHARDS  # one take and one report a shard; two drivers also probe locks
    measured(
        f"simulated farm, {SHARDS:,} shards, {WORKERS:,} workers, {drivers} driver(s): {calls:,} reports and "
        f"leases, {seconds:.1f} s of processor time, {calls / seconds:,.0f} per second with the simulation; "
        + ", ".join(f"{count:,} {what} died" for what, count in farm.deaths.items() if what != "zombies")
        + f", {farm.deaths['zombies']:,} declared dead that lived on"
    )


@pytest.mark.parametrize("seed", range(12))
def test_small_farms_where_nearly_everything_goes_wrong(seed):
    rng = np.random.default_rng(seed)
    worse = {"death": 0.15, "passing": 0.02, "cut_off": 0.15, "frozen": 0.1, "between_nodes": 150.0}
    faults = faults_of(300, rng, driver_deaths=(500.0, 4000.0), **worse)
    farm = Farm(300, 24, 4, 1 + seed % 3, faults, rng)
    farm.run()
    assert_nothing_lost_and_nothing_twice(farm)


def test_a_call_takes_microseconds_and_a_task_few_bytes(measured):
    tracemalloc.start()
    queue = PullQueue(range(SHARDS))
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    start = time.process_time()
    while queue.left:
        for task in [queue.take(0.0) for _ in range(WORKERS)]:
            queue.done(task)
    seconds = (time.process_time() - start) / (2 * SHARDS)
    assert size < 250 * SHARDS
    measured(f"pull queue: {seconds * 1e6:.1f} us a call, {size / SHARDS:.0f} bytes a waiting task")
