"""Progress of reading: a bar on a terminal, a line in a log."""

from __future__ import annotations

import logging
import sys
import threading
import time
from types import TracebackType

from tqdm import tqdm

log = logging.getLogger(__name__)

LINE_SECONDS = 10.0


class Progress:
    """Counts bytes, or what `unit` says, from any thread."""

    def __init__(self, name: str, total: int, unit: str = "B") -> None:
        self.name, self.total, self.unit, self._count, self._told = name, total, unit, 0, time.monotonic()
        self._lock = threading.Lock()
        scale = {"unit_scale": True, "unit_divisor": 1024} if unit == "B" else {}
        self._bar = tqdm(total=total, desc=name, unit=unit, leave=False, **scale) if sys.stderr.isatty() else None

    def add(self, count: int) -> None:
        """`count` more are done."""
        with self._lock:
            self._count += count
            if self._bar is not None:
                self._bar.update(count)
            elif time.monotonic() - self._told >= LINE_SECONDS:
                self._told = time.monotonic()
                log.info("%s: %.0f %%", self.name, 100 * self._count / max(self.total, 1))

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: type | BaseException | TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()
