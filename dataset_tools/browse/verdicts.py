"""The index of what a site shows, with the validation's verdicts."""

from __future__ import annotations

import logging

from ..check.report import read_report
from ..load.index import SampleIndex, index_of
from ..store.layout import ReleaseFolder
from ..store.manifest import read_manifest

log = logging.getLogger(__name__)


def judged_index(folder: ReleaseFolder) -> SampleIndex:
    """A row for every sample; verdicts are the index's, or those of a report on exactly these shards.

    Raises FileNotFoundError for a folder without shards, ShardError, InputError.
    """
    index = index_of(folder.path)
    if (index["verdict"] != "").any() or not folder.report.is_file():
        return index
    report = read_report(folder.report)
    if report.shards.sha256 != _digests(folder):
        log.warning("%s is not of these shards: no verdicts are shown; validate again", folder.report)
        return index
    places = zip(index["shard"].tolist(), index["row"].tolist())
    return index.with_column("verdict", [report.verdict_of(shard, row) for shard, row in places])


def _digests(folder: ReleaseFolder) -> dict[str, str]:
    """File name -> sha256 of every shard that has a manifest, as it says."""
    numbers = [number for number in folder.shards() if folder.manifest(number).is_file()]
    return {folder.shard(number).name: read_manifest(folder.shard(number))["sha256"] for number in numbers}
