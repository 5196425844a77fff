"""Every mutation breaks what it says in a record, and nothing else."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from differences import CHANGES, differing

from dataset_tools.check.mutations import FOREIGN_ORDER, IDENTITY, MUTATIONS, SHIFT, MutationError
from dataset_tools.store.encode import encode_sample
from rigging.geometry.projection import project
from rigging.poses.readers.permutations import to_canonical


@pytest.fixture
def broken(records):
    """broken(name): the first record, broken with the third's help."""
    return lambda name, seed=0: MUTATIONS[name].apply(records[0], np.random.default_rng(seed), records[2])


def views_differing(one: np.ndarray, other: np.ndarray) -> list[int]:
    return np.flatnonzero([(a != b).any() for a, b in zip(one, other)]).tolist()


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
