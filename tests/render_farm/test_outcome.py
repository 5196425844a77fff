"""One vocabulary of failure: every exception has a cause, every cause its words, exit code and what a farm does."""

import errno
import re
from pathlib import Path

import pytest

from render_farm.errors import (
    DisagreementError,
    DiskFullError,
    IncompleteError,
    InputError,
    LockedError,
    PassingError,
    RenderError,
)
from render_farm.outcome import MEANINGS, Cause, FarmDoes, Result, attempt, cause_of, reason_of
from rigging.errors import Terminated

PAGE = (Path(__file__).parents[2] / "docs" / "farm_failures.md").read_text(encoding="utf-8")


def test_every_cause_has_one_meaning_and_words_of_its_own():
    assert set(MEANINGS) == set(Cause)
    assert len({meaning.words for meaning in MEANINGS.values()}) == len(Cause)


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (LockedError("x"), Cause.LOCKED),
        (DiskFullError("x"), Cause.DISK_FULL),
        (OSError(errno.ENOSPC, "No space left on device"), Cause.DISK_FULL),
        (OSError(errno.EIO, "Input/output error"), Cause.ERROR),
        (Terminated("x"), Cause.INTERRUPTED),
        (KeyboardInterrupt(), Cause.INTERRUPTED),
        (SystemExit(1), Cause.INTERRUPTED),
        (PassingError("x"), Cause.INTERRUPTED),
        (InputError("x"), Cause.INPUT),
        (IncompleteError("x"), Cause.INCOMPLETE),
        (DisagreementError("x"), Cause.DISAGREEMENT),
        (RenderError("x"), Cause.ERROR),
        (MemoryError(), Cause.MEMORY),
        (ValueError("x"), Cause.ERROR),
    ],
)
def test_every_exception_has_a_cause(error, cause):
    assert cause_of(error) is cause


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause is not Cause.LOST])
def test_the_exception_of_a_cause_is_of_that_cause(cause):
    """So that a farm which raises what a node met with ends as the node's command would."""
    generic = cause_of(MEANINGS[cause].error("x"))
    assert generic in (cause, Cause.ERROR)
    assert MEANINGS[generic].farm is MEANINGS[cause].farm


def test_the_page_tells_every_cause_as_it_is():
    rows = [line.strip("| ").split(" | ") for line in PAGE.partition("## Causes")[2].splitlines() if line[:2] == "| "]
    told = {row[0]: row[1:] for row in rows[1 : 1 + len(Cause)]}
    assert told == {c: [m.words, str(m.error.exit_code), m.farm.value] for c, m in MEANINGS.items()}


def test_exit_codes_are_those_of_the_page():
    page = {int(code): words for code, words in re.findall(r"^\| (\d+) \| ([^|]*) \|", PAGE, re.MULTILINE)}
    assert {cause.meaning.error.exit_code for cause in Cause} == {1, 2, 75} <= set(page)
    for code, words in ((1, "samples are set aside"), (2, "wrong configuration"), (75, "the disk is full")):
        assert words in page[code]


def test_what_another_try_cannot_change_is_given_up_and_what_passes_is_waited_for():
    does = {does: {cause for cause in Cause if cause.meaning.farm is does} for does in FarmDoes}
    assert does[FarmDoes.GIVE_UP] == {Cause.INPUT, Cause.INCOMPLETE}
    assert does[FarmDoes.WAIT] == {Cause.DISK_FULL, Cause.INTERRUPTED}
    assert does[FarmDoes.LOOK_AGAIN] == {Cause.LOCKED}
    assert does[FarmDoes.PASS_ON] == {Cause.LOST}


def test_an_attempt_is_a_value_or_a_cause_with_one_line(caplog):
    def fail(error):
        raise error

    assert attempt(max, 1, 2) == Result(2)
    assert attempt(fail, InputError("no\n such pose")) == Result(None, Cause.INPUT, "no such pose")
    assert "Traceback" not in caplog.text
    assert attempt(fail, KeyError("a")) == Result(None, Cause.ERROR, "KeyError: 'a'")
    assert "Traceback" in caplog.text
    assert reason_of(KeyboardInterrupt()) == "KeyboardInterrupt"
