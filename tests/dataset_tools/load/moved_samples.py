"""What a moved sample is checked with: by reprojection, by ray casting, and against another sample."""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from labelled import SIZE, cast_labels

from rigging.geometry.projection import project, to_camera
from rigging.geometry.rotations import random_rotation

MIRROR = np.array([-1.0, 1.0, 1.0])
few = settings(max_examples=60, deadline=None)
number = st.floats(-40, 120)
seeds = st.integers(0, 2**32 - 1)


def turn(angle: float) -> np.ndarray:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def equal(a: dict, b: dict, names: list[str] | None = None) -> None:
    """Bitwise the same, but for the sign of zero."""
    assert set(a) == set(b)
    for name in names or a:
        if name == "meta":
            for key in a["meta"]:
                assert np.array_equal(a["meta"][key], b["meta"][key]), key
        else:
            assert a[name].dtype == b[name].dtype
            assert np.array_equal(a[name], b[name]), name


# By reprojection: the moved camera sees a point where the moved picture shows it


def world(seed: int, views: int = 3) -> dict:
    """Random cameras, not all with square pixels, and the joints that they see."""
    rng = np.random.default_rng(seed)
    K = np.zeros((views, 3, 3))
    K[:, 0, 0], K[:, 2, 2] = rng.uniform(80, 300, views), 1
    K[:, 1, 1] = np.where(rng.random(views) < 0.5, K[:, 0, 0], rng.uniform(80, 300, views))
    K[:, 0, 1] = np.where(rng.random(views) < 0.5, 0, rng.uniform(-9, 9, views))
    K[:, :2, 2] = rng.uniform(20, 90, (views, 2))
    world_to_cam = np.tile(np.eye(4), (views, 1, 1))
    world_to_cam[:, :3, :3], world_to_cam[:, :3, 3] = random_rotation(rng, views), [0.02, -0.01, 0.7]
    sample = {"K": K, "world_to_cam": world_to_cam, "joints_world": rng.normal(0, 0.05, (21, 3)).astype(np.float32)}
    sample["joints_cam"] = to_camera(sample["joints_world"], world_to_cam).astype(np.float32)
    sample["joints_2d"] = project(sample["joints_world"], K, world_to_cam).astype(np.float32)
    return sample | {"joint_in_frame": np.ones((views, 21), bool)}


def check_moved(old: dict, new: dict, move, size: tuple[int, int], sides: np.ndarray | float = 1.0) -> None:
    """Points of `old`'s world, on `sides` of the new one, are seen by `new`'s cameras where `move` (of pixels) says."""
    points = np.random.default_rng(0).normal(0, 0.06, (40, 3))
    before, after = (project(p, s["K"], s["world_to_cam"]) for p, s in ((points, old), (points * sides, new)))
    assert np.abs(after - move(before)).max() < 1e-9
    rotations = new["world_to_cam"][:, :3, :3]
    assert np.abs(rotations @ rotations.transpose(0, 2, 1) - np.eye(3)).max() < 1e-12
    assert (np.linalg.det(rotations) > 0).all()
    assert (new["K"][:, [0, 1], [0, 1]] > 0).all()
    assert not new["K"][:, 1, 0].any()
    assert np.array_equal(new["K"][:, 2], np.tile([0.0, 0, 1], (len(new["K"]), 1)))
    pixels = move(old["joints_2d"].astype(float))
    assert np.abs(new["joints_2d"] - pixels).max() < 1e-3  # float32, enlarged up to 60 times
    assert np.abs(new["joints_cam"] - to_camera(new["joints_world"], new["world_to_cam"])).max() < 1e-6
    clear = (np.abs(pixels) > 1e-3).all(-1) & (np.abs(pixels - size) > 1e-3).all(-1)
    assert np.array_equal(new["joint_in_frame"][clear], ((pixels > 0) & (pixels < size)).all(-1)[clear])


# By ray casting: the moved camera sees, at the new pixel, what the label says


def check_cast(new: dict, before: np.ndarray, after: np.ndarray, view: int, at: np.ndarray, inside: np.ndarray) -> None:
    """Labels of `new`, whose pixels (h, w) show what is at `at` (h, w, 2) px, nowhere where not `inside` (h, w)."""
    expected = cast_labels(new, before, after, view, at[inside])
    got = {name: new[name][view][inside] for name in expected}
    assert not any(new[name][view][~inside].any() for name in expected)
    assert (expected["parts"] > 0).mean() > 0.05
    same = got["parts"] == expected["parts"]  # rays may pass on either side of an edge
    assert same.mean() > 0.998
    errors = {name: np.abs(got[name] - expected[name]).reshape(len(same), -1).max(1)[same] for name in expected}
    for name, limit in {"depth": 2e-6, "normals": 1e-4, "flow_forward": 1e-3, "flow_backward": 1e-3}.items():
        assert (errors[name] > limit).mean() < 0.002, (name, np.sort(errors[name])[-9:])
    assert np.array_equal(new["mask"], (new["parts"] > 0) & (new["parts"] < 18))


def grid(size: tuple[int, int]) -> np.ndarray:
    return np.stack(np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5), axis=-1)


def nearest(at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The centres of the old pixels that points (h, w, 2) px are in, and whether they are in the old picture."""
    return np.floor(at) + 0.5, ((at >= 0) & (at < SIZE)).all(-1)
