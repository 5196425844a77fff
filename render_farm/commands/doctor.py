"""`doctor`: is everything here that rendering needs, in the versions that were tested?"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions

from blender_scripts.system import explain_import_error

from ..planning.configuration import package_version

BLENDERS = {(3, 11): "4.5 LTS", (3, 13): "5.2 LTS"}  # and the Python that each is built for
OUR_PACKAGES = ("blender_scripts", "rigging", "render_farm", "dataset_tools", "baselines")
REQUIRED = ("numpy", "scipy", "h5py", "hdf5plugin", "cv2", "tqdm", "numba", "PIL", "psutil", "bpy")
OPTIONAL = ("ray", "torch", "matplotlib")
DISTRIBUTION_OF = {"cv2": "opencv-python-headless", "PIL": "pillow"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(options: argparse.Namespace) -> int:
    """Print one line per finding; 0 if nothing is wrong, else 2."""
    findings = [*_machine_findings(), *_package_findings(), _asset_finding()]
    for good, line in findings:
        print(f"{'ok   ' if good else 'WRONG'} {line}")
    wrong = sum(not good for good, _ in findings)
    print("everything is in place" if not wrong else f"{wrong} thing(s) to put right: see the lines marked WRONG")
    return 2 if wrong else 0


def foreign_owners() -> dict[str, list[str]]:
    """Our package names that another installed distribution claims too, with the names of those distributions."""
    owners = packages_distributions()
    claimed = {name: sorted(set(owners.get(name, [])) - {"mvhm"}) for name in OUR_PACKAGES}
    return {name: others for name, others in claimed.items() if others}


def _imports(module: str) -> str | None:
    """Why `module` does not import in a process of its own (native libraries may clash), or None."""
    result = subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True, text=True, check=False)
    lines = result.stderr.strip().splitlines()
    if result.returncode == 0:
        return None
    return explain_import_error(result.stderr) if module == "bpy" else (lines or [f"exit code {result.returncode}"])[-1]


def _package_findings() -> Iterator[tuple[bool, str]]:
    for module in REQUIRED + OPTIONAL:
        found = package_version(DISTRIBUTION_OF.get(module, module))
        if not found and module in OPTIONAL:
            yield True, f"{module}: not installed (optional)"
            continue
        failure = _imports(module)
        yield failure is None, f"{module} {found}: {failure or 'imports'}"


def _machine_findings() -> Iterator[tuple[bool, str]]:
    right_python = sys.version_info[:2] in BLENDERS
    needs = "; ".join(f"Blender {blender} needs {major}.{minor}" for (major, minor), blender in BLENDERS.items())
    yield right_python, f"Python {sys.version.split()[0]}" + ("" if right_python else f": {needs}")
    for name, others in foreign_owners().items():
        yield False, f"{name} is also installed by {', '.join(others)}: pip uninstall it, or imports take the wrong one"
    free = shutil.disk_usage(os.curdir).free / 2**30
    yield free > 2, f"{free:.0f} GiB free on this disk" + ("" if free > 2 else ": at least 2 are wanted")
    yield True, f"{len(os.sched_getaffinity(0))} processor cores"


def _asset_finding() -> tuple[bool, str]:
    from rigging.hand.asset import load_asset

    try:
        asset = load_asset()
    except (OSError, ValueError) as error:
        return False, str(error)
    return True, f"hand asset: {len(asset.template)} vertices, {len(asset.faces)} triangles"
