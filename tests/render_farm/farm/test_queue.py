"""The pull queue: every task is done once or given up, in the order that was promised."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from render_farm.farm.queue import LONGEST_REST, PullQueue, rest_after

# ---- the rules, one at a time


def test_tasks_come_in_rising_order_until_all_are_done():
    queue = PullQueue([7, 3, 5])
    assert [queue.take(0.0) for _ in range(4)] == [3, 5, 7, None]
    assert (queue.left, queue.leased) == (3, {3, 5, 7})
    for task in (3, 7, 5):
        queue.done(task)
    assert queue.left == 0
    assert not queue.given_up


def test_a_failed_task_waits_its_delay_and_then_goes_behind_the_fresh_ones():
    queue = PullQueue([1, 2, 3])
    queue.take(0.0)
    queue.failed(1, due=11.0)
    assert [queue.take(2.0), queue.take(20.0), queue.take(20.0)] == [2, 3, 1]


def test_a_failed_task_is_not_given_out_before_its_delay():
    queue = PullQueue([1])
    queue.take(0.0)
    queue.failed(1, due=11.0)
    assert queue.take(10.9) is None
    assert queue.take(11.0) == 1


def test_after_three_failures_a_task_is_given_up():
    queue = PullQueue([1])
    for _ in range(3):
        assert not queue.given_up
        assert queue.take(0.0) == 1
        queue.failed(1, 0.0)
    assert queue.given_up == {1}
    assert queue.left == 0
    assert queue.take(0.0) is None


def test_wrong_input_is_given_up_at_once():
    queue = PullQueue([1])
    queue.take(0.0)
    queue.give_up(1)
    assert queue.given_up == {1}


def test_being_postponed_is_not_an_attempt():
    queue = PullQueue([1], attempts=2)
    for now in range(0, 1000, 10):
        assert queue.take(now) == 1
        queue.postpone(1, due=now + 10)
    assert queue.take(1000) == 1
    queue.failed(1, 1000.0)
    assert not queue.given_up


def test_the_tasks_of_a_lost_worker_go_back_to_their_place():
    queue = PullQueue(range(5))
    assert [queue.take(0.0) for _ in range(3)] == [0, 1, 2]
    queue.lost(1, 1.0)
    queue.lost(0, 1.0)
    assert [queue.take(1.0) for _ in range(4)] == [0, 1, 3, 4]


def test_a_task_that_is_lost_again_lets_the_others_go_first_and_is_given_up_at_last():
    queue = PullQueue(range(3), losses=3)
    for expected in (0, 0, 1, 2, 0):
        assert queue.take(0.0) == expected
        if expected == 0:
            queue.lost(0, 0.0)
    assert queue.given_up == {0}


def test_a_broken_worker_rests_longer_and_longer_so_that_it_cannot_use_up_the_attempts():
    queue, taken, free = PullQueue(range(100_000)), 0, 0.0
    for now in range(24 * 3600):
        if now >= free:
            taken += 1
            queue.failed(queue.take(now), now)
            free = now + rest_after(taken, 10.0)
    assert taken < 50  # else 86,400
    assert rest_after(taken, 10.0) == LONGEST_REST
    assert [rest_after(failures, 10.0) for failures in range(5)] == [0.0, 0.0, 10.0, 20.0, 40.0]


# ---- against a naive twin


@dataclass
class Record:
    """A task of the naive queue."""

    number: int
    state: str = "waiting"
    due: float = 0.0
    trouble: int = 0
    failures: int = 0
    losses: int = 0


class NaiveQueue:
    """The rules of `PullQueue` over one list that is searched from the front for everything."""

    def __init__(self, tasks, attempts, losses):
        self.records = [Record(task) for task in tasks]
        self.attempts, self.losses = attempts, losses

    def take(self, now):
        ready = [r for r in self.records if r.state == "waiting" and r.due <= now]
        if not ready:
            return None
        record = min(ready, key=lambda r: (r.trouble, r.number))
        record.state = "leased"
        return record.number

    def done(self, task):
        self.records[task].state = "done"

    def give_up(self, task):
        self.records[task].state = "given up"

    def postpone(self, task, due):
        record = self.records[task]
        record.state, record.due, record.trouble = "waiting", due, record.trouble + 1

    def failed(self, task, due):
        self.records[task].failures += 1
        self.postpone(task, due)
        if self.records[task].failures == self.attempts:
            self.give_up(task)

    def lost(self, task, now):
        record = self.records[task]
        record.losses += 1
        record.state, record.due, record.trouble = "waiting", now, record.trouble + (record.losses > 1)
        if record.losses == self.losses:
            self.give_up(task)

    def numbers(self, state):
        return {r.number for r in self.records if r.state == state}


REPORTS = ("failed", "postpone", "lost", "done", "give_up")


class Twins(RuleBasedStateMachine):
    """Both queues hear the same and must answer the same."""

    @initialize(attempts=st.integers(1, 3), losses=st.integers(2, 3))
    def start(self, attempts, losses):
        self.fast, self.naive = (kind(range(6), attempts, losses) for kind in (PullQueue, NaiveQueue))
        self.now = 0

    @rule(seconds=st.integers(0, 5))
    def take(self, seconds):
        self.now += seconds
        assert self.fast.take(self.now) == self.naive.take(self.now)

    @precondition(lambda self: self.fast.leased)
    @rule(data=st.data(), report=st.sampled_from(REPORTS), delay=st.integers(0, 3))
    def report(self, data, report, delay):
        task = data.draw(st.sampled_from(sorted(self.fast.leased)))
        due = {"failed": (self.now + delay,), "postpone": (self.now + delay,), "lost": (self.now,)}.get(report, ())
        for queue in (self.fast, self.naive):
            getattr(queue, report)(task, *due)

    @invariant()
    def same(self):
        states = Counter(r.state for r in self.naive.records)
        assert self.fast.left == states["waiting"] + states["leased"]
        assert self.fast.leased == self.naive.numbers("leased")
        assert self.fast.given_up == self.naive.numbers("given up")


TestTwins = Twins.TestCase
TestTwins.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
