"""The changelog, kept over versions, newest first."""

from __future__ import annotations

import re

ENTRY = re.compile(r"(?m)^## ")
HEADING = re.compile(r"(?m)^#{1,2} ")  # in a maintainer's text: would be taken for an entry


def changelog(name: str, version: str, date: str | None, changes: str, before: str = "") -> str:
    """The changelog's text with an entry for `version` put first.

    `before` is the file as it was, "" for none; an entry for the same version in it, from an interrupted run, goes.
    """
    head = f"# Changelog of {name}"
    below = HEADING.sub("### ", changes.strip())
    entry = f"{version}{f' ({date})' if date else ''}\n\n{below}\n"
    old, *entries = ENTRY.split(before) if before else [""]
    kept = [text for text in entries if text.split(maxsplit=1)[:1] != [version]]
    notes = old.removeprefix(head).strip()
    return "\n".join(
        [f"{head}\n", *([notes + "\n"] if notes else []), *(f"## {text.rstrip()}\n" for text in (entry, *kept))]
    )
