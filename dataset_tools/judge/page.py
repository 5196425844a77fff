"""The table as a page of Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .table import error_text, percent

HEAD = ("", "views", "subjects", "hand found", "error, median", "error, mean", "left or right", "astray")
ABOUT = (
    "Errors are means over 21 joints, after the fixed joint map, in shares of the longer side of the hand's box; in "
    "brackets 95 % intervals over subjects."
)


def page(table: Mapping[str, Any]) -> str:
    """All figures as Markdown."""
    lines = ["# An outside opinion", ""]
    lines += [f"- {name}: {text}" for name, text in table["summary"].items()]
    lines += ["", ABOUT, f"Astray: of the hands found, those with an error above {table['astray_from']:g}."]
    lines += ["", _row(HEAD), _row(["---"] * len(HEAD)), _line("all", table["all"])]
    for grouping, groups in table["groups"].items():
        lines += [_line(f"{grouping}: {name}", of) for name, of in groups.items()]
    lines += ["", _row(("joint", "median error")), _row(("---", "---"))]
    lines += [_row((name, f"{error:.3f}")) for name, error in table["joints"].items()]
    return "\n".join(lines) + "\n"


def _line(name: str, of: Mapping[str, Any]) -> str:
    start = [name, of["views"], of["subjects"], percent(of["found"])]
    if of["error"] is None:
        return _row([*start, "", "", "", ""])
    error = of["error"]
    return _row(
        [*start, f"{error['median']:.3f}", error_text(error), percent(of["side"]), f"{100 * of['astray']:.1f} %"]
    )


def _row(cells: Any) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
