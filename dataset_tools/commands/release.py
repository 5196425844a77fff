"""`mvhm release DATA --version X.Y.Z`: publish a validated folder of shards."""

from __future__ import annotations

import argparse
from pathlib import Path

from rigging.errors import InputError

KEPT = "without manifest.json the folder is no release yet; run it again"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of shards, whole and validated")
    parser.add_argument(
        "--version", required=True, metavar="X.Y.Z", help="semantic version, higher than the one before"
    )
    parser.add_argument("--previous", type=Path, metavar="FOLDER", help="the version before, if it is another folder")
    parser.add_argument(
        "--gate", type=Path, metavar="FILE", help="the estimators' report on this data, to be bound to it"
    )
    parser.add_argument("--changes", default="", metavar="TEXT|FILE", help="what changed, for the changelog (Markdown)")
    parser.add_argument("--homepage", metavar="URL", help="where the release is at home")
    parser.add_argument("--date", metavar="YYYY-MM-DD", help="date of publication (default: none is stated)")
    parser.add_argument(
        "--licence", action="append", default=[], metavar="WHAT=TERMS", help="terms, and after a comma the authors, "
        "of what brings none along: panoramas, photographs, hand, or a pose source; again for each",
    )  # fmt: skip
    parser.add_argument("--keep-paths", action="store_true", help="publish shards that name a home folder all the same")


def run(options: argparse.Namespace) -> int:
    """Publish; 0 done. Raises InputError for what is not to be published."""
    from ..release.publish import Request, publish

    request = Request(
        options.data, options.version, options.previous, options.gate, text_of(options.changes), options.homepage,
        options.date, dict(map(stated, options.licence)), options.keep_paths,
    )  # fmt: skip
    print(publish(request))
    return 0


def text_of(given: str) -> str:
    """The text, or that of the file it names. Raises InputError for what looks like a file that is not there."""
    named = bool(given) and "\n" not in given and len(given) < 255
    if named and Path(given).is_file():
        try:
            return Path(given).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise InputError(f"--changes {given}: not a text in UTF-8") from None
    if named and " " not in given and Path(given).suffix in (".md", ".txt"):
        raise InputError(f"--changes {given}: no such file")
    return given


def stated(text: str) -> tuple[str, str]:
    """WHAT and TERMS of `WHAT=TERMS`. Raises InputError."""
    what, equals, terms = text.partition("=")
    if not (what and equals and terms.strip()):
        raise InputError(f"--licence {text!r}: WHAT=TERMS is wanted, as in 'photographs=CC-BY-4.0, by A. Author'")
    return what, terms
