"""Progress of a shard: a bar on a terminal, a line every ten seconds in a log."""

from __future__ import annotations

import logging
import sys
import time
from types import TracebackType

from tqdm import tqdm

log = logging.getLogger(__name__)

LINE_SECONDS = 10.0


class Progress:
    """Counts images; `finished` of the `total` were there before."""

    def __init__(self, name: str, total: int, finished: int) -> None:
        self.name, self.total, self.finished = name, total, finished
        self._count, self._start, self._told = finished, time.monotonic(), time.monotonic()
        terminal = sys.stderr.isatty()
        self._bar = tqdm(total=total, initial=finished, unit="img", desc=name, dynamic_ncols=True) if terminal else None

    def add(self, images: int) -> None:
        """`images` more are done."""
        self._count += images
        if self._bar is not None:
            self._bar.update(images)
        elif time.monotonic() - self._told >= LINE_SECONDS or self._count == self.total:
            self._told = time.monotonic()
            log.info("%s", self.line(self._told - self._start))

    def found(self, images: int) -> None:
        """`images` more were there before, as only shows now."""
        self.finished += images
        self._count += images
        if self._bar is not None:
            self._bar.initial += images
            self._bar.update(images)

    def line(self, seconds: float) -> str:
        """The state after `seconds` in words."""
        rate = (self._count - self.finished) / max(seconds, 1e-9)
        left = (self.total - self._count) / rate if rate else float("inf")
        share = 100 * self._count // max(self.total, 1)
        return f"{self.name}: {self._count}/{self.total} images ({share} %), {rate:.2f} images/s, {duration(left)} left"

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
