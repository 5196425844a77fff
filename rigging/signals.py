"""Signals that a run must not miss: Ctrl-C and a request to end."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from .errors import Terminated

AGAIN = 0.02  # seconds until a lost signal is sent once more
_SIGNALS = {KeyboardInterrupt: signal.SIGINT, Terminated: signal.SIGTERM}


@contextmanager
def heard() -> Iterator[None]:
    """Within it, what a signal raises ends the main thread's work wherever it arrives.

    Python runs a handler between any two steps of the main thread. If that is in a callback of a weak reference or in
    `__del__`, as every import and every process that is started has some, the exception is printed and lost; it is
    sent again then.
    """
    before = sys.unraisablehook
    sys.unraisablehook = partial(_again, before)
    try:
        yield
    finally:
        sys.unraisablehook = before


def _again(otherwise: Callable[[sys.UnraisableHookArgs], object], lost: sys.UnraisableHookArgs) -> None:
    number = _SIGNALS.get(lost.exc_type)
    if number is None:
        otherwise(lost)
        return
    timer = threading.Timer(AGAIN, signal.pthread_kill, (threading.main_thread().ident, number))
    timer.daemon = True
    timer.start()  # not at once: here it would be lost again
