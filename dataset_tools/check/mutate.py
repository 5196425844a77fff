"""A copy of a release in which one thing is broken and every checksum, sha256 and manifest is right."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from rigging.errors import InputError, is_disk_full
from rigging.files import file_sha256, write_atomic

from ..load.shard_set import ShardSet
from ..store.carry import encoded_of, recoded, record_of, shard_record_of
from ..store.encode import EncodedSample
from ..store.errors import ShardError
from ..store.layout import ReleaseFolder
from ..store.release_manifest import data_hash, listed, read_release_manifest, sealed
from ..store.shard_file import ShardFile
from ..store.writer import write_manifest, write_shard
from .mutations import MUTATIONS, Mutation, MutationError, Record
from .shard import against_words

Place = tuple[int, int]  # number of the shard, row in it
Rows = Literal["one", "all"] | Sequence[Place]


@dataclass(frozen=True)
class Task:
    """What is done to a release: which mutation, to which samples, with whose help."""

    source: ReleaseFolder
    mutation: Mutation
    partners: dict[Place, Place]  # of every sample
    seed: int

    def broken(self, place: Place) -> tuple[Record, list[tuple[Record, EncodedSample]]]:
        """The broken record of a sample, and what its bytes may be taken from. Raises MutationError."""
        places = [place, self.partners[place]] if self.mutation.needs_partner else [place]
        kept = [_read(self.source, origin) for origin in places]
        rng = np.random.default_rng((self.seed, *place))
        return self.mutation.apply(*(kept[0][0], rng), *(record for record, _ in kept[1:])), kept


def mutate(source: Path, target: Path, name: str, rows: Rows, rng: np.random.Generator) -> list[Place]:
    """Write to `target` a copy of the release in `source`, broken as `MUTATIONS[name]` says; returns what is broken.

    `rows` are (shard, row), or "one" for a sample drawn by `rng`, or "all": every sample that has what is to be broken
    (duplicates: every second pair becomes a copy of another). All else keeps its bytes; the validation's report is
    left out. `target` appears once all is written. Raises InputError for an unknown name, a `target` that is there,
    or no sample to break; ShardError for a damaged shard.
    """
    if name not in MUTATIONS:
        raise InputError(f"no mutation is called {name!r}; there are {', '.join(MUTATIONS)}")
    with _new_folder(Path(target)) as part:
        task, chosen = _choose(ReleaseFolder(Path(source)), MUTATIONS[name], rows, rng)
        shards = sorted({shard for shard, _ in chosen})
        _copy_rest(task.source, part.path, set(shards))
        broken: list[Place] = []
        for shard in shards:
            broken += _write_broken(task, shard, {place for place in chosen if place[0] == shard}, part)
        if not broken:
            raise InputError(f"{source}: no sample has what {name} breaks")
        _renew_index(part)
        _renew_release_manifest(part)
    return broken


@contextmanager
def _new_folder(target: Path) -> Iterator[ReleaseFolder]:
    """A folder beside `target` that becomes it at the end, and is removed after an exception."""
    if target.exists():
        raise InputError(f"{target}: is there already; give the name of a new folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        part.mkdir()
        yield ReleaseFolder(part)
        part.rename(target)
    except BaseException as error:
        shutil.rmtree(part, ignore_errors=True)
        if isinstance(error, OSError) and error.errno and (is_disk_full(error) or error.filename == str(part)):
            error.filename = str(target)  # the name that the caller knows, not a copied file's source
        raise


def _places(source: ReleaseFolder) -> dict[Place, tuple[int, int]]:
    """Pair and role of every sample of the release."""
    if not source.path.is_dir():
        raise InputError(f"{source.path}: no such folder; a folder of shards is wanted")
    out: dict[Place, tuple[int, int]] = {}
    shards = ShardSet(source.path)  # a copy with new manifests would hide what the old ones lie about
    for number, path in zip(source.shards(), shards.paths, strict=True):
        shard = shards.open(path)
        if lies := against_words(shard):
            raise ShardError(f"{path}: {lies[0]}")
        pairs, roles = shard.array("metadata/pair"), shard.array("metadata/pair_role")
        out |= {(number, row): (int(pairs[row]), int(roles[row])) for row in range(len(pairs))}
    shards.close()
    return out


def _choose(
    source: ReleaseFolder, mutation: Mutation, rows: Rows, rng: np.random.Generator
) -> tuple[Task, list[Place]]:
    """The task, and the samples to try it on."""
    places = _places(source)
    pairs = rng.permutation(sorted({pair for pair, _ in places.values()})).tolist()
    if mutation.needs_partner and len(pairs) < 2:
        raise InputError(f"{source.path}: {mutation.name} needs samples of two pairs")
    task = Task(source, mutation, _partners(places, pairs), int(rng.integers(2**62)))
    if rows == "all":
        spared = pairs[0::2] if mutation.needs_original else ()
        return task, [place for place, (pair, _) in places.items() if pair not in set(spared)]
    if rows == "one":
        order = rng.permutation(len(places))
        return task, [_first_breakable(task, [list(places)[i] for i in order])]
    chosen = [(int(shard), int(row)) for shard, row in rows]
    if unknown := [place for place in chosen if place not in places]:
        raise InputError(f"{source.path}: there is no row {unknown[0][1]} in shard {unknown[0][0]}")
    return task, chosen


def _partners(places: dict[Place, tuple[int, int]], pairs: list[int]) -> dict[Place, Place]:
    """For every sample the one of the same role (or the first) in the pair before its own in `pairs`, round."""
    before = dict(zip(pairs, pairs[-1:] + pairs[:-1]))
    members: dict[int, dict[int, Place]] = {pair: {} for pair in pairs}
    for place, (pair, role) in places.items():
        members[pair][role] = place
    others = {place: members[before[pair]] for place, (pair, _) in places.items()}
    return {place: other.get(places[place][1], min(other.values())) for place, other in others.items()}


def _first_breakable(task: Task, places: Sequence[Place]) -> Place:
    for place in places:
        try:
            task.broken(place)
            return place
        except MutationError:
            continue
    raise InputError(f"{task.source.path}: no sample has what {task.mutation.name} breaks")


def _read(source: ReleaseFolder, place: Place) -> tuple[Record, EncodedSample]:
    with ShardFile(source.shard(place[0])) as shard:
        return record_of(shard, place[1]), encoded_of(shard, place[1])


def _copy_rest(source: ReleaseFolder, target: Path, without: set[int]) -> None:
    """Copy what is published of a release, but for the files of the shards `without` and the validation's report."""
    rewritten = {source.shard(number) for number in without}
    for path in sorted(source.path.rglob("*")):
        inside = path.relative_to(source.path)
        hidden = any(name.startswith(".") for name in inside.parts)
        if path.is_file() and not hidden and path not in rewritten and source.validation not in path.parents:
            (target / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / inside)


def _write_broken(task: Task, number: int, chosen: set[Place], part: ReleaseFolder) -> list[Place]:
    """Write shard `number` with the `chosen` samples broken, and its manifest; returns those that could be broken."""
    broken: list[Place] = []
    with ShardFile(task.source.shard(number)) as shard:
        samples = (_sample(task, shard, (number, row), chosen, broken) for row in range(len(shard)))
        digest = write_shard(part.shard(number), samples, shard_record_of(shard))
    write_manifest(part.shard(number), digest)
    return broken


def _sample(task: Task, shard: ShardFile, place: Place, chosen: set[Place], broken: list[Place]) -> EncodedSample:
    """A sample to be written: broken, and noted so, if it is chosen and has what is to be broken; else as it was."""
    if place in chosen:
        try:
            encoded = recoded(*task.broken(place))
        except MutationError:
            pass
        else:
            broken.append(place)
            return encoded
    return encoded_of(shard, place[1])


def _renew_index(part: ReleaseFolder) -> None:
    """Let a published index say what the shards say now; its verdicts stay."""
    if not part.index.is_file():
        return
    from ..load.index import build_index, read_index, write_index

    index = build_index([part.shard(number) for number in part.shards()])
    write_index(part.index, index.with_column("verdict", read_index(part.index)["verdict"]))


def _renew_release_manifest(part: ReleaseFolder) -> None:
    """Give the release's manifest, where there is one, the sizes and sums of the files as they are now."""
    if not part.release_manifest.is_file():
        return
    manifest = read_release_manifest(part.release_manifest)
    paths = {name: part.path / name for name in listed(manifest) if (part.path / name).is_file()}
    files = [{"path": name, "bytes": path.stat().st_size, "sha256": file_sha256(path)} for name, path in paths.items()]
    shards = {one["path"]: one["sha256"] for one in files if one["path"].endswith(".h5")}
    write_atomic(part.release_manifest, sealed(manifest | {"files": files, "data_hash": data_hash(shards)}))
