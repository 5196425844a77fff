"""Who may import whom: packages, rooms, libraries; no circles, light `__init__` files, no foreign owners of names."""

from __future__ import annotations

import graphlib
import subprocess
import sys
import tomllib

import pytest

from docs.figures.import_graph import ROOT, libraries, modules, ours, room_of
from render_farm.commands.doctor import OUR_PACKAGES, foreign_owners

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
        "": {"labels", "looks", "cycles", "sensor"},
        "labels": set(),
        "sensor": set(),
        "looks": {"", "sensor"},
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
        "statistics": {"", "format", "store", "load"},
        "check": {"", "format", "store", "load", "pictures", "statistics"},
        "judge": {"", "format", "store", "load", "pictures", "statistics"},
        "export": {"", "format", "store", "load"},
        "release": {"", "format", "store", "load", "pictures", "statistics", "check"},
        "browse": {"", "format", "store", "load", "pictures", "check"},
        "rerun_recording": {"", "store", "load", "pictures"},
        "commands": {"format", "store", "load", "pictures", "statistics", "check", "judge", "export", "release",
                     "browse", "rerun_recording"},
    },
    "baselines": {
        "": set(),
        "metrics": set(),
        "geometry": {""},
        "layers": {"", "geometry"},
        "models": {"", "geometry", "layers"},
        "data": {"", "geometry"},
        "adapters": {"", "geometry", "data"},
        "train": {"", "data"},
        "evaluate": {"", "geometry", "layers", "metrics", "data", "train"},
        "inference": {"", "geometry", "layers", "data", "adapters", "train"},
        "gate": {"", "geometry", "metrics", "models", "data", "adapters", "train", "evaluate"},
        "commands": {"", "geometry", "metrics", "models", "data", "adapters", "train", "evaluate", "inference", "gate"},
    },
}  # fmt: skip
ROOMS = [(package, room) for package, rooms in MAY_ENTER.items() for room in rooms]
HOME_OF = {
    "bpy": {"blender_scripts"},
    "mathutils": {"blender_scripts"},
    "numba": {"blender_scripts"},
    "mediapipe": {"dataset_tools", "baselines"},
    "ray": {"render_farm"},
    "h5py": {"dataset_tools"},
    "hdf5plugin": {"dataset_tools"},
    "rerun": {"dataset_tools"},
    "torch": {"baselines", "dataset_tools"},
}


def modules_of(package: str, room: str | None = None) -> list[str]:
    """The modules of a package, or of one of its rooms."""
    return [name for name in modules() if room_of(name)[0] == package and room in (None, room_of(name)[1])]


@pytest.mark.parametrize("package", OUR_PACKAGES)
def test_imports_follow_the_data_flow(package):
    allowed = MAY_IMPORT[package] | {package}
    for name in modules_of(package):
        foreign = [other for other in ours(name, typing=True) if room_of(other)[0] not in allowed]
        assert not foreign, f"{name} imports {foreign}"


@pytest.mark.parametrize(("package", "room"), ROOMS)
def test_rooms_are_entered_one_way(package, room):
    allowed = MAY_ENTER[package][room] | {room}
    for name in modules_of(package, room):
        inside = [other for other in ours(name, typing=True) if room_of(other)[0] == package]
        foreign = [other for other in inside if room_of(other)[1] not in allowed]
        assert not foreign, f"{name} imports {foreign}"


def test_the_table_of_rooms_has_every_folder():
    assert {room_of(name) for name in modules()} == set(ROOMS)


def test_no_modules_import_each_other_in_a_circle():
    """Imports inside functions count: they only hide a circle. Those for annotations do not."""
    graph = {name: ours(name) - {name} for name in modules()}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"a circle, each imported by the next: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("package", OUR_PACKAGES)
def test_nobody_imports_a_command(package):
    for name in modules_of(package):
        found = {other for other in ours(name, typing=True) if room_of(other)[1] == "commands"}
        own = {other for other in found if room_of(other) == room_of(name)}
        assert not found - own, f"{name} imports {found - own}; commands are found by name"


def test_every_folder_of_code_is_installed():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    folders = {".".join(path.parent.relative_to(ROOT).parts) for path in modules().values()}
    assert set(declared) == folders
    assert folders <= set(modules()), "every folder has an __init__.py"


@pytest.mark.parametrize("library", HOME_OF)
def test_heavy_libraries_stay_at_home(library):
    for package in set(OUR_PACKAGES) - HOME_OF[library]:
        for name in modules_of(package):
            assert library not in libraries(name), f"{name} imports {library}"


def test_only_numpy_and_scipy_reach_the_rig():
    allowed = set(sys.stdlib_module_names) | {"numpy", "scipy"}
    for name in modules_of("rigging"):
        assert libraries(name) <= allowed, f"{name} imports {libraries(name) - allowed}"


def test_importing_our_packages_loads_nothing_heavy():
    heavy = ("bpy", "torch", "ray", "numba", "cv2", "h5py", "matplotlib")
    code = f"import sys, {', '.join(OUR_PACKAGES)}; print([m for m in {heavy} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_no_other_distribution_owns_our_names():
    assert foreign_owners() == {}
