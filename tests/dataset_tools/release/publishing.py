"""A folder of shards that is ready to be published, and commands as they are called."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from records import shard_record

from dataset_tools.store.encode import encode_sample
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.release_manifest import data_hash
from dataset_tools.store.writer import write_manifest, write_shard
from rigging.errors import MvhmError
from rigging.files import file_sha256
from rigging.hand.asset import DEFAULT_ASSET

CLIPS = ({"name": "turn", "source": "test", "licence": "CC-BY-4.0"},)
CHECK = {
    "name": "depth", "what": "depth against rays", "unit": "mm", "limit": 0.2, "at_least": False, "worst": 0.0412,
    "where": "sample 1, view 0", "failed": 0,
}  # fmt: skip
SETTINGS = {"name": "test", "samples": 4, "shard_size": 3, "seed": 7}


class Ran(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


def run(command: str, *words: Any) -> Ran:
    """Run a command of the package."""
    module = importlib.import_module(f"dataset_tools.commands.{command}")
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    out, err = io.StringIO(), ""
    with contextlib.redirect_stdout(out):
        try:
            code = module.run(parser.parse_args([str(word) for word in words]))
        except MvhmError as error:
            code, err = error.exit_code, str(error)
    return Ran(code, out.getvalue(), err)


def write_plan(folder: Path, settings: dict = SETTINGS, clips: tuple = CLIPS, asset: str | None = None) -> None:
    """The part of a plan that publishing reads."""
    asset = file_sha256(DEFAULT_ASSET) if asset is None else asset
    texts = {"release": json.dumps(settings), "clips": json.dumps(clips), "asset": asset}
    np.savez(folder / "plan.npz", **{name: np.array(text) for name, text in texts.items()})


def write_report(folder: Path, **changes: Any) -> None:
    """A report of a validation that passes, of the shards as they are; `changes` replace entries of it."""
    told = [json.loads(path.read_text()) for path in sorted(folder.glob("shard-*.json"))]
    results = [
        {"shard": of["shard"], "row": row, "sample": row, "verdict": "pass", "score": 0.0, "failed": [],
         "messages": [], "figures": {}}
        for of in told for row in range(of["samples"])
    ]  # fmt: skip
    report = {
        "format": "mvhm-validation", "version": 1, "release": told[0]["release"],
        "configuration_hash": told[0]["configuration_hash"],
        "shards": {"expected": len(told), "present": len(told), "sha256": {of["file"]: of["sha256"] for of in told}},
        "samples": len(results), "verdict": "pass", "problems": [], "results": results,
        "checks": [CHECK],
    }  # fmt: skip
    (folder / "validation").mkdir(exist_ok=True)
    (folder / "validation" / "report.json").write_text(json.dumps(report | changes))


def gate_report(folder: Path) -> dict[str, Any]:
    """A report of estimators that pass on the shards as they are."""
    told = [json.loads(path.read_text()) for path in folder.glob("shard-*.json")]
    data = data_hash({of["file"]: of["sha256"] for of in told})
    return {"format": "mvhm-gate", "version": 1, "data_hash": data, "verdict": "pass", "summary": {"pck": 0.91}}


def write_shard_of(folder: Path, shard: int, records: list[dict], **changes: Any) -> None:
    """Write a shard and its manifest; `changes` replace entries of the shard's record."""
    path = ReleaseFolder(folder).shard(shard)
    write_manifest(path, write_shard(path, map(encode_sample, records), shard_record() | {"shard": shard} | changes))


def copy_of(folder: Path, to: Path) -> Path:
    """A copy to break, without what is hidden: a loader may have left its own index there."""
    shutil.copytree(folder, to, ignore=shutil.ignore_patterns(".*"))
    return to


def contents(folder: Path) -> dict[str, bytes]:
    """Bytes of every file of a folder, by path."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def published(folder: Path, version: str = "1.0.0", *words: Any) -> Path:
    """Publish a folder, which must succeed."""
    ran = run("release", folder, "--version", version, *words)
    assert (ran.code, ran.err) == (0, "")
    return folder
