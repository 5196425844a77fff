"""The files to start a farm from: the loop and the array script are run on the tiny release, the others are checked."""

import os
import re
import signal
import subprocess
import time

import pytest
import yaml
from starter_scripts import STARTERS, start, wait_until

from dataset_tools.store.manifest import read_manifest
from rigging.files import file_sha256

SCRIPTS = ("loop.sh", "slurm-array.sh", "slurm-ray.sh")
EVERY = (*SCRIPTS, "ray-cluster.yaml")


def run(script, *arguments, **variables):
    """Exit code and output of a script."""
    with start(script, *arguments, **variables) as process:
        output = process.communicate(timeout=120)[0]
    return process.returncode, output


@pytest.fixture
def recorder(tmp_path):
    """A stand-in for the commands of Slurm, and for Python: writes down how it was called and ends as it is told."""

    def make(name, code="0"):
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> "{tmp_path}/calls"\n{code}\n')
        path.chmod(0o755)
        return path

    return make


def calls(tmp_path):
    path = tmp_path / "calls"
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_can_be_started_and_parsed(name):
    assert os.access(STARTERS / name, os.X_OK)
    assert subprocess.run(["bash", "-n", STARTERS / name], check=False).returncode == 0


@pytest.mark.parametrize("name", EVERY)
def test_the_head_says_how_to_start_it_what_to_edit_and_what_it_leaves(name):
    lines = (STARTERS / name).read_text().splitlines()
    head = {line[2:].split()[0] for line in lines if line.startswith("# ") and line[2:].strip()}
    assert {"Start", "Edit", "Leaves"} <= head


def test_the_head_of_the_loop_starts_it_on_hosts_by_ssh():
    head = (STARTERS / "loop.sh").read_text().partition("set -u")[0]
    assert 'ssh "$host" \'cd mvhm && nohup render_farm/starters/loop.sh 0-249' in head


def test_a_farm_inside_one_slurm_job_has_a_token_and_ports_of_its_own_and_no_dashboard():
    text = (STARTERS / "slurm-ray.sh").read_text()
    assert "token=$PWD/.ray-token-$SLURM_JOB_ID\n(umask 077 && od -An -N32 -tx1 /dev/urandom" in text
    assert "export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=$token" in text
    assert "port=${PORT:-$((20000 + SLURM_JOB_ID % 1000 * 8))}" in text
    fixed = [set(re.findall(r"--([a-z-]*port)=", script)) for script in (text, (STARTERS / EVERY[-1]).read_text())]
    assert fixed[0] == fixed[1] and len(fixed[0]) == 10
    assert "--include-dashboard=false" in text


def test_all_scripts_call_the_same_commands():
    shard = [name for name in SCRIPTS if "-m render_farm render " in (STARTERS / name).read_text()]
    assert shard == ["loop.sh", "slurm-array.sh"]
    assert "-m render_farm farm " in (STARTERS / "slurm-ray.sh").read_text()


def test_the_loop_renders_what_others_leave_and_waits_for_what_they_are_at(looped):
    """Shard 0 is locked by this process in the first round."""
    assert looped.waited
    assert looped.returncode == 0, looped.output
    assert f"locked by process {os.getpid()}" in looped.output
    assert "shards left for another round: 0" in looped.output
    for shard in looped.shards:
        assert file_sha256(shard) == read_manifest(shard)["sha256"]


def test_the_loop_ends_at_once_on_wrong_input(tiny, tmp_path):
    code, output = run("loop.sh", "1-9", "--release", tiny, "--out", tmp_path, "--poses", "nyu:/nowhere")
    assert code == 2
    assert output.count("error: ") == 1


@pytest.mark.parametrize("shards", ["", "3", "5-2", "a-b"])
def test_the_loop_wants_a_range(shards):
    code, output = run("loop.sh", shards)
    assert code == 2
    assert output.startswith("usage: ")


def test_the_loop_tries_a_crash_a_few_times_and_goes_on_with_the_others(recorder, tmp_path):
    python = recorder("python", code='case "$*" in *"--shard 1 "*) exit 139;; esac')
    code, output = run("loop.sh", "0-2", "--out", "x", PYTHON=str(python), TRIES="2", PAUSE="0")
    assert code == 1
    assert [line.split()[5] for line in calls(tmp_path)] == ["0", "1", "2", "1"]
    assert output.endswith("shards that failed: 1\n")


def test_a_loop_told_to_end_waits_for_the_render_to_end_by_itself(recorder, tmp_path):
    code = f'trap "echo ended >> {tmp_path}/calls; exit 75" TERM; sleep 60 & wait'
    with start("loop.sh", "0-2", PYTHON=str(recorder("python", code=code))) as process:
        wait_until(lambda: calls(tmp_path), process)
        time.sleep(0.2)  # for the trap
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 75
    assert [line.split()[0] for line in calls(tmp_path)] == ["python", "ended"]


def run_task(recorder, tmp_path, python, code=0, send=None, **variables):
    """Exit code of the array script as Slurm would run task 7 of job 40, and how `scontrol` was called."""
    recorder("scontrol")
    variables |= {
        "SLURM_ARRAY_JOB_ID": "40",
        "SLURM_ARRAY_TASK_ID": "7",
        "SLURM_CPUS_ON_NODE": "64",
        "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
        "PYTHON": str(python),
        "PAUSE": "0",
    }
    with start("slurm-array.sh", "--out", "x", **variables) as process:
        if send is not None:
            wait_until(lambda: calls(tmp_path), process)
            time.sleep(0.2)  # for the trap
            process.send_signal(send)
        code = process.wait(30)
    return code, [line for line in calls(tmp_path) if line.startswith("scontrol")]


@pytest.mark.parametrize(
    ("code", "restarts", "requeued"),
    [(0, 0, False), (2, 0, False), (75, 0, True), (75, 50, True), (1, 0, True), (139, 2, True), (1, 3, False)],
)
def test_the_array_requeues_what_another_try_may_help(recorder, tmp_path, code, restarts, requeued):
    python = recorder("python", code=f"exit {code}")
    found, asked = run_task(recorder, tmp_path, python, SLURM_RESTART_COUNT=str(restarts))
    assert found == code
    assert asked == (["scontrol requeue 40_7"] if requeued else [])
    assert calls(tmp_path)[0] == "python -m render_farm render --shard 7 --out x"


@pytest.mark.parametrize(("number", "requeued"), [(signal.SIGUSR1, True), (signal.SIGTERM, False)])
def test_the_array_tells_a_time_limit_from_a_cancelled_job(recorder, tmp_path, number, requeued):
    """Both end the render with SIGTERM, which keeps what is finished; only the first asks for another run."""
    python = recorder("python", code=f'trap "echo ended >> {tmp_path}/calls; exit 75" TERM; sleep 60 & wait')
    code, asked = run_task(recorder, tmp_path, python, send=number)
    assert code == 75
    assert "ended" in calls(tmp_path)
    assert bool(asked) == requeued


def test_the_array_says_so_where_slurm_does_not_confine_its_tasks(recorder, tmp_path):
    told = {}
    for cores in ("0", "4096"):
        variables = {"SLURM_ARRAY_JOB_ID": "40", "SLURM_ARRAY_TASK_ID": "7", "SLURM_CPUS_ON_NODE": cores}
        told[cores] = run("slurm-array.sh", PYTHON=str(recorder("python", code="exit 0")), **variables)
    assert all(code == 0 for code, _ in told.values())
    assert "warning: Slurm does not confine its jobs to their cores here" in told["0"][1]
    assert "warning" not in told["4096"][1]


def test_an_offset_reaches_shards_beyond_the_largest_array(recorder, tmp_path):
    run_task(recorder, tmp_path, recorder("python"), OFFSET="1000")
    assert "--shard 1007 " in calls(tmp_path)[0]


@pytest.fixture(scope="module")
def cluster():
    return yaml.safe_load((STARTERS / "ray-cluster.yaml").read_text())


def rented(text):
    """The cluster file with the commented lines at its end in place of `provider`."""
    here, _, there = text.partition("# Rented machines")
    lines = there.partition("#\n")[2].splitlines()
    return {**yaml.safe_load(here), **yaml.safe_load("\n".join(line[2:] for line in lines))}


def test_ray_accepts_the_cluster_file(cluster):
    """Ray's own schema and defaults; nothing is started."""
    from ray.autoscaler._private.util import prepare_config, validate_config

    prepared = prepare_config(cluster)
    validate_config(prepared)
    assert prepared["max_workers"] == len(cluster["provider"]["worker_ips"])
    others = prepare_config(rented((STARTERS / "ray-cluster.yaml").read_text()))
    validate_config(others)
    assert others["provider"]["type"] == "aws"
    assert others["available_node_types"]["worker"]["min_workers"] == 20


@pytest.mark.parametrize("commands", ["head_start_ray_commands", "worker_start_ray_commands"])
def test_every_node_demands_the_token_and_has_known_ports_and_options(cluster, commands):
    from ray.scripts.scripts import start as ray_start

    words = cluster[commands][-1].split()
    assert words[0] == "RAY_AUTH_MODE=token"
    known = {name for option in ray_start.params for name in option.opts}
    options = dict(word.partition("=")[::2] for word in words if word.startswith("--"))
    assert set(options) <= known
    ports = {name for name in known if name.endswith("-port")} - {"--redis-shard-port", "--dashboard-port"}
    assert "worker" in commands or options["--include-dashboard"] == "false"
    unset = ports - set(options)
    assert unset == ({"--port", "--ray-client-server-port"} if "worker" in commands else set()), unset
    assert "~/.ray/auth_token" in cluster["file_mounts"]
