"""The pull queue: every task is done once or given up with its reasons, whatever becomes of the workers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from watched_queue import Counts, WatchedQueue

from render_farm.farm.queue import LONGEST_REST

# ---- the rules, one at a time


def test_tasks_come_in_rising_order_until_all_are_done():
    queue = WatchedQueue([7, 3, 5])
    assert [queue.take("a", 0.0), queue.take("b", 0.0), queue.take("a", 0.0)] == [3, 5, 7]
    assert queue.take("b", 0.0) is None
    assert all(queue.done(worker, task) for worker, task in (("a", 3), ("b", 5), ("a", 7)))
    assert queue.finished and queue.counts == Counts(waiting=0, leased=0, done=3, given_up=0)


def test_a_task_given_twice_is_refused():
    with pytest.raises(ValueError, match="twice"):
        WatchedQueue([1, 2, 1])


def test_a_failed_task_waits_its_delay_and_then_goes_behind_the_fresh_ones():
    queue = WatchedQueue([1, 2, 3])
    queue.take("a", 0.0)
    assert not queue.failed("a", 1, "disk", now=1.0, delay=10.0)
    assert [queue.take("b", 2.0), queue.take("c", 20.0), queue.take("d", 20.0)] == [2, 3, 1]


def test_a_failed_task_is_not_given_out_before_its_delay():
    queue = WatchedQueue([1])
    queue.take("a", 0.0)
    queue.failed("a", 1, "disk", now=1.0, delay=10.0)
    assert queue.take("b", 10.9) is None and queue.next_ready(10.0) == 1.0
    assert queue.next_ready(11.0) == 0.0 and queue.take("b", 11.0) == 1


def test_after_three_failures_a_task_is_given_up_with_all_its_reasons():
    queue = WatchedQueue([1])
    for number in range(3):
        queue.take(f"worker {number}", 0.0)
        assert queue.failed(f"worker {number}", 1, f"reason {number}", now=0.0) == (number == 2)
    assert queue.given_up == {1: ("reason 0", "reason 1", "reason 2")}
    assert queue.finished and queue.next_ready(0.0) is None


def test_wrong_input_is_given_up_at_once():
    queue = WatchedQueue([1])
    queue.take("a", 0.0)
    assert queue.give_up("a", 1, "no such pose") and queue.given_up == {1: ("no such pose",)}


def test_being_postponed_is_not_an_attempt():
    queue = WatchedQueue([1], attempts=2)
    for now in range(0, 1000, 10):
        assert queue.take("a", now) == 1
        queue.postpone("a", 1, now, seconds=10)
    assert queue.counts.waiting == 1 and queue.next_ready(995) == 5
    assert queue.take("a", 1000) == 1 and not queue.failed("a", 1, "first failure", 1000.0)


def test_the_tasks_of_a_lost_worker_go_back_to_their_place():
    queue = WatchedQueue(range(5))
    assert [queue.take(worker, 0.0) for worker in "aab"] == [0, 1, 2]
    assert queue.lost("a", 1.0) == [0, 1] and queue.lost("a", 1.0) == []
    assert [queue.take("c", 1.0) for _ in range(4)] == [0, 1, 3, 4]


def test_a_task_that_is_lost_again_lets_the_others_go_first_and_is_given_up_at_last():
    queue = WatchedQueue(range(3), losses=3)
    for number, expected in enumerate((0, 0, 1, 2, 0)):
        assert queue.take(number, 0.0) == expected
        if expected == 0:
            queue.lost(number, 0.0)
    assert queue.given_up == {0: ("lost with worker 0", "lost with worker 1", "lost with worker 4")}


def test_reports_on_a_lease_that_is_no_more_change_nothing():
    queue = WatchedQueue([1], attempts=1)
    queue.take("a", 0.0)
    queue.lost("a", 1.0)
    queue.take("b", 1.0)
    assert not queue.failed("a", 1, "late", now=2.0)
    assert not queue.give_up("a", 1, "late")
    assert not queue.postpone("a", 1, 2.0, 60.0)
    assert queue.counts == Counts(waiting=0, leased=1, done=0, given_up=0)
    assert queue.done("b", 1)


@pytest.mark.parametrize("meanwhile", ["waiting", "leased", "given up"])
def test_a_worker_declared_lost_that_was_not_is_believed_once(meanwhile):
    queue = WatchedQueue([1], attempts=1)
    queue.take("zombie", 0.0)
    queue.lost("zombie", 1.0)
    if meanwhile != "waiting":
        queue.take("b", 1.0)
    if meanwhile == "given up":
        queue.failed("b", 1, "an error", now=2.0)
    assert queue.done("zombie", 1)
    assert not queue.done("zombie", 1) and not queue.done("b", 1) and queue.lost("b", 3.0) == []
    assert queue.finished and queue.counts.done == 1 and not queue.given_up
    assert queue.take("c", 3.0) is None and queue.next_ready(3.0) is None


def test_what_a_zombie_has_done_is_not_given_out_again():
    queue = WatchedQueue([1, 2, 3, 4])
    assert [queue.take("zombie", 0.0) for _ in range(4)] == [1, 2, 3, 4]
    queue.lost("zombie", 1.0)
    assert queue.take("b", 1.0) == 1 and queue.postpone("b", 1, 1.0, 60.0)
    assert all(queue.done("zombie", task) for task in (1, 2))  # one postponed, one ready
    assert queue.take("b", 2.0) == 3 and queue.done("zombie", 4)
    assert queue.next_ready(2.0) is None and queue.take("b", 100.0) is None


def test_a_broken_worker_rests_longer_and_longer_so_that_it_cannot_use_up_the_attempts():
    queue, taken = WatchedQueue(range(100_000)), 0
    for now in range(24 * 3600):
        task = queue.take("broken", now)
        if task is not None:
            taken += 1
            queue.failed("broken", task, "cannot start", now, delay=10.0)
    assert taken < 50  # else 86,400
    rest = queue.next_ready(now, "broken")
    assert 0 < rest <= LONGEST_REST and queue.next_ready(now) == 0.0 == queue.next_ready(now, "whole")


def test_a_worker_that_is_lost_again_and_again_rests_too():
    queue = WatchedQueue(range(3))
    for now in (0.0, 1.0):
        assert queue.take("a", now) == 0
        queue.lost("a", now, delay=10.0)
    assert queue.take("a", 10.0) is None and queue.take("a", 11.0) == 1


def test_one_success_ends_the_rests():
    queue = WatchedQueue(range(9))
    for now in (0.0, 1.0, 11.0, 31.0):
        task = queue.take("a", now)
        assert queue.take("a", now) is not None  # to be done below
        queue.failed("a", task, "an error", now, delay=10.0)
    assert queue.take("a", 32.0) is None
    assert queue.done("a", 1)
    assert queue.take("a", 32.0) is not None


# ---- against a naive twin


@dataclass
class Record:
    """A task of the naive queue."""

    number: int
    state: str = "waiting"
    worker: str | None = None
    due: float = 0.0
    trouble: int = 0
    failures: int = 0
    losses: int = 0
    reasons: list[str] = field(default_factory=list)


class NaiveQueue:
    """The rules of `PullQueue` over one list that is searched from the front for everything."""

    def __init__(self, tasks, attempts, losses):
        self.records = [Record(task) for task in sorted(tasks)]
        self.attempts, self.losses = attempts, losses
        self.streak, self.rest = Counter(), {}

    def held(self, worker, task=None):
        return [r for r in self.records if r.worker == worker and (task is None or r.number == task)]

    def take(self, worker, now):
        ready = [r for r in self.records if r.state == "waiting" and r.due <= now]
        if not ready or self.rest.get(worker, 0.0) > now:
            return None
        record = min(ready, key=lambda r: (r.trouble, r.number))
        record.state, record.worker = "leased", worker
        return record.number

    def done(self, worker, task):
        record = next(r for r in self.records if r.number == task)
        news = record.state != "done"
        record.state, record.worker = "done", None
        self.streak[worker], self.rest[worker] = 0, 0.0
        return news

    def failed(self, worker, task, reason, now, delay):
        for record in self.held(worker, task):
            self.tire(worker, now, delay)
            record.reasons.append(reason)
            record.failures += 1
            self.put_back(record, now + delay, 1, record.failures == self.attempts)
            return record.state == "given up"
        return False

    def give_up(self, worker, task, reason):
        for record in self.held(worker, task):
            record.reasons.append(reason)
            self.put_back(record, 0.0, 0, True)
            return True
        return False

    def postpone(self, worker, task, now, seconds):
        for record in self.held(worker, task):
            self.put_back(record, now + seconds, 1, False)
            return True
        return False

    def tire(self, worker, now, delay):
        self.streak[worker] += 1
        if self.streak[worker] >= 2:
            self.rest[worker] = now + min(delay * 2 ** (self.streak[worker] - 2), 3600.0)

    def lost(self, worker, now, delay):
        records = self.held(worker)
        for record in records:
            record.losses += 1
            record.reasons.append(f"lost with worker {worker}")
            self.put_back(record, now, int(record.losses > 1), record.losses == self.losses)
        if records:
            self.tire(worker, now, delay)
        return [r.number for r in records]

    def put_back(self, record, due, trouble, final):
        record.worker, record.due = None, due
        record.trouble += trouble
        record.state = "given up" if final else "waiting"

    def next_ready(self, now, worker):
        waiting = [max(r.due - now, 0.0) for r in self.records if r.state == "waiting"]
        return max(min(waiting), self.rest.get(worker, 0.0) - now) if waiting else None

    def counts(self):
        states = Counter(r.state for r in self.records)
        return tuple(states[name] for name in ("waiting", "leased", "done", "given up"))


WORKERS = st.sampled_from("abc")
REPORTS = ("failed", "failed", "postpone", "postpone", "done", "give_up")


class Twins(RuleBasedStateMachine):
    """Both queues hear the same, sensible or not, and must answer the same."""

    @initialize(attempts=st.integers(1, 3), losses=st.integers(2, 3))
    def start(self, attempts, losses):
        self.fast, self.naive = WatchedQueue(range(6), attempts, losses), NaiveQueue(range(6), attempts, losses)
        self.now = 0.0
        self.leases = []

    def both(self, name, *arguments):
        answer = getattr(self.fast, name)(*arguments)
        expected = getattr(self.naive, name)(*arguments)
        assert (sorted(answer) if name == "lost" else answer) == expected
        return answer

    @precondition(lambda self: self.fast.counts.waiting)
    @rule(worker=WORKERS, seconds=st.integers(0, 5))
    def take(self, worker, seconds):
        self.now += seconds
        task = self.both("take", worker, self.now)
        if task is not None:
            self.leases.append((worker, task))

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), report=st.sampled_from(REPORTS), delay=st.integers(0, 3))
    def report(self, data, report, delay):
        worker, task = data.draw(st.sampled_from(self.leases[-4:]))  # also leases that have ended
        more = {"failed": ("why", self.now, delay), "give_up": ("why",), "postpone": (self.now, delay)}
        self.both(report, worker, task, *more.get(report, ()))

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), delay=st.integers(0, 3))
    def lose(self, data, delay):
        self.both("lost", data.draw(st.sampled_from(self.leases[-4:]))[0], self.now, delay)

    @rule(worker=WORKERS)
    def look(self, worker):  # not after every step: it clears away what `take` must cope with
        self.both("next_ready", self.now, worker)

    @invariant()
    def same(self):
        counts = self.naive.counts()
        assert self.fast.counts == counts and sum(counts) == 6
        assert self.fast.left == counts[0] + counts[1] and self.fast.finished == (self.fast.left == 0)
        assert self.fast.given_up == {r.number: tuple(r.reasons) for r in self.naive.records if r.state == "given up"}


TestTwins = Twins.TestCase
TestTwins.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
