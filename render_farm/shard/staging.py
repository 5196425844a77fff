"""Finished samples of a shard, one file each, until the shard is written."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dataset_tools.store.encode import EncodedSample
from dataset_tools.store.errors import ShardError
from dataset_tools.store.names import staged_path
from dataset_tools.store.staged import read_staged
from rigging.files import write_atomic

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Staging:
    """The staging folder of one shard."""

    folder: Path

    def path(self, sample: int) -> Path:
        """Where `sample` is staged."""
        return staged_path(self.folder, sample)

    def open(self, sample_hash: str) -> None:
        """Make the folder ready for samples of this configuration; those of another one are removed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        mark = self.folder / "configuration"
        if mark.exists() and mark.read_text() != sample_hash:
            log.warning("%s: staged samples of another configuration removed", self.folder)
            shutil.rmtree(self.folder)
            self.folder.mkdir()
        for leftover in self.folder.glob(".*"):  # temporary files of a process that was killed
            leftover.unlink()
        write_atomic(mark, sample_hash.encode())

    def missing(self, samples: Sequence[int]) -> list[int]:
        """Those of `samples` that are not staged whole; a damaged file is removed, so that it is made again."""
        return [sample for sample in samples if not self._is_whole(sample)]

    def read(self, samples: Sequence[int]) -> Iterator[EncodedSample]:
        """The staged samples one after another."""
        return (read_staged(self.path(sample)) for sample in samples)

    def remove(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.folder)

    def _is_whole(self, sample: int) -> bool:
        try:
            read_staged(self.path(sample))
        except FileNotFoundError:
            return False
        except ShardError as error:
            log.warning("%s", error)
            self.path(sample).unlink()
            return False
        return True
