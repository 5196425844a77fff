"""One command line for all packages: light, found by name, with one policy for faults."""

from __future__ import annotations

import errno
import importlib
import os
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import SimpleNamespace

import pytest

from rigging import command_line
from rigging.command_line import PACKAGES, Parser, as_typed, command_tables, main, obey
from rigging.errors import DiskFullError, InputError, MvhmError, PassingError, Terminated, input_errors

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("bpy", "ray", "h5py", "hdf5plugin", "torch", "numba", "cv2", "scipy", "matplotlib")
COMMANDS = [(package, name) for package, table in command_tables().items() for name in table]
NAMES = [name for _, name in COMMANDS]
MVHM = [sys.executable, "-m", "rigging.command_line"]


def run(*words: str | Path, **environment: str) -> subprocess.CompletedProcess:
    """The command line in a process of its own, from the root of the sources."""
    given = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    words = tuple(map(str, words))
    return subprocess.run([*MVHM, *words], cwd=ROOT, env=given, capture_output=True, text=True, check=False)


def parser_with(*options: tuple[str, dict]) -> Parser:
    parser = Parser(prog="mvhm test", allow_abbrev=False)
    for name, settings in options:
        parser.add_argument(name, **settings)
    return parser


# ---- the tables


def test_no_two_commands_have_one_name():
    assert len(set(NAMES)) == len(NAMES)
    assert {"render", "farm", "sample", "status", "collect", "plan", "doctor", "poses", "match", "check"} <= set(NAMES)


@pytest.mark.parametrize(("package", "name"), COMMANDS)
def test_every_command_is_a_module_with_options_and_a_line_of_help(package, name):
    module = importlib.import_module(f"{package}.commands.{name.replace('-', '_')}")
    parser = parser_with()
    module.add_arguments(parser)
    assert callable(module.run)
    line = command_tables()[package][name]
    assert line and "\n" not in line
    assert all(action.help for action in parser._actions if action.option_strings)


def test_packages_that_are_not_there_are_passed_over():
    assert command_tables(("rigging", "not_installed_here")) == command_tables(("rigging",))


def test_a_package_says_no_commands_but_its_own(capsys):
    assert main(["render", "--shard", "0"], packages=("rigging",)) == 2
    assert capsys.readouterr().err.startswith("error: python -m rigging: unknown command 'render'; ")
    assert main(["--help"], packages=("rigging",)) == 0
    told = capsys.readouterr().out
    assert "usage: python -m rigging COMMAND" in told and "match" in told and "render_farm" not in told


@pytest.mark.parametrize("package", command_tables())
def test_python_m_of_a_package_is_the_same_function(package):
    words = [sys.executable, "-m", package, "--help"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    told = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    assert all(f"  {name} " in told for name in command_tables()[package])


# ---- cost


def test_help_costs_little_and_names_every_command(measured):
    process = subprocess.Popen(
        [*MVHM, "--help"], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    )
    told = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    assert all(f"  {name} " in told for name in NAMES)
    seconds = usage.ru_utime + usage.ru_stime
    measured(f"mvhm --help: {seconds:.2f} s of processor time")
    assert seconds < 0.3


@pytest.mark.parametrize("name", NAMES)
def test_help_of_a_command_imports_nothing_heavy(name):
    code = (
        "import sys; from rigging.command_line import main\n"
        f"try: main([{name!r}, '--help'])\nfinally: print([m for m in {HEAVY} if m in sys.modules])"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", code]
    told = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    assert told.startswith(f"usage: mvhm {name} ") and told.splitlines()[-1] == "[]"


def test_the_installed_script_is_this_command_line():
    script = Path(sysconfig.get_path("scripts")) / "mvhm"
    assert script.is_file(), "mvhm is not installed as a script: run `make setup`, or pip install -e . again"
    done = subprocess.run([script, "match", "none:x"], cwd="/", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr[:7]) == (2, "error: ")
    assert subprocess.run([script, "--help"], cwd="/", capture_output=True, text=True, check=True).stdout == (
        run("--help").stdout
    )


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts threads as Linux tells them")
def test_numpy_has_one_thread_whatever_the_machine_sets_and_others_what_it_sets():
    code = (
        "import os, sys; from rigging.command_line import main; assert 'numpy' not in sys.modules\n"
        "try: main(['match', '--help'])\nfinally:\n"
        "  large = sys.modules['numpy'].ones((500, 500)); large @ large\n"
        "  print(len(os.listdir('/proc/self/task')), os.environ['OMP_NUM_THREADS'])"
    )
    clean = {name: value for name, value in os.environ.items() if name not in command_line.THREAD_VARIABLES}
    for given, expected in (({}, "1"), ({"OMP_NUM_THREADS": "3", "OPENBLAS_NUM_THREADS": "3"}, "3")):
        given = clean | given | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=given, capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines()[-1] == f"1 {expected}"


# ---- words that are not known


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "mvhm: which command? There are: "),
        (["rendr"], "mvhm: unknown command 'rendr'; did you mean 'render'?"),
        (["render", "--shrad", "7"], "mvhm render: unknown option '--shrad'; did you mean '--shard'?"),
        (["render", "--shard=1", "--samples=2", "--sample=1"], "unknown option '--sample'; did you mean '--samples'?"),
        (["render"], "mvhm render: the following arguments are required: --shard"),
        (["render", "--shard", "one"], "mvhm render: argument --shard: invalid int value: 'one'"),
        (["render", "--shard", "1", "2"], "mvhm render: unrecognized arguments: 2"),
        (["render", "--shar", "1"], "unknown option '--shar'; did you mean '--shard'?"),
        (["match", "procedural", "--mode", "plam"], "argument --mode: invalid choice: 'plam'"),
        (["match", "procedural", "--frames", "-5"], "argument --frames: invalid whole number from 0 value: '-5'"),
        (["match", "npz:/nowhere/clip.npz"], "/nowhere/clip.npz"),
        (["format", "--write", "/nowhere/format.md"], "/nowhere/format.md: No such file or directory"),
        (["check", "/nowhere/a.h5"], "/nowhere/a.h5: no such shard"),
    ],
)
def test_wrong_words_are_one_line_and_exit_code_2(words, message, capsys):
    assert main(words) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("error: ") and told.err.count("\n") == 1
    assert message in told.err


# ---- faults


@pytest.mark.parametrize(
    ("fault", "code", "line"),
    [
        (InputError("a.toml: x"), 2, "a.toml: x"),
        (PassingError("later"), 75, "later"),
        (DiskFullError("full"), 75, "full"),
        (MvhmError("two\nlines"), 1, "two lines"),
        (OSError(errno.ENOSPC, "No space left on device", "/x"), 75, "/x: No space left on device"),
        (OSError("Can't write (errno = 28, error message = 'No space left on device')"), 75, "Can't write"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), 2, "/x: Permission denied"),
        (FileNotFoundError("a.h5: no such shard"), 2, "a.h5: no such shard"),
        (OSError(errno.EIO, "Input/output error", "/x"), 1, "/x: Input/output error"),  # a wrapper tries again
        (OSError(errno.ESTALE, "Stale file handle", "/x"), 1, "/x: Stale file handle"),
        (Terminated("told to end (SIGTERM)"), 75, "told to end (SIGTERM): samples are kept"),
        (ModuleNotFoundError("No module named 'ray'", name="ray"), 2, "the package 'ray' is not installed"),
        (ImportError("pictures need Pillow"), 2, "pictures need Pillow"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 1, "[Errno 32] Broken pipe"),
    ],
)
def test_faults_are_one_line_and_their_exit_code(fault, code, line, capfd):
    parser = parser_with()
    parser.kept = "samples are kept"

    def fail() -> int:
        raise fault

    assert obey(fail, parser) == code
    told = capfd.readouterr().err
    assert told.startswith(f"error: {line}") and told.count("\n") == 1


@pytest.mark.parametrize(
    "bug",
    [ValueError("bad array"), KeyError("a"), ImportError("no name 'x'", name="rigging.spin"), AssertionError()],
)
def test_bugs_go_through_with_their_traceback(bug):
    def fail() -> int:
        raise bug

    with pytest.raises(type(bug)):
        obey(fail, parser_with())


def test_a_value_error_about_what_the_user_gave_is_made_a_fault_where_it_is_known_to_be_one():
    with pytest.raises(InputError, match=r"^clip\.npz: frame 3 has no palm$"), input_errors("clip.npz"):
        raise ValueError("frame 3 has no palm")
    with pytest.raises(PassingError, match=r"^later$"), input_errors("clip.npz"):
        raise PassingError("later")
    with pytest.raises(KeyError), input_errors():
        raise KeyError("a")


WAIT = "print('begun', flush=True); time.sleep(60)"
# Where Python prints what is raised, and goes on: a signal that arrives there is lost.
WAIT_DELETED = """class Leaving:
        def __del__(self): print('begun', flush=True); time.sleep(60)
    leaving = Leaving()
    del leaving
    time.sleep(60)"""


@pytest.fixture(params=[WAIT, WAIT_DELETED], ids=["in_the_open", "while_something_is_deleted"])
def waiting(tmp_path, request):
    """A package `slow` with a command that says when it has begun, and then waits."""
    folder = tmp_path / "slow" / "commands"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "__init__.py").write_text("COMMANDS = {'wait-here': 'wait'}\n")
    (folder / "wait_here.py").write_text(
        "import time\nKEPT = 'all is kept'\ndef add_arguments(parser): pass\n"
        f"def run(options):\n    {request.param}\n    return 0\n"
    )
    code = "import sys; from rigging.command_line import main; sys.exit(main(['wait-here'], packages=('slow',)))"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(tmp_path)))}
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "begun\n"
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    ("number", "code", "line"),
    [
        (signal.SIGTERM, 75, "error: told to end (SIGTERM): all is kept\n"),
        (signal.SIGINT, 130, "interrupted: all is kept\n"),
    ],
)
def test_signals_end_a_command_with_a_line(waiting, number, code, line):
    waiting.send_signal(number)
    assert waiting.communicate(timeout=30)[1] == line
    assert waiting.returncode == code


def test_a_reader_that_has_seen_enough_ends_it_without_a_word():
    process = subprocess.Popen(
        [*MVHM, "format"], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 128 + signal.SIGPIPE


# ---- make


OPTIONS = (
    ("--shard", {"type": int}), ("--sample-seconds", {}), ("--retry", {"action": "store_true"}), ("--out", {}),
    ("--watch", {"nargs": "?"}), ("--shards", {}),
)  # fmt: skip
AS_TYPED = [
    ("--shard 7: release 'x' has shards 0..3", "SHARD=7: release 'x' has shards 0..3"),
    ("--shard -1: release 'x'", "SHARD=-1: release 'x'"),
    ("--shards 4-: must be 'all'", "SHARDS=4-: must be 'all'"),
    ("--out it's here: no such folder", "OUT=it's here: no such folder"),
    ("argument --sample-seconds: invalid", "argument SAMPLE_SECONDS: invalid"),
    ("more; --retry tries them again", "more; RETRY=1 tries them again"),
    ("choose another --out, or lower --shard", "choose another OUT, or lower SHARD"),
    ("(--watch)", "(WATCH)"),
    ("`ray start --out=x --num-cpus=0`", "`ray start --out=x --num-cpus=0`"),
    ("pip install --no-deps x", "pip install --no-deps x"),
    ("a--out b", "a--out b"),
]


@pytest.mark.parametrize(("text", "in_make"), AS_TYPED)
def test_options_are_told_in_the_form_they_were_given_in(text, in_make, monkeypatch):
    parser = parser_with(*OPTIONS)
    monkeypatch.delenv("MVHM_MAKE", raising=False)
    assert as_typed(text, parser) == text
    monkeypatch.setenv("MVHM_MAKE", "1")
    assert as_typed(text, parser) == in_make


@pytest.mark.parametrize(
    ("words", "typed", "in_make"),
    [
        (["render", "--shard", "9"], "--shard 9: release 'demo' has shards 0..3", "SHARD=9: release 'demo' has"),
        (["render", "--shard", "x"], "mvhm render: argument --shard: invalid", "make render: argument SHARD: invalid"),
        (["render", "--shard", "0", "--release", "dem"], "--release dem: no such", "RELEASE=dem: no such"),
        (["status", "--out", "/nowhere"], "--out /nowhere: there is no", "OUT=/nowhere: there is no"),
        (["farm", "--gpus", "0.5"], "--gpus 0.5: release 'demo' is", "GPUS=0.5: release 'demo' is"),
        (["farm", "--shards", "9-"], "--shards 9-: must be", "SHARDS=9-: must be"),
        (["plan", "--cpus", "99"], "--cpus 99: a machine has", "CPUS=99: a machine has 16 cores (CORES)"),
    ],
)
def test_faults_of_commands_are_told_in_both_forms(words, typed, in_make, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MVHM_MAKE", raising=False)
    assert main(words) == 2
    assert capsys.readouterr().err.startswith(f"error: {typed}")
    monkeypatch.setenv("MVHM_MAKE", "1")
    assert main(words) == 2
    assert capsys.readouterr().err.startswith(f"error: {in_make}")
    assert list(tmp_path.iterdir()) == []


def test_a_command_may_tell_options_too(monkeypatch):
    module = SimpleNamespace(
        add_arguments=lambda parser: parser.add_argument("--retry", action="store_true"),
        run=lambda options: seen.append(options.typed("--retry does")) or 0,
    )
    seen: list[str] = []
    monkeypatch.setattr(command_line.importlib, "import_module", lambda name: module)
    monkeypatch.setenv("MVHM_MAKE", "1")
    assert command_line._run("any", parser_with(), []) == 0
    assert seen == ["RETRY=1 does"]


def test_packages_are_those_of_the_project():
    from render_farm.commands.doctor import OUR_PACKAGES

    assert sorted(PACKAGES) == sorted(OUR_PACKAGES)
