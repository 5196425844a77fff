"""The command line; every fault ends in one line on stderr and an exit code a farm's wrapper can act on."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from .errors import FarmError, InputError, PassingError
from .pool import PoolSettings
from .release import Release, load_release
from .settings_table import nearest

INTERRUPTED = 130


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
        options = parser().parse_args(arguments)
        signal.signal(signal.SIGTERM, _terminate)
        command: Callable[[argparse.Namespace], int] = options.command
        return command(options)
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
    commands = top.add_subparsers(dest="name", required=True, metavar="plan|render|doctor", parser_class=_subparser)
    common = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    common.add_argument("--release", default="demo", help="a name in render_farm/releases/ or a path to a .toml")
    common.add_argument("--poses", help="pose source instead of the release's: nyu:PATH, hanco:PATH, procedural, ...")
    plan = commands.add_parser("plan", parents=[common], help="say how much work a release is")
    plan.add_argument("--seconds-per-sample", type=_positive(float), help="of one core; default: as measured")
    plan.add_argument("--bake-seconds", type=_positive(float), help="per baked skin; default: as measured")
    plan.set_defaults(command=_plan)
    render = commands.add_parser("render", parents=[common], help="render one shard")
    render.add_argument("--shard", type=int, required=True, help="number of the shard, from 0")
    render.add_argument("--out", type=Path, default=Path("out"), help="folder of releases (default: out)")
    render.add_argument("--samples", type=_positive(int), help="only the first so many samples of the shard")
    render.add_argument("--workers", type=_positive(int), default=1, help="processes that share the shard")
    render.add_argument("--cache", type=Path, help="folder of baked skins (default: OUT/.cache)")
    render.set_defaults(command=_render)
    doctor = commands.add_parser("doctor", help="test-import everything and say what is wrong")
    doctor.set_defaults(command=_doctor)
    return top


def _release(options: argparse.Namespace) -> Release:
    return load_release(options.release).with_poses(options.poses or None)


def _plan(options: argparse.Namespace) -> int:
    from .estimate import estimate

    print(estimate(_release(options), options.seconds_per_sample, options.bake_seconds).table())
    return 0


def _render(options: argparse.Namespace) -> int:
    from .shard import Request, render_shard

    pool = PoolSettings(workers=options.workers)
    path = render_shard(Request(_release(options), options.shard, options.out, options.samples, options.cache, pool))
    print(path)
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from . import doctor

    return doctor.main()


def _positive(kind: type) -> Callable[[str], float]:
    def parse(text: str) -> float:
        value = kind(text)
        if not 0 < value < float("inf"):
            raise ValueError
        return value

    parse.__name__ = f"positive {'whole ' if kind is int else ''}number"
    return parse


def _terminate(*_: object) -> NoReturn:
    raise Terminated("told to end (SIGTERM): finished samples are kept, run again")
