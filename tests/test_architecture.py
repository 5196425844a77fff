"""Who may import whom, light `__init__` files, libraries that stay at home, and no foreign owner of our names."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from render_farm.doctor import OUR_PACKAGES, foreign_owners

ROOT = Path(__file__).resolve().parent.parent

MAY_IMPORT = {
    "rigging": set(),
    "blender_scripts": {"rigging"},
    "dataset_tools": {"rigging"},
    "render_farm": {"rigging", "blender_scripts", "dataset_tools"},
    "baselines": {"rigging", "dataset_tools"},
}
MAY_ENTER = {  # the rooms of a package; "" is what lies beside them
    "rigging": {
        "": set(),
        "geometry": {""},
        "hand": {"", "geometry"},
        "fingers": {"", "geometry", "hand"},
        "spin": {"", "geometry", "hand", "fingers"},
        "poses": {"", "geometry", "hand", "fingers"},
        "posing": {"", "geometry", "hand", "fingers", "spin", "poses"},
        "skin": {"", "geometry", "hand"},
        "build": {"", "geometry", "hand", "fingers", "skin"},
        "commands": {"", "geometry", "hand", "fingers", "spin", "poses", "posing", "skin", "build"},
    },
    "blender_scripts": {
        "": {"labels", "looks", "cycles"},
        "labels": set(),
        "looks": {""},
        "cycles": {"", "labels", "looks"},
    },
    "render_farm": {
        "": set(),
        "planning": {""},
        "shard": {"", "planning"},
        "farm": {"", "planning", "shard"},
        "report": {"", "planning", "shard"},
        "commands": {"", "planning", "shard", "farm", "report"},
    },
    "dataset_tools": {
        "": {"load"},
        "format": set(),
        "store": {"format"},
        "load": {"format", "store"},
        "pictures": {"format", "store", "load"},
        "check": {"", "format", "store", "load", "pictures"},
        "release": {"", "format", "store", "load", "pictures", "check"},
        "commands": {"format", "store", "load", "pictures", "check", "release"},
    },
    "baselines": {
        "": set(),
        "metrics": set(),
        "geometry": {""},
        "layers": {""},
        "models": {"", "geometry", "layers"},
        "data": {"", "geometry"},
        "adapters": {"", "geometry", "data"},
        "train": {"", "data"},
        "evaluate": {"", "geometry", "metrics", "data", "train"},
        "gate": {"", "geometry", "metrics", "models", "data", "adapters", "train", "evaluate"},
        "commands": {"", "geometry", "metrics", "models", "data", "adapters", "train", "evaluate", "gate"},
    },
}
ROOMS = [(package, room) for package, rooms in MAY_ENTER.items() for room in rooms]
HOME_OF = {
    "bpy": {"blender_scripts"},
    "mathutils": {"blender_scripts"},
    "numba": {"blender_scripts"},
    "ray": {"render_farm"},
    "h5py": {"dataset_tools"},
    "hdf5plugin": {"dataset_tools"},
    "torch": {"baselines", "dataset_tools"},
}
RANDOM_GLOBALS = {"seed", "rand", "randn", "random", "uniform", "normal", "choice", "shuffle", "permutation", "randint"}


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@cache
def imported(path: Path) -> set[str]:
    """Top-level names of all absolute imports in a file, also those inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("package", OUR_PACKAGES)
def test_imports_follow_the_data_flow(package):
    for path in sources(package):
        foreign = (imported(path) & set(OUR_PACKAGES)) - MAY_IMPORT[package] - {package}
        assert not foreign, f"{path.relative_to(ROOT)} imports {foreign}"


def rooms_imported(path: Path, package: str, room: str) -> set[str]:
    """The rooms of a package that a file in `room` imports from, without its own."""
    nodes = (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom))
    outside = 2 if room else 1
    firsts = {(node.module or "").split(".")[0] for node in nodes if node.level == outside}
    return {first if first in MAY_ENTER[package] else "" for first in firsts} - {room}


@pytest.mark.parametrize(("package", "room"), ROOMS)
def test_rooms_are_entered_one_way(package, room):
    for path in sorted((ROOT / package / room).glob("*.py")):
        foreign = rooms_imported(path, package, room) - MAY_ENTER[package][room]
        assert not foreign, f"{path.relative_to(ROOT)} imports from {foreign}"


def commands_imported(path: Path) -> set[str]:
    """Packages whose room `commands` a file imports from; its own only if it is no command itself."""
    package, own = path.relative_to(ROOT).parts[0], "commands" in path.relative_to(ROOT).parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names if ".commands" in alias.name}
        elif isinstance(node, ast.ImportFrom):
            names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            if "commands" in names:
                found.add(package if node.level else names[0])
    return found - ({package} if own else set())


@pytest.mark.parametrize("package", OUR_PACKAGES)
def test_nobody_imports_a_command(package):
    for path in sources(package):
        assert not commands_imported(path), f"{path.relative_to(ROOT)} imports commands; they are found by name"


def test_every_folder_of_code_is_installed():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    found = {".".join(path.parent.relative_to(ROOT).parts) for package in OUR_PACKAGES for path in sources(package)}
    assert set(declared) == found


@pytest.mark.parametrize("library", HOME_OF)
def test_heavy_libraries_stay_at_home(library):
    for package in set(OUR_PACKAGES) - HOME_OF[library]:
        for path in sources(package):
            assert library not in imported(path), f"{path.relative_to(ROOT)} imports {library}"


def test_only_numpy_and_scipy_reach_the_rig():
    allowed = set(sys.stdlib_module_names) | {"numpy", "scipy", "rigging"}
    for path in sources("rigging"):
        assert imported(path) <= allowed, f"{path.relative_to(ROOT)} imports {imported(path) - allowed}"


def test_importing_our_packages_loads_nothing_heavy():
    heavy = ("bpy", "torch", "ray", "numba", "cv2", "h5py", "matplotlib")
    code = f"import sys, {', '.join(OUR_PACKAGES)}; print([m for m in {heavy} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_no_other_distribution_owns_our_names():
    assert foreign_owners() == {}


def test_every_package_folder_is_listed_in_the_project_file():
    listed = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for package in OUR_PACKAGES:
        for init in (ROOT / package).rglob("__init__.py"):
            name = ".".join(init.parent.relative_to(ROOT).parts)
            assert f'"{name}"' in listed, f"{name} is missing from pyproject.toml"


@pytest.mark.parametrize("package", OUR_PACKAGES)
def test_randomness_is_passed_in_and_clocks_stay_out_of_data(package):
    for path in sources(package):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.Import) and any(a.name == "random" for a in node.names)), path
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Attribute)
                and node.value.attr == "random"
            ):
                assert node.attr not in RANDOM_GLOBALS, f"{path.relative_to(ROOT)}:{node.lineno} uses global randomness"
