"""All that the farm asks of Ray: which nodes there are, and calls there whose answers come one by one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.exceptions import NodeDiedError, RayActorError, RayError, WorkerCrashedError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from ..outcome import Cause, Result
from .supervisor import Supervisor

GONE = (RayActorError, WorkerCrashedError, NodeDiedError)


@dataclass(frozen=True)
class RemoteNode:
    """A node as Ray knows it."""

    address: str
    resources: Mapping[str, float]


@dataclass(frozen=True)
class Remote:
    """The cluster that this process is connected to, for workers with so many CPUs and GPUs each."""

    cpus: float
    gpus: float

    def nodes(self) -> dict[str, RemoteNode]:
        """The nodes that live, by Ray's names for them."""
        alive = (node for node in ray.nodes() if node["Alive"])
        return {node["NodeID"]: RemoteNode(node["NodeManagerAddress"], node["Resources"]) for node in alive}

    def run(self, node: str, function: Callable[..., Any], *arguments: Any) -> ray.ObjectRef:
        """Call a function on a node, in a process of its own that ends with it."""
        return ray.remote(max_calls=1, max_retries=0, **self._place(node))(function).remote(*arguments)

    def hire(self, node: str) -> ActorHandle:
        """Start a worker on a node."""
        kind = ray.remote(max_restarts=0, max_task_retries=0, concurrency_groups={"side": 2}, **self._place(node))
        return kind(Supervisor).remote()

    def call(self, actor: ActorHandle, method: str, *arguments: Any) -> ray.ObjectRef:
        """Call a method of a worker; `__ray_ready__` is answered when it has started."""
        return getattr(actor, method).remote(*arguments)

    def get(self, actor: ActorHandle, method: str, *arguments: Any) -> Any:
        """Call a method of a worker and wait for its value. Raises RayError."""
        return ray.get(self.call(actor, method, *arguments))

    def share(self, value: Any) -> ray.ObjectRef:
        """A value that many calls take as an argument, sent to every node once."""
        return ray.put(value)

    def kill(self, actor: ActorHandle) -> None:
        """End a worker at once, and what it has started."""
        ray.kill(actor)

    def wait(self, calls: Iterable[ray.ObjectRef], seconds: float) -> None:
        """Wait up to `seconds` for all of these calls to end."""
        if waited := list(calls):
            ray.wait(waited, num_returns=len(waited), timeout=seconds)

    def answers(self, calls: Iterable[ray.ObjectRef], seconds: float) -> dict[ray.ObjectRef, Result]:
        """The calls that have ended after up to `seconds`, or as soon as one has."""
        if not (waited := list(calls)):
            time.sleep(seconds)
            return {}
        ray.wait(waited, timeout=seconds)
        ended = ray.wait(waited, num_returns=len(waited), timeout=0)[0]
        return {call: _result(call) for call in ended}

    def _place(self, node: str) -> dict[str, Any]:
        affinity = NodeAffinitySchedulingStrategy(node, soft=False)
        return {"num_cpus": self.cpus, "num_gpus": self.gpus, "scheduling_strategy": affinity}


def _result(call: ray.ObjectRef) -> Result:
    try:
        value = ray.get(call)
    except GONE as error:
        return Result(cause=Cause.LOST, reason=_death(error))
    except RayError as error:
        return Result(cause=Cause.ERROR, reason=str(error).strip().rpartition("\n")[2])
    return value if isinstance(value, Result) else Result(value)


def _death(error: RayError) -> str:
    """Ray's long explanation, cut to the cause."""
    cause = " ".join(str(error).split()).partition("The actor is dead because ")[2]
    return cause.partition(". ")[0] or "its process died"
