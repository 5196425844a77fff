"""The report of a gate: what every tier found, pass or fail, and the JSON that `mvhm release --gate` takes."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataset_tools.release.gate import FORMAT, FORMAT_VERSION, parsed_report
from dataset_tools.store.layout import ReleaseFolder
from rigging.errors import InputError
from rigging.files import write_atomic

from .claims import MANY, ONE
from .extras import Found
from .tier0 import Tier0
from .tier1 import Overfitted
from .tier2 import SPLIT, Tier2
from .tier3 import Tier3


@dataclass(frozen=True)
class About:
    """What was judged, and with what."""

    release: str
    configuration_hash: str
    data_hash: str
    splits: Mapping[str, int]  # samples of each
    preset: str
    mvhm: str  # versions
    torch: str
    device: str
    other: str = ""  # data of another look that were trained and tested on, by the hash of their bytes

    @property
    def lacking(self) -> tuple[str, ...]:
        """Splits that training and testing need, and the release does not have."""
        return tuple(split for split in ("train", "val", SPLIT) if split not in self.splits)


@dataclass(frozen=True)
class GateReport:
    """All of a gate; a tier that was not reached is None."""

    about: About
    tier0: Tier0
    tier1: tuple[Overfitted, ...] | None = None
    tier2: Tier2 | None = None
    tier3: Tier3 | None = None
    tables: tuple[Found, ...] = ()  # that the preset asks for
    seconds: Mapping[str, float] = dataclasses.field(default_factory=dict)  # that each part took

    @property
    def problems(self) -> tuple[str, ...]:
        """A line for everything that lets the release fail."""
        lines = [f"tier 0: {line}" for line in self.tier0.problems]
        lines += [f"there is no split {split!r}" for split in self.about.lacking]
        if self.tier1 is None or self.tier2 is None:
            return (*lines, "tiers 1 to 3: not run")
        lines += [f"tier 1: {one.problem}" for one in self.tier1 if one.problem]
        return (*lines, *(f"tier 2: {line}" for line in self.tier2.problems))

    @property
    def verdict(self) -> str:
        """ "pass" or "fail"."""
        return "fail" if self.problems else "pass"

    @property
    def summary(self) -> str:
        """The report in a sentence or two, for the release's card."""
        if self.tier2 is None:
            return f"Preset {self.about.preset}: {self.problems[0]}."
        must = [one for one in self.tier2.findings if one.claim.must]
        held = sum(one.holds for one in must)
        one, many = (self.tier2.means.get(arm, math.nan) for arm in (ONE, MANY))
        return (
            f"Preset {self.about.preset}: root-relative error without an oracle, on {self.tier2.subjects} subjects "
            f"never trained on, {one:.1f} mm from one view (mvhm_sv), {many:.1f} mm from 8 (mvhm_mv); "
            f"{held} of {len(must)} claims that must hold do."
        )

    def table(self) -> dict[str, Any]:
        """The report as JSON has it."""
        head = {"format": FORMAT, "version": FORMAT_VERSION, "verdict": self.verdict}
        head |= {"data_hash": self.about.data_hash, "summary": self.summary, "problems": list(self.problems)}
        return plain(head | dataclasses.asdict(self))


def plain(value: Any) -> Any:
    """Tables, lists and numbers that JSON can hold: numbers to 6 digits, NaN and infinity as null."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value


def write_report(path: Path, report: GateReport) -> None:
    """Write the JSON, all of it or nothing."""
    write_atomic(path, (json.dumps(report.table(), indent=1, allow_nan=False) + "\n").encode())


def read_previous(path: Path) -> dict[str, Any]:
    """An earlier report as a table: its file, or the folder of a published release that holds it.

    Raises InputError where there is none.
    """
    file = ReleaseFolder(path).gate if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"--previous {path}: no gate report there (a report's JSON, or a release with gate.json)")
    return parsed_report(file.read_bytes(), f"--previous {file}")
