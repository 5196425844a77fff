"""What nodes are compared by."""

from pathlib import Path

from render_farm.farm.node import facts
from render_farm.planning.configuration import differing

ROOT = Path(__file__).parents[3]


def test_a_node_is_known_by_python_packages_every_file_of_code_and_the_hand():
    found = facts()
    assert {"Python", "package numpy", "package bpy", "hand asset", "rigging/joints.py"} <= set(found)
    code = [path for folder in ("rigging", "blender_scripts", "dataset_tools", "render_farm")
            for path in (ROOT / folder).rglob("*.py")]  # fmt: skip
    assert {path.relative_to(ROOT).as_posix() for path in code} <= set(found)


def test_what_differs_is_named_and_what_is_equal_is_not():
    driver = facts()
    assert differing(driver, driver) == ""
    for name in ("Python", "package numpy", "rigging/joints.py", "hand asset"):
        node = driver | {name: "other"}
        assert differing(node, driver, "at the driver") == f"{name} 'other', at the driver '{driver[name]}'"
    lacking = {name: fact for name, fact in driver.items() if name != "package numpy"}
    assert differing(lacking, driver).startswith("package numpy not there, now '")
    assert differing(dict.fromkeys("abcd", "1"), {}).endswith("; and 1 more")
