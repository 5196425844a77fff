"""What nodes are compared by."""

from pathlib import Path

from render_farm.farm.node import Environment

ROOT = Path(__file__).parents[3]


def test_a_node_is_known_by_python_packages_every_file_of_code_and_the_hand():
    facts = Environment.here().facts
    assert {"Python", "package numpy", "package bpy", "hand asset", "rigging/joints.py"} <= set(facts)
    code = [path for folder in ("rigging", "blender_scripts", "dataset_tools", "render_farm")
            for path in (ROOT / folder).rglob("*.py")]  # fmt: skip
    assert {path.relative_to(ROOT).as_posix() for path in code} <= set(facts)


def test_what_differs_is_named_and_what_is_equal_is_not():
    driver = Environment.here()
    assert driver.difference(driver) == ""
    for name in ("Python", "package numpy", "rigging/joints.py", "hand asset"):
        node = Environment(driver.facts | {name: "other"})
        assert node.difference(driver) == f"{name} is other, not {driver.facts[name]}"
    lacking = Environment({name: fact for name, fact in driver.facts.items() if name != "package numpy"})
    assert lacking.difference(driver).startswith("package numpy is missing, not ")
    assert Environment({"a": "1", "b": "1", "c": "1"}).difference(Environment({})).endswith("; and 1 more")
