"""All that the farm asks of Ray: which nodes there are, and calls of functions there whose answers come one by one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from rigging.command_line import THREAD_VARIABLES

from ..outcome import Cause, Result

# Of the process in which a plan is made: its sums must be those of `make render`
ONE_THREAD = {"env_vars": dict.fromkeys(THREAD_VARIABLES, "1")}


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

    def work(self, node: str, function: Callable[..., Any], *arguments: Any, once: bool = False) -> ray.ObjectRef:
        """Call a function on a node, in the place of a worker; with `once` in a process that ends with it."""
        place = {"num_cpus": self.cpus, "num_gpus": self.gpus, "scheduling_strategy": _on(node)}
        place |= {"runtime_env": ONE_THREAD} if once else {}
        return _task(function, once).options(**place).remote(*arguments)

    def ask(self, node: str, function: Callable[..., Any], *arguments: Any) -> ray.ObjectRef:
        """Call a function on a node beside its workers: for what takes a moment."""
        return _task(function, False).options(num_cpus=0, scheduling_strategy=_on(node)).remote(*arguments)

    def value(self, node: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """What `ask` gives, once it is there. Raises RayError."""
        return ray.get(self.ask(node, function, *arguments))

    def share(self, value: Any) -> ray.ObjectRef:
        """A value that many calls take as an argument, sent to every node once."""
        return ray.put(value)

    def stop(self, calls: Iterable[ray.ObjectRef], seconds: float) -> None:
        """Interrupt calls as Ctrl-C does, and give them up to `seconds` to end."""
        if stopped := list(calls):
            for call in stopped:
                ray.cancel(call)
            ray.wait(stopped, num_returns=len(stopped), timeout=seconds)

    def answers(self, calls: Iterable[ray.ObjectRef], seconds: float) -> dict[ray.ObjectRef, Result]:
        """The calls that have ended after up to `seconds`, or as soon as one has."""
        if not (waited := list(calls)):
            time.sleep(seconds)
            return {}
        ray.wait(waited, timeout=seconds)
        ended = ray.wait(waited, num_returns=len(waited), timeout=0)[0]
        return {call: _result(call) for call in ended}


@cache
def _task(function: Callable[..., Any], once: bool) -> Any:
    return ray.remote(max_calls=1 if once else 0, max_retries=0)(function)


def _on(node: str) -> NodeAffinitySchedulingStrategy:
    return NodeAffinitySchedulingStrategy(node, soft=False)


def _result(call: ray.ObjectRef) -> Result:
    try:
        value = ray.get(call)
    except RayTaskError as error:  # the function's own error
        return Result(cause=Cause.ERROR, reason=_last_line(error))
    except RayError as error:
        return Result(cause=Cause.LOST, reason=_last_line(error))
    return value if isinstance(value, Result) else Result(value)


def _last_line(error: RayError) -> str:
    return str(error).strip().rpartition("\n")[2]
