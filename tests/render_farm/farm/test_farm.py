"""The farm on a real Ray: the same bytes as without it, whatever is killed on the way, and no port on a network."""

import hashlib
import ipaddress
import re
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest
from ray_cluster import HEAD, ROOT, cluster, gone
from shard_commands import assert_same_shard

from render_farm.farm.fleet import free_slot, slot_cores, slot_count
from rigging.command_line import main

pytest.importorskip("ray")

RENDERER = "render_farm.shard.worker"
SHARDS = (0, 1, 2)
WORKER = "ray::render"  # as Ray names the process that renders a shard
OURS = (WORKER, RENDERER)


def command(release, out, *more, prefix=()):
    farm = [sys.executable, "-m", "render_farm", "farm", "--release", release, "--out", out, *more]
    return list(map(str, (*prefix, *farm)))


def complaint(error):
    """The one line that says what is wrong."""
    assert "Traceback" not in error
    lines = [line for line in error.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, error
    return lines[0]


def refused(capsys, *arguments):
    """Exit code and complaint of a farm that does not get as far as starting Ray."""
    code = main(command(*arguments)[3:])
    return code, complaint(capsys.readouterr().err)


def hashes(out, name="tiny"):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (out / name).glob("shard-*.h5")}


def staged(out):
    return list((out / "tiny" / ".staging").glob("*/*.staged"))


def wait_for(condition, process, seconds=120):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def four(tiny, tmp_path_factory):
    """The tiny release in four shards, of which three are rendered."""
    path = tmp_path_factory.mktemp("four") / "tiny.toml"
    path.write_text(tiny.read_text().replace("shard_size = 8", "shard_size = 4"))
    return path


def listening(process):
    """Addresses that a process and its children listen on."""
    found = set()
    for each in [process, *process.children(recursive=True)]:
        try:
            found |= {socket.laddr.ip for socket in each.net_connections("inet") if socket.status == "LISTEN"}
        except psutil.NoSuchProcess:
            continue
    return {ipaddress.ip_address(ip.removeprefix("::ffff:")) for ip in found}


@pytest.fixture(scope="module")
def undisturbed(four, tmp_path_factory):
    """OUT of the same shards rendered at once, without Ray and without interruption."""
    out = tmp_path_factory.mktemp("undisturbed")
    render = [sys.executable, "-m", "render_farm", "render", "--release", four, "--out", out, "--workers", "1"]
    processes = [subprocess.Popen(list(map(str, [*render, "--shard", n])), cwd=ROOT) for n in SHARDS]
    assert [process.wait(timeout=200) for process in processes] == [0] * len(SHARDS)
    return out


def test_a_farm_listens_on_loopback_only_ends_with_ctrl_c_and_goes_on_from_there(four, undisturbed, tmp_path):
    farm = command(four, tmp_path, "--shards", "0-1")
    process = psutil.Popen(farm, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: staged(tmp_path), process)
    addresses, family = listening(process), process.children(recursive=True)
    assert addresses
    assert all(address.is_loopback for address in addresses), addresses
    assert not any("/bpy/" in part.path for part in process.memory_maps())  # the driver does without Blender
    process.send_signal(signal.SIGINT)
    error = process.communicate(timeout=60)[1]
    assert process.returncode == 130, error
    assert "interrupted: finished samples are kept" in error.splitlines()[-1]
    assert "Traceback" not in error
    assert gone(family)
    assert staged(tmp_path)
    assert not list((tmp_path / "tiny" / ".locks").glob("*.lock"))  # nobody has to wait for them

    result = subprocess.run(farm, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "2 shards: 2 done" in result.stdout
    assert "done, 4 samples" in (tmp_path / "tiny" / ".logs" / "shard-00001.log").read_text()
    for name in ("shard-00000.h5", "shard-00001.h5"):
        assert_same_shard(tmp_path / "tiny" / name, undisturbed / "tiny" / name)
    assert sorted(hashes(tmp_path)) == ["shard-00000.h5", "shard-00001.h5"]


def changed_copy(folder):
    """Our packages with one line more."""
    for package in ("rigging", "blender_scripts", "dataset_tools", "render_farm"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    with open(folder / "rigging" / "joints.py", "a") as file:
        file.write("CHANGED = True\n")
    return folder


@pytest.fixture(scope="module")
def nodes():
    """A Ray cluster, to begin with of one node."""
    with cluster() as made:
        made.start(HEAD)
        made.wait_for(HEAD)
        yield made


def hold(nodes, held):
    """Whether every node has a renderer now; the first of each is stopped as soon as it is seen, and held."""
    for ip in set(nodes.nodes) - set(held):
        for process in nodes.processes(ip, RENDERER)[:1]:
            process.suspend()
            held[ip] = process
    return len(held) == len(nodes.nodes)


def test_a_cluster_survives_kill_9_of_a_renderer_an_actor_a_node_and_the_driver(nodes, four, undisturbed, tmp_path):
    out = tmp_path / "out"
    nodes.start("127.0.0.3")
    nodes.start("127.0.0.4")
    for ip in nodes.nodes:
        nodes.wait_for(ip)
    farm = command(four, out, "--shards", "0-2", "--address", nodes.address, prefix=nodes.prefix)
    with open(tmp_path / "log", "w") as log:
        driver = psutil.Popen(farm, cwd=tmp_path, env=nodes.env, stdout=log, stderr=log)
    held = {}
    wait_for(lambda: hold(nodes, held), driver)
    held[HEAD].kill()
    nodes.processes("127.0.0.3", WORKER)[0].kill()
    nodes.kill("127.0.0.4")
    before = len(staged(out)) + 4 * len(hashes(out))
    wait_for(lambda: len(staged(out)) + 4 * len(hashes(out)) > before, driver)
    orphans = [process for ip in nodes.nodes for words in OURS for process in nodes.processes(ip, words)]
    assert orphans
    driver.kill()
    driver.wait()
    assert gone(orphans)
    assert re.search(r"shard \d on 127\.0\.0\.3/0: lost: ", (tmp_path / "log").read_text())
    assert len(hashes(out)) < len(SHARDS)

    nodes.start("127.0.0.4", PYTHONPATH=str(changed_copy(tmp_path / "changed")))  # a machine with other sources
    nodes.wait_for("127.0.0.4")
    result = subprocess.run(farm, cwd=tmp_path, env=nodes.env, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "node 127.0.0.4 is not used: rigging/joints.py '" in result.stderr
    assert hashes(out) == hashes(undisturbed)


def join(nodes, release, out, *more, **env):
    """Run a farm on the cluster."""
    farm = command(release, out, "--address", nodes.address, *more, prefix=nodes.prefix)
    return subprocess.run(farm, cwd=ROOT, env=nodes.env | env, capture_output=True, text=True, check=False)


def test_a_wrong_token_is_refused(nodes, four, tmp_path):
    result = join(nodes, four, tmp_path, RAY_AUTH_TOKEN="0" * 64)
    assert result.returncode == 2
    assert complaint(result.stderr).endswith("the cluster does not accept this token")


def test_without_a_shared_folder_shards_come_from_the_nodes_own_disk(nodes, four, tmp_path):
    out, disk = tmp_path / "out", tmp_path / "disk"
    result = join(nodes, four, out, "--shards", "1", "--samples", "2", "--collect", disk)
    assert result.returncode == 0, result.stderr
    files = {path.name for path in (out / "tiny").iterdir() if path.is_file()}
    assert files == {"plan.npz", "rejects.csv", "shard-00001.h5", "shard-00001.json", "shard-00001.png"}
    assert not list(disk.rglob("shard-*.h5"))
    assert '"finish"' in (out / "tiny" / ".events" / "shard-00001.jsonl").read_text()


def test_a_release_for_gpus_is_never_rendered_on_the_cpu(nodes, tiny, tmp_path):
    release = tmp_path / "gpu.toml"
    release.write_text(tiny.read_text() + 'device = "OPTIX"\n')
    result = join(nodes, release, tmp_path)
    assert result.returncode == 2
    assert " has 1 CPUs and 1 GPUs for a worker" in complaint(result.stderr)
    assert not list(tmp_path.rglob("*.staged"))


def test_a_cluster_is_not_joined_without_a_token(tiny, tmp_path, capsys, monkeypatch):
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    for mode, words in (("token", "set RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH"), ("disabled", "is 'disabled'")):
        monkeypatch.setenv("RAY_AUTH_MODE", mode)
        code, line = refused(capsys, tiny, tmp_path, "--address", f"{HEAD}:6399")
        assert code == 2
        assert words in line


def test_gpus_are_refused_where_they_would_not_be_used(tiny, tmp_path, capsys):
    code, line = refused(capsys, tiny, tmp_path, "--gpus", "0.5")
    assert code == 2
    assert "--gpus 0.5: release 'tiny' is rendered on the CPU" in line


@pytest.mark.parametrize("shards", ["0-2", "4", "1-0", "x"])
def test_shards_that_are_not_there_are_refused(tiny, tmp_path, capsys, shards):
    code, line = refused(capsys, tiny, tmp_path, "--shards", shards)
    assert code == 2
    assert f"--shards {shards}" in line


@pytest.mark.parametrize(
    ("resources", "cpus", "gpus", "slots"),
    [
        ({"CPU": 8.0}, 1, 0, 8),
        ({"CPU": 8.0}, 3, 0, 2),
        ({"CPU": 1.0}, 0.1, 0, 10),
        ({}, 1, 0, 0),
        ({"CPU": 8.0}, 1, 1, 0),
        ({"CPU": 8.0, "GPU": 2.0}, 1, 0.5, 4),
        ({"CPU": 8.0, "GPU": 2.0}, 1, 0.4, 4),  # the fifth would need a fifth of each GPU
        ({"CPU": 3.0, "GPU": 2.0}, 1, 0.25, 3),
        ({"CPU": 8.0, "GPU": 3.0}, 1, 2, 1),
    ],
)
def test_slots_of_a_node(resources, cpus, gpus, slots):
    assert slot_count(resources, cpus, gpus) == slots


def test_slots_have_cores_of_their_own():
    cores = (0, 4, 1, 5, 2, 6, 3, 7)  # two threads of a physical core beside each other
    assert [slot_cores(slot, 2, cores) for slot in range(4)] == [(0, 4), (1, 5), (2, 6), (3, 7)]
    assert sorted(core for slot in range(8) for core in slot_cores(slot, 1, cores)) == list(range(8))
    assert [slot_cores(slot, 0.5, cores) for slot in range(4)] == [(0,), (0,), (4,), (4,)]
    assert slot_cores(8, 1, cores) == (0,)  # more slots than cores share them
    assert free_slot({0, 1, 3}) == 2
