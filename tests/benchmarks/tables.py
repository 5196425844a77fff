"""Markdown: rows of tables, and sections of a page."""

from __future__ import annotations


def row(*cells: object) -> str:
    """A row of a table."""
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def rule(columns: dict) -> str:
    """The line below a table's head, for one column more than `columns`."""
    return "|---" * (len(columns) + 1) + "|"


def with_section(text: str, section: str) -> str:
    """A page with a section in place of the one of its title, or at its end."""
    parts = text.rstrip("\n").split("\n\n## ")
    title, body = section.removeprefix("## ").split("\n", 1)
    titles = [part.split("\n", 1)[0] for part in parts]
    number = titles.index(title) if title in titles else len(parts)
    return "\n\n## ".join([*parts[:number], f"{title}\n{body}", *parts[number + 1 :]]) + "\n"
