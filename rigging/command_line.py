"""One command line for all packages: `mvhm COMMAND`, `python -m PACKAGE COMMAND`, and `make COMMAND` in front of them.

A package offers commands in its room `commands`. The table COMMANDS there gives each name a line of help; the module of
that name (`-` as `_`) has `add_arguments(parser)` and `run(options)`, which returns the exit code, and may have KEPT, a
text that says what an interrupted run leaves. Tables and modules are found by name: only the command that was asked
for is imported, and a package that is not installed is passed over.

Messages name options as they are typed here, followed by their value or by no word (`--shard 7: ...`, `(see --shard)`).
Make sets MVHM_MAKE, and then they are told as its settings: SHARD=7.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import re
import select
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from .errors import MACHINE, InputError, MvhmError, PassingError, Terminated, is_disk_full
from .files import sharing_hint
from .signals import heard

PACKAGES = ("rigging", "blender_scripts", "render_farm", "dataset_tools", "baselines")
# Read by numerical libraries while they are imported. NumPy's and SciPy's gets one thread whatever the machine sets, as
# sums by several threads depend on how many there are; the others are PyTorch's, whose threads the user may choose.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
INTERRUPTED = 130
UNREAD = 128 + signal.SIGPIPE  # as a shell tells of a program that the reader of its output has left


def main(arguments: Sequence[str] | None = None, packages: Sequence[str] = PACKAGES) -> int:
    """Run the command that the words say (default: those of the process), of any of `packages`.

    Returns the exit code: 0 done, 1 failed, 2 wrong input, 75 try later, 130 interrupted. A fault of the user or the
    machine is one line on stderr; any other exception is a bug and goes through.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    os.environ |= {name: os.environ.get(name, "1") for name in THREAD_VARIABLES} | {"OPENBLAS_NUM_THREADS": "1"}
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    program, tables = _program(packages), command_tables(packages)
    known = {name: (package, line) for package, table in tables.items() for name, line in table.items()}
    if words and words[0] in known:
        package, line = known[words[0]]
        parser = Parser(prog=f"{program} {words[0]}", description=line, allow_abbrev=False)
        return obey(partial(_run, f"{package}.commands.{words[0].replace('-', '_')}", parser, words[1:]), parser)
    parser = Parser(prog=program)
    return obey(partial(_without_command, parser, words, tables), parser)


def command_tables(packages: Sequence[str] = PACKAGES) -> dict[str, dict[str, str]]:
    """The tables of those packages that are installed and have commands: package -> name -> line of help."""
    tables = {}
    for package in packages:
        try:
            tables[package] = dict(importlib.import_module(f"{package}.commands").COMMANDS)
        except ModuleNotFoundError as error:
            if error.name not in (package, f"{package}.commands"):
                raise
    return tables


def overview(program: str, tables: Mapping[str, Mapping[str, str]]) -> str:
    """What `--help` says without a command."""
    width = max((len(name) for table in tables.values() for name in table), default=0)
    lines = [f"usage: {program} COMMAND ...", "", "Multi-view hand datasets, from poses to a release."]
    for package, table in tables.items():
        lines += ["", f"{package}:", *(f"  {name:{width}}  {line}" for name, line in table.items())]
    return "\n".join([*lines, "", f"`{program} COMMAND --help` names the options of a command."])


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, with the nearest option for an unknown one."""

    kept = ""  # what a run that is interrupted leaves

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{self.prog}: {message}")

    def parse_args(self, words: Sequence[str]) -> argparse.Namespace:  # type: ignore[override]
        """Options of `words`. Raises InputError."""
        from .settings import nearest

        known = [option for action in self._actions for option in action.option_strings]
        for word in words[: words.index("--")] if "--" in words else words:
            name = word.partition("=")[0]
            if re.match("--?[A-Za-z]", name) and name not in known:
                self.error(f"unknown option {name!r}{nearest(name, known)}")
        return super().parse_args(words)


def as_typed(text: str, parser: argparse.ArgumentParser) -> str:
    """`text` with the parser's options in the form of make's settings if make called: `--shard 7` as SHARD=7."""
    if not os.environ.get("MVHM_MAKE"):
        return text
    takes_value = {option: action.nargs != 0 for action in parser._actions for option in action.option_strings}

    def setting(match: re.Match[str]) -> str:
        option, space = match.groups(default="")
        if option not in takes_value:
            return match[0]
        name = option[2:].replace("-", "_").upper()
        if not takes_value[option]:
            return f"{name}=1{space}"
        return f"{name}=" if space else name

    return re.sub(r"(?<![\w-])(--[a-z][a-z-]*[a-z])(?![\w=-])( (?!--))?", setting, text)


def obey(action: Callable[[], int], parser: Parser) -> int:
    """Do what was asked for, under the one policy for faults of all commands."""
    try:
        with heard():
            code = action()
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print(": ".join(filter(None, ("interrupted", parser.kept))), file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError as error:
        return UNREAD if _nobody_reads() else _complain(error, parser)
    except ImportError as error:
        if (error.name or "").partition(".")[0] in PACKAGES:
            raise
        return _complain(error, parser)
    except (MvhmError, OSError) as error:
        return _complain(error, parser)


def _run(module: str, parser: Parser, words: Sequence[str]) -> int:
    """Import a command, read its options and run it."""
    command = importlib.import_module(module)
    command.add_arguments(parser)
    options = parser.parse_args(words)
    options.typed = partial(as_typed, parser=parser)  # for what a command prints about options
    parser.kept = getattr(command, "KEPT", "")
    signal.signal(signal.SIGTERM, _terminate)
    return command.run(options)


def _without_command(parser: Parser, words: Sequence[str], tables: Mapping[str, Mapping[str, str]]) -> int:
    """What is said to `--help`, and without a command or to an unknown one."""
    from .settings import nearest

    known = [name for table in tables.values() for name in table]
    if not words:
        parser.error(f"which command? There are: {', '.join(known)} (--help says what they do)")
    if words[0] not in ("-h", "--help"):
        parser.error(f"unknown command {words[0]!r}{nearest(words[0], known)}")
    print(overview(parser.prog, tables))
    return 0


def _complain(error: Exception, parser: Parser) -> int:
    """Say what is wrong, in one line, and return the exit code."""
    kept = f": {parser.kept}" if parser.kept and isinstance(error, Terminated) else ""
    print(f"error: {as_typed(' '.join(_line(error).splitlines()), parser)}{kept}", file=sys.stderr)
    return exit_code(error)


def exit_code(error: Exception) -> int:
    """The exit code of a fault that is told in one line."""
    if isinstance(error, MvhmError):
        return error.exit_code
    if isinstance(error, OSError) and is_disk_full(error):
        return PassingError.exit_code
    return MvhmError.exit_code if isinstance(error, OSError) and error.errno in MACHINE else InputError.exit_code


def _line(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename and error.strerror:
        hint = sharing_hint(Path(error.filename)) if isinstance(error, PermissionError) else ""
        return f"{error.filename}: {error.strerror}{hint}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"the package {error.name!r} is not installed; `mvhm doctor` says what is missing"
    return str(error) or type(error).__name__


def _program(packages: Sequence[str]) -> str:
    """How the program was called, for messages."""
    if os.environ.get("MVHM_MAKE"):
        return "make"
    return "mvhm" if len(packages) > 1 else f"python -m {packages[0]}"


def _nobody_reads() -> bool:
    """Whether the reader of stdout, such as `head`, has left; what is still to be written goes nowhere then."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    left = any(event & select.POLLERR for _, event in poll.poll(0))
    if left:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return left


def _terminate(*_: Any) -> NoReturn:
    raise Terminated("told to end (SIGTERM)")


if __name__ == "__main__":
    sys.exit(main())
