"""One process a device, as torchrun starts them; alone without it. Gradients are averaged in one message a step."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from rigging.errors import InputError


@dataclass(frozen=True)
class Ranks:
    """Which of `count` processes this is. All hold the same weights; the first alone writes and reports."""

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes and reports."""
        return self.rank == 0

    def average(self, estimator: nn.Module) -> None:
        """Average gradients, and what batch norms that learn have counted, over all ranks, in place."""
        if self.count == 1:
            return
        tensors = [one.grad for one in estimator.parameters() if one.grad is not None] + _running(estimator)
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        dist.all_reduce(flat)
        flat /= self.count
        for tensor, mean in zip(tensors, flat.split([tensor.numel() for tensor in tensors])):
            tensor.copy_(mean.view(tensor.shape))

    def wait(self) -> None:
        """Go on when all ranks are here."""
        if self.count > 1:
            dist.barrier()


@contextmanager
def joined(device: str = "") -> Iterator[tuple[Ranks, torch.device]]:
    """This process among its ranks, and its device; leaves the group at the end. Raises InputError."""
    chosen = choose_device(device)
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or "RANK" not in os.environ:
        yield Ranks(), chosen
        return
    if chosen.type == "cuda":
        chosen = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(chosen)
    dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield Ranks(dist.get_rank(), dist.get_world_size()), chosen
    finally:
        dist.destroy_process_group()


def choose_device(name: str = "") -> torch.device:
    """The device of that name; without one a GPU where there is one, else the CPU. Raises InputError."""
    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    except RuntimeError:
        raise InputError(f"--device {name}: cpu, cuda or cuda:N is wanted") from None
    if device.type not in ("cpu", "cuda"):
        raise InputError(f"--device {name}: cpu, cuda or cuda:N is wanted")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device.type == "cuda" and (device.index or 0) >= count:
        there = f"there are {count}" if count else f"PyTorch {torch.__version__} sees none here"
        raise InputError(f"--device {name}: no such GPU, {there}; cpu works everywhere")
    return device


def _running(estimator: nn.Module) -> list[Tensor]:
    """Running means and variances of the batch norms that are learning."""
    norms = (one for one in estimator.modules() if isinstance(one, nn.modules.batchnorm._BatchNorm) and one.training)
    return [one for norm in norms for one in (norm.running_mean, norm.running_var) if one is not None]


def cores() -> int:
    """Cores that this process may use, shared by the processes that torchrun started on this machine."""
    return max(len(os.sched_getaffinity(0)) // int(os.environ.get("LOCAL_WORLD_SIZE", "1")), 1)
