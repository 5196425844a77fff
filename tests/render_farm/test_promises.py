"""Pages for operators: every sentence and every row of a table is in promises/*.toml with the tests that hold it."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
TABLES = sorted((Path(__file__).parent / "promises").glob("*.toml"))
# A sentence ends where the next one begins with a capital letter, markup or the end of the paragraph.
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`\[\"(])")


def promises(page: str) -> Iterator[str]:
    """The sentences of a page and rows of its tables, without headings, table heads, code, bold and links."""
    text = re.sub(r"^```.*?^```$", "\n", page, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"\]\([^)]*\)", "]", text).replace("**", "")
    text = re.sub(r"^\|.*\|\n\|[-| ]+\|$", "\n", text, flags=re.MULTILINE)  # the head of a table
    text = re.sub(r"^(\||- |#.*$)", r"\n\1", text, flags=re.MULTILINE)
    for paragraph in re.split(r"\n\s*\n", text):
        words = " ".join(paragraph.split())
        if words.startswith("|"):
            yield words.strip("| ")
        elif words and not words.startswith("#"):
            yield from SENTENCE_END.split(words.removeprefix("- "))


def table(path: Path) -> dict:
    return tomllib.loads(path.read_text(encoding="utf-8"))


@cache
def functions_of(path: Path) -> frozenset[str]:
    """Names of the test functions of a file."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_sentence_of_a_page_is_in_its_table(path):
    page = (TESTS.parent / table(path)["page"]).read_text(encoding="utf-8")
    listed = [promise["says"] for promise in table(path)["promise"]]
    assert sorted(set(promises(page)) - set(listed)) == [], "not in the table"
    assert sorted(set(listed) - set(promises(page))) == [], "not on the page"
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_promise_names_tests_that_are_there_or_says_why_there_is_nothing_to_hold(path):
    for promise in table(path)["promise"]:
        assert bool(promise.get("tests")) != bool(promise.get("no_promise")), promise["says"]
        for name in promise.get("tests", ()):
            file, _, function = name.partition("::")
            assert (TESTS / file).is_file() and function in functions_of(TESTS / file), f"{name}: there is no such test"


def test_a_page_is_cut_into_sentences_and_rows():
    page = """# Title

A promise. Another
one, see [there](x.md). `Code` too.

- A point
  of two lines.
- Another.

| head | of it |
|---|---|
| a row | cell |

```
code. No promise.
```
"""
    assert list(promises(page)) == [
        "A promise.", "Another one, see [there].", "`Code` too.", "A point of two lines.", "Another.", "a row | cell",
    ]  # fmt: skip
