"""A release's site: thumbnails, a page for every sample, all of it static files that need no server and no network."""

from __future__ import annotations

import json
import os
import shutil
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from rigging.errors import InputError
from rigging.files import write_atomic

from ..load.dataset import HandDataset
from ..load.index import SampleIndex
from ..store.layout import ReleaseFolder
from ..workers import run_jobs
from .blocks import BLOCK, SIDE, Block, blocks, write_block
from .scripts import index_script, model_script
from .site_folder import key_of, site_folder
from .verdicts import judged_index

ASSETS = (
    "style.css", "base.js", "facets.js", "gallery.js", "overlay.js", "views.js", "bodies.js", "solid.js", "legend.js",
    "about.js", "sample.js", "app.js", "three.min.js", "three.LICENSE.txt",
)  # fmt: skip


def write_site(data: Path, out: Path | None = None, workers: int = 1) -> Path:
    """Write the site of the release in the folder `data` to `out` (default: DATA/browse); returns its first page.

    An interrupted run leaves no page at `out`, and the next one goes on with it. Raises InputError, FileNotFoundError
    without shards, ShardError, OSError, PassingError if a worker dies.
    """
    if not data.is_dir():
        raise InputError(f"{data}: no such folder; a folder of shards is wanted")
    folder = ReleaseFolder(data)
    index, final = judged_index(folder), out or folder.browse
    with site_folder(final, key_of(folder)) as part:
        jobs = blocks(data, part, list(zip(index["shard"].tolist(), index["row"].tolist())))
        write_blocks(jobs, workers)
        write_pages(part, folder, index, [name for job in jobs for name in json.loads(job.mark.read_text())])
        shutil.rmtree(part / "marks")
    return final / "index.html"


def write_blocks(jobs: list[Block], workers: int) -> None:
    """Write those blocks that are not there yet, on that many processes."""
    left = [job for job in jobs if not job.mark.is_file()]
    for _ in run_jobs(write_block, left, [len(job.places) for job in left], workers, "samples"):
        pass


def write_pages(site: Path, folder: ReleaseFolder, index: SampleIndex, gestures: list[str]) -> None:
    """Write what all samples share into `site`; the first page comes last."""
    dataset = HandDataset(folder.path, fields=["sample"])
    facts = release_facts(folder, dataset)
    (site / "data").mkdir(exist_ok=True)
    write_atomic(site / "data" / "model.js", model_script(dataset))
    write_atomic(site / "data" / "index.js", index_script(index, gestures, facts))
    for name in ASSETS:
        write_atomic(site / name, files(__package__).joinpath("site", name).read_bytes())
    page = files(__package__).joinpath("site", "index.html").read_text(encoding="utf-8")
    write_atomic(site / "index.html", page.replace("{title}", escape(facts["title"])).encode())


def release_facts(folder: ReleaseFolder, dataset: HandDataset) -> dict[str, Any]:
    """What the site says of the release as a whole, and how its sheets of thumbnails are cut."""
    release = str(dataset.attrs["release"])
    version = _version(folder)
    return {
        "title": f"{release} {version}".strip(), "folder": os.path.basename(os.path.realpath(folder.path)),
        "licence": str(dataset.attrs.get("licence", "")), "hash": str(dataset.attrs["configuration_hash"])[:12],
        "sheet": {"side": SIDE, "block": BLOCK}, "sizes": {name: dataset.sizes[name] for name in "VHW"},
    }  # fmt: skip


def _version(folder: ReleaseFolder) -> str:
    """The published version; empty for a folder that is none."""
    if not folder.release_manifest.is_file():
        return ""
    try:
        return str(json.loads(folder.release_manifest.read_bytes()).get("version", ""))
    except (ValueError, AttributeError):
        raise InputError(f"{folder.release_manifest}: damaged; fetch it again") from None
