"""Streaming scores: the same as of everything at once, to the last bit, however samples are split and merged."""

from __future__ import annotations

import json
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_metrics import hands

from baselines.metrics import PROTOCOLS, Scores, auc, f_scores, mask_iou, pck, protocol
from baselines.metrics.scores import OVERLAPS
from baselines.metrics.sums import ExactSum
from rigging.errors import InputError

seeds = st.integers(0, 2**32 - 1)
COUNT = 24


@pytest.fixture(scope="module")
def everything() -> dict[str, np.ndarray]:
    return test_set(0)


def test_set(seed: int) -> dict[str, np.ndarray]:
    """All that can be scored of COUNT samples, by name, with joints and meshes missing here and there."""
    rng = np.random.default_rng(seed)
    pred, true = hands(seed, COUNT, noise=0.02)
    mesh, true_mesh = hands(seed + 1, COUNT, joints=40)
    valid = rng.random((COUNT, 21)) < 0.9
    image = rng.uniform(0, 64, (2, COUNT, 21, 2))
    masks = rng.random((2, COUNT, 8, 8)) < 0.5
    return {
        "pred": pred,
        "true": true,
        "valid": valid,
        "oracle": true + rng.normal(scale=0.005, size=true.shape),
        "mesh": mesh,
        "true_mesh": true_mesh,
        "vertices_valid": rng.random(COUNT) < 0.8,
        "image": image[0],
        "true_image": image[1],
        "masks": masks[0],
        "true_masks": masks[1],
        "iou": np.where(rng.random(COUNT) < 0.8, rng.random(COUNT), np.nan),
    }


test_set.__test__ = False


def scored(data: dict[str, np.ndarray], chosen: np.ndarray | slice = slice(None)) -> Scores:
    part = {name: array[chosen] for name, array in data.items()}
    scores = Scores()
    scores.add(
        part["pred"],
        part["true"],
        part["valid"],
        oracle=part["oracle"],
        vertices=(part["mesh"], part["true_mesh"]),
        vertices_valid=part["vertices_valid"],
        image=(part["image"], part["true_image"]),
        projected=(part["image"] + 1, part["true_image"]),
        masks=(part["masks"], part["true_masks"]),
        overlaps={"mask_oracle": part["iou"]},
    )
    return scores


@settings(max_examples=10, deadline=None)
@given(seeds, st.lists(st.integers(0, COUNT), max_size=4), st.randoms(use_true_random=False))
def test_any_split_in_any_order_gives_the_same_bits(seed, cuts, shuffler):
    data = test_set(seed % 7)
    whole = scored(data)
    parts = np.split(np.random.default_rng(seed).permutation(COUNT), sorted(cuts))
    pieces = [scored(data, part) for part in parts]
    shuffler.shuffle(pieces)
    merged = Scores()
    for piece in pieces:
        merged.merge(pickle.loads(pickle.dumps(piece)))  # as it comes from another process
    assert merged.table() == whole.table()
    for name in ("absolute", "mvhm", "procrustes", "image", "mpvpe"):
        np.testing.assert_array_equal(merged.by_joint(name), whole.by_joint(name))
        np.testing.assert_array_equal(merged.curve(name), whole.curve(name))


def test_batches_one_after_the_other_are_merged_too(everything):
    scores = Scores([protocol("absolute")])
    for start in range(0, COUNT, 5):
        part = slice(start, start + 5)
        scores.add(everything["pred"][part], everything["true"][part], everything["valid"][part])
    assert scores.table()["absolute"] == scored(everything).table()["absolute"]


def test_the_table_says_what_the_functions_say(everything):
    table = scored(everything).table()
    valid = everything["valid"]
    for name in ("absolute", "root_relative", "n_mpjpe_bone", "n_mpjpe_ls", "procrustes", "procrustes_freihand"):
        errors = protocol(name).errors(everything["pred"], everything["true"], valid)
        row = table[name]
        assert row["epe"] == pytest.approx(np.nanmean(errors), abs=1e-12)
        assert row["points"] == np.isfinite(errors).sum()
        assert row["samples"] == np.isfinite(errors).any(axis=1).sum()
        for low, high in ((0, 50), (20, 50)):
            assert row[f"auc_{low}_{high}"] == auc(errors, low, high)
            assert row[f"auc_{low}_{high}_freihand"] == auc(errors, low, high, "freihand")
            assert row[f"auc_{low}_{high}_kuzphi"] == auc(errors, low, high, "kuzphi")
        assert row["pck_20"] == pck(errors, 20.0)[0]
    oracle = protocol("mvhm").errors(everything["oracle"], everything["true"], valid)
    assert table["mvhm"]["epe"] == pytest.approx(np.nanmean(oracle), abs=1e-12)
    assert table["mvhm"]["epe"] < table["absolute"]["epe"]
    assert table["mask"]["iou"] == pytest.approx(mask_iou(everything["masks"], everything["true_masks"]).mean())
    known = everything["iou"][np.isfinite(everything["iou"])]
    assert table["mask_oracle"]["iou"] == pytest.approx(known.mean()) and table["mask_oracle"]["samples"] == len(known)
    projected = protocol("projected").errors(everything["image"] + 1, everything["true_image"], valid)
    assert table["projected"]["epe"] == pytest.approx(np.nanmean(projected), abs=1e-12)


def test_meshes_are_scored_after_their_alignment(everything):
    table = scored(everything).table()
    known = everything["vertices_valid"]
    meshes = everything["mesh"], everything["true_mesh"]
    assert table["mpvpe_absolute"]["samples"] == known.sum()
    assert table["mpvpe"]["samples"] == (known & everything["valid"][:, 0]).sum()
    joints = everything["pred"], everything["true"]
    moved = protocol("mpvpe").aligned_vertices(meshes, joints, everything["valid"])
    known = known & everything["valid"][:, 0]
    expected = np.linalg.norm(moved - meshes[1], axis=-1)[known].mean() * 1000
    assert table["mpvpe"]["epe"] == pytest.approx(expected)
    f = f_scores(moved[known], meshes[1][known]).mean(axis=0)
    assert (table["mpvpe"]["f_5"], table["mpvpe"]["f_15"]) == pytest.approx(tuple(f))


def test_errors_by_joint_and_the_curve(everything):
    scores = scored(everything)
    errors = protocol("root_relative").errors(everything["pred"], everything["true"], everything["valid"])
    np.testing.assert_allclose(scores.by_joint("root_relative"), np.nanmean(errors, axis=0), atol=1e-12)
    thresholds, shares = scores.curve("root_relative")
    assert (thresholds[0], thresholds[-1], len(thresholds)) == (0, 50, 101)
    np.testing.assert_array_equal(shares, pck(errors, thresholds))


def test_what_was_not_given_has_no_figures_and_the_table_is_json(everything):
    scores = Scores()
    scores.add(everything["pred"][:2], everything["true"][:2])
    table = json.loads(json.dumps(scores.table(), allow_nan=False))
    assert list(table) == [known.name for known in PROTOCOLS]
    assert table["mvhm"]["samples"] == 0 and table["mvhm"]["epe"] is None
    assert table["mpvpe"]["auc_0_50"] is None and "f_5" not in table["mpvpe"]
    assert table["absolute"]["samples"] == 2 and table["absolute"]["epe"] > 0
    with pytest.raises(InputError, match="nothing was scored under 'mvhm'; scored: absolute"):
        scores.by_joint("mvhm")


def test_every_row_names_its_protocol(everything):
    for name, row in scored(everything).table().items():
        assert row["protocol"] == (OVERLAPS[name] if name in OVERLAPS else protocol(name).describe())


def test_nothing_is_added_that_does_not_fit(everything):
    with pytest.raises(InputError, match="under the same protocols"):
        Scores().merge(Scores(PROTOCOLS[:2]))
    with pytest.raises(InputError, match="names of their own"):
        Scores([PROTOCOLS[0], PROTOCOLS[0]])
    scores = scored(everything)
    with pytest.raises(InputError, match="samples of 21 and of 16 points do not mix"):
        scores.add(everything["pred"][:, :16], everything["true"][:, :16])
    with pytest.raises(InputError, match="masks: "):
        scores.add(everything["pred"], everything["true"], masks=(everything["masks"], everything["mesh"]))
    assert scores.table() == scored(everything).table()
    with pytest.raises(InputError, match="vertices relative to a root need the joints"):
        Scores([protocol("mpvpe")]).add(vertices=(everything["mesh"], everything["true_mesh"]))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False, max_value=1e300, min_value=-1e300), max_size=20), seeds
)
def test_sums_do_not_round(values, seed):
    values = np.array(values)
    columns = np.random.default_rng(seed).integers(0, 3, len(values))
    total = ExactSum(3)
    total.add(values, columns)
    for column in range(3):
        exact = sum((Fraction(value) for value in values[columns == column]), Fraction())
        assert total.means(np.full(3, 7))[column] == float(exact / 7)
    assert np.isnan(total.mean(0))


def test_sums_of_more_than_fits_a_bin_are_added_in_turns(monkeypatch):
    values = np.random.default_rng(0).gamma(2, 10, 1000)
    whole, turns = ExactSum(), ExactSum()
    whole.add(values)
    monkeypatch.setattr("baselines.metrics.sums.AT_ONCE", 7)
    turns.add(values)
    assert turns.units == whole.units


def test_sums_refuse_what_is_not_a_number():
    with pytest.raises(InputError, match="finite"):
        ExactSum().add(np.array([1.0, np.inf]))
