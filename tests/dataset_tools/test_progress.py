"""Progress: a bar on a terminal, in a log a line every ten seconds, with what is done, the rate and the time left."""

import logging

import pytest

from dataset_tools import progress
from dataset_tools.progress import LINE_SECONDS, Progress, duration


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_in_a_log_it_is_a_line_every_ten_seconds_and_one_at_the_end(clock, caplog):
    assert LINE_SECONDS == 10
    with caplog.at_level(logging.INFO), Progress("demo", total=40, finished=4) as bar:
        for _ in range(36):
            clock[0] += 1
            bar.add(1)
    assert caplog.messages == [
        "demo: 14/40 images (35 %), 1.00 images/s, 26 s left",
        "demo: 24/40 images (60 %), 1.00 images/s, 16 s left",
        "demo: 34/40 images (85 %), 1.00 images/s, 6 s left",
        "demo: 40/40 images (100 %), 1.00 images/s, 0 s left",
    ]


def test_what_was_there_before_is_no_speed(clock):
    bar = Progress("demo", total=40)
    bar.found(20)
    bar.add(10)
    assert bar.line(10.0) == "demo: 30/40 images (75 %), 1.00 images/s, 10 s left"


def test_on_a_terminal_it_is_a_bar(monkeypatch, caplog):
    class Terminal:
        text = ""

        def write(self, text):
            self.text += text

        def flush(self):
            pass

        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(progress.sys, "stderr", terminal)
    with Progress("demo", total=40, finished=20) as bar:
        bar.add(20)
    assert "demo: 100%" in terminal.text and "40/40" in terminal.text
    assert not caplog.messages


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(45, "45 s"), (185, "3 min 05 s"), (7620, "2 h 07 min"), (float("inf"), "an unknown time")],
)
def test_durations_in_words(seconds, words):
    assert duration(seconds) == words
