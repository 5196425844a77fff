"""Moments in which one process alone looks at a lock and changes it, also where a file system knows no `flock`."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import time
from pathlib import Path

from rigging.files import NO_LOCKS

LEFT_SECONDS = 60.0  # a moment lasts milliseconds: a mark that is older was left by a process that died in it
POLL_SECONDS = 0.02


class Guard:
    """A context in which no other process is that uses the same `path`; it gives the file system's idea of the time.

    By `flock`. Where there is none (NFS without a lock daemon, Lustre mounted without it), by a mark beside it: a file
    that only one process can make, as its name must be new.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.mark = path, path.with_name(f"{path.name}.mark")
        self._marked = False

    def __enter__(self) -> float:
        self.file = open(self.path, "wb")
        try:
            try:
                fcntl.flock(self.file, fcntl.LOCK_EX)
            except OSError as error:
                if error.errno not in NO_LOCKS:
                    raise
                self._set_mark()
            return self._now()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        if self._marked:
            self.mark.unlink(missing_ok=True)
            self._marked = False
        self.file.close()

    def _now(self) -> float:
        os.utime(self.path)
        return self.path.stat().st_mtime

    def _set_mark(self) -> None:
        while not self._marked:
            try:
                os.close(os.open(self.mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
                self._marked = True
            except FileExistsError:
                self._remove_left_mark()
                time.sleep(POLL_SECONDS)

    def _remove_left_mark(self) -> None:
        """Of several that see an old mark one renames it; the others find it gone."""
        with contextlib.suppress(FileNotFoundError):
            if self._now() - self.mark.stat().st_mtime > LEFT_SECONDS:
                gone = self.mark.with_name(f"{self.mark.name}.{secrets.token_hex(4)}")
                os.rename(self.mark, gone)
                gone.unlink()
