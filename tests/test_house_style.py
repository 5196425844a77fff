"""What every function and file of ours has: annotations, shapes in the docstring, a size that can be read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.figures.import_graph import PACKAGES, ROOT, modules, parsed

LONGEST_FUNCTION, LONGEST_FILE = 40, 250  # lines
LONGER = {  # what is longer, and how long: it may shrink, and nothing joins it
}
RANDOM_GLOBALS = {"seed", "rand", "randn", "random", "uniform", "normal", "choice", "shuffle", "permutation", "randint"}

# (V, 3), (21,), (..., 4, 4), (B, 2 J, 3), (height, width, 3), (len(names), 3); (...) is any shape, () a single number
_TERM = r"(?:[A-Z][A-Z_0-9]*[a-z]?|\*?[a-z_]+|\d+ ?[A-Z]?|\.\.\.|len\(\w+\))"
_LENGTH = rf"{_TERM}(?: ?[-+*/] ?{_TERM})*"
_NOT_WORDS_ALONE = r"(?=(?:len\(\w+\)|[^()])*(?:[A-Z\d]|\.\.\.|,\)|\b[a-z]\b))"
SHAPE = re.compile(rf"\((?:\.\.\.)?\)|\({_NOT_WORDS_ALONE}{_LENGTH}(?:,|(?:, {_LENGTH})+,?)\)")
_NAMED_ARRAYS = re.compile(r"(?:dict|Mapping)\[str, [^\[\]]*\]")  # what they are is said where the names are

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> Iterator[Function]:
    """All functions of a file, methods and inner ones included."""
    return (node for node in ast.walk(parsed(path)) if isinstance(node, Function))


def arguments(function: Function) -> list[ast.arg]:
    given = function.args
    return [arg for arg in (*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg) if arg]


def public(nodes: list[ast.stmt]) -> Iterator[Function]:
    """The functions of a module's body that others may call, and the methods of its classes."""
    for node in nodes:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public(node.body)
        elif isinstance(node, Function) and not node.name.startswith("_"):
            yield node


def is_on_arrays(function: Function) -> bool:
    """Whether an array or tensor goes in or out by itself; a dict of arrays by name is documented with its names."""
    hints = [arg.annotation for arg in arguments(function)] + [function.returns]
    texts = [_NAMED_ARRAYS.sub("", ast.unparse(hint)) for hint in hints if hint]
    return any("ndarray" in text or "Tensor" in text for text in texts)


def place(path: Path, function: Function) -> str:
    return f"{path.relative_to(ROOT)}:{function.lineno} {function.name}"


def files_of(package: str) -> list[Path]:
    return [path for name, path in modules().items() if name.split(".")[0] == package]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_function_is_annotated(package):
    for path in files_of(package):
        for function in functions(path):
            bare = [arg.arg for arg in arguments(function) if arg.annotation is None and arg.arg not in ("self", "cls")]
            assert not bare and function.returns, f"{place(path, function)}: {bare or 'what it returns'}"


@pytest.mark.parametrize("package", PACKAGES)
def test_public_functions_on_arrays_say_their_shapes(package):
    bare = [
        place(path, function)
        for path in files_of(package)
        for function in public(parsed(path).body)
        if is_on_arrays(function) and not SHAPE.search(ast.get_docstring(function) or "")
    ]
    assert not bare, "no shape such as (V, 3) or (...) in the docstring of\n" + "\n".join(bare)


@pytest.mark.parametrize(
    "text",
    [
        "(V, 3)",
        "(21,)",
        "(...)",
        "(..., 4, 4)",
        "(B, 2 J, 3)",
        "(N - 1,)",
        "(n, height, 3)",
        "(nodes,)",
        "(len(names), 3)",
    ],
)
def test_these_are_shapes(text):
    assert SHAPE.search(text)


@pytest.mark.parametrize(
    "text", ["(Kavan et al., I3D 2007)", "(the little finger, at rest)", "(hand, arm)", "(V)", "(see `match`)"]
)
def test_these_are_none(text):
    assert not SHAPE.search(text)


@pytest.mark.parametrize("package", PACKAGES)
def test_functions_and_files_can_be_read_at_a_sitting(package):
    found = {}
    for path in files_of(package):
        here = str(path.relative_to(ROOT))
        lengths = {f"{here} {node.name}": node.end_lineno - node.lineno + 1 for node in functions(path)}
        found |= {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION}
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE:
            found[here] = lines
    too_long = {name: lines for name, lines in found.items() if lines > LONGER.get(name, 0)}
    assert not too_long, f"longer than {LONGEST_FUNCTION} lines (functions), {LONGEST_FILE} (files): {too_long}"
    mended = {name for name in LONGER if name.startswith(f"{package}/")} - set(found)
    assert not mended, f"no longer long: take them out of LONGER: {mended}"


@pytest.mark.parametrize("package", PACKAGES)
def test_randomness_is_passed_in(package):
    for path in files_of(package):
        for node in ast.walk(parsed(path)):
            assert not (isinstance(node, ast.Import) and any(a.name == "random" for a in node.names)), path
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Attribute)
                and node.value.attr == "random"
            ):
                assert node.attr not in RANDOM_GLOBALS, f"{path.relative_to(ROOT)}:{node.lineno} uses global randomness"
