"""The command line; every fault ends in one line on stderr and an exit code a farm's wrapper can act on."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from .commands import collect, doctor, farm, options, plan, render, sample, status
from .errors import FarmError, InputError, PassingError
from .settings_table import nearest

INTERRUPTED = 130
COMMANDS = (plan, render, farm, sample, status, collect, doctor)


class Terminated(PassingError):
    """The process was told to end (SIGTERM), as when a farm takes a node back."""


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, with the nearest option for an unknown one."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{self.prog}: {message}")

    def parse_args(self, arguments: Sequence[str]) -> argparse.Namespace:
        options, unknown = self.parse_known_args(arguments)
        if unknown:
            self.error(f"unknown option {unknown[0]!r}{nearest(unknown[0], self._all_options(options.name))}")
        return options

    def _all_options(self, command: str) -> list[str]:
        commands = next(action for action in self._actions if isinstance(action, argparse._SubParsersAction))
        return [option for action in commands.choices[command]._actions for option in action.option_strings]


def main(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code: 0 done, 2 wrong input, 75 try later, 130 interrupted, 1 else."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        chosen = parser().parse_args(arguments)
        signal.signal(signal.SIGTERM, _terminate)
        command: Callable[[argparse.Namespace], int] = chosen.command
        return command(chosen)
    except FarmError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted: finished samples are kept, the same command goes on from there", file=sys.stderr)
        return INTERRUPTED


def _subparser(**settings: object) -> _Parser:
    return _Parser(**settings, allow_abbrev=False)


def parser() -> argparse.ArgumentParser:
    """The options."""
    top = _Parser(prog="python -m render_farm", description=__doc__)
    names = "|".join(module.__name__.rpartition(".")[2] for module in COMMANDS)
    commands = top.add_subparsers(dest="name", required=True, metavar=names, parser_class=_subparser)
    common = options.common()
    for module in COMMANDS:
        module.add(commands, common)
    return top


def _terminate(*_: object) -> NoReturn:
    raise Terminated("told to end (SIGTERM): finished samples are kept, run again")
