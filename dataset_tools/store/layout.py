"""Names of everything in a release's folder, once; nothing else spells them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .names import PART, manifest_path, names_in, shard_number, shard_stem, sheet_path


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
        return manifest_path(self.shard(shard))

    def sheet(self, shard: int) -> Path:
        """The shard's contact sheet."""
        return sheet_path(self.shard(shard))

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
    def statistics(self) -> Path:
        """The folder of the release's statistics and their plots."""
        return self.path / "statistics"

    @property
    def statistics_table(self) -> Path:
        """The statistics as numbers."""
        return self.statistics / "statistics.json"

    @property
    def judge(self) -> Path:
        """The folder of what an outside detector makes of the release."""
        return self.path / "judge"

    @property
    def judge_table(self) -> Path:
        """That as numbers."""
        return self.judge / "judge.json"

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

    # what is made of it to look at; no part of the release

    @property
    def browse(self) -> Path:
        """The folder of the static site."""
        return self.path / "browse"

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
        """The shard's event log."""
        return self.path / ".events" / f"{shard_stem(shard)}.jsonl"

    @property
    def locks(self) -> Path:
        """The folder of locks."""
        return self.path / ".locks"

    def lock(self, shard: int) -> Path:
        """The shard's lock."""
        return self.locks / f"{shard_stem(shard)}.lock"

    @property
    def plan_lock(self) -> Path:
        """The plan's lock."""
        return self.locks / "plan.lock"

    def farm_mark(self, token: str) -> Path:
        """A file by which a farm's nodes see whether their folder is the driver's."""
        return self.locks / f"farm-{token}"

    def staging(self, shard: int) -> Path:
        """Where finished samples wait for the shard to be written, and its workers' output lies."""
        return self.path / ".staging" / shard_stem(shard)

    def log(self, shard: int) -> Path:
        """What a farm's process said while it was at the shard."""
        return self.path / ".logs" / f"{shard_stem(shard)}.log"

    @property
    def plan_log(self) -> Path:
        """What a farm's process said while it planned."""
        return self.path / ".logs" / "plan.log"

    def inputs(self, kind: str) -> Path:
        """What the release's files of a kind held when it was planned, as `sha256sum` writes it."""
        return self.path / ".inputs" / f"{kind.replace(' ', '-')}.sha256"

    @property
    def places(self) -> Path:
        """Where those files lay when a shard was last begun."""
        return self.path / ".inputs" / "places.json"

    @property
    def reproduced(self) -> Path:
        """Where samples that are rendered alone lie."""
        return self.path / ".reproduce"

    # what there is

    def shards(self) -> list[int]:
        """Numbers of the shards whose file is there, rising."""
        return self._numbers(self.shard)

    def reported(self) -> list[int]:
        """Numbers of the shards that a report says are incomplete, rising."""
        return self._numbers(self.incomplete)

    def logged(self) -> list[int]:
        """Numbers of the shards that have an event log, rising."""
        return self._numbers(self.events)

    def traces(self) -> list[int]:
        """Numbers of the shards of which there is anything, rising."""
        numbers = {shard_number(name) for folder in self.folders_of_traces() for name in names_in(folder)}
        return sorted(numbers - {None})

    def folders_of_traces(self) -> tuple[Path, ...]:
        """The folders that hold what is named after a shard."""
        return self.path, *(self._parent(named) for named in (self.events, self.lock, self.staging))

    def owns(self, name: str) -> bool:
        """Whether `name` is that of a file that belongs in this folder, published or not."""
        shard = shard_number(name)
        if shard is None:
            return self.path / name in self.release_files
        files = (named(shard).name for named in (self.shard, self.manifest, self.sheet, self.incomplete))
        return name in files or PART.fullmatch(name.removeprefix(shard_stem(shard))) is not None

    @property
    def plan_files(self) -> tuple[Path, ...]:
        """What planning leaves; the plan is written last."""
        return self.rejects, self.plan

    @property
    def release_files(self) -> tuple[Path, ...]:
        """Files and folders of the release as a whole."""
        return (
            *self.plan_files, self.release_manifest, self.index, self.index_parquet, self.card, self.datasheet,
            self.changelog, self.croissant, self.validation, self.statistics, self.judge, self.preview,
            self.gate,
        )  # fmt: skip

    def _numbers(self, named: Callable[[int], Path]) -> list[int]:
        """Numbers of the shards n for which there is a file or folder `named(n)`, rising."""
        folder = self._parent(named)
        found = ((name, shard_number(name)) for name in names_in(folder))
        return sorted(shard for name, shard in found if shard is not None and named(shard).name == name)

    @staticmethod
    def _parent(named: Callable[[int], Path]) -> Path:
        return named(0).parent
