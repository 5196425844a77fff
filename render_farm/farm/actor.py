"""The farm's Ray actor: a light supervisor on a node, which calls the farm's functions in a process of their own."""

from __future__ import annotations

from pathlib import Path

import ray

from dataset_tools.store.layout import ReleaseFolder
from rigging.files import write_atomic

from ..planning.ensure_plan import ensure_plan
from ..planning.release import Release
from ..shard.render import Request, render_shard
from .child import Child, Result
from .delivery import CHUNK, Parcel, log_bytes, pack, remove
from .node import report


class Supervisor:
    """One of the farm's workers. Calls of the group "side" are answered while a shard is being rendered.

    Paths are those of the node. The actor is killed by the driver, by Ray when the driver or the node is lost, or from
    outside; its processes die with it.
    """

    def __init__(self) -> None:
        self.child = Child()

    def report(self, release: Release, out: Path, mark: str, scratch: Path | None) -> Result:
        """The node's report, or why nothing can be rendered here."""
        try:
            return self.child.call(None, report, release, out, mark, scratch)
        finally:
            self.child.end()  # it has loaded Blender, which its own children could not load then

    def plan(self, release: Release, folder: Path) -> Result:
        """Make the plan of `release` in `folder` unless it is there; the value is its files."""
        result = self.child.call(ReleaseFolder(folder).plan_log, make_plan_file, release, folder)
        return Result("done", read_plan_files(folder)) if result.kind == "done" else result

    def put_plan(self, folder: Path, files: dict[str, bytes]) -> None:
        """Store the files of a plan that was made elsewhere."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            if not (folder / name).exists() or (folder / name).read_bytes() != data:
                write_atomic(folder / name, data)

    def render(self, request: Request) -> Result:
        """Render a shard; its process writes to .logs/shard-00007.log."""
        return self.child.call(request.files.log(request.shard), render_shard, request)

    @ray.method(concurrency_group="side")
    def stop(self) -> None:
        """End what is being done."""
        self.child.stop()

    @ray.method(concurrency_group="side")
    def events(self, folder: Path, shard: int) -> tuple[int, bytes]:
        """The shard, and its event log."""
        return shard, log_bytes(ReleaseFolder(folder), shard)

    @ray.method(concurrency_group="side")
    def parcel(self, folder: Path, shard: int) -> Parcel:
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


def read_plan_files(folder: Path) -> dict[str, bytes]:
    """The files of the plan in a release's folder, by name; those that are there."""
    return {path.name: path.read_bytes() for path in ReleaseFolder(folder).plan_files if path.exists()}


def make_plan_file(release: Release, folder: Path) -> None:
    """Make the plan and leave it in its file."""
    ensure_plan(release, folder)
