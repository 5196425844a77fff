"""Semantic versions (semver.org 2.0.0) and their order."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rigging.errors import InputError

NUMBER = r"(0|[1-9]\d*)"
WORD = r"(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)"
PATTERN = re.compile(
    rf"{NUMBER}\.{NUMBER}\.{NUMBER}(?:-({WORD}(?:\.{WORD})*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)


@dataclass(frozen=True)
class Version:
    """`major.minor.patch`, perhaps with `-prerelease` and `+build`."""

    text: str

    def __post_init__(self) -> None:
        if not (self.text.isascii() and PATTERN.fullmatch(self.text)):
            raise InputError(f"version {self.text!r}: a semantic version is wanted, such as 1.0.0 or 2.1.0-rc.1")

    @property
    def precedence(self) -> tuple:
        """Sorts as semver.org's rule 11 says: a prerelease before its version, numbers before words, no build."""
        major, minor, patch, prerelease, _ = PATTERN.fullmatch(self.text).groups()
        words = [(0, int(word), "") if word.isdigit() else (1, 0, word) for word in (prerelease or "").split(".")]
        return int(major), int(minor), int(patch), prerelease is None, words if prerelease else []

    def __lt__(self, other: Version) -> bool:
        return self.precedence < other.precedence

    def __str__(self) -> str:
        return self.text


def next_version(text: str, published: str | None) -> Version:
    """The version `text`. Raises InputError where it is not one, or not higher than the `published` one."""
    version = Version(text)
    if published is not None and not Version(published) < version:
        raise InputError(f"version {text}: a version higher than {published} is wanted, which is published there")
    return version
