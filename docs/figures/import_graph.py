"""Who imports whom, read from the sources without importing them; for the map and for the tests of the architecture."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_HOLDERS = (ast.stmt, ast.ExceptHandler, ast.match_case)  # of statements; expressions hold no import
PACKAGES = ("rigging", "blender_scripts", "dataset_tools", "render_farm", "baselines")  # as the data flow


@cache
def modules() -> dict[str, Path]:
    """All modules of our packages by dotted name; a package goes by the name of its folder."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax of a module, parsed once."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _is_for_typing(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def _import_nodes(node: ast.AST, typing: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    """All imports under `node`, also those inside functions; those for annotations only where `typing`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif isinstance(child, _HOLDERS) and (typing or not _is_for_typing(child)):
            yield from _import_nodes(child, typing)


def _base(name: str, node: ast.ImportFrom) -> str:
    """The module that `node`, in module `name`, imports from, dots resolved."""
    if not node.level:
        return node.module or ""
    folder = name.split(".") if modules()[name].name == "__init__.py" else name.split(".")[:-1]
    kept = folder[: len(folder) - node.level + 1]
    return ".".join([*kept, node.module] if node.module else kept)


@cache
def imports_of(name: str, typing: bool = False) -> frozenset[str]:
    """What module `name` imports: our modules by their dotted name, of others the dotted name that stands there.

    Imports inside functions count; those under `if TYPE_CHECKING` where `typing`.
    """
    found = set()
    for node in _import_nodes(parsed(modules()[name]), typing):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
            continue
        base = _base(name, node)
        deeper = {alias.name: f"{base}.{alias.name}" for alias in node.names}
        found |= {full if full in modules() else base for full in deeper.values()}
    return frozenset(found)


def ours(name: str, typing: bool = False) -> frozenset[str]:
    """Our own modules among those that module `name` imports."""
    return frozenset(other for other in imports_of(name, typing) if other.split(".")[0] in PACKAGES)


def libraries(name: str) -> frozenset[str]:
    """Top-level names of everything else that module `name` imports, the standard library included."""
    return frozenset(top for other in imports_of(name, True) if (top := other.split(".")[0]) not in PACKAGES)


@cache
def room_of(name: str) -> tuple[str, str]:
    """Package and room of a module; what lies beside the rooms is in room "". (rigging.poses.clip: rigging, poses.)"""
    package, *rest = name.split(".")
    is_room = bool(rest) and (ROOT / package / rest[0]).is_dir()
    return package, rest[0] if is_room else ""
