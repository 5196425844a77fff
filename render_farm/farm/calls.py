"""What the farm calls on nodes, each in a process of Ray's: a plan is made, a shard rendered, its files read."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

from dataset_tools.store.layout import ReleaseFolder

from ..outcome import Result, attempt
from ..planning.ensure_plan import ensure_plan
from ..planning.release import Release
from ..shard.render import render_shard
from ..shard.request import Request
from .transfer import put_plan, read_plan

FORMAT = "%(asctime)s %(message)s"


def render(request: Request, plan: Mapping[str, bytes]) -> Result:
    """Render a shard as `make render` does, after putting the files of the `plan` there.

    What is logged goes to .logs/shard-00007.log.
    """
    with logged_to(request.files.log(request.shard)):
        return attempt(_render, request, plan)


def make_plan(release: Release, folder: Path, files: Mapping[str, bytes]) -> Result:
    """Make the plan of `release` in `folder` unless it is there or among the `files`; the value is its files."""
    with logged_to(ReleaseFolder(folder).plan_log):
        return attempt(_make_plan, release, folder, files)


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


def _render(request: Request, plan: Mapping[str, bytes]) -> None:
    put_plan(request.folder, plan)
    render_shard(request)


def _make_plan(release: Release, folder: Path, files: Mapping[str, bytes]) -> dict[str, bytes]:
    put_plan(folder, files)
    ensure_plan(release, folder)
    return read_plan(folder)
