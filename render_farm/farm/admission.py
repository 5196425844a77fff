"""Which nodes may work: those in whose hands a shard has the same bytes as in any other's; and who makes the plan."""

from __future__ import annotations

import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from rigging.files import write_atomic

from ..errors import InputError, PassingError, RenderError
from ..planning.plan import Plan, load_plan
from ..planning.refusals import refuse_to_mix
from .actor import read_plan_files
from .child import Result
from .farm_request import FarmRequest
from .fleet import Fleet, Node, Worker
from .node import Environment

log = logging.getLogger(__name__)

SCOUT_SECONDS = 120.0  # for the reports of the nodes that were there at the start
PATIENCE_SECONDS = 600.0  # without a usable node


@dataclass
class Admission:
    """Judges nodes by their reports. The first that fits plans the release; `planned` hears of the plan."""

    request: FarmRequest
    fleet: Fleet
    mark: str  # a file in OUT by which nodes see that it is the driver's
    planned: Callable[[Plan], None]
    _environment: Environment = field(default_factory=Environment.here)
    _expected: tuple[str, str] | None = None  # device and inputs of the plan
    _files: dict[str, bytes] = field(default_factory=dict)  # of the plan
    _planner: Worker | None = None
    _started: float = field(default_factory=time.monotonic)
    _usable: float = field(default_factory=time.monotonic)  # when there was last a node

    def scout(self, worker: Worker) -> None:
        """Ask the first worker on a node for its report."""
        request = self.request
        self.fleet.call(worker, self._reported, "report", request.release, request.node_out, self.mark, request.scratch)

    def lost(self, worker: Worker) -> None:
        """Another must plan if it was this one."""
        if worker is self._planner:
            self._planner = None

    def judge(self) -> None:
        """Accept or refuse the nodes that have reported; before there is a plan, have one made.

        Raises InputError if no node can be used, PassingError if there has been none for long.
        """
        waiting = [node for node in self.fleet.nodes.values() if node.report and not node.accepted and not node.refused]
        if self._expected is not None:
            for node in waiting:
                self._judge(node, *self._expected)
        elif waiting and self._planner is None and self._all_reported():
            self._have_planned(self._choose_planner(waiting))
        self._require_nodes()

    def _reported(self, worker: Worker, result: Result) -> None:
        if result.kind != "done":
            return self.fleet.refuse(worker.node, result.reason)
        worker.node.report = report = result.value
        if difference := report.environment.difference(self._environment):
            self.fleet.refuse(worker.node, difference)
        elif self.request.collect is None and not report.shares_out:
            hint = "share one folder, or render with --collect DIR"
            self.fleet.refuse(worker.node, f"its {self.request.out} is not the driver's: {hint}")
        return None

    def _all_reported(self) -> bool:
        silent = (node for node in self.fleet.nodes.values() if node.seats and not node.report and not node.refused)
        return not any(silent) or time.monotonic() - self._started > SCOUT_SECONDS

    def _choose_planner(self, nodes: list[Node]) -> Worker | None:
        """A worker on a node of the kind that the plan was made for, or else that most seats are of."""
        seats: Counter[tuple[str, str]] = Counter()
        for node in nodes:
            seats[node.report.device, node.report.inputs] += node.seats
        kind = max(sorted(seats), key=seats.__getitem__)
        with contextlib.suppress(InputError):
            plan = load_plan(self.request.files.plan)
            kind = (plan.device, plan.inputs) if (plan.device, plan.inputs) in seats else kind
        fitting = (node for node in nodes if (node.report.device, node.report.inputs) == kind)
        return next((node.workers[0] for node in fitting if node.workers[0].actor is not None), None)

    def _have_planned(self, worker: Worker | None) -> None:
        if worker is None:  # it died after its report; another is being started
            return
        self._planner = worker
        self._hand_plan(worker, read_plan_files(self.request.folder))
        self.fleet.call(worker, self._plan_made, "plan", self.request.release, self.request.node_folder)

    def _hand_plan(self, worker: Worker, files: dict[str, bytes]) -> None:
        """A node with a disk of its own gets the plan from here."""
        if self.request.collect is not None and files and worker.actor is not None:
            self.fleet.call(worker, lambda *_: None, "put_plan", self.request.node_folder, files)

    def _plan_made(self, worker: Worker, result: Result) -> None:
        if result.kind != "done":
            kinds = {"input": InputError, "failed": RenderError}
            raise kinds.get(result.kind, PassingError)(f"planning on {worker.node.address}: {result.reason}")
        self._files = result.value
        if self.request.collect is not None:
            self._adopt_plan()
        plan = load_plan(self.request.files.plan)
        self._expected = plan.device, plan.inputs
        self.planned(plan)

    def _adopt_plan(self) -> None:
        folder, path = self.request.folder, self.request.files.plan
        if path.exists() and path.read_bytes() != self._files[path.name]:
            refuse_to_mix(load_plan(path), self.request.release, folder)
        for name, data in self._files.items():
            write_atomic(folder / name, data)

    def _judge(self, node: Node, device: str, inputs: str) -> None:
        if node.report.device != device:
            return self.fleet.refuse(node, f"it is {node.report.device!r}, this release is rendered on {device!r}")
        if node.report.inputs != inputs:
            return self.fleet.refuse(node, "its pose files, panoramas or photographs are not those of the plan")
        log.info("node %s (%s): %d workers on %s", node.address, node.report.host, node.seats, node.report.renders_on)
        self._hand_plan(node.workers[0], self._files)
        return self.fleet.accept(node)

    def _require_nodes(self) -> None:
        nodes, now = self.fleet.nodes.values(), time.monotonic()
        if any(node.seats and not node.refused and node.aside < now for node in nodes):
            self._usable = now
        elif self._expected is None and nodes:
            needs = f"{self.request.cpus:g} CPUs" + (f" and {self.request.gpus:g} GPUs" if self.request.gpus else "")
            reasons = sorted({node.refused for node in nodes if node.refused})
            reasons += [f"workers died on {node.address}" for node in nodes if node.aside > now]
            why = "; ".join(reasons) or f"none of {len(nodes)} has {needs} for a worker"
            raise InputError(f"no node can be used: {why}")
        elif now - self._usable > PATIENCE_SECONDS:
            minutes = PATIENCE_SECONDS / 60
            raise PassingError(f"no usable node for {minutes:.0f} min; finished samples are kept, run again")
