"""One live process per lock; a dead one's lock is taken over, on this host at once, on another after a silence."""

import errno
import fcntl
import json
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from render_farm import lock as locks
from render_farm.errors import LockedError
from render_farm.lock import STALE_SECONDS, Lock, Owner, guarded

ROOT = Path(__file__).parents[2]


def leave(path, age=0.0, **owner):
    """A lock file of this owner (else a dead process beside us), last refreshed `age` seconds ago."""
    path.write_text(json.dumps(asdict(Owner.this()) | {"started": "0"} | owner))
    os.utime(path, (time.time() - age,) * 2)


def test_a_lock_is_held_by_one_and_gone_afterwards(tmp_path):
    path = tmp_path / "a.lock"
    with Lock(path), pytest.raises(LockedError, match=f"process {os.getpid()} on {socket.gethostname()}"):
        Lock(path).acquire()
    assert not path.exists()
    Lock(path).acquire()


def test_a_live_process_keeps_its_lock_however_long_it_is_silent(tmp_path):
    with Lock(tmp_path / "a.lock") as lock:
        os.utime(lock.path, (0, 0))
        with pytest.raises(LockedError):
            Lock(lock.path).acquire()


def test_the_lock_of_a_dead_process_is_taken_over(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    leave(tmp_path / "a.lock", pid=process.pid)
    with Lock(tmp_path / "a.lock") as lock:
        assert json.loads(lock.path.read_text())["pid"] == os.getpid()


def test_a_later_process_with_the_same_pid_is_not_the_owner(tmp_path):
    leave(tmp_path / "a.lock", started="1")  # our own pid, but not our start
    with Lock(tmp_path / "a.lock"):
        pass


def test_another_host_is_believed_alive_until_it_is_silent_for_long(tmp_path):
    path = tmp_path / "a.lock"
    leave(path, host="elsewhere", namespace="another", age=STALE_SECONDS - 30)
    with pytest.raises(LockedError, match="on elsewhere"):
        Lock(path).acquire()
    leave(path, host="elsewhere", namespace="another", age=STALE_SECONDS + 30)
    with Lock(path):
        pass


def test_a_container_with_our_host_name_is_judged_by_its_silence_not_by_its_pid(tmp_path):
    path = tmp_path / "a.lock"
    boot = Owner.this().namespace.split()[0]
    for namespace in (f"{boot} pid:[1]", f"another-boot {os.readlink('/proc/self/ns/pid')}", ""):
        leave(path, namespace=namespace)  # its pid is not in use here, and would be dead
        with pytest.raises(LockedError, match=f"on {socket.gethostname()}"):
            Lock(path).acquire()
        leave(path, namespace=namespace, age=STALE_SECONDS + 30)
        with Lock(path):
            pass


HOLDER = """
import sys
from pathlib import Path
from render_farm.lock import Lock

Lock(Path(sys.argv[1])).acquire()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_lock_of_a_real_container_is_respected(tmp_path):
    """The holder is process 1 of its own namespace; our own process 1 says nothing about it."""
    container = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
    command = [*container, sys.executable, "-c", HOLDER, str(tmp_path / "a.lock")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as holder:
        if holder.stdout.readline() != "held\n":
            pytest.skip(f"a namespace of process numbers needs root: {holder.stderr.read().strip()}")
        with pytest.raises(LockedError, match="locked by process 1 on"):
            Lock(tmp_path / "a.lock").acquire()
        holder.kill()


def test_a_damaged_lock_counts_as_silent(tmp_path):
    (tmp_path / "a.lock").write_bytes(b"\x00")
    with pytest.raises(LockedError, match="damaged"):
        Lock(tmp_path / "a.lock").acquire()
    os.utime(tmp_path / "a.lock", (0, 0))
    with Lock(tmp_path / "a.lock"):
        pass


def test_of_many_that_see_a_stale_lock_one_takes_it(tmp_path):
    taken, refused = all_at_once(tmp_path / "a.lock")
    assert (len(taken), len(refused)) == (1, 7)
    taken[0].release()


def all_at_once(path):
    """Those of eight locks that get a stale one at the same time, and those that do not."""
    leave(path, host="elsewhere", namespace="another", age=2 * STALE_SECONDS)
    taken, refused = [], []
    start = threading.Barrier(8)

    def take():
        lock = Lock(path)
        start.wait()
        try:
            lock.acquire()
            taken.append(lock)
        except LockedError:
            refused.append(lock)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken, refused


def test_waiting_gets_the_lock_when_it_is_free(tmp_path):
    first, second = Lock(tmp_path / "a.lock"), Lock(tmp_path / "a.lock")
    first.acquire()
    waiting = threading.Thread(target=second.wait, args=(0.01,))
    waiting.start()
    time.sleep(0.05)
    assert waiting.is_alive()
    first.release()
    waiting.join(10)
    assert Owner(**json.loads(second.path.read_text())) == Owner.this()
    second.release()


def test_a_lock_that_another_took_over_is_left_to_it(tmp_path):
    lock = Lock(tmp_path / "a.lock")
    lock.acquire()
    leave(lock.path, host="elsewhere", namespace="another")
    lock.release()
    assert lock.path.exists()


def test_a_file_system_without_locks_will_do(tmp_path, monkeypatch):
    monkeypatch.setattr(fcntl, "flock", raising(OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))))
    with Lock(tmp_path / "a.lock") as lock:
        with pytest.raises(LockedError, match=f"process {os.getpid()}"):
            Lock(lock.path).acquire()
        assert [path.name for path in tmp_path.iterdir()] == ["a.lock"]
    assert not list(tmp_path.iterdir())


def test_one_process_at_a_time_is_in_the_guard(tmp_path):
    inside, most = [], []

    def enter():
        for _ in range(5):
            with guarded(tmp_path / "a.lock"):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.001)
                inside.pop()

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(most), max(most)) == (20, 1)


def test_what_a_dead_process_left_in_the_guard_is_removed_after_a_while(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "LEFT_SECONDS", 0.1)
    (tmp_path / "a.lock.guard").touch()
    start = time.monotonic()
    with guarded(tmp_path / "a.lock") as now:
        assert time.monotonic() - start > 0.1
        assert abs(now - time.time()) < 5
    assert not list(tmp_path.iterdir())


def test_a_file_system_that_fails_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "open", raising(OSError(errno.EIO, os.strerror(errno.EIO))))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        Lock(tmp_path / "a.lock").acquire()


def raising(error):
    def fail(*_):
        raise error

    return fail


def test_a_process_that_the_system_hides_is_believed_alive_until_it_is_silent_for_long(tmp_path, monkeypatch):
    """Two users of a group on one host that is mounted with hidepid=2: neither sees the other's /proc/PID."""
    real = Path.read_text
    hidden = FileNotFoundError(errno.ENOENT, "hidden")
    monkeypatch.setattr(Path, "read_text", lambda path: raising(hidden)() if path.name == "stat" else real(path))
    monkeypatch.setattr(os, "kill", raising(PermissionError(errno.EPERM, "not yours")))
    leave(tmp_path / "a.lock", pid=os.getppid(), started="7", namespace=locks._namespace())
    with pytest.raises(LockedError):
        Lock(tmp_path / "a.lock").acquire()
    os.utime(tmp_path / "a.lock", (time.time() - STALE_SECONDS - 30,) * 2)
    with Lock(tmp_path / "a.lock"):
        pass


def test_who_shares_a_folder_in_a_group_can_take_over_each_others_files(tmp_path):
    before = os.umask(0o002)
    try:
        Lock(tmp_path / "a.lock").acquire()
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o060 for path in tmp_path.iterdir()} == {0o060}
