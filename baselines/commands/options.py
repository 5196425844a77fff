"""Options that several commands have."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from rigging.option_types import positive

if TYPE_CHECKING:
    import torch


def add_device(parser: argparse.ArgumentParser) -> None:
    """--device."""
    parser.add_argument(
        "--device", default="", metavar="NAME", help="cpu, cuda, cuda:1 (default: a GPU if there is one)"
    )


def add_machine(parser: argparse.ArgumentParser) -> None:
    """--device and --threads, of commands that only estimate: see `use_machine`."""
    add_device(parser)
    parser.add_argument("--threads", type=positive(int), metavar="N", help="of the CPU (default: one a core)")


def use_machine(options: argparse.Namespace) -> torch.device:
    """The device asked for; on the CPU so many threads from now on. Raises InputError for a GPU that is not there."""
    import torch

    from ..train.ranks import choose_device, cores

    device = choose_device(options.device)
    torch.set_num_threads(options.threads or cores())
    return device


def add_batch(parser: argparse.ArgumentParser) -> None:
    """--batch, of commands that go through a data set."""
    parser.add_argument("--batch", type=positive(int), metavar="N", help="crops at a time (default: as in training)")


def each_setting(texts: list[str]) -> list[str]:
    """Every KEY=VALUE of what was given as --set: each has one, or several with spaces between."""
    return [one for text in texts for one in re.split(r"\s+(?=[\w-]+(?:\.[\w-]+)*=)", text.strip())]
