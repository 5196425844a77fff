"""Names of everything in a release's folder, once; nothing else spells them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

SHARD_NAME = re.compile(r"shard-(\d{5,})")
SHARD_FILE = re.compile(r"shard-(\d{5,})\.h5")


def shard_stem(shard: int) -> str:
    """The name that all files of shard number `shard` begin with."""
    return f"shard-{shard:05d}"


def shard_number(path: Path | str) -> int | None:
    """The shard that a file or folder is named after; None if it is none's."""
    match = SHARD_NAME.match(Path(path).name)
    return int(match[1]) if match else None


@dataclass(frozen=True)
class ReleaseFolder:
    """A folder OUT/RELEASE of shards, as it is rendered and as it is published."""

    path: Path

    # what is published

    def shard(self, shard: int) -> Path:
        """The shard's file."""
        return self.path / f"{shard_stem(shard)}.h5"

    def manifest(self, shard: int) -> Path:
        """The shard's manifest: its sha256, samples, configuration."""
        return self.path / f"{shard_stem(shard)}.json"

    def sheet(self, shard: int) -> Path:
        """The shard's contact sheet."""
        return self.path / f"{shard_stem(shard)}.png"

    @property
    def plan(self) -> Path:
        """What the release holds, decided before any pixel."""
        return self.path / "plan.npz"

    @property
    def rejects(self) -> Path:
        """The poses that the gate left out."""
        return self.path / "rejects.csv"

    @property
    def release_manifest(self) -> Path:
        """What a published release consists of; there only once all else is."""
        return self.path / "manifest.json"

    @property
    def index(self) -> Path:
        """A row for every sample, for numpy."""
        return self.path / "index.npz"

    @property
    def index_parquet(self) -> Path:
        """The same as Parquet."""
        return self.path / "index.parquet"

    @property
    def card(self) -> Path:
        """The data set's card."""
        return self.path / "README.md"

    @property
    def datasheet(self) -> Path:
        """The answers of a datasheet for data sets."""
        return self.path / "datasheet.md"

    @property
    def changelog(self) -> Path:
        """What changed from version to version."""
        return self.path / "CHANGELOG.md"

    @property
    def croissant(self) -> Path:
        """The description in Croissant's JSON-LD."""
        return self.path / "croissant.json"

    @property
    def validation(self) -> Path:
        """The folder of the validation's report."""
        return self.path / "validation"

    @property
    def report(self) -> Path:
        """The validation's verdicts."""
        return self.validation / "report.json"

    @property
    def preview(self) -> Path:
        """The card's picture."""
        return self.path / "preview.jpg"

    @property
    def gate(self) -> Path:
        """The estimators' report on the release."""
        return self.path / "gate.json"

    @property
    def previous(self) -> Path:
        """What the previous version's manifest and index wait in while the next version is written."""
        return self.path / ".previous"

    # what the loader keeps

    @property
    def built_index(self) -> Path:
        """The index of a folder that was never published, made on first use."""
        return self.path / ".index.npz"

    # what only rendering needs

    def incomplete(self, shard: int) -> Path:
        """Says what the shard lacks, while samples are quarantined."""
        return self.path / f"{shard_stem(shard)}.incomplete.json"

    def events(self, shard: int) -> Path:
        """The shard's log."""
        return self.path / ".events" / f"{shard_stem(shard)}.jsonl"

    def lock(self, shard: int) -> Path:
        """The shard's lock."""
        return self.path / ".locks" / f"{shard_stem(shard)}.lock"

    @property
    def plan_lock(self) -> Path:
        """The plan's lock."""
        return self.path / ".locks" / "plan.lock"

    def staging(self, shard: int) -> Path:
        """Where finished samples wait for the shard to be written."""
        return self.path / ".staging" / shard_stem(shard)

    @property
    def reproduced(self) -> Path:
        """Where samples that are rendered alone lie."""
        return self.path / ".reproduce"

    def shards(self) -> list[int]:
        """Numbers of the shards whose file is there, rising."""
        matches = (SHARD_FILE.fullmatch(path.name) for path in self.path.glob("shard-*.h5"))
        return sorted(int(match[1]) for match in matches if match)
