"""Parts of a gate that are made once: what an interrupted gate had finished is reused, if made of the same things."""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rigging.errors import InputError
from rigging.files import write_atomic

log = logging.getLogger(__name__)

NAME_DIGITS = 12


@dataclass(frozen=True)
class Kept:
    """A folder of finished parts; `of` is what they all are made of: the data's hash, version, preset.

    A part's file or folder bears a hash of that and of all else it is made of in its name: what is made of other things
    has another name. A mark beside it says that it is finished, and how long it took.
    """

    folder: Path
    of: Mapping[str, Any]
    seconds: dict[str, float] = field(default_factory=dict)  # that each kind of part took, whenever it was made
    told: set[Path] = field(default_factory=set)  # places that are counted in them

    def once(
        self, name: str, more: Mapping[str, Any], make: Callable[[Path], object], suffix: str = "", kind: str = ""
    ) -> Path:
        """The place of the part `name`, made of `more` besides, by `make(place)` unless it is finished.

        An unfinished one is given to `make` as it was left. Names are words with spaces; `kind` is what its seconds are
        counted under (default: its name).
        """
        place = self.place(name, more, suffix)
        mark = _mark(place)
        if mark.is_file():
            log.log(logging.DEBUG if place in self.told else logging.INFO, "%s: done before", name)
        else:
            log.info("%s ...", name)
            start = time.monotonic()
            self.folder.mkdir(parents=True, exist_ok=True)
            make(place)
            write_atomic(mark, json.dumps({"seconds": round(time.monotonic() - start, 1)}).encode())
        if place not in self.told:
            self.told.add(place)
            spent = json.loads(mark.read_bytes())["seconds"]
            self.seconds[kind or name] = self.seconds.get(kind or name, 0.0) + spent
        return place

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other gates out of the folder. Raises InputError where one is at work in it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / ".lock", "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(
                    f"{self.folder}: another gate is at work there; wait for it, or choose another --out"
                ) from None
            except OSError as error:  # a file system without locks
                log.warning("%s: not locked (%s); let no other gate work there", self.folder, error.strerror)
            yield

    def place(self, name: str, more: Mapping[str, Any], suffix: str = "") -> Path:
        """Where the part `name`, made of `more` besides, lies or will lie."""
        text = json.dumps({**self.of, **more}, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:NAME_DIGITS]
        return self.folder / f"{name.replace(', ', ' ').replace(' ', '-')}-{digest}{suffix}"

    def finished(self, place: Path) -> bool:
        """Whether the part at a place is finished."""
        return _mark(place).is_file()


def _mark(place: Path) -> Path:
    return place.with_name(f"{place.name}.done")
