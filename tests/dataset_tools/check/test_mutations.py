"""Every mutation breaks what it says and nothing else, and is written so that no sum or manifest betrays it."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path

import numpy as np
import pytest

from dataset_tools.check import mutate as mutate_module
from dataset_tools.check.mutate import mutate
from dataset_tools.check.mutations import FOREIGN_ORDER, IDENTITY, MUTATIONS, SHIFT, VIEW_IMAGES, MutationError
from dataset_tools.check.shard import check_shard
from dataset_tools.load.dataset import HandDataset
from dataset_tools.store.carry import STORED, encoded_of, recoded, record_of, shard_record_of
from dataset_tools.store.encode import EncodedSample, encode_sample
from dataset_tools.store.layout import ReleaseFolder
from dataset_tools.store.manifest import read_manifest
from dataset_tools.store.release_manifest import KEYS, manifest_hash, read_release_manifest, sealed
from dataset_tools.store.shard_file import ShardFile
from dataset_tools.store.writer import write_shard
from rigging.errors import InputError
from rigging.files import file_sha256
from rigging.geometry.projection import project
from rigging.poses.permutations import to_canonical

CHANGES = {
    "labels-shuffled": {"rgb"},
    "image-replaced": {"rgb"},
    "picture-mirrored": {"rgb"},
    "view-mirrored": set(VIEW_IMAGES),
    "cameras-swapped": {"K", "world_to_cam"},
    "intrinsics-shifted": {"K"},
    "vertices-permuted": {"vertices_world"},
    "depth-millimetres": {"depth"},
    "flow-flipped": {"flow_forward", "flow_backward"},
    "joints-reordered": {"joints_world", "source_joints", "residual", "joint_visible", "joint_in_frame"},
    "hand-renamed": {"hand"},
    "normals-world": {"normals"},
    "masks-shifted": {"parts"},
    "sample-duplicated": set(STORED) - set(IDENTITY),
}
PLACES = [(0, 0), (0, 1), (0, 2), (1, 0)]  # of the small release: pairs 0 and 1, cut in two by its shards


@pytest.fixture
def broken(records):
    """broken(name): the first record, broken with the third's help."""
    return lambda name, seed=0: MUTATIONS[name].apply(records[0], np.random.default_rng(seed), records[2])


def differing(one: dict, other: dict) -> set[str]:
    return {name for name in one if not np.array_equal(one[name], other[name])}


def views_differing(one: np.ndarray, other: np.ndarray) -> list[int]:
    return np.flatnonzero([(a != b).any() for a, b in zip(one, other)]).tolist()


def same_bytes(one: EncodedSample, other: EncodedSample) -> bool:
    values = one.values.keys() == other.values.keys() and all(
        np.array_equal(one.values[path], other.values[path]) for path in one.values
    )
    return values and (one.jpeg, one.chunks, one.dtypes, one.sizes) == (
        other.jpeg, other.chunks, other.dtypes, other.sizes)  # fmt: skip


def test_every_mutation_has_its_changes_listed():
    assert set(CHANGES) == set(MUTATIONS)
    assert all(mutation.name == name and mutation.named_by for name, mutation in MUTATIONS.items())


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_changes_its_fields_and_leaves_the_record_alone(name, records, broken):
    before = copy.deepcopy(records[0])
    out = broken(name)
    assert differing(out, records[0]) <= CHANGES[name]
    if name != "sample-duplicated":  # two records of the tests share some values
        assert {"rgb"} & CHANGES[name] <= differing(out, records[0]) or differing(out, records[0]) == CHANGES[name]
    assert not differing(before, records[0])
    assert not differing(out, broken(name)), "the same generator, the same damage"
    encode_sample(out)  # still fits the schema


def test_pictures_that_move(records, broken):
    assert np.array_equal(broken("labels-shuffled")["rgb"], records[2]["rgb"])
    replaced = broken("image-replaced")["rgb"]
    (view,) = views_differing(replaced, records[0]["rgb"])
    assert np.array_equal(replaced[view], records[2]["rgb"][view])


def test_a_view_is_mirrored_with_its_labels_and_a_picture_without(records, broken):
    out = broken("view-mirrored")
    (view,) = views_differing(out["parts"], records[0]["parts"])
    assert np.array_equal(out["depth"][view][:, ::-1], records[0]["depth"][view])
    assert np.array_equal(out["normals"][view][:, ::-1] * [-1, 1, 1], records[0]["normals"][view])
    assert np.array_equal(out["flow_forward"][view][:, ::-1] * [-1, 1], records[0]["flow_forward"][view])
    picture = broken("picture-mirrored")["rgb"]
    (view,) = views_differing(picture, records[0]["rgb"])
    assert np.array_equal(picture[view][:, ::-1], records[0]["rgb"][view])


def test_cameras(records, broken):
    first, second = views_differing(broken("cameras-swapped")["world_to_cam"], records[0]["world_to_cam"])
    assert np.array_equal(broken("cameras-swapped")["world_to_cam"][first], records[0]["world_to_cam"][second])
    moved = project(records[0]["joints_world"], broken("intrinsics-shifted")["K"], records[0]["world_to_cam"])
    stood = project(records[0]["joints_world"], records[0]["K"], records[0]["world_to_cam"])
    np.testing.assert_allclose(moved - stood, np.broadcast_to([SHIFT, 0], moved.shape), atol=1e-9)


def test_one_per_cent_of_the_vertices_change_places(records, broken):
    old, new = records[0]["vertices_world"], broken("vertices-permuted")["vertices_world"]
    moved = (old != new).any(1)
    assert 0.008 < moved.mean() < 0.012
    assert np.array_equal(np.sort(old[moved], axis=0), np.sort(new[moved], axis=0))


def test_labels_of_pixels(records, broken):
    record = records[0]
    np.testing.assert_allclose(broken("depth-millimetres")["depth"], 1000 * record["depth"], rtol=1e-6)
    assert np.array_equal(broken("flow-flipped")["flow_forward"], -record["flow_forward"])
    turned = np.einsum("vij,vhwj->vhwi", record["world_to_cam"][:, :3, :3], broken("normals-world")["normals"])
    np.testing.assert_allclose(turned, record["normals"], atol=1e-6)
    parts = broken("masks-shifted")["parts"]
    assert np.array_equal(parts[:, :, 1:], record["parts"][:, :, :-1]) and not parts[:, :, 0].any()


def test_joints_are_in_another_data_sets_order(records, broken):
    out = broken("joints-reordered")
    assert np.array_equal(to_canonical(FOREIGN_ORDER, out["joints_world"]), records[0]["joints_world"])


def test_a_hand_is_called_by_the_other_side(records, broken):
    assert broken("hand-renamed")["hand"] == "left"
    assert MUTATIONS["hand-renamed"].apply(broken("hand-renamed"), np.random.default_rng())["hand"] == "right"


def test_a_duplicate_keeps_its_own_number(records, broken):
    out = broken("sample-duplicated")
    assert not {name for name in differing(out, records[2]) if name not in IDENTITY}
    assert not {name for name in differing(out, records[0]) if name in IDENTITY}


def test_what_cannot_be_broken_is_said(records):
    rng = np.random.default_rng(0)
    still = records[0] | {name: np.zeros_like(records[0][name]) for name in ("flow_forward", "flow_backward")}
    with pytest.raises(MutationError, match="no flow"):
        MUTATIONS["flow-flipped"].apply(still, rng)
    with pytest.raises(MutationError, match="no view shows the hand"):
        MUTATIONS["picture-mirrored"].apply(records[0] | {"parts": np.zeros_like(records[0]["parts"])}, rng)
    with pytest.raises(MutationError, match="second sample"):
        MUTATIONS["labels-shuffled"].apply(records[0], rng)


# stored samples, carried


def test_carried_samples_give_the_bytes_of_the_shard(shard, tmp_path):
    with ShardFile(shard) as opened:
        samples = (encoded_of(opened, row) for row in range(len(opened)))
        digest = write_shard(tmp_path / shard.name, samples, shard_record_of(opened))
    assert digest == file_sha256(shard)


def test_a_record_comes_back_as_it_was_written(shard, records):
    with ShardFile(shard) as opened:
        record, encoded = record_of(opened, 1), encoded_of(opened, 1)
    for name in ("joints_world", "K", "parts", "alpha", "hand", "shape", "flow_forward_visible"):
        assert np.array_equal(record[name], records[1][name]), name
    assert same_bytes(recoded(record, [(record, encoded)]), encoded)


def test_only_what_changed_is_encoded_anew(shard):
    with ShardFile(shard) as opened:
        record, encoded = record_of(opened, 0), encoded_of(opened, 0)
    depth, rgb = record["depth"].copy(), record["rgb"].copy()
    depth[3] *= 2
    rgb[5] = 255 - rgb[5]
    out = recoded(record | {"depth": depth, "rgb": rgb}, [(record, encoded)])
    assert [v for v in range(8) if out.jpeg[v] != encoded.jpeg[v]] == [5]
    chunks = {path: [v for v in range(8) if out.chunks[path][v] != encoded.chunks[path][v]] for path in out.chunks}
    assert {path: views for path, views in chunks.items() if views} in ({}, {"images/depth/code": [3]})
    assert out.values["images/depth/near"][3] == pytest.approx(2 * encoded.values["images/depth/near"][3])
    assert np.array_equal(
        np.delete(out.values["images/depth/step"], 3), np.delete(encoded.values["images/depth/step"], 3)
    )


# mutated releases


@pytest.fixture(scope="module")
def mutant(release, tmp_path_factory):
    """mutant(name, rows): folder of the broken copy of the small release, and what is broken in it."""
    root, made = tmp_path_factory.mktemp("mutants"), {}

    def make(name: str, rows: str) -> tuple[Path, list]:
        if (name, rows) not in made:
            folder = root / f"{name}-{rows}"
            made[name, rows] = folder, mutate(release, folder, name, rows, np.random.default_rng(4))
        return made[name, rows]

    return make


@pytest.mark.parametrize("rows", ["one", "all"])
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutated_release_is_whole_and_differs_where_it_says(name, rows, release, mutant):
    folder, places = mutant(name, rows)
    wanted = 1 if rows == "one" else 2 if MUTATIONS[name].needs_original else 4
    assert len(places) == len(set(places)) == wanted
    for number in (0, 1):
        path, source = ReleaseFolder(folder).shard(number), ReleaseFolder(release).shard(number)
        manifest = read_manifest(path)
        assert (manifest["sha256"], manifest["bytes"]) == (file_sha256(path), path.stat().st_size)
        if number not in {shard for shard, _ in places}:
            assert path.read_bytes() == source.read_bytes()
        with ShardFile(path) as opened, ShardFile(source) as original:
            assert not differing(shard_record_of(opened), shard_record_of(original))
            assert len(opened) == len(original)
            for row in range(len(opened)):
                opened.read(row, STORED)
                same = same_bytes(encoded_of(opened, row), encoded_of(original, row))
                assert same == ((number, row) not in places), f"shard {number}, row {row}"
    assert len(list(HandDataset(folder))) == 4


@pytest.mark.parametrize("name", MUTATIONS)
def test_fields_that_are_not_broken_are_stored_as_before(name, release, mutant):
    folder, [(number, row)] = mutant(name, "one")
    with (
        ShardFile(ReleaseFolder(folder).shard(number)) as opened,
        ShardFile(ReleaseFolder(release).shard(number)) as original,
    ):
        found = differing(record_of(opened, row), record_of(original, row))
    assert found and found <= CHANGES[name]


def test_depth_in_millimetres_is_stored_as_the_writer_would(release, mutant):
    folder, _ = mutant("depth-millimetres", "all")
    for broken, sample in zip(HandDataset(folder, fields=["depth"]), HandDataset(release, fields=["depth"])):
        span = max(np.ptp(view[view > 0]) for view in broken["depth"])
        np.testing.assert_allclose(broken["depth"], 1000 * sample["depth"], atol=span / 131068 + 1e-3)
        assert ((broken["depth"] > 0) == (sample["depth"] > 0)).all()


def test_pictures_that_move_are_not_compressed_again(release, mutant):
    folder, places = mutant("labels-shuffled", "all")
    streams = {place: _streams(release, place) for place in PLACES}
    owners = {place: [other for other in PLACES if streams[other] == _streams(folder, place)] for place in places}
    pairs = {place: place in ((0, 0), (0, 1)) for place in PLACES}
    assert all(len(owner) == 1 and pairs[owner[0]] != pairs[place] for place, owner in owners.items())
    assert len({owner[0] for owner in owners.values()}) == 4, "a permutation"


def _streams(folder: Path, place: tuple[int, int]) -> tuple[bytes, ...]:
    with ShardFile(ReleaseFolder(folder).shard(place[0])) as shard:
        return shard.streams(place[1])


def test_the_quick_check_sees_what_it_looks_at(release, mutant):
    assert not [line for path in sorted(release.glob("*.h5")) for line in check_shard(path).problems]
    for name in ("intrinsics-shifted", "vertices-permuted", "depth-millimetres", "masks-shifted"):
        assert check_shard(mutant(name, "all")[0] / "shard-00000.h5").problems, name


def test_chosen_rows_are_broken(release, tmp_path):
    assert mutate(release, tmp_path / "out", "hand-renamed", [(1, 0), (0, 2)], np.random.default_rng(0)) == [
        (0, 2), (1, 0)]  # fmt: skip
    assert [sample["meta"]["hand"] for sample in HandDataset(tmp_path / "out", fields=["hand"])] == [
        "right", "right", "left", "left"]  # fmt: skip


def test_the_same_generator_gives_the_same_bytes(release, mutant, tmp_path):
    folder, _ = mutant("vertices-permuted", "all")
    mutate(release, tmp_path / "again", "vertices-permuted", "all", np.random.default_rng(4))
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_a_published_release_stays_published_without_its_report(release, tmp_path):
    source = ReleaseFolder(shutil.copytree(release, tmp_path / "source"))
    source.validation.mkdir()
    source.report.write_text("{}")
    (source.path / ".events").mkdir()
    (source.path / ".events" / "log").write_text("x")
    source.card.write_text("card")
    paths = [path for path in source.path.rglob("*") if path.is_file() and ".events" not in path.parts]
    files = [
        {"path": str(p.relative_to(source.path)), "bytes": p.stat().st_size, "sha256": file_sha256(p)} for p in paths
    ]
    values = {name: kind() for name, kind in KEYS.items() if name != "manifest_hash"}
    source.release_manifest.write_bytes(sealed(values | {"version": "1.0.0", "files": files}))
    mutate(source.path, tmp_path / "out", "hand-renamed", "one", np.random.default_rng(0))
    out = ReleaseFolder(tmp_path / "out")
    manifest = read_release_manifest(out.release_manifest)
    assert manifest["manifest_hash"] == manifest_hash(manifest)
    told = {entry["path"]: (entry["bytes"], entry["sha256"]) for entry in manifest["files"]}
    assert told == {
        path.name: (path.stat().st_size, file_sha256(path))
        for path in out.path.iterdir()
        if path.name != "manifest.json"
    }
    assert manifest["version"] == "1.0.0" and "README.md" in told and not (out.path / ".events").exists()


def test_a_published_index_says_what_the_shards_say(release, tmp_path):
    from dataset_tools.load.index import build_index, read_index, write_index

    source = ReleaseFolder(shutil.copytree(release, tmp_path / "source"))
    index = build_index([source.shard(number) for number in source.shards()])
    write_index(source.index, index.with_column("verdict", np.array(["pass"] * 4)))
    mutate(source.path, tmp_path / "out", "hand-renamed", [(1, 0)], np.random.default_rng(0))
    found = read_index(ReleaseFolder(tmp_path / "out").index)
    assert found["hand"].tolist() == ["right"] * 3 + ["left"] and found["verdict"].tolist() == ["pass"] * 4


# bad input


def test_what_is_there_is_never_overwritten(release, tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="is there already"):
        mutate(release, tmp_path / "out", "hand-renamed", "one", np.random.default_rng(0))
    assert list(tmp_path.rglob("*")) == [tmp_path / "out"]


def test_bad_requests_leave_nothing_behind(release, records, tmp_path):
    single, empty = tmp_path / "single", tmp_path / "empty"
    empty.mkdir(), single.mkdir()
    still = records[0] | {name: np.zeros_like(records[0][name]) for name in ("flow_forward", "flow_backward")}
    with ShardFile(release / "shard-00000.h5") as opened:
        write_shard(single / "shard-00000.h5", [encode_sample(still)], shard_record_of(opened))
    for source, name, rows, message in (
        (release, "cameras-lost", "one", "no mutation is called 'cameras-lost'; there are labels-shuffled"),
        (release, "hand-renamed", [(0, 3)], "no row 3 in shard 0"),
        (release, "hand-renamed", [], "no sample has what hand-renamed breaks"),
        (empty, "hand-renamed", "one", "no shard-"),
        (single, "labels-shuffled", "all", "needs samples of two pairs"),
        (single, "flow-flipped", "one", "no sample has what flow-flipped breaks"),
        (single, "flow-flipped", "all", "no sample has what flow-flipped breaks"),
    ):
        with pytest.raises(InputError, match=message):
            mutate(source, tmp_path / "out", name, rows, np.random.default_rng(0))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "single"]


def test_an_interrupted_copy_leaves_nothing(release, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(mutate_module, "write_manifest", stop)
    with pytest.raises(KeyboardInterrupt):
        mutate(release, tmp_path / "out", "hand-renamed", "all", np.random.default_rng(0))
    assert not list(tmp_path.iterdir())
