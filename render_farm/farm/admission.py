"""Which nodes may work: those in whose hands a shard has the same bytes as in any other's; and which one plans."""

from __future__ import annotations

import contextlib
import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from ..errors import InputError, PassingError
from ..outcome import Cause, Result
from ..planning.configuration import differing
from ..planning.plan import Plan, load_plan
from ..planning.refusals import refuse_to_mix
from .calls import make_plan
from .farm_request import FarmRequest
from .fleet import Fleet, Node
from .node import Report, facts, inspect
from .transfer import put_plan, read_plan

log = logging.getLogger(__name__)

SCOUT_SECONDS = 120.0  # for the reports of the nodes that were there at the start
PATIENCE_SECONDS = 600.0  # without a usable node


@dataclass
class Admission:
    """Accepts and refuses the nodes of a fleet by their reports; the first that fits makes the plan."""

    request: FarmRequest
    fleet: Fleet
    mark: str  # a file in the release's folder
    plan: Plan | None = None
    plan_files: Mapping[str, bytes] = field(default_factory=dict)
    _facts: dict[str, str] = field(default_factory=facts)
    _planner: Node | None = None
    _started: float = field(default_factory=time.monotonic)
    _usable: float = field(default_factory=time.monotonic)  # when there was last a node

    def turn(self) -> None:
        """Have new nodes inspected, accept or refuse those that have reported; before there is a plan, have one made.

        Raises InputError if no node can be used, PassingError if there has been none for long.
        """
        request = self.request
        for node in self.fleet.look():
            asked = inspect, request.release, request.node_files.path, self.mark, request.each.scratch
            self.fleet.call(node, partial(self._reported, node), *asked)
        waiting = [node for node in self.fleet.nodes.values() if node.waits]
        if self.plan is not None:
            for node in waiting:
                self._judge(node, self.plan)
        elif waiting and self._planner is None and self._all_reported():
            self._planner = self._choose_planner(waiting)
            files = read_plan(request.files.path) if request.collect is not None else {}
            folder = request.node_files.path
            self.fleet.call(self._planner, self._planned, make_plan, request.release, folder, files)
        self._require_nodes()

    def _reported(self, node: Node, result: Result) -> None:
        if node.id not in self.fleet.nodes:
            return None
        if why := result.reason if result.cause is not None else self._unlike(result.value):
            return self.fleet.refuse(node, why)
        return self.fleet.report(node, result.value)

    def _planned(self, result: Result) -> None:
        """Planning has ended; if its node was lost, another plans. Raises what else ended it."""
        if result.cause is Cause.LOST:
            planner, self._planner = self._planner, None
            return self.fleet.refuse(planner, f"planning there: {result.reason}")
        if result.cause is not None:
            raise result.cause.meaning.error(f"planning on {self._planner.address}: {result.reason}")
        if self.request.collect is not None:
            self.plan_files = result.value
            self._adopt_plan()
        self.plan = load_plan(self.request.files.plan)
        return None

    def _unlike(self, report: Report) -> str:
        """Why the node with this report would not give the driver's bytes, or not here; "" if it would."""
        if differs := differing(report.facts, self._facts, "at the driver"):
            return differs
        if self.request.collect is None and not report.shares_out:
            return f"its {self.request.each.out} is not the driver's: share one folder, or render with --collect DIR"
        return ""

    def _all_reported(self) -> bool:
        silent = (node for node in self.fleet.nodes.values() if node.slots and not node.report and not node.refused)
        return not any(silent) or time.monotonic() - self._started > SCOUT_SECONDS

    def _choose_planner(self, nodes: Sequence[Node]) -> Node:
        """A node of the kind that the plan was made for, or else that most slots are of."""
        slots: Counter[tuple[str, str]] = Counter()
        for node in nodes:
            slots[_kind(node.report)] += node.slots
        kind = max(sorted(slots), key=slots.__getitem__)
        with contextlib.suppress(InputError, FileNotFoundError):
            plan = load_plan(self.request.files.plan)
            kind = (plan.device, plan.inputs) if (plan.device, plan.inputs) in slots else kind
        return next(node for node in nodes if _kind(node.report) == kind)

    def _adopt_plan(self) -> None:
        path = self.request.files.plan
        if path.exists() and path.read_bytes() != self.plan_files[path.name]:
            refuse_to_mix(load_plan(path), self.request.release, path.parent)
        put_plan(path.parent, self.plan_files)

    def _judge(self, node: Node, plan: Plan) -> None:
        device, inputs = _kind(node.report)
        if device != plan.device:
            return self.fleet.refuse(node, f"it is {device!r}, this release is rendered on {plan.device!r}")
        if inputs != plan.inputs:
            return self.fleet.refuse(node, "its pose files, panoramas or photographs are not those of the plan")
        log.info("node %s (%s): %d workers on %s", node.address, node.report.host, node.slots, node.report.renders_on)
        return self.fleet.accept(node)

    def _require_nodes(self) -> None:
        nodes, now = self.fleet.nodes.values(), time.monotonic()
        if any(node.slots and not node.refused for node in nodes):
            self._usable = now
        elif self.plan is None and nodes:
            raise InputError(f"no node can be used: {self._why_none()}")
        elif now - self._usable > PATIENCE_SECONDS:
            minutes = PATIENCE_SECONDS / 60
            raise PassingError(f"no usable node for {minutes:.0f} min; finished samples are kept, run again")

    def _why_none(self) -> str:
        request, nodes = self.request, self.fleet.nodes.values()
        reasons = sorted({node.refused for node in nodes if node.refused})
        needs = f"{request.cpus:g} CPUs" + (f" and {request.gpus:g} GPUs" if request.gpus else "")
        return "; ".join(reasons) or f"none of {len(nodes)} has {needs} for a worker"


def _kind(report: Report) -> tuple[str, str]:
    """What must be the plan's: kind of processor, and key of all that decides the plan."""
    return report.device, report.inputs
