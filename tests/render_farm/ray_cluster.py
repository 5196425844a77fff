"""A Ray cluster of several nodes on this machine's loopback, for tests: with a token, and ended by process id."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
HEAD = "127.0.0.2"
PORT = 6399
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token"}


@contextmanager
def loopback_only():
    """Command words that run a program where there is no network but loopback, if this user may make such a place.

    Ray's nodes on 127.0.0.2 and up listen on all interfaces.
    """
    holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "ip link set lo up && echo up && exec sleep 1000"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # fmt: skip
    try:
        inside = holder.stdout.readline().strip() == "up"
        yield ["nsenter", "-t", str(holder.pid), "-n"] if inside else []
    finally:
        holder.kill()
        holder.wait()


class Cluster:
    """Nodes on 127.0.0.2 (the head), 127.0.0.3, ... with one CPU each."""

    def __init__(self, prefix):
        self.prefix = prefix
        self.folder = Path(tempfile.mkdtemp(prefix="mvhm-t", dir="/tmp"))
        own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # Ray hands it to all nodes
        self.env = {**own, **QUIET, "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        self.nodes = {}

    @property
    def address(self):
        return f"{HEAD}:{PORT}"

    def start(self, ip, **env):
        """Start a node; the head first. Does not wait for it."""
        role = ["--head", f"--port={PORT}"] if ip == HEAD else [f"--address={self.address}"]
        ray = [str(Path(sys.executable).with_name("ray")), "start", *role, f"--node-ip-address={ip}"]
        more = ["--num-cpus=1", "--num-gpus=0", "--object-store-memory=80000000", "--block"]
        more += ["--include-dashboard=false"] if ip == HEAD else []
        folder = ["--temp-dir", str(self.folder / ip[-1])]  # nodes that start at once in one folder clash
        with open(self.folder / f"{ip}.log", "wb") as log:
            self.nodes[ip] = psutil.Popen(
                [*self.prefix, *ray, *more, *folder], env=self.env | env, stdout=log, stderr=log, start_new_session=True
            )

    def wait_for(self, ip, seconds=90):
        """Wait until a node is up."""
        deadline = time.monotonic() + seconds
        while "--block" not in self.log(ip):
            assert self.nodes[ip].poll() is None and time.monotonic() < deadline, self.log(ip)
            time.sleep(0.2)

    def log(self, ip):
        return (self.folder / f"{ip}.log").read_text()

    def processes(self, ip, words=""):
        """The node's processes whose command line holds `words`."""
        return [process for process in _tree(self.nodes[ip]) if words in command_of(process)]

    def kill(self, ip):
        """kill -9 of everything that belongs to a node."""
        kill_all(_tree(self.nodes[ip]))

    def end(self):
        kill_all([process for node in self.nodes.values() for process in _tree(node)])
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def cluster():
    with ExitStack() as stack:
        made = Cluster(stack.enter_context(loopback_only()))
        stack.callback(made.end)
        yield made


def _tree(process):
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def command_of(process):
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def kill_all(processes):
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(processes, timeout=20)


def gone(processes, seconds=40):
    """Whether all have ended within some time."""
    alive = psutil.wait_procs(processes, timeout=seconds)[1]
    return all(process.status() == psutil.STATUS_ZOMBIE for process in alive)
