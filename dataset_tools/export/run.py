"""Exporting: a release, part by part, into a folder of one of the formats."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from rigging.errors import InputError
from rigging.files import atomic_file

from ..load.fields import require_pinholes
from ..progress import Progress
from . import coco, freihand, hamer, huggingface, interhand, meshes, webdataset
from .conventions import CONVENTIONS
from .folder import WHOLE, begin, seal
from .source import Sample, Source, open_source, read_part
from .target import Target

log = logging.getLogger(__name__)

TARGETS: dict[str, Callable[[Source], Target]] = {
    "webdataset": webdataset.target,
    "huggingface": huggingface.target,
    "freihand": freihand.target,
    "interhand": interhand.target,
    "coco": coco.target,
    "coco-wholebody": coco.whole_body_target,
    "hamer": hamer.target,
    "obj": partial(meshes.target, ending="obj"),
    "ply": partial(meshes.target, ending="ply"),
    "glb": partial(meshes.target, ending="glb"),
}


def export(kind: str, data: Path, out: Path) -> Path:
    """Write the shard or folder of shards `data` as `kind` (a name of TARGETS) into `out`; returns its export.json.

    Each file is there in full or not at all; export.json comes last. An interrupted export goes on with the parts (of
    a split, in a shard) that are not there yet; one that is whole is left as it is. The same data give the same bytes.
    Raises InputError for a folder that holds something else, or cameras that the format cannot describe; ShardError for
    damaged data, OSError for a full disk.
    """
    source = open_source(data)
    target, convention = TARGETS[kind](source), CONVENTIONS[kind]
    if missing := [name for name in target.needs if find_spec(name) is None]:
        raise InputError(f"{kind} needs {', '.join(missing)}: pip install -c constraints.txt '.[publish]'")
    if not target.lenses:
        require_pinholes(source.lenses, data, kind, "webdataset, obj, ply and glb have")
    request = {"format": kind, "release": source.attrs["release"], "shards": dict(source.shards)}
    if begin(out, request):
        log.info("%s: there already, whole", out)
        return out / WHOLE
    with Progress(f"export {kind}", len(source), "sample") as progress:
        for part in source.parts:
            path = target.file(part, out)
            if path.is_file():
                progress.found(len(part))
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            samples = counted(read_part(part, target.fields), progress)
            with atomic_file(path) as file:
                target.write(samples, part, convention, file, out)
                if target.scatters:
                    os.sync()
    target.finish(source, convention, out)
    facts = {"licence": source.attrs["licence"], "splits": source.splits, "views": source.sizes["V"]}
    facts["convention"] = asdict(convention)
    return seal(out, request, facts)


def counted(samples: Iterable[Sample], progress: Progress) -> Iterator[Sample]:
    """The samples, each counted once it is dealt with."""
    for sample in samples:
        yield sample
        progress.add(1)
