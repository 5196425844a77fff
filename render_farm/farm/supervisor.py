"""The farm's Ray actor: renders shards on a node by the function that `make render` calls, and hands them over."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import ray

from dataset_tools.store.layout import ReleaseFolder
from rigging.files import write_atomic

from ..outcome import Result, attempt
from ..planning.plan import ensure_plan
from ..planning.release import Release
from ..shard.render import render_shard
from ..shard.request import Request
from .transfer import CHUNK, Package, log_bytes, pack, remove

FORMAT = "%(asctime)s %(message)s"


class Supervisor:
    """One of the farm's workers. Calls of the group "side" are answered while a shard is being rendered.

    Paths are those of the node. Blender runs in processes that this one starts, and that die with it. It is killed by
    the driver, by Ray when the driver or the node is lost, or from outside.
    """

    def __init__(self) -> None:
        self._end = threading.Event()

    def render(self, request: Request, plan: Mapping[str, bytes]) -> Result:
        """Render a shard, after putting the files of the `plan` there; what is logged goes to .logs/shard-00007.log."""
        with logged_to(request.files.log(request.shard)):
            return attempt(_render, replace(request, told_to_end=self._end.is_set), plan)

    @ray.method(concurrency_group="side")
    def stop(self) -> None:
        """Have the shard that is rendered end as SIGTERM ends `make render`, and later ones at once."""
        self._end.set()

    @ray.method(concurrency_group="side")
    def events(self, folder: Path, shard: int) -> tuple[int, bytes]:
        """The shard, and its event log."""
        return shard, log_bytes(ReleaseFolder(folder), shard)

    @ray.method(concurrency_group="side")
    def package(self, folder: Path, shard: int) -> Package:
        """A finished shard, all but its bytes."""
        return pack(ReleaseFolder(folder).shard(shard))

    @ray.method(concurrency_group="side")
    def chunk(self, path: Path, start: int) -> bytes:
        """Some megabytes of a file from byte `start` on; none at its end."""
        with open(path, "rb") as file:
            file.seek(start)
            return file.read(CHUNK)

    @ray.method(concurrency_group="side")
    def remove(self, folder: Path, shard: int) -> None:
        """Delete a shard that is stored elsewhere, with what belongs to it."""
        remove(ReleaseFolder(folder), shard)


def make_plan(release: Release, folder: Path, files: Mapping[str, bytes]) -> Result:
    """Make the plan of `release` in `folder` unless it is there or among the `files`; the value is its files."""
    with logged_to(ReleaseFolder(folder).plan_log):
        return attempt(_make_plan, release, folder, files)


def read_plan_files(folder: Path) -> dict[str, bytes]:
    """The files of the plan in a release's folder, by name; those that are there."""
    return {path.name: path.read_bytes() for path in ReleaseFolder(folder).plan_files if path.exists()}


@contextlib.contextmanager
def logged_to(path: Path) -> Iterator[None]:
    """Append what is logged to `path`; nowhere if it cannot be written (a full disk)."""
    handler: logging.Handler = logging.NullHandler()
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter(FORMAT))
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()


def _render(request: Request, plan: Mapping[str, bytes]) -> str:
    _put_plan(request.folder, plan)
    return str(render_shard(request))


def _make_plan(release: Release, folder: Path, files: Mapping[str, bytes]) -> dict[str, bytes]:
    _put_plan(folder, files)
    ensure_plan(release, folder)
    return read_plan_files(folder)


def _put_plan(folder: Path, files: Mapping[str, bytes]) -> None:
    """Store the files of a plan that was made elsewhere."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        if not (folder / name).exists() or (folder / name).read_bytes() != data:
            write_atomic(folder / name, data)
