"""A cluster without Ray, processes or time: what nodes there are and what comes of shards there is said by the test."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from render_farm.farm.calls import render
from render_farm.farm.node import Report, inspect
from render_farm.farm.remote import RemoteNode
from render_farm.outcome import Cause, Result

DONE = Result("done")
HANGS = None


class Clock:
    """Time that passes only where somebody waits."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@dataclass
class FakeCluster:
    """In place of `Remote`. `render(address, shard)` says what comes of a shard there: a Result, or HANGS."""

    clock: Clock
    report: Report  # of a node that fits
    render: Callable[[str, int], Result | None] = lambda address, shard: DONE
    cpus: float = 1.0
    gpus: float = 0.0
    there: dict[str, RemoteNode] = field(default_factory=dict)  # by address, which is the name too
    inspections: dict[str, Result] = field(default_factory=dict)  # else `report`
    given: list[tuple[str, int]] = field(default_factory=list)  # which shard to which node, in order
    stopped: int = 0
    _answers: dict[int, Result | None] = field(default_factory=dict)
    _names: itertools.count = field(default_factory=itertools.count)

    def add(self, address: str, cpus: float = 1.0, inspection: Result | None = None) -> None:
        self.there[address] = RemoteNode(address, {"CPU": cpus})
        if inspection is not None:
            self.inspections[address] = inspection

    def nodes(self):
        return dict(self.there)

    def work(self, node, function, *arguments, once=False):
        if function is inspect:
            return self._call(self.inspections.get(node, Result(self.report)))
        if function is not render:
            return self._call(function(*arguments))
        shard = arguments[0].shard
        self.given.append((node, shard))
        return self._call(self.render(node, shard))

    def share(self, value):
        return value

    def stop(self, calls, seconds):
        self.stopped += len(list(calls))

    def answers(self, calls, seconds):
        ended = {call: self._answers.pop(call) for call in list(calls) if self._answers[call] is not None}
        self.clock.now += 0.01 if ended else seconds
        return ended

    def _call(self, result):
        name = next(self._names)
        self._answers[name] = result
        return name


def lost(reason="its process died"):
    return Result(None, Cause.LOST, reason)
