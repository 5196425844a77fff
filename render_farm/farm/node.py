"""What a node is, as far as it decides bytes or whether it can work at all: compared before it takes any work."""

from __future__ import annotations

import os
import platform
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

from blender_scripts.blender import choose_device, import_bpy
from blender_scripts.settings import RenderSettings
from rigging.files import file_sha256
from rigging.hand.asset import DEFAULT_ASSET

from ..device import device_kind
from ..errors import InputError, writing
from ..outcome import Result, attempt
from ..planning.configuration import package_versions
from ..planning.ensure_plan import node_key
from ..planning.release import Release
from ..shard.topology import own_cores, physical_cores

SOURCES = ("rigging", "blender_scripts", "dataset_tools", "render_farm")  # packages whose code decides bytes


@dataclass(frozen=True)
class Report:
    """What the driver wants to know of a node."""

    host: str
    boot: str  # the same for all nodes on one machine
    cores: tuple[int, ...]  # logical ones it may use, those of one physical core beside each other
    facts: dict[str, str]  # what must be the same on all nodes
    device: str  # kind of processor (see `device`)
    inputs: str  # key of all that decides the plan (see `plan`)
    renders_on: str  # what Cycles found, such as "OPTIX: NVIDIA L4"
    shares_out: bool  # whether its OUT is the driver's


def inspect(release: Release, folder: Path, mark: str, scratch: Path | None) -> Result:
    """What `report` says, or why nothing can be rendered here. Loads Blender into this process."""
    return attempt(report, release, folder, mark, scratch)


def report(release: Release, folder: Path, mark: str, scratch: Path | None) -> Report:
    """The report of this machine; `mark` is a file that the driver has just put into its OUT/RELEASE, here `folder`.

    Raises InputError in one line if nothing can be rendered here.
    """
    for each in filter(None, (folder, scratch)):
        _require_writable(each)
    return Report(
        host=socket.gethostname(),
        boot=Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
        cores=tuple(core for group in physical_cores(own_cores()) for core in group),
        facts=facts(),
        device=device_kind(release.render),
        inputs=node_key(release, folder),
        renders_on=_found_device(release.render),
        shares_out=(folder / mark).exists(),
    )


def facts() -> dict[str, str]:
    """What must be the same on all nodes: Python, packages, the hand, and a hash for every file of code."""
    root = Path(__file__).parents[2]
    files = sorted(path for package in SOURCES for path in (root / package).rglob("*.py"))
    return {
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "hand asset": file_sha256(DEFAULT_ASSET)[:12],
        **{f"package {name}": version for name, version in package_versions().items()},
        **{path.relative_to(root).as_posix(): file_sha256(path)[:12] for path in files},
    }


def _require_writable(folder: Path) -> None:
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()


def _found_device(settings: RenderSettings) -> str:
    """What Blender renders on here. Raises InputError if it cannot start or has no such device."""
    try:
        bpy = import_bpy()
        choose_device(settings.device)
    except (ImportError, ValueError) as error:
        raise InputError(str(error)) from error
    if settings.device == "CPU":
        return f"CPU: {len(os.sched_getaffinity(0))} cores"
    devices = bpy.context.preferences.addons["cycles"].preferences.devices
    return f"{settings.device}: {', '.join(device.name for device in devices if device.use)}"
