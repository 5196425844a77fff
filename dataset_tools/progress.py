"""Progress of long work: a bar on a terminal, a line every ten seconds in a log, with rate and time left."""

from __future__ import annotations

import logging
import sys
import threading
import time
from types import TracebackType

from tqdm import tqdm

log = logging.getLogger(__name__)

LINE_SECONDS = 10.0
MIB = 2**20


class Progress:
    """Counts what `unit` says ("B" are bytes), from any thread; `finished` of the `total` were there before."""

    def __init__(self, name: str, total: int, unit: str = "image", finished: int = 0) -> None:
        self.name, self.total, self.unit, self.finished = name, total, unit, finished
        self._count, self._start, self._told = finished, time.monotonic(), time.monotonic()
        self._lock, self._bar = threading.Lock(), None
        if sys.stderr.isatty():
            scale = {"unit_scale": True, "unit_divisor": 1024} if unit == "B" else {}
            self._bar = tqdm(total=total, initial=finished, unit=unit, desc=name, dynamic_ncols=True, **scale)

    def add(self, count: int) -> None:
        """`count` more are done."""
        with self._lock:
            self._count += count
            if self._bar is not None:
                self._bar.update(count)
            elif time.monotonic() - self._told >= LINE_SECONDS or self._count == self.total:
                self._told = time.monotonic()
                log.info("%s", self.line(self._told - self._start))

    def found(self, count: int) -> None:
        """`count` more were there before, as only shows now."""
        self.finished += count
        self._count += count
        if self._bar is not None:
            self._bar.initial += count
            self._bar.update(count)

    def line(self, seconds: float) -> str:
        """The state after `seconds` in words."""
        rate = (self._count - self.finished) / max(seconds, 1e-9)
        left = (self.total - self._count) / rate if rate else float("inf")
        share = 100 * self._count // max(self.total, 1)
        size, unit = (MIB, "MiB") if self.unit == "B" else (1, f"{self.unit}s")
        done = f"{self._count // size}/{self.total // size} {unit} ({share} %)"
        return f"{self.name}: {done}, {rate / size:.2f} {unit}/s, {duration(left)} left"

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()


def duration(seconds: float) -> str:
    """Seconds as 45 s, 3 min 05 s or 2 h 07 min."""
    if not seconds < 1e9:
        return "an unknown time"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
